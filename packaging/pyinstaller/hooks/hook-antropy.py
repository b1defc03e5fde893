"""antropy compiles its functions with numba, which wants their source."""

from PyInstaller.utils.hooks import collect_submodules

hiddenimports = collect_submodules("antropy", filter=lambda name: ".tests" not in name)
module_collection_mode = "pyz+py"
