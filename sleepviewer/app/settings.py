"""What the window remembers between two starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from PySide6.QtCore import QByteArray, QSettings

from sleepviewer.app.keymap import Keymap
from sleepviewer.app.stage_colors import STAGE_COLORS
from sleepviewer.hypnogram.words import one_line
from sleepviewer.review.scorer import usual_scorer

LONGEST_AUTOSAVE_MIN: Final = 60
_AUTOSAVE_MIN: Final = 5
_MOST_RECENT: Final = 8

_Json = TypeVar("_Json", bool, int, float, str, list[Any], dict[str, Any])


class _Store(Protocol):
    def value(self, key: str, default: object = None, /) -> object: ...

    def setValue(self, key: str, value: object, /) -> None: ...

    def clear(self) -> None: ...


class _Forgetful:
    """Settings that end with the program."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}

    def value(self, key: str, default: object = None, /) -> object:
        return self._values.get(key, default)

    def setValue(self, key: str, value: object, /) -> None:
        self._values[key] = value

    def clear(self) -> None:
        self._values.clear()


class Settings:
    """Window geometry, panels, theme, keys and recent files, kept by QSettings in an ini file.

    What a part of the window remembers beside these it keeps with :meth:`get_json` and :meth:`set_json` under a key of
    its own, for example ``montages/by_channels``.

    With ``remember=False`` nothing is read from there or written to it, as for pictures painted without a window.
    """

    def __init__(self, *, remember: bool = True) -> None:
        scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
        self.remembers = remember
        """Whether anything outlives the program; where not, nothing else is to be left on the disk either."""
        self._store: _Store = QSettings(*scope, "SleepViewer", "SleepViewer") if remember else _Forgetful()

    def get_json(self, key: str, default: _Json) -> _Json:
        """Return what was kept under a key, or the default where that is missing, damaged or of another type.

        The type that counts is the default's: what comes back can be used without looking. What is inside a list or a
        dict is not looked at; whoever kept it should take nothing for granted there either.
        """
        stored = self._store.value(key)
        if not isinstance(stored, str):
            return default
        try:
            value = json.loads(stored)
        except (ValueError, RecursionError):
            return default
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        return value if type(value) is type(default) else default

    def set_json(self, key: str, value: _Json) -> None:
        """Keep a value of JSON's types under a key."""
        self._store.setValue(key, json.dumps(value, ensure_ascii=False))

    def forget(self) -> None:
        """Forget everything, as before the first start, and remember nothing more until the program ends.

        Else what the window still holds would be kept again when it is closed.
        """
        self._store.clear()
        self._store = _Forgetful()

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
    def scorer(self) -> str:
        """Under whose name nights are scored: the one that was set, else whoever is logged in."""
        return self.get_json("scorer", "") or usual_scorer()

    @scorer.setter
    def scorer(self, name: str) -> None:
        self.set_json("scorer", one_line(name))

    @property
    def autosave_min(self) -> int:
        """Minutes between two automatic copies."""
        return min(max(self.get_json("autosave_min", _AUTOSAVE_MIN), 1), LONGEST_AUTOSAVE_MIN)

    @autosave_min.setter
    def autosave_min(self, minutes: int) -> None:
        self.set_json("autosave_min", minutes)

    @property
    def begins_blind(self) -> bool:
        """Whether a night without edits is scored blind from the first look on."""
        return self.get_json("begins_blind", False)

    @begins_blind.setter
    def begins_blind(self, on: bool) -> None:
        self.set_json("begins_blind", on)

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

    @property
    def panels(self) -> QByteArray | None:
        """How the panels were arranged."""
        value = self._store.value("panels")
        return value if isinstance(value, QByteArray) else None

    @panels.setter
    def panels(self, value: QByteArray) -> None:
        self._store.setValue("panels", value)

    @property
    def stage_colors(self) -> str:
        """Name of the set of stage colours."""
        value = str(self._store.value("stage_colors", "usual"))
        return value if value in STAGE_COLORS else "usual"

    @stage_colors.setter
    def stage_colors(self, name: str) -> None:
        self._store.setValue("stage_colors", name)

    @property
    def keymap(self) -> Keymap:
        """The keys: a profile, and what the user changed."""
        return Keymap.from_json(self.get_json("keys", {}))

    @keymap.setter
    def keymap(self, keymap: Keymap) -> None:
        self.set_json("keys", keymap.to_json())
