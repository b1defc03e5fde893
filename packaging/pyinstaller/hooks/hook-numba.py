"""What goes by this name in the bundle is packaging/pyinstaller/shims/numba.py, which needs nothing."""

hiddenimports: list[str] = []
