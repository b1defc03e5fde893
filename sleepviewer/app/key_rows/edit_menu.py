"""Commands of the menu Edit."""

from __future__ import annotations

from typing import Final

from sleepviewer.app.key_rows.row import KeyRow

ROWS: Final = (
    KeyRow(
        "undo",
        "Edit",
        "Undo",
        ("Ctrl+Z",),
        repeats=True,
        tip="Take back the last edit, and go where it was",
        icon="undo",
        unless="there is nothing to undo",
    ),
    KeyRow(
        "redo",
        "Edit",
        "Redo",
        ("Ctrl+Y", "Ctrl+Shift+Z"),
        repeats=True,
        tip="Do again what was undone last",
        icon="redo",
        unless="there is nothing to do again",
    ),
    KeyRow("stage_w", "Edit", "Set W", ("W", "0"), tip="Wake, for the epoch or the selected range", break_before=True),
    KeyRow("stage_n1", "Edit", "Set N1", ("1",), tip="N1, for the epoch or the selected range"),
    KeyRow("stage_n2", "Edit", "Set N2", ("2",), tip="N2, for the epoch or the selected range"),
    KeyRow("stage_n3", "Edit", "Set N3", ("3",), tip="N3, for the epoch or the selected range"),
    KeyRow("stage_rem", "Edit", "Set REM", ("R", "5"), tip="REM, for the epoch or the selected range"),
    KeyRow(
        "stage_w_next", "Edit", "Set W, next epoch", ("Num+0",), tip="Wake, and on to the next epoch", break_before=True
    ),
    KeyRow("stage_n1_next", "Edit", "Set N1, next epoch", ("Num+1",), tip="N1, and on to the next epoch"),
    KeyRow("stage_n2_next", "Edit", "Set N2, next epoch", ("Num+2",), tip="N2, and on to the next epoch"),
    KeyRow("stage_n3_next", "Edit", "Set N3, next epoch", ("Num+3",), tip="N3, and on to the next epoch"),
    KeyRow("stage_rem_next", "Edit", "Set REM, next epoch", ("Num+5",), tip="REM, and on to the next epoch"),
    KeyRow(
        "advance",
        "Edit",
        "Letters and number row go on to the next epoch",
        ("A",),
        checkable=True,
        tip="A switch: letters and number row go on as the keypad always does",
        break_before=True,
        needs_night=False,
    ),
    KeyRow(
        "clear",
        "Edit",
        "Back to unscored",
        ("Backspace",),
        tip="Take your stage away from the epoch or the selected range",
        icon="clear",
    ),
    KeyRow(
        "flag",
        "Edit",
        "Flag as uncertain",
        ("Q",),
        tip="Mark the epoch for another look, or take the mark away",
        icon="flag",
    ),
    KeyRow(
        "accept",
        "Edit",
        "Accept the model's stage",
        ("Return", "Enter"),
        tip="Take the model's stage of this epoch as yours",
        icon="accept",
        break_before=True,
    ),
    KeyRow(
        "accept_range",
        "Edit",
        "Accept the model's stages in the selected range",
        ("Ctrl+Return", "Ctrl+Enter"),
        tip="Take the model's stages of all selected epochs as yours",
    ),
    KeyRow(
        "lights_off",
        "Edit",
        "Lights off here",
        ("L",),
        tip="The night begins with this epoch, also for its statistics; once more takes the mark away",
        break_before=True,
        icon="night",
    ),
    KeyRow(
        "lights_on",
        "Edit",
        "Lights on here",
        ("Shift+L",),
        tip="The night ends before this epoch, also for its statistics; once more takes the mark away",
        icon="light",
    ),
)
