"""Commands of the menu Help."""

from __future__ import annotations

from typing import Final

from sleepviewer.app.keys.menus.row import KeyRow

ROWS: Final = (
    KeyRow(
        "palette",
        "Help",
        "Find a command…",
        ("Ctrl+K",),
        tip="Type a few letters of any command or recent recording",
        icon="search",
        needs_night=False,
    ),
    KeyRow("help_keys", "Help", "Keys", ("?",), tip="All keys, as they are set", icon="keyboard", needs_night=False),
    KeyRow(
        "log_folder",
        "Help",
        "Show the log's folder",
        (),
        tip="Show where the program writes down what went wrong; nothing of it is sent anywhere",
        icon="list",
        break_before=True,
        needs_night=False,
    ),
    KeyRow(
        "about",
        "Help",
        "About SleepViewer",
        (),
        tip="Version and licence",
        icon="about",
        needs_night=False,
    ),
)
