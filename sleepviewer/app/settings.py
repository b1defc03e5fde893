"""What the window remembers between two starts."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

_MOST_RECENT = 8


class Settings:
    """Window geometry, theme, recent files and the last engine, kept by QSettings in an ini file."""

    def __init__(self) -> None:
        self._store = QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "SleepViewer", "SleepViewer")

    @property
    def recent(self) -> list[Path]:
        """Recordings opened last that are still there, newest first."""
        stored = self._store.value("recent", [])
        # An ini file gives a list of one back as a string.
        names = [stored] if isinstance(stored, str) else stored if isinstance(stored, list) else []
        return [path for name in names if (path := Path(str(name))).exists()]

    def add_recent(self, path: Path) -> None:
        """Put a recording at the top of the recent ones."""
        path = path.resolve()
        names = [str(path), *(str(p) for p in self.recent if p != path)]
        self._store.setValue("recent", names[:_MOST_RECENT])

    @property
    def theme(self) -> str:
        """``light``, ``dark`` or ``system``."""
        value = str(self._store.value("theme", "system"))
        return value if value in ("light", "dark") else "system"

    @theme.setter
    def theme(self, name: str) -> None:
        self._store.setValue("theme", name)

    @property
    def geometry(self) -> QByteArray | None:
        """Where the window was."""
        value = self._store.value("geometry")
        return value if isinstance(value, QByteArray) else None

    @geometry.setter
    def geometry(self, value: QByteArray) -> None:
        self._store.setValue("geometry", value)
