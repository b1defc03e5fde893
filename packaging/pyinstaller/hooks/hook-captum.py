"""captum loads the kinds of attribution by name."""

from PyInstaller.utils.hooks import collect_submodules

hiddenimports = [*collect_submodules("captum.attr"), *collect_submodules("captum._utils")]
