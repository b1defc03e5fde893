# Make the bundle for Windows (dist\sleepviewer) and, where Inno Setup is installed, its installer.
#
#   powershell -ExecutionPolicy Bypass -File packaging\build_windows.ps1
#
# Wants Python 3.11 or newer (python.org) and, for the installer, Inno Setup 6 (iscc.exe on the PATH or at its usual place).
$ErrorActionPreference = "Stop"
Set-Location (Join-Path $PSScriptRoot "..")
function Invoke-Checked { & $args[0] $args[1..($args.Length - 1)]; if ($LASTEXITCODE -ne 0) { throw "$($args[0]) ended with $LASTEXITCODE" } }

foreach ($old in "build\bundle-env", "build\icons", "dist\sleepviewer") { if (Test-Path $old) { Remove-Item -Recurse -Force $old } }
Invoke-Checked python -m venv build\bundle-env
$env_python = Join-Path (Get-Location) "build\bundle-env\Scripts\python.exe"
Invoke-Checked $env_python -m pip install --quiet -c constraints.txt -c packaging\constraints.txt . pyinstaller
# A stand-in goes in: pyinstaller\shims\numba.py
Invoke-Checked $env_python -m pip uninstall --quiet --yes numba llvmlite
$version = & $env_python -c "import importlib.metadata as m; print(m.version('sleepviewer'))"
$env:SLEEPVIEWER_VERSION = $version
Invoke-Checked $env_python packaging\make_icons.py resources\program\sleepviewer.svg build\icons

# Away from the checkout, so that the installed package is what goes in.
Push-Location build
try {
    Invoke-Checked $env_python -m PyInstaller --noconfirm --log-level WARN --distpath ..\dist --workpath pyinstaller ..\packaging\pyinstaller\sleepviewer.spec
} finally { Pop-Location }
Copy-Item LICENSE dist\sleepviewer\
# The system's own libraries are Microsoft's redistributables: they have no text here, and the script says which.
& $env_python packaging\licences.py build\collected.json dist\sleepviewer\licences
Invoke-Checked $env_python packaging\contents.py dist\sleepviewer build\contents.json

$iscc = (Get-Command iscc.exe -ErrorAction SilentlyContinue).Source
if (-not $iscc) { $iscc = "${env:ProgramFiles(x86)}\Inno Setup 6\ISCC.exe" }
if (Test-Path $iscc) {
    Invoke-Checked $iscc "/DVersion=$version" packaging\windows\sleepviewer.iss
    Get-ChildItem dist\SleepViewer-*-setup.exe
} else {
    Write-Host "Inno Setup is not installed: the bundle is in dist\sleepviewer, an installer was not made."
}
