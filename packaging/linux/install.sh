#!/bin/sh
# Make SleepViewer known to this desktop: a command, an entry in the menu, and what opens by a double-click.
#
#   ./install.sh            for yourself, under ~/.local
#   sudo ./install.sh /usr/local   for everybody
#
# Nothing is copied but small files: the program stays in this folder. ./uninstall.sh takes all of it back.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=${1:-$HOME/.local}
mkdir -p "$prefix/bin" "$prefix/share"
ln -sf "$here/sleepviewer" "$prefix/bin/sleepviewer"
(cd "$here/share" && find . -type f) | while read -r file; do
  mkdir -p "$prefix/share/$(dirname "$file")"
  cp "$here/share/$file" "$prefix/share/$file"
done
# The menu need not know where commands are looked for.
desktop=$prefix/share/applications/sleepviewer.desktop
sed "s|^Exec=sleepviewer|Exec=\"$here/sleepviewer\"|" "$here/share/applications/sleepviewer.desktop" > "$desktop"
if command -v update-desktop-database > /dev/null; then update-desktop-database -q "$prefix/share/applications" || true; fi
if command -v update-mime-database > /dev/null; then update-mime-database "$prefix/share/mime" || true; fi
if command -v gtk-update-icon-cache > /dev/null; then gtk-update-icon-cache -qtf "$prefix/share/icons/hicolor" || true; fi
echo "SleepViewer is installed: $prefix/bin/sleepviewer"
case ":$PATH:" in *":$prefix/bin:"*) ;; *) echo "To call it by name, add $prefix/bin to your PATH." ;; esac
