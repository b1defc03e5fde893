#!/bin/sh
# Take back what ./install.sh did, with the same prefix. Your nights, reviews and settings stay where they are.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=${1:-$HOME/.local}
(cd "$here/share" && find . -type f) | while read -r file; do rm -f "$prefix/share/$file"; done
if [ "$(readlink "$prefix/bin/sleepviewer" 2> /dev/null)" = "$here/sleepviewer" ]; then rm -f "$prefix/bin/sleepviewer"; fi
if command -v update-desktop-database > /dev/null; then update-desktop-database -q "$prefix/share/applications" || true; fi
if command -v update-mime-database > /dev/null; then update-mime-database "$prefix/share/mime" || true; fi
echo "SleepViewer is uninstalled. This folder can be deleted."
