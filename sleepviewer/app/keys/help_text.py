"""The key table for people to read: the help overlay, and the page of the documentation. Without Qt."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import Final

from sleepviewer.app.keys.command_table import KEY_TABLE, MENUS, KeyRow
from sleepviewer.app.keys.keymap import PROFILES, Keymap

_SHOWN: Final = {
    "Left": "←",
    "Right": "→",
    "Up": "↑",
    "Down": "↓",
    "Return": "Enter",
    "Enter": "keypad Enter",
    "PgUp": "Page Up",
    "PgDown": "Page Down",
    "Del": "Delete",
    "-": "−",
}


def shown(key: str) -> str:
    """A key as people read it: ``Num+2`` is “keypad 2”, ``Shift+Left`` “Shift+←”."""
    head, plus, tail = (
        key.rpartition("+") if len(key) > 1 and not key.endswith("++") else (key[:-2], key[-2:-1], key[-1])
    )
    if len(key) == 1:
        return _SHOWN.get(key, key)
    text = f"{head}{plus}{_SHOWN.get(tail, tail)}"
    return text.replace("Num+", "keypad ")


def shown_keys(keys: tuple[str, ...]) -> str:
    """All keys of a command as people read them; the two Enters, where both do the same, as one."""
    both = {key for key in keys if key.endswith("Enter") and f"{key.removesuffix('Enter')}Return" in keys}
    return " · ".join(shown(key) for key in keys if key not in both)


def _rows_of(menu: str, found: str = "") -> list[KeyRow]:
    words = found.lower().split()
    return [row for row in KEY_TABLE if row.menu == menu and all(word in _searched(row) for word in words)]


def _searched(row: KeyRow) -> str:
    return f"{row.menu} {row.title} {row.tip}".lower()


def keys_html(keymap: Keymap | None = None, *, found: str = "", columns: int = 1, key_style: str = "") -> str:
    """The table as HTML, a section per menu, for the help overlay; ``found`` keeps rows with these words alone."""
    keymap = keymap or Keymap()
    keys = keymap.all()
    sections = []
    for menu in MENUS:
        rows = [row for row in _rows_of(menu, found) if keys[row.command]]
        if not rows:
            continue
        lines = _lines(rows, keys)
        cells = "".join(
            f'<tr><td style="white-space: nowrap; padding: 1px 10px 1px 0; {key_style}">'
            f"<b>{escape(pressed)}</b></td><td>{escape(does)}</td></tr>"
            for pressed, does in lines
        )
        sections.append((len(lines) + 2, f"<h3>{menu}</h3><table>{cells}</table>"))
    if not sections:
        return "<p>No command with a key has these words. Ctrl+K looks in all commands.</p>"
    share = 100 // columns
    cells = "".join(
        f'<td width="{share}%" style="padding-right: 24px">{part}</td>' for part in _columns(sections, columns)
    )
    return f'<table width="100%"><tr>{cells}</tr></table>'


def _lines(rows: list[KeyRow], keys: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """Keys and what they do, a submenu of many commands (montages at F1 to F12) on one line."""
    lines = []
    for submenu, group in groupby(rows, key=lambda row: row.submenu):
        members = list(group)
        if submenu and len(members) >= _MANY:
            first, last = (shown_keys(keys[row.command]) for row in (members[0], members[-1]))
            lines.append((f"{first} … {last}", submenu))
        else:
            lines += [(shown_keys(keys[row.command]), row.title) for row in members]
    return lines


_MANY: Final = 8


def _columns(sections: list[tuple[int, str]], columns: int) -> list[str]:
    """Lay sections, each with its height in lines, into columns of about the same height, in their order."""
    room = sum(height for height, _ in sections) / columns
    filled: list[list[str]] = [[]]
    height = 0.0
    for lines, html in sections:
        if filled[-1] and height + lines / 2 > room and len(filled) < columns:
            filled.append([])
            height = 0.0
        filled[-1].append(html)
        height += lines
    return ["".join(parts) for parts in filled]


_INTRODUCTION: Final = """\
# Keys

<!-- Written by tools/write_keys_page.py from sleepviewer/app/keys/command_table.py. Do not edit by hand. -->

Every command of the window, with the keys of the profile “SleepViewer”. `?` shows the keys as they are set, Ctrl+K
finds any command by a few letters of its name, and File › Settings… (Ctrl+,) changes them: a profile, or any single
key. A key that is taken already is reported by the name of its command before it is given to another one.

Stages go to the current epoch, or to the whole range where one is selected (Shift+← and Shift+→).
"""


def keys_markdown() -> str:
    """The page of the documentation."""
    parts, keys = [_INTRODUCTION], Keymap().all()
    for menu in MENUS:
        parts.append(f"## {menu}\n\n| command | keys | what it does |\n|---|---|---|")
        parts.extend(f"| {row.title} | {_marked(keys[row.command])} | {row.explanation} |" for row in _rows_of(menu))
        parts.append("")
    parts.append("## Profiles\n\nFile › Settings… › Keys chooses one; your own changes stay when it is changed.\n")
    for profile in PROFILES.values():
        parts.append(f"- **{profile.title}**: {profile.tip}.")
        parts.extend(
            f"  - {row.title}: {_marked(Keymap(profile.name).keys(row.command))}"
            for row in KEY_TABLE
            if row.command in profile.keys
        )
    return "\n".join(parts) + "\n"


def _marked(keys: tuple[str, ...]) -> str:
    return ", ".join(f"`{shown(key)}`" if key != "|" else "`\\|`" for key in keys)
