"""YASA's classifiers lie beside its code."""

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

hiddenimports = collect_submodules("yasa", filter=lambda name: ".tests" not in name)
datas = collect_data_files("yasa", includes=["classifiers/*"])
