; Inno Setup's description of the installer; packaging\build_windows.ps1 runs it, with /DVersion=….
#ifndef Version
  #error "Call with /DVersion=1.2.3"
#endif

[Setup]
AppId={{6F0B7D1E-6C2B-4E0B-9C55-5E9B7B0C5A71}
AppName=SleepViewer
AppVersion={#Version}
AppPublisher=The SleepViewer developers
DefaultDirName={autopf}\SleepViewer
DefaultGroupName=SleepViewer
DisableProgramGroupPage=yes
; A technologist without an administrator's rights installs it for herself.
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=dialog
LicenseFile=..\..\LICENSE
OutputDir=..\..\dist
OutputBaseFilename=SleepViewer-{#Version}-setup
SetupIconFile=..\..\build\icons\sleepviewer.ico
UninstallDisplayIcon={app}\sleepviewer.exe
Compression=lzma2
SolidCompression=yes
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
ChangesAssociations=yes
WizardStyle=modern

[Tasks]
Name: edf; Description: "Open EDF and BDF recordings with SleepViewer"
Name: scoring; Description: "Offer SleepViewer for scoring archives (.npz)"
Name: desktopicon; Description: "{cm:CreateDesktopIcon}"; Flags: unchecked

[Files]
Source: "..\..\dist\sleepviewer\*"; DestDir: "{app}"; Flags: recursesubdirs ignoreversion

[Icons]
Name: "{group}\SleepViewer"; Filename: "{app}\sleepviewer.exe"
Name: "{autodesktop}\SleepViewer"; Filename: "{app}\sleepviewer.exe"; Tasks: desktopicon

[Registry]
Root: HKA; Subkey: "Software\Classes\SleepViewer.Recording"; ValueType: string; ValueData: "Sleep recording"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\SleepViewer.Recording\DefaultIcon"; ValueType: string; ValueData: "{app}\sleepviewer.exe,0"
Root: HKA; Subkey: "Software\Classes\SleepViewer.Recording\shell\open\command"; ValueType: string; ValueData: """{app}\sleepviewer.exe"" ""%1"""
Root: HKA; Subkey: "Software\Classes\.edf\OpenWithProgids"; ValueType: string; ValueName: "SleepViewer.Recording"; ValueData: ""; Flags: uninsdeletevalue; Tasks: edf
Root: HKA; Subkey: "Software\Classes\.bdf\OpenWithProgids"; ValueType: string; ValueName: "SleepViewer.Recording"; ValueData: ""; Flags: uninsdeletevalue; Tasks: edf
Root: HKA; Subkey: "Software\Classes\SleepViewer.Scoring"; ValueType: string; ValueData: "SleepViewer scoring"; Flags: uninsdeletekey
Root: HKA; Subkey: "Software\Classes\SleepViewer.Scoring\DefaultIcon"; ValueType: string; ValueData: "{app}\sleepviewer.exe,0"
Root: HKA; Subkey: "Software\Classes\SleepViewer.Scoring\shell\open\command"; ValueType: string; ValueData: """{app}\sleepviewer.exe"" ""%1"""
Root: HKA; Subkey: "Software\Classes\.npz\OpenWithProgids"; ValueType: string; ValueName: "SleepViewer.Scoring"; ValueData: ""; Flags: uninsdeletevalue; Tasks: scoring

[Run]
Filename: "{app}\sleepviewer.exe"; Description: "{cm:LaunchProgram,SleepViewer}"; Flags: nowait postinstall skipifsilent
