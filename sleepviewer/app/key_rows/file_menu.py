"""Commands of the menu File."""

from __future__ import annotations

from typing import Final

from sleepviewer.app.key_rows.row import KeyRow

ROWS: Final = (
    KeyRow(
        "open",
        "File",
        "Open recording…",
        ("Ctrl+O",),
        tip="Open a night: EDF, EDF+, BDF, BrainVision, FIF, EEGLAB, GDF",
        icon="open",
        needs_night=False,
    ),
    KeyRow(
        "open_truth",
        "File",
        "Open truth (expert's hypnogram)…",
        ("Ctrl+T",),
        tip="Lay an expert's hypnogram of any format under the night",
        icon="hypnogram",
    ),
    KeyRow(
        "add_scorer",
        "File",
        "Add another scorer's hypnogram…",
        ("Ctrl+Shift+T",),
        tip="Show a further hypnogram of any format in a row of its own, beside the expert's",
        icon="hypnogram",
    ),
    KeyRow(
        "drop_scorers",
        "File",
        "Remove the added hypnograms",
        (),
        tip="Take the rows of added hypnograms away; the expert's stays",
        unless="no hypnogram was added",
    ),
    KeyRow(
        "open_demo",
        "File",
        "Open the simulated night",
        (),
        tip="Try the program on a simulated night: no person's recording",
        icon="demo",
        needs_night=False,
    ),
    KeyRow(
        "save",
        "File",
        "Save the review",
        ("Ctrl+S",),
        tip="Save stages, flags and their history beside the recording",
        icon="save",
        break_before=True,
    ),
    KeyRow("save_as", "File", "Save the review as…", ("Ctrl+Shift+S",), tip="Save the review under another name"),
    KeyRow(
        "export",
        "File",
        "Export labels…",
        ("Ctrl+E",),
        tip="Write the labels that count: npz for training, EDF+, CSV or text",
        icon="export",
    ),
    KeyRow(
        "save_picture",
        "File",
        "Save a picture…",
        ("Ctrl+P",),
        tip="Save the page, the night or both as PNG, SVG or PDF",
        icon="picture",
        break_before=True,
    ),
    KeyRow(
        "copy_picture",
        "File",
        "Copy the picture",
        ("Ctrl+Shift+P",),
        tip="Copy the page and the night to the clipboard, as the last picture was set up",
        icon="copy",
    ),
    KeyRow(
        "settings",
        "File",
        "Settings…",
        ("Ctrl+,",),
        tip="Keys, looks, and a reset of everything that is remembered",
        icon="settings",
        break_before=True,
        needs_night=False,
    ),
    KeyRow(
        "quit",
        "File",
        "Quit",
        ("Ctrl+Q",),
        tip="Close the window; unsaved edits are asked about",
        icon="quit",
        break_before=True,
        needs_night=False,
    ),
)
