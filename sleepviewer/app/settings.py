"""What the window remembers between two starts."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QByteArray, QSettings

_MOST_RECENT = 8


class _Store(Protocol):
    def value(self, key: str, default: object = None, /) -> object: ...

    def setValue(self, key: str, value: object, /) -> None: ...


class _Forgetful:
    """Settings that end with the program."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}

    def value(self, key: str, default: object = None, /) -> object:
        return self._values.get(key, default)

    def setValue(self, key: str, value: object, /) -> None:
        self._values[key] = value


class Settings:
    """Window geometry, theme and recent files, kept by QSettings in an ini file.

    With ``remember=False`` nothing is read from there or written to it, as for pictures painted without a window.
    """

    def __init__(self, *, remember: bool = True) -> None:
        scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
        self._store: _Store = QSettings(*scope, "SleepViewer", "SleepViewer") if remember else _Forgetful()

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
