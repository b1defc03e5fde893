"""Commands of the menu Review."""

from __future__ import annotations

from typing import Final

from sleepviewer.app.key_rows.row import KeyRow

ROWS: Final = (
    KeyRow("next_epoch", "Review", "Next epoch", ("Right",), repeats=True, tip="Go to the next epoch", icon="next"),
    KeyRow(
        "previous_epoch",
        "Review",
        "Previous epoch",
        ("Left",),
        repeats=True,
        tip="Go to the previous epoch",
        icon="previous",
    ),
    KeyRow(
        "extend_right",
        "Review",
        "Extend the range by an epoch",
        ("Shift+Right",),
        repeats=True,
        tip="Select one epoch more; stages then go to the whole range",
    ),
    KeyRow(
        "extend_left",
        "Review",
        "Extend the range back by an epoch",
        ("Shift+Left",),
        repeats=True,
        tip="Select one epoch more to the left; stages then go to the whole range",
    ),
    KeyRow(
        "forward_ten", "Review", "Ten epochs on", ("PgDown",), repeats=True, tip="Go five minutes on", break_before=True
    ),
    KeyRow("back_ten", "Review", "Ten epochs back", ("PgUp",), repeats=True, tip="Go five minutes back"),
    KeyRow("first_epoch", "Review", "First epoch", ("Home",), tip="Go to the night's first epoch", icon="first"),
    KeyRow("last_epoch", "Review", "Last epoch", ("End",), tip="Go to the night's last epoch", icon="last"),
    KeyRow(
        "next_disagreement",
        "Review",
        "Next disagreement",
        ("D",),
        repeats=True,
        tip="Go to the next epoch where expert and model disagree",
        icon="disagreement",
        break_before=True,
    ),
    KeyRow(
        "previous_disagreement",
        "Review",
        "Previous disagreement",
        ("Shift+D",),
        repeats=True,
        tip="Go to the last such epoch before this one",
    ),
    KeyRow(
        "next_doubt",
        "Review",
        "Next in the order of the model's doubt",
        ("U",),
        repeats=True,
        tip="Go to the epoch that the model is least sure of and you have not seen to",
        icon="doubt",
    ),
    KeyRow(
        "previous_doubt",
        "Review",
        "Previous in the order of the model's doubt",
        ("Shift+U",),
        repeats=True,
        tip="Go back in the order of doubt",
    ),
    KeyRow(
        "next_unscored",
        "Review",
        "Next unscored epoch",
        ("N",),
        repeats=True,
        tip="Go to the next epoch without a stage",
    ),
    KeyRow(
        "next_transition",
        "Review",
        "Next transition",
        ("T",),
        repeats=True,
        tip="Go to the next epoch whose stage differs from the one before",
    ),
    KeyRow(
        "two_models",
        "Review",
        "Two models",
        ("Ctrl+R",),
        tip="Lay two scorings of the night side by side: who is right where, and where they differ",
        break_before=True,
    ),
    KeyRow(
        "look_alikes",
        "Review",
        "Map of the night",
        ("Ctrl+M",),
        tip="Show the epochs as the model sees them: those that look alike to it lie together",
        submenu="Look-alikes",
    ),
    KeyRow(
        "alike",
        "Review",
        "Epochs like this one",
        ("K",),
        tip="List the epochs that look most like this one to the model: is an error a kind, or a stray?",
        submenu="Look-alikes",
    ),
    KeyRow(
        "alike_elsewhere",
        "Review",
        "Epochs like this one in other nights…",
        (),
        tip="Look for them in a folder of scoring archives as well",
        submenu="Look-alikes",
    ),
    KeyRow(
        "cancel_look",
        "Review",
        "Cancel looking",
        (),
        tip="Stop looking at the epochs; what was found before stays",
        submenu="Look-alikes",
        unless="no epochs are being looked at",
    ),
)
