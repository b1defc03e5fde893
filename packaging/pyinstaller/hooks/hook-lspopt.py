"""lspopt reads its tables from files beside its code."""

from PyInstaller.utils.hooks import collect_data_files

datas = collect_data_files("lspopt")
