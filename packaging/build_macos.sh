#!/usr/bin/env bash
# Make SleepViewer.app and a disk image of it: dist/SleepViewer.app, dist/SleepViewer-VERSION-macos-ARCH.dmg.
#
#   packaging/build_macos.sh
#
# Wants Python 3.11 or newer (python.org's has the shared library). To have it open without a warning on other machines,
# give a Developer ID in IDENTITY and a notarytool profile in NOTARY; without them it is signed for this machine only.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

rm -rf build/bundle-env build/icons build/collected.json dist/sleepviewer dist/SleepViewer.app
"$python" -m venv build/bundle-env
env=$PWD/build/bundle-env/bin
"$env/python" -m pip install --quiet -c constraints.txt -c packaging/constraints.txt . pyinstaller
"$env/python" -m pip uninstall --quiet --yes numba llvmlite  # a stand-in goes in: pyinstaller/shims/numba.py
export SLEEPVIEWER_VERSION
SLEEPVIEWER_VERSION=$("$env/python" -c 'import importlib.metadata as m; print(m.version("sleepviewer"))')
"$env/python" packaging/make_icons.py resources/program/sleepviewer.svg build/icons
# Away from the checkout, so that the installed package is what goes in.
(cd build && "$env/pyinstaller" --noconfirm --log-level WARN --distpath ../dist --workpath pyinstaller \
  ../packaging/pyinstaller/sleepviewer.spec)
app=dist/SleepViewer.app
cp LICENSE "$app/Contents/Resources/"
# The system's own libraries stay on the system; what has no text is told, and does not end the build.
"$env/python" packaging/licences.py build/collected.json "$app/Contents/Resources/licences" || true
"$env/python" packaging/contents.py "$app" build/contents.json

codesign --force --deep --options runtime --sign "${IDENTITY:--}" "$app"
image=dist/SleepViewer-$SLEEPVIEWER_VERSION-macos-$(uname -m).dmg
stage=$(mktemp -d)
cp -R "$app" "$stage/"
ln -s /Applications "$stage/Applications"
hdiutil create -volname SleepViewer -srcfolder "$stage" -ov -format UDZO "$image"
rm -r "$stage"
if [ -n "${NOTARY:-}" ]; then
  xcrun notarytool submit "$image" --keychain-profile "$NOTARY" --wait
  xcrun stapler staple "$image"
fi
ls -l "$image"
