"""Which keys call which command: profiles, the user's own changes, and what is in conflict. Without Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from sleepviewer.app.keys.command_table import KEY_TABLE, MENU_LETTERS, ROWS

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """A set of keys that the program comes with, as differences from the key table."""

    name: str
    title: str
    tip: str
    keys: Mapping[str, Keys] = field(default_factory=dict)


PROFILES: Final[Mapping[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile("default", "SleepViewer", "0 W, 1 N1, 2 N2, 3 N3, 5 or R REM; the keypad goes on to the next epoch"),
        Profile(
            "aasm_isr",
            "AASM ISR",
            "As in the AASM's inter-scorer test: 0 W, 1 N1, 2 N2, 3 N3, 4 REM; the keypad goes on to the next epoch",
            {"stage_rem": ("R", "4"), "stage_rem_next": ("Num+4",)},
        ),
    )
}

_MODIFIERS: Final = ("Meta", "Ctrl", "Alt", "Shift", "Num")
_OTHER_NAMES: Final = {
    "Escape": "Esc",
    "Delete": "Del",
    "Insert": "Ins",
    "Pageup": "PgUp",
    "Pgup": "PgUp",
    "Pagedown": "PgDown",
    "Pgdown": "PgDown",
}

RESERVED: Final[Mapping[str, str]] = {
    "Tab": "moves the focus",
    "Backtab": "moves the focus back",
    "Shift+Tab": "moves the focus back",
    "Shift+Backtab": "moves the focus back",
    **{f"Alt+{letter}": f"opens the menu {menu}" for menu, letter in MENU_LETTERS.items()},
}
"""Keys that no command may have, and what they do."""


@lru_cache(maxsize=1024)
def canonical(key: str) -> str:
    """Return a key as Qt writes it (``shift+ctrl+z`` → ``Ctrl+Shift+Z``), or nothing where it is none."""
    text = key.strip()
    head, plus, tail = text.rpartition("+")
    if text.endswith("+"):
        # The key is the plus itself: "+", "Ctrl++", "Num++".
        head, tail = text[:-1].removesuffix("+"), "+"
    elif not plus:
        head, tail = "", text
    held = {part.strip().capitalize() for part in head.split("+")} if head else set()
    tail = tail.strip()
    if not tail or not held <= set(_MODIFIERS) or tail.capitalize() in _MODIFIERS:
        return ""
    name = tail.upper() if len(tail) == 1 else tail[0].upper() + tail[1:]
    name = _OTHER_NAMES.get(name.capitalize(), name)
    return "+".join([*(modifier for modifier in _MODIFIERS if modifier in held), name])


@dataclass(frozen=True, slots=True)
class Conflict:
    """A key that does something else already: another command's, or one that no command may have."""

    key: str
    command: str = ""
    reason: str = ""

    @property
    def text(self) -> str:
        """The conflict in words."""
        if self.reason:
            return f"{self.key} {self.reason} and can't be given to a command"
        row = ROWS[self.command]
        return f"{self.key} is “{row.title.removesuffix('…')}” ({row.menu})"


@dataclass(frozen=True, slots=True)
class Keymap:
    """The keys of every command: a profile and what the user changed. No key ever calls two commands.

    A changed command has exactly its keys; any other has its profile's but for those that a changed one took.
    """

    profile: str = "default"
    changes: Mapping[str, Keys] = field(default_factory=dict)

    def keys(self, command: str) -> Keys:
        """Keys that call a command."""
        return self.all()[command]

    def all(self) -> dict[str, Keys]:
        """Keys of every command of the table."""
        taken: dict[str, str] = {}
        for row in KEY_TABLE:
            for key in self.changes.get(row.command, ()):
                taken.setdefault(key, row.command)
        return {
            row.command: tuple(
                key
                for key in (canonical(k) for k in self.changes.get(row.command, self.usual(row.command)))
                if taken.get(key, row.command) == row.command
            )
            for row in KEY_TABLE
        }

    def usual(self, command: str) -> Keys:
        """Keys that the profile gives a command."""
        return tuple(map(canonical, PROFILES[self.profile].keys.get(command, ROWS[command].keys)))

    def is_changed(self, command: str) -> bool:
        """Whether a command has other keys than its profile gives it."""
        return self.keys(command) != self.usual(command)

    def command_of(self, key: str) -> str | None:
        """The command that a key calls."""
        key = canonical(key)
        return next((command for command, keys in self.all().items() if key in keys), None)

    def conflicts(self, command: str, keys: Iterable[str]) -> tuple[Conflict, ...]:
        """What these keys do already, if a command were to get them."""
        found = []
        for key in map(canonical, keys):
            if key in RESERVED:
                found.append(Conflict(key, reason=RESERVED[key]))
            elif (other := self.command_of(key)) is not None and other != command:
                found.append(Conflict(key, other))
        return tuple(found)

    def with_keys(self, command: str, keys: Iterable[str]) -> Keymap:
        """Give a command these keys and no others; other commands lose them. Keys that nobody may have are left out."""
        wanted = tuple(dict.fromkeys(k for k in map(canonical, keys) if k and k not in RESERVED))
        changes = {other: tuple(k for k in theirs if k not in wanted) for other, theirs in self.changes.items()}
        # Others' profile keys are taken from them by name, so that they come back with a reset of this command.
        changes[command] = wanted
        return replace(self, changes=changes)._without_idle_changes()

    def reset(self, command: str) -> Keymap:
        """Give a command its profile's keys back; a changed command that had taken one of them loses it."""
        usual = self.usual(command)
        changes = {
            other: tuple(k for k in keys if k not in usual) for other, keys in self.changes.items() if other != command
        }
        return replace(self, changes=changes)._without_idle_changes()

    def with_profile(self, profile: str) -> Keymap:
        """Take another profile; the user's own changes stay."""
        return Keymap(profile, self.changes)._without_idle_changes()

    def _without_idle_changes(self) -> Keymap:
        """Leave out changes that say what the profile says."""
        kept = {command: keys for command, keys in self.changes.items() if keys != self.usual(command)}
        return replace(self, changes=kept)

    # -- kept in settings

    def to_json(self) -> dict[str, Any]:
        """The map as values of JSON's types."""
        return {"profile": self.profile, "changes": {command: list(keys) for command, keys in self.changes.items()}}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Keymap:
        """Read what :meth:`to_json` wrote; what is damaged, or of another version, is left out."""
        profile = value.get("profile")
        changes = value.get("changes")
        keymap = Keymap(profile if isinstance(profile, str) and profile in PROFILES else "default")
        if not isinstance(changes, Mapping):
            return keymap
        for row in KEY_TABLE:
            keys = changes.get(row.command)
            if isinstance(keys, list) and all(isinstance(key, str) for key in keys):
                keymap = keymap.with_keys(row.command, keys)
        return keymap
