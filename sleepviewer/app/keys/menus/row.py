"""What a row of the key table says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A command: where it stands in the menus, what it is called, and the keys that call it.

    Keys are Qt's names (``Ctrl+Z``, ``Num+2`` for the keypad); they are those of the default profile. ``repeats``
    allows a held key to call it again and again. Of the checkable commands of one ``group`` exactly one is on. ``tip``
    says what it does in a phrase, ``unless`` why it can't be called where it can't although a night is open. ``icon``
    names a picture of ``resources/icons`` (none for a checkable command, whose check mark stands in that place);
    ``break_before`` sets it apart from what stands above it in the menu.
    """

    command: str
    menu: str
    text: str
    keys: tuple[str, ...]
    repeats: bool = False
    checkable: bool = False
    tip: str = ""
    icon: str = ""
    break_before: bool = False
    submenu: str = ""
    group: str = ""
    needs_night: bool = True
    unless: str = ""

    @property
    def title(self) -> str:
        """What it is called where its submenu does not stand above it."""
        return f"{self.submenu}: {self.text}" if self.submenu else self.text

    @property
    def explanation(self) -> str:
        """What it does, in a phrase without a full stop."""
        return self.tip or self.title.removesuffix("…")
