#!/usr/bin/env bash
# Make the bundle for Linux: dist/sleepviewer (the folder) and dist/SleepViewer-VERSION-linux-ARCH.tar.gz.
#
#   packaging/build_linux.sh
#
# Wants Python 3.11 or newer with its shared library, binutils, and for the window's libraries on a bare Debian or
# Ubuntu what the README names. Build on the oldest system that the bundle is to run on: its libc is the least one.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

rm -rf build/bundle-env build/icons build/collected.json dist/sleepviewer
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

# Names of the libraries' inner functions, of use to debuggers alone. Not of all libraries: some that were made to lie
# beside others of their kind do not survive it.
for library in torch/lib/libtorch_cpu.so torch/lib/libtorch_python.so libpython3*.so.1.0 lightgbm/lib/lib_lightgbm.so \
  kiwisolver/*.so fontTools/*/*.so safetensors/*.so; do
  for file in dist/sleepviewer/_internal/$library; do
    if [ -f "$file" ] && [ ! -L "$file" ]; then strip --strip-unneeded "$file"; fi
  done
done

mkdir -p dist/sleepviewer/share/applications dist/sleepviewer/share/mime/packages dist/sleepviewer/share/metainfo
cp packaging/linux/sleepviewer.desktop dist/sleepviewer/share/applications/
cp packaging/linux/sleepviewer-mime.xml dist/sleepviewer/share/mime/packages/
cp packaging/linux/io.github.sleepviewer.SleepViewer.metainfo.xml dist/sleepviewer/share/metainfo/
for size in 16 24 32 48 64 128 256 512; do
  install -D -m 644 "build/icons/sleepviewer-$size.png" \
    "dist/sleepviewer/share/icons/hicolor/${size}x$size/apps/sleepviewer.png"
done
install -D -m 644 resources/program/sleepviewer.svg dist/sleepviewer/share/icons/hicolor/scalable/apps/sleepviewer.svg
install -m 755 packaging/linux/install.sh packaging/linux/uninstall.sh dist/sleepviewer/
cp LICENSE packaging/linux/README.txt dist/sleepviewer/

"$env/python" packaging/licences.py build/collected.json dist/sleepviewer/licences
"$env/python" packaging/contents.py dist/sleepviewer "${CONTENTS:-build/contents.json}"
archive=dist/SleepViewer-$SLEEPVIEWER_VERSION-linux-$(uname -m).tar.gz
tar --sort=name --owner=0 --group=0 --numeric-owner -C dist -czf "$archive" sleepviewer
ls -l "$archive"
