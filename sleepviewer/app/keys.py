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


_MONTAGE_ROWS: Final = (
    KeyRow(
        "channel_panel",
        "View",
        "Channels and montages",
        ("Ctrl+L",),
        tip="Order, filters, gains, colours and derivations of the traces; again hides the panel",
        icon="channels",
        break_before=True,
    ),
    KeyRow(
        "derivation_add",
        "View",
        "Add derivations…",
        ("Ctrl+Shift+L",),
        tip="Show the difference of two channels, or of one and the mean of several",
    ),
    *(
        KeyRow(
            f"montage_{key}",
            "View",
            f"Montage {key}",
            (f"F{key}",),
            tip=f"Show the montage that is offered or saved at F{key}",
            submenu="Montages",
        )
        for key in range(1, 13)
    ),
    KeyRow(
        "montage_reset",
        "View",
        "Back to as recorded",
        (),
        tip="Show every channel as it is in the file, filtered as is usual for it",
        icon="reset",
        submenu="Montages",
    ),
    KeyRow("montage_save", "View", "Save…", (), tip="Save what is shown as a montage of yours", submenu="Montages"),
    KeyRow("montage_import", "View", "Import…", (), tip="Add the montages of a file to yours", submenu="Montages"),
    KeyRow("montage_export", "View", "Export…", (), tip="Write your montages to a file", submenu="Montages"),
    *(
        KeyRow(
            f"montage_save_{key}",
            "View",
            f"At F{key}…",
            (f"Shift+F{key}",),
            tip=f"Save what is shown as a montage, and have F{key} call it",
            submenu="Save the montage",
        )
        for key in range(1, 13)
    ),
)
"""Montages, and the panel that makes them."""

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
    ),
    KeyRow(
        "lights_on",
        "Edit",
        "Lights on here",
        ("Shift+L",),
        tip="The night ends before this epoch, also for its statistics; once more takes the mark away",
    ),
    KeyRow("gain_up", "View", "Larger traces", ("+", "="), repeats=True, tip="Fewer µV a row, for all channels"),
    KeyRow("gain_down", "View", "Smaller traces", ("-",), repeats=True, tip="More µV a row, for all channels"),
    KeyRow("lane_gain_up", "View", "Larger trace of the selected channel", ("Alt++", "Alt+="), repeats=True),
    KeyRow("lane_gain_down", "View", "Smaller trace of the selected channel", ("Alt+-",), repeats=True),
    KeyRow("gains_anew", "View", "Gains anew, as suits each channel", ("Shift+A",)),
    KeyRow("lane_above", "View", "Select the channel above", ("Alt+Up",), repeats=True),
    KeyRow("lane_below", "View", "Select the channel below", ("Alt+Down",), repeats=True),
    KeyRow("shorter_page", "View", "Shorter page", ("Ctrl++", "Ctrl+="), repeats=True, break_before=True),
    KeyRow("longer_page", "View", "Longer page", ("Ctrl+-",), repeats=True),
    KeyRow("usual_page", "View", "The usual page: the epoch and half an epoch beside it", ("Ctrl+Shift+0",)),
    KeyRow("scroll_right", "View", "Scroll on within the epoch", ("Alt+Right",), repeats=True),
    KeyRow("scroll_left", "View", "Scroll back within the epoch", ("Alt+Left",), repeats=True),
    KeyRow("guides", "View", "Lines at ±37.5 µV", ("G",), checkable=True, break_before=True),
    KeyRow("negative_up", "View", "EEG and EOG negative up", ("I",), checkable=True),
    KeyRow("ruler", "View", "Ruler", ("M",), checkable=True),
    KeyRow(
        "filters",
        "View",
        "Display filters",
        ("F",),
        checkable=True,
        tip="Filter what is shown; models always get the recording itself",
        icon="filter",
        needs_night=False,
    ),
    *_MONTAGE_ROWS,
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
        checkable=True,
        tip="Light or dark, as the system has it",
        break_before=True,
        submenu="Theme",
        group="theme",
        needs_night=False,
    ),
    KeyRow(
        "theme_light",
        "View",
        "Light",
        (),
        checkable=True,
        tip="Dark traces on a light ground",
        submenu="Theme",
        group="theme",
        needs_night=False,
    ),
    KeyRow(
        "theme_dark",
        "View",
        "Dark",
        (),
        checkable=True,
        tip="Light traces on a dark ground",
        submenu="Theme",
        group="theme",
        needs_night=False,
    ),
    KeyRow(
        "stages_usual",
        "View",
        "Warm and blue",
        (),
        checkable=True,
        tip="Warm colours for awake and dreaming, a deepening blue for sleep",
        submenu="Stage colours",
        group="stages",
        needs_night=False,
    ),
    KeyRow(
        "stages_safe",
        "View",
        "Told apart by everybody",
        (),
        checkable=True,
        tip="Colours that lie far apart for every kind of colour vision",
        submenu="Stage colours",
        group="stages",
        needs_night=False,
    ),
    KeyRow(
        "stages_lightness",
        "View",
        "From light to dark",
        (),
        checkable=True,
        tip="Told apart by lightness alone, in a grey print too",
        submenu="Stage colours",
        group="stages",
        needs_night=False,
    ),
    KeyRow(
        "full_screen",
        "View",
        "Full screen",
        ("Alt+Return", "Alt+Enter"),
        checkable=True,
        tip="Give the night the whole screen, or take it back",
        icon="full_screen",
        break_before=True,
        needs_night=False,
    ),
    KeyRow(
        "float_panel",
        "View",
        "Float or dock the panel",
        (),
        tip="Take the panel that has the keyboard out of the window, or put it back",
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
    KeyRow(
        "draw_events",
        "Events",
        "Draw events",
        ("E",),
        tip="Draw events by dragging over a trace; with Alt or Shift, over all traces",
        icon="event",
        checkable=True,
    ),
    KeyRow(
        "event_kind",
        "Events",
        "Choose the kind to draw…",
        ("Shift+E",),
        tip="Choose or type the kind of event that is drawn: arousal, artefact, spindle, K-complex or a name of yours",
    ),
    KeyRow(
        "next_event",
        "Events",
        "Next event",
        (".",),
        tip="Go to the next event of those that the panel shows",
        repeats=True,
        break_before=True,
        unless="there is no event",
    ),
    KeyRow(
        "previous_event",
        "Events",
        "Previous event",
        (",",),
        tip="Go to the previous event of those that the panel shows",
        repeats=True,
        unless="there is no event",
    ),
    KeyRow(
        "accept_event",
        "Events",
        "Accept the selected suggestion",
        ("Shift+Return", "Shift+Enter"),
        tip="Make the selected suggestion your own, and go to the next one",
        icon="accept",
        break_before=True,
        unless="no suggestion is selected",
    ),
    KeyRow(
        "delete_event",
        "Events",
        "Delete the selected event",
        ("Del",),
        tip="Delete the selected event, or dismiss the selected suggestion",
        icon="delete",
        unless="no event is selected",
    ),
    KeyRow(
        "suggest_events",
        "Events",
        "Suggest spindles and slow waves",
        ("Ctrl+D",),
        tip="Look for spindles and slow waves with YASA, in the background",
        icon="search",
        break_before=True,
        unless="they are being looked for already",
    ),
    KeyRow(
        "cancel_suggesting",
        "Events",
        "Cancel looking for events",
        (),
        tip="Stop looking for events; what the night had before stays",
        icon="stop",
        unless="nothing is being looked for",
    ),
    KeyRow(
        "export_events",
        "Events",
        "Export events…",
        ("Ctrl+Shift+E",),
        tip="Write the events as EDF+ annotations or as a table",
        icon="export",
        break_before=True,
        unless="there is no event",
    ),
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
