"""The one table of commands: menus, shortcuts, tool tips, help, palette and its documentation are made from it."""

from __future__ import annotations

from typing import Final

from sleepviewer.app.keys.menus import edit_menu, events_menu, file_menu, help_menu, review_menu, score_menu, view_menu
from sleepviewer.app.keys.menus.row import KeyRow

__all__ = ["KEY_TABLE", "MENUS", "MENU_LETTERS", "ROWS", "KeyRow"]

KEY_TABLE: Final[tuple[KeyRow, ...]] = (
    *file_menu.ROWS,
    *edit_menu.ROWS,
    *view_menu.ROWS,
    *score_menu.ROWS,
    *events_menu.ROWS,
    *review_menu.ROWS,
    *help_menu.ROWS,
)
"""The rows of every menu, in the order of the menus."""

MENUS: Final = ("File", "Edit", "View", "Score", "Events", "Review", "Help")


def _letters() -> dict[str, str]:
    """Give every menu the first letter of its name that no menu before it has."""
    letters: dict[str, str] = {}
    for menu in MENUS:
        letters[menu] = next(letter for letter in menu.upper() if letter not in letters.values())
    return letters


MENU_LETTERS: Final = _letters()
"""The letter that opens a menu together with Alt."""

ROWS: Final = {row.command: row for row in KEY_TABLE}
"""The table by command."""
