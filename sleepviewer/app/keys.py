"""The one table of commands: menus, shortcuts, tool tips, help, palette and its documentation are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A command: where it stands in the menus, what it is called, and the keys that call it.

    Keys are Qt's names (``Ctrl+Z``, ``Num+2`` for the keypad); they are those of the default profile. ``repeats``
    allows a held key to call it again and again. Of the checkable commands of one ``group`` exactly one is on. ``tip``
    says what it does in a phrase, ``unless`` why it can't be called where it can't although a night is open. ``icon``
    names a picture of ``resources/icons``; ``break_before`` sets it apart from what stands above it in the menu.
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


KEY_TABLE: Final[tuple[KeyRow, ...]] = (
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
    KeyRow(
        "undo",
        "Edit",
        "Undo",
        ("Ctrl+Z",),
        tip="Take back the last edit, and go where it was",
        icon="undo",
        repeats=True,
        unless="there is nothing to undo",
    ),
    KeyRow(
        "redo",
        "Edit",
        "Redo",
        ("Ctrl+Y", "Ctrl+Shift+Z"),
        tip="Do again what was undone last",
        icon="redo",
        repeats=True,
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
        tip="A switch: letters and number row go on as the keypad always does",
        checkable=True,
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
    ),
    KeyRow(
        "lights_on",
        "Edit",
        "Lights on here",
        ("Shift+L",),
        tip="The night ends before this epoch, also for its statistics; once more takes the mark away",
    ),
    KeyRow("gain_up", "View", "Larger traces", ("+", "="), tip="Fewer µV a row, for all channels", repeats=True),
    KeyRow("gain_down", "View", "Smaller traces", ("-",), tip="More µV a row, for all channels", repeats=True),
    KeyRow(
        "filters",
        "View",
        "Display filters",
        ("F",),
        tip="Filter what is shown; models always get the recording itself",
        icon="filter",
        checkable=True,
        needs_night=False,
    ),
    KeyRow(
        "whole_night",
        "View",
        "Show the whole night",
        ("Ctrl+0",),
        tip="Zoom the rows out to the whole night",
        icon="night",
        break_before=True,
    ),
    KeyRow(
        "night_hour",
        "View",
        "Show one hour of the night",
        ("Ctrl+1",),
        tip="Zoom the rows to an hour around the epoch",
    ),
    KeyRow(
        "night_four_hours",
        "View",
        "Show four hours of the night",
        ("Ctrl+4",),
        tip="Zoom the rows to four hours around the epoch",
    ),
    KeyRow(
        "night_earlier",
        "View",
        "Earlier part of the night",
        ("Ctrl+Left",),
        tip="Move the zoomed rows back by half their length",
        repeats=True,
    ),
    KeyRow(
        "night_later",
        "View",
        "Later part of the night",
        ("Ctrl+Right",),
        tip="Move the zoomed rows on by half their length",
        repeats=True,
    ),
    KeyRow(
        "find_annotation",
        "View",
        "Find in the annotations…",
        ("Ctrl+F",),
        tip="Search what the file itself notes, and go there",
        icon="search",
        break_before=True,
    ),
    *(
        KeyRow(
            f"row_{key}",
            "View",
            text,
            (),
            tip=f"Show or hide {what} over the night",
            submenu="Rows of the night",
            checkable=True,
        )
        for key, text, what in (
            ("expert", "Expert", "the expert's hypnogram"),
            ("disagreements", "Disagreements", "a tick for each epoch where expert and model disagree"),
            ("model", "Model", "the model's hypnogram"),
            ("yours", "Yours", "your hypnogram"),
            ("hypnodensity", "Hypnodensity", "the model's probabilities"),
            ("spectrogram", "Spectrogram", "the spectrogram of the scored channel"),
            ("annotations", "Annotations", "the file's annotations"),
            ("clock", "Clock", "clock times"),
        )
    ),
    KeyRow(
        "rows_arrange",
        "View",
        "Order and heights…",
        (),
        tip="Arrange the rows over the night; by hand: drag a row by its name, or its lower border",
        submenu="Rows of the night",
        break_before=True,
    ),
    KeyRow(
        "rows_reset",
        "View",
        "As at the first start",
        (),
        tip="Show all rows over the night, in their usual order and heights",
        submenu="Rows of the night",
    ),
    KeyRow(
        "theme_system",
        "View",
        "As the system",
        (),
        tip="Light or dark, as the system has it",
        submenu="Theme",
        group="theme",
        checkable=True,
        needs_night=False,
        break_before=True,
    ),
    KeyRow(
        "theme_light",
        "View",
        "Light",
        (),
        tip="Dark traces on a light ground",
        submenu="Theme",
        group="theme",
        checkable=True,
        needs_night=False,
    ),
    KeyRow(
        "theme_dark",
        "View",
        "Dark",
        (),
        tip="Light traces on a dark ground",
        submenu="Theme",
        group="theme",
        checkable=True,
        needs_night=False,
    ),
    KeyRow(
        "stages_usual",
        "View",
        "Warm and blue",
        (),
        tip="Warm colours for awake and dreaming, a deepening blue for sleep",
        submenu="Stage colours",
        group="stages",
        checkable=True,
        needs_night=False,
    ),
    KeyRow(
        "stages_safe",
        "View",
        "Told apart by everybody",
        (),
        tip="Okabe and Ito's colours: distinct for every kind of colour vision",
        submenu="Stage colours",
        group="stages",
        checkable=True,
        needs_night=False,
    ),
    KeyRow(
        "stages_lightness",
        "View",
        "From light to dark",
        (),
        tip="In the order of depth by lightness alone: distinct in grey print too",
        submenu="Stage colours",
        group="stages",
        checkable=True,
        needs_night=False,
    ),
    KeyRow(
        "full_screen",
        "View",
        "Full screen",
        ("Alt+Return", "Alt+Enter"),
        tip="Give the night the whole screen, or take it back",
        icon="full_screen",
        checkable=True,
        needs_night=False,
        break_before=True,
    ),
    KeyRow(
        "reset_window",
        "View",
        "Reset the window",
        (),
        tip="Put every panel back where it was at the first start",
        icon="panels",
        needs_night=False,
    ),
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
        "load_weights",
        "Score",
        "Load AttnSleep weights…",
        (),
        tip="Offer a model with weights of your own",
        icon="weights",
        break_before=True,
        needs_night=False,
    ),
    KeyRow("next_epoch", "Review", "Next epoch", ("Right",), tip="Go to the next epoch", icon="next", repeats=True),
    KeyRow(
        "previous_epoch",
        "Review",
        "Previous epoch",
        ("Left",),
        tip="Go to the previous epoch",
        icon="previous",
        repeats=True,
    ),
    KeyRow(
        "extend_right",
        "Review",
        "Extend the range by an epoch",
        ("Shift+Right",),
        tip="Select one epoch more; stages then go to the whole range",
        repeats=True,
    ),
    KeyRow(
        "extend_left",
        "Review",
        "Extend the range back by an epoch",
        ("Shift+Left",),
        tip="Select one epoch more to the left; stages then go to the whole range",
        repeats=True,
    ),
    KeyRow(
        "forward_ten", "Review", "Ten epochs on", ("PgDown",), tip="Go five minutes on", repeats=True, break_before=True
    ),
    KeyRow("back_ten", "Review", "Ten epochs back", ("PgUp",), tip="Go five minutes back", repeats=True),
    KeyRow("first_epoch", "Review", "First epoch", ("Home",), tip="Go to the night's first epoch", icon="first"),
    KeyRow("last_epoch", "Review", "Last epoch", ("End",), tip="Go to the night's last epoch", icon="last"),
    KeyRow(
        "next_disagreement",
        "Review",
        "Next disagreement",
        ("D",),
        tip="Go to the next epoch where expert and model disagree",
        icon="disagreement",
        repeats=True,
        break_before=True,
    ),
    KeyRow(
        "previous_disagreement",
        "Review",
        "Previous disagreement",
        ("Shift+D",),
        tip="Go to the last such epoch before this one",
        repeats=True,
    ),
    KeyRow(
        "next_doubt",
        "Review",
        "Next in the order of the model's doubt",
        ("U",),
        tip="Go to the epoch that the model is least sure of and you have not seen to",
        icon="doubt",
        repeats=True,
    ),
    KeyRow(
        "previous_doubt",
        "Review",
        "Previous in the order of the model's doubt",
        ("Shift+U",),
        tip="Go back in the order of doubt",
        repeats=True,
    ),
    KeyRow(
        "next_unscored",
        "Review",
        "Next unscored epoch",
        ("N",),
        tip="Go to the next epoch without a stage",
        repeats=True,
    ),
    KeyRow(
        "next_transition",
        "Review",
        "Next transition",
        ("T",),
        tip="Go to the next epoch whose stage differs from the one before",
        repeats=True,
    ),
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
        "about",
        "Help",
        "About SleepViewer",
        (),
        tip="Version and licence",
        icon="about",
        break_before=True,
        needs_night=False,
    ),
)

MENUS: Final = ("File", "Edit", "View", "Score", "Review", "Help")

ROWS: Final = {row.command: row for row in KEY_TABLE}
"""The table by command."""
