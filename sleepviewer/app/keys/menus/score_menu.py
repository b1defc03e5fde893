"""Commands of the menu Score."""

from __future__ import annotations

from typing import Final

from sleepviewer.app.keys.menus.row import KeyRow

ROWS: Final = (
    KeyRow(
        "score",
        "Score",
        "Score the night",
        ("S",),
        tip="Score the night in the background with the model in the tool bar",
        icon="score",
    ),
    KeyRow(
        "cancel_scoring",
        "Score",
        "Cancel scoring",
        ("Esc",),
        tip="Stop scoring; what the night had before stays",
        icon="stop",
        unless="no night is being scored",
    ),
    KeyRow(
        "score_unusable",
        "Score",
        "Include unusable signal",
        (),
        checkable=True,
        tip="Score epochs with a flat, saturated or disturbed signal as well; by default they are left unscored",
        needs_night=False,
    ),
    KeyRow(
        "why",
        "Score",
        "Why this stage",
        ("Y",),
        checkable=True,
        tip="Show under the scored channel what in the epoch spoke for the model's stage, and what against it",
        break_before=True,
    ),
    KeyRow(
        "keep_scoring",
        "Score",
        "Keep this scoring to compare",
        ("Ctrl+Shift+K",),
        tip="Keep the model's scoring in a row of its own; score again with another model, and both show",
        unless="the night is not scored yet",
        break_before=True,
    ),
    KeyRow(
        "open_rival",
        "Score",
        "Open a second model's scoring…",
        ("Ctrl+Shift+R",),
        tip="Lay the scoring of an archive or a hypnogram file beside this one",
        icon="hypnogram",
    ),
    KeyRow(
        "retrain",
        "Score",
        "Train on corrected nights…",
        ("Ctrl+Shift+F",),
        tip="Have the model learn from nights that you corrected, in the background; it is measured before and after",
        icon="train",
        break_before=True,
        needs_night=False,
    ),
    KeyRow(
        "models",
        "Score",
        "Models and versions…",
        ("Ctrl+Shift+V",),
        tip="Show the models and your own versions: which is active, what each learned from; activate, compare, delete",
        icon="list",
        needs_night=False,
    ),
    KeyRow(
        "load_weights",
        "Score",
        "Load AttnSleep weights…",
        (),
        tip="Offer a model with weights of your own",
        icon="weights",
        needs_night=False,
    ),
)
