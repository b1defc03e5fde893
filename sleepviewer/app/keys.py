"""The one table of keys: shortcuts, menus, the help overlay and its documentation are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A command: where it stands in the menus, what it is called, and the keys that call it.

    Keys are Qt's names (``Ctrl+Z``, ``Num+2`` for the keypad). ``repeats`` allows a held key to call it again and
    again.
    """

    command: str
    menu: str
    text: str
    keys: tuple[str, ...]
    repeats: bool = False
    checkable: bool = False


_MONTAGE_ROWS: Final = (
    *(KeyRow(f"montage_{key}", "View", f"Montage {key}", (f"F{key}",)) for key in range(1, 13)),
    *(KeyRow(f"montage_save_{key}", "View", f"Save as montage {key}…", (f"Shift+F{key}",)) for key in range(1, 13)),
)

KEY_TABLE: Final[tuple[KeyRow, ...]] = (
    KeyRow("open", "File", "Open recording…", ("Ctrl+O",)),
    KeyRow("open_truth", "File", "Open truth (expert's hypnogram)…", ("Ctrl+T",)),
    KeyRow("open_demo", "File", "Open the simulated night", ()),
    KeyRow("save", "File", "Save the review", ("Ctrl+S",)),
    KeyRow("save_as", "File", "Save the review as…", ("Ctrl+Shift+S",)),
    KeyRow("export", "File", "Export labels…", ("Ctrl+E",)),
    KeyRow("quit", "File", "Quit", ("Ctrl+Q",)),
    KeyRow("undo", "Edit", "Undo", ("Ctrl+Z",), repeats=True),
    KeyRow("redo", "Edit", "Redo", ("Ctrl+Y", "Ctrl+Shift+Z"), repeats=True),
    KeyRow("stage_w", "Edit", "Set W", ("W", "0")),
    KeyRow("stage_n1", "Edit", "Set N1", ("1",)),
    KeyRow("stage_n2", "Edit", "Set N2", ("2",)),
    KeyRow("stage_n3", "Edit", "Set N3", ("3",)),
    KeyRow("stage_rem", "Edit", "Set REM", ("R", "5")),
    KeyRow("stage_w_next", "Edit", "Set W, next epoch", ("Num+0",)),
    KeyRow("stage_n1_next", "Edit", "Set N1, next epoch", ("Num+1",)),
    KeyRow("stage_n2_next", "Edit", "Set N2, next epoch", ("Num+2",)),
    KeyRow("stage_n3_next", "Edit", "Set N3, next epoch", ("Num+3",)),
    KeyRow("stage_rem_next", "Edit", "Set REM, next epoch", ("Num+5",)),
    KeyRow("advance", "Edit", "Letters and number row go on to the next epoch", ("A",), checkable=True),
    KeyRow("clear", "Edit", "Back to unscored", ("Backspace",)),
    KeyRow("flag", "Edit", "Flag as uncertain", ("Q",)),
    KeyRow("accept", "Edit", "Accept the model's stage", ("Return", "Enter")),
    KeyRow("accept_range", "Edit", "Accept the model's stages in the selected range", ("Ctrl+Return", "Ctrl+Enter")),
    KeyRow("gain_up", "View", "Larger traces", ("+", "="), repeats=True),
    KeyRow("gain_down", "View", "Smaller traces", ("-",), repeats=True),
    KeyRow("filters", "View", "Display filters", ("F",), checkable=True),
    KeyRow("channel_panel", "View", "Channels and montages", ("Ctrl+L",)),
    KeyRow("derivation_add", "View", "Add derivations…", ("Ctrl+Shift+L",)),
    *_MONTAGE_ROWS,
    KeyRow("montage_save", "View", "Save the montage…", ()),
    KeyRow("montage_reset", "View", "Back to channels as recorded", ()),
    KeyRow("montage_import", "View", "Import montages…", ()),
    KeyRow("montage_export", "View", "Export the saved montages…", ()),
    KeyRow("whole_night", "View", "Show the whole night", ("Ctrl+0",)),
    KeyRow("score", "Score", "Score the night", ("S",)),
    KeyRow("cancel_scoring", "Score", "Cancel scoring", ("Esc",)),
    KeyRow("load_weights", "Score", "Load AttnSleep weights…", ()),
    KeyRow("next_epoch", "Review", "Next epoch", ("Right",), repeats=True),
    KeyRow("previous_epoch", "Review", "Previous epoch", ("Left",), repeats=True),
    KeyRow("extend_right", "Review", "Extend the range by an epoch", ("Shift+Right",), repeats=True),
    KeyRow("extend_left", "Review", "Extend the range back by an epoch", ("Shift+Left",), repeats=True),
    KeyRow("forward_ten", "Review", "Ten epochs on", ("PgDown",), repeats=True),
    KeyRow("back_ten", "Review", "Ten epochs back", ("PgUp",), repeats=True),
    KeyRow("first_epoch", "Review", "First epoch", ("Home",)),
    KeyRow("last_epoch", "Review", "Last epoch", ("End",)),
    KeyRow("next_disagreement", "Review", "Next disagreement", ("D",), repeats=True),
    KeyRow("previous_disagreement", "Review", "Previous disagreement", ("Shift+D",), repeats=True),
    KeyRow("next_doubt", "Review", "Next in the order of the model's doubt", ("U",), repeats=True),
    KeyRow("previous_doubt", "Review", "Previous in the order of the model's doubt", ("Shift+U",), repeats=True),
    KeyRow("next_unscored", "Review", "Next unscored epoch", ("N",), repeats=True),
    KeyRow("next_transition", "Review", "Next transition", ("T",), repeats=True),
    KeyRow("help_keys", "Help", "Keys", ("?",)),
    KeyRow("about", "Help", "About SleepViewer", ()),
)

MENUS: Final = ("File", "Edit", "View", "Score", "Review", "Help")


def keys_html() -> str:
    """The table as HTML, a section per menu, for the help overlay."""
    parts = []
    for menu in MENUS:
        rows = [row for row in KEY_TABLE if row.menu == menu and row.keys]
        cells = "".join(
            f"<tr><td><b>{' · '.join(map(_shown, row.keys))}</b>&nbsp;</td><td>{row.text}</td></tr>" for row in rows
        )
        parts.append(f"<h4>{menu}</h4><table>{cells}</table>")
    return "".join(parts)


_SHOWN = {
    "Left": "←",
    "Right": "→",
    "Return": "Enter",
    "Enter": "keypad Enter",
    "PgUp": "Page Up",
    "PgDown": "Page Down",
}


def _shown(key: str) -> str:
    head, plus, tail = key.rpartition("+") if len(key) > 1 else ("", "", key)
    return f"{head.replace('Num', 'keypad')}{plus}{_SHOWN.get(tail, tail)}".replace("keypad+", "keypad ")
