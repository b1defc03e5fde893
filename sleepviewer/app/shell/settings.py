"""What the window remembers between two starts."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from PySide6.QtCore import QByteArray, QSettings

from sleepviewer.app.keys.keymap import Keymap
from sleepviewer.app.shell.stage_colors import STAGE_COLORS
from sleepviewer.hypnogram.words import one_line
from sleepviewer.review.scorer import usual_scorer

FORMAT: Final = 1
"""Number of the way in which settings are kept; a program that changes it so that older ones go wrong raises it."""

_FORMAT_KEY: Final = "format"
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

    Qt writes the file beside itself and renames it, so that it is never there in half. A file that can't be read, or
    that a newer version of the program wrote, is set aside under another name, and ``troubles`` says so.
    """

    def __init__(self, *, remember: bool = True) -> None:
        self.troubles: tuple[str, ...] = ()
        """What is wrong with the file, as sentences."""
        self.remembers = remember
        """Whether anything outlives the program; where not, nothing else is to be left on the disk either."""
        self._store: _Store = self._open() if remember else _Forgetful()

    def _open(self) -> _Store:
        scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
        store = QSettings(*scope, "SleepViewer", "SleepViewer")
        path = Path(store.fileName())
        if (why := _why_not(path, store)) is not None:
            del store
            aside = _set_aside(path)
            kept = f"{path} could not be set aside, and stays." if aside is None else f"The file was kept as {aside}."
            self.troubles = (f"The settings {why}, so the program starts with the usual ones. {kept}",)
            if aside is None:
                return _Forgetful()
            store = QSettings(*scope, "SleepViewer", "SleepViewer")
            store.sync()
        if store.value(_FORMAT_KEY) is None:
            store.setValue(_FORMAT_KEY, FORMAT)
        return store

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


def _why_not(path: Path, store: QSettings) -> str | None:
    """Say what is wrong with a file of settings, or nothing."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"can't be read ({error.strerror or error})"
    if store.status() is QSettings.Status.FormatError or not all(_is_sound(line) for line in raw.splitlines()):
        return "are damaged"
    try:
        written_by = int(str(store.value(_FORMAT_KEY, 0)))
    except ValueError:
        return "are damaged"
    return "were written by a newer version of SleepViewer" if written_by > FORMAT else None


def _is_sound(line: bytes) -> bool:
    """Whether a line is one that Qt writes; Qt itself reads over any other without a word."""
    return not line.strip() or (b"\0" not in line and (b"=" in line or line.startswith((b"[", b";", b"#"))))


def _set_aside(path: Path) -> Path | None:
    """Rename a file to a name beside it that is free; None where that can't be done."""
    names = (path.with_name(f"{path.stem}-set-aside-{number}{path.suffix}") for number in count(1))
    aside = next(name for name in names if not name.exists())
    try:
        path.rename(aside)
    except OSError:
        return None
    return aside
