"""The panel of channels: every edit by mouse and by keyboard makes the montage that it says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, QPointF, Qt
from PySide6.QtGui import QColor, QDropEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QPushButton, QTableView, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from helpers.montage_values import recording_of
from sleepviewer.app.shell.theme import DARK, LIGHT
from sleepviewer.app.traces.channel_colors import LANE_COLORS
from sleepviewer.app.traces.channel_panel import FOR_THE_EYE, ChannelPanel, MontageChoice
from sleepviewer.app.traces.derivation_dialog import DerivationDialog
from sleepviewer.display.filters import RAW, Band
from sleepviewer.display.montage import Derivation, Montage, Trace, as_recorded
from sleepviewer.recording.base import Role

KEYS, CONTROL, ALT = Qt.Key, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
RECORDING = recording_of("C3", "M2", "E1", "Chin", "slow", rates={"Chin": 256, "slow": 10})
ABSENT = Trace(Derivation("O1", ("M2",)), Band(0.3, 35))


class Shown:
    """A panel that shows every montage that it asks for, as the window's part does."""

    def __init__(self, qtbot: QtBot, montage: Montage) -> None:
        self.panel = ChannelPanel(LIGHT)
        qtbot.addWidget(self.panel)
        self.montage = montage
        self.sentences: list[str] = []
        self.panel.edited.connect(self.take)
        self.panel.refused.connect(self.sentences.append)
        self.panel.resize(340, 640)
        self.panel.show()
        self.panel.activateWindow()
        qtbot.waitUntil(self.panel.isActiveWindow)
        self.take(montage)

    def take(self, montage: Montage) -> None:
        self.montage = montage
        self.panel.show_montage(RECORDING, montage)

    def select(self, *rows: int) -> None:
        self.panel.select_rows(rows)
        self.panel.table.setFocus()

    @property
    def labels(self) -> list[str]:
        return [trace.label for trace in self.montage.traces]

    @property
    def visible(self) -> list[bool]:
        return [trace.visible for trace in self.montage.traces]

    def cell(self, row: int, column: int, role: Qt.ItemDataRole = Qt.ItemDataRole.DisplayRole) -> object:
        return self.panel.table.model_.index(row, column).data(role)

    def choose(self, combo: QComboBox, place: int) -> None:
        combo.setCurrentIndex(place)
        combo.activated.emit(place)

    def type(self, qtbot: QtBot, spin: QDoubleSpinBox, text: str) -> None:
        spin.setFocus()
        spin.selectAll()
        qtbot.keyClicks(spin, text)
        qtbot.keyClick(spin, KEYS.Key_Return)


@pytest.fixture
def shown(qtbot: QtBot) -> Shown:
    return Shown(qtbot, as_recorded(RECORDING))


# -- the list


def test_every_lane_says_its_channel_filters_and_gain(shown: Shown) -> None:
    shown.take(replace(shown.montage, traces=(*shown.montage.traces[:4], replace(ABSENT, half_height=50.0))))
    assert [[shown.cell(row, column) for column in range(3)] for row in (0, 3, 4)] == [
        ["C3", "0.3–35", "auto"],
        ["Chin", "10–100", "auto"],
        ["O1 − M2", "0.3–35", "±50"],
    ]
    assert "needs O1" in str(shown.cell(4, 0, Qt.ItemDataRole.ToolTipRole))
    assert "C3, shown: EEG, 100 Hz" in str(shown.cell(0, 0, Qt.ItemDataRole.AccessibleTextRole))
    assert FOR_THE_EYE in [label.text() for label in shown.panel.findChildren(type(shown.panel.note))]


def test_a_band_that_the_rate_can_not_hold_is_listed_as_what_is_left(shown: Shown) -> None:
    shown.take(shown.montage.with_trace(0, replace(shown.montage.traces[0], band=Band(1, 200, 60))))
    assert shown.cell(0, 1) == "1–∞"


def test_space_hides_and_shows_the_selected_lanes(qtbot: QtBot, shown: Shown) -> None:
    shown.select(1, 3)
    qtbot.keyClick(shown.panel.table, KEYS.Key_Space)
    assert shown.visible == [True, False, True, False, True]
    assert shown.panel.rows == [1, 3]
    qtbot.keyClick(shown.panel.table, KEYS.Key_Space)
    assert shown.visible == [True] * 5


def test_a_click_on_its_box_hides_a_lane(qtbot: QtBot, shown: Shown) -> None:
    table = shown.panel.table
    box = table.visualRect(table.model_.index(2, 0))
    qtbot.mouseClick(
        table.viewport(), Qt.MouseButton.LeftButton, pos=box.topLeft() + QPointF(12, box.height() / 2).toPoint()
    )
    assert shown.visible == [True, True, False, True, True]
    assert shown.cell(2, 0, Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Unchecked


def test_the_last_lane_stays(qtbot: QtBot, shown: Shown) -> None:
    shown.take(replace(shown.montage, traces=(shown.montage.traces[0], ABSENT)))
    before = shown.montage
    shown.select(0)
    qtbot.keyClick(shown.panel.table, KEYS.Key_Space)
    qtbot.keyClick(shown.panel.table, KEYS.Key_Delete)
    assert shown.montage == before
    assert len(shown.sentences) == 2
    assert "At least one lane" in shown.sentences[0]


@pytest.mark.parametrize(
    ("rows", "key", "order", "selected"),
    [
        ([2], KEYS.Key_Up, ["C3", "E1", "M2", "Chin", "slow"], [1]),
        ([1, 2], KEYS.Key_Down, ["C3", "Chin", "M2", "E1", "slow"], [2, 3]),
        ([0], KEYS.Key_Up, ["C3", "M2", "E1", "Chin", "slow"], [0]),
        ([4], KEYS.Key_Down, ["C3", "M2", "E1", "Chin", "slow"], [4]),
        ([1, 3], KEYS.Key_Up, ["M2", "Chin", "C3", "E1", "slow"], [0, 1]),
    ],
)
def test_control_and_arrows_move_the_selected_lanes(
    qtbot: QtBot, shown: Shown, rows: list[int], key: Qt.Key, order: list[str], selected: list[int]
) -> None:
    shown.select(*rows)
    qtbot.keyClick(shown.panel.table, key, CONTROL)
    assert shown.labels == order
    assert shown.panel.rows == selected
    assert sorted(shown.panel.rows) == shown.panel.rows


@pytest.mark.parametrize(
    ("rows", "row", "share", "order"),
    [
        ([0], 2, 0.8, ["M2", "E1", "C3", "Chin", "slow"]),
        ([0], 2, 0.2, ["M2", "C3", "E1", "Chin", "slow"]),
        ([3, 4], 0, 0.2, ["Chin", "slow", "C3", "M2", "E1"]),
        ([1], None, 0, ["C3", "E1", "Chin", "slow", "M2"]),
    ],
)
def test_lanes_are_dropped_where_the_pointer_is(
    shown: Shown, rows: list[int], row: int | None, share: float, order: list[str]
) -> None:
    table = shown.panel.table
    data = table.model_.mimeData([table.model_.index(r, column) for r in rows for column in range(3)])
    y = table.viewport().height() - 2.0
    if row is not None:
        y = table.rowViewportPosition(row) + share * table.rowHeight(row)
    move, left, none = Qt.DropAction.MoveAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    table.dropEvent(QDropEvent(QPointF(20, y), move, data, left, none))
    assert shown.labels == order
    assert [shown.labels[r] for r in shown.panel.rows] == [RECORDING.channels[r].label for r in rows]


def test_the_list_lets_rows_be_dragged_and_dropped_between_others_only(shown: Shown) -> None:
    model, flag = shown.panel.table.model_, Qt.ItemFlag
    assert shown.panel.table.dragDropMode() is QTableView.DragDropMode.InternalMove
    assert model.flags(model.index(0, 0)) & flag.ItemIsDragEnabled
    assert not model.flags(model.index(0, 0)) & flag.ItemIsDropEnabled
    assert model.flags(QModelIndex()) & flag.ItemIsDropEnabled


def test_delete_removes_and_the_next_lane_is_selected(qtbot: QtBot, shown: Shown) -> None:
    shown.select(1, 2)
    qtbot.keyClick(shown.panel.table, KEYS.Key_Delete)
    assert shown.labels == ["C3", "Chin", "slow"]
    assert shown.panel.rows == [1]
    qtbot.mouseClick(shown.panel.remove_button, Qt.MouseButton.LeftButton)
    assert shown.labels == ["C3", "slow"]


def test_letters_are_left_to_the_window(qtbot: QtBot, shown: Shown) -> None:
    shown.select(0)
    qtbot.keyClicks(shown.panel.table, "sc2")
    assert shown.panel.rows == [0]


# -- the form


def test_the_form_says_nothing_while_no_lane_is_selected(shown: Shown) -> None:
    form = shown.panel.form
    shown.select(0)
    shown.select()
    for spin in (form.high_pass, form.low_pass, form.gain, form.height_):
        assert spin.text() == "—"
    for box in (form.role, form.band, form.notch):
        assert (box.currentIndex(), box.placeholderText()) == (-1, "—")
    shown.select(0)
    assert form.role.placeholderText() == "several"


def test_the_form_shows_what_the_lane_has(shown: Shown) -> None:
    lane = Trace(Derivation("C3", ("M2",)), Band(0.5, None, 50), 75.0, LANE_COLORS["Blue"], 2.0, role=Role.EMG)
    shown.take(shown.montage.with_trace(0, lane))
    shown.select(0)
    form = shown.panel.form
    assert form.role.currentData() == Role.EMG
    assert form.role.itemText(0) == "By its name: EEG"
    assert (form.high_pass.text(), form.low_pass.text(), form.notch.currentData()) == ("0.5 Hz", "off", 50.0)
    assert form.band.currentText() == "As set below"
    assert (form.gain.text(), form.height_.text()) == ("±75 µV", "2 ×")
    assert form.color.text() == "Blue"


def test_corners_notch_gain_and_height_are_set_by_typing(qtbot: QtBot, shown: Shown) -> None:
    shown.select(0)
    form = shown.panel.form
    shown.type(qtbot, form.high_pass, "1.5")
    shown.type(qtbot, form.low_pass, "20")
    shown.choose(form.notch, form.notch.findData(50.0))
    shown.type(qtbot, form.gain, "80")
    shown.type(qtbot, form.height_, "3")
    assert shown.montage.traces[0] == Trace(Derivation("C3"), Band(1.5, 20, 50), 80.0, height=3.0)
    shown.type(qtbot, form.high_pass, "0")
    shown.type(qtbot, form.gain, "0")
    shown.choose(form.notch, 0)
    assert shown.montage.traces[0] == Trace(Derivation("C3"), Band(None, 20), height=3.0)


def test_arrows_go_through_the_usual_corners_and_gains(qtbot: QtBot, shown: Shown) -> None:
    shown.select(0)
    form = shown.panel.form
    for spin, key in ((form.high_pass, KEYS.Key_Up), (form.low_pass, KEYS.Key_Down), (form.gain, KEYS.Key_Up)):
        spin.setFocus()
        qtbot.keyClick(spin, key)
        qtbot.keyClick(spin, key)
    assert shown.montage.traces[0] == Trace(Derivation("C3"), Band(1.0, 20.0), 200.0)


def test_an_edit_goes_to_all_selected_lanes_and_leaves_the_rest_of_each(qtbot: QtBot, shown: Shown) -> None:
    shown.select(0, 3)
    form = shown.panel.form
    assert (form.high_pass.text(), form.role.currentText(), form.gain.text()) == ("several", "By its name", "automatic")
    shown.choose(form.notch, form.notch.findData(60.0))
    form.color.picked.emit("#0a9070")
    assert [trace.band for trace in shown.montage.traces][::3] == [Band(0.3, 35, 60), Band(10, 100, 60)]
    assert [trace.color for trace in shown.montage.traces] == ["#0a9070", None, None, "#0a9070", None]
    shown.type(qtbot, form.low_pass, "30")
    assert [trace.band for trace in shown.montage.traces][::3] == [Band(0.3, 30, 60), Band(10, 30, 60)]


def test_a_filter_that_can_not_be_is_refused_and_the_field_goes_back(qtbot: QtBot, shown: Shown) -> None:
    shown.select(0)
    shown.type(qtbot, shown.panel.form.high_pass, "40")
    assert "must be below the low-pass" in shown.sentences[0]
    assert shown.montage == as_recorded(RECORDING)
    assert shown.panel.form.high_pass.text() == "0.3 Hz"


def test_another_role_brings_its_usual_filters_and_a_gain_of_its_own(shown: Shown) -> None:
    shown.take(shown.montage.with_trace(3, replace(shown.montage.traces[3], half_height=20.0)))
    shown.select(3)
    form = shown.panel.form
    shown.choose(form.role, form.role.findText("ECG"))
    assert shown.montage.traces[3] == Trace(Derivation("Chin"), Band(0.3, 70), role=Role.ECG)
    shown.choose(form.role, 0)
    assert shown.montage.traces[3] == Trace(Derivation("Chin"), Band(10, 100))


def test_another_role_leaves_filters_that_were_set_by_hand(shown: Shown) -> None:
    shown.take(shown.montage.with_trace(3, replace(shown.montage.traces[3], band=Band(20, 80))))
    shown.select(3)
    shown.choose(shown.panel.form.role, shown.panel.form.role.findText("ECG"))
    assert shown.montage.traces[3].band == Band(20, 80)


def test_presets_are_a_choice(shown: Shown) -> None:
    form = shown.panel.form
    shown.select(0, 3)
    shown.choose(form.band, 1)
    assert [shown.montage.traces[row].band for row in (0, 3)] == [RAW, RAW]
    assert form.band.currentText() == "Unfiltered"
    shown.choose(form.band, 0)
    assert [shown.montage.traces[row].band for row in (0, 3)] == [Band(0.3, 35), Band(10, 100)]
    shown.choose(form.band, 2)
    assert form.high_pass.hasFocus()


def test_colours_are_offered_by_name(qtbot: QtBot, shown: Shown) -> None:
    shown.select(2)
    button = shown.panel.form.color
    menu = button.menu()
    menu.aboutToShow.emit()
    actions = {action.text(): action for action in menu.actions()}
    assert set(LANE_COLORS) < set(actions)
    assert actions["The theme's"].isChecked()
    actions["Vermilion"].trigger()
    assert shown.montage.traces[2].color == LANE_COLORS["Vermilion"]
    assert button.accessibleName() == "Colour: vermilion"


@pytest.mark.parametrize("color", LANE_COLORS.values())
@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_lane_s_colour_is_seen_on_either_ground(color: str, theme: object) -> None:
    def luminance(name: str) -> float:
        parts = QColor(name).getRgbF()[:3]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    for ground in (theme.panel, theme.epoch):
        dark, light = sorted((luminance(color), luminance(ground)))
        assert (light + 0.05) / (dark + 0.05) >= 3


# -- montages


def test_the_list_of_montages_names_keys_and_changes(qtbot: QtBot, shown: Shown) -> None:
    panel = shown.panel
    choices = [MontageChoice("As recorded", 1, saved=False), MontageChoice("Sleep", 5, saved=True)]
    panel.show_choices(choices, "Sleep", changed=True)
    assert panel.montages.currentText() == "Sleep, changed"
    with qtbot.waitSignal(panel.chosen) as chosen:
        panel.montages.activated.emit(0)
    assert chosen.args == ["As recorded"]
    panel.show_choices(choices[:1], "Sleep", changed=True)
    assert panel.montages.currentText() == "Sleep, not saved"


def test_only_what_was_saved_is_renamed_and_deleted(shown: Shown) -> None:
    choices = [MontageChoice("As recorded", 1, saved=False), MontageChoice("Sleep", None, saved=True)]
    for current, own in (("As recorded", False), ("Sleep", True)):
        shown.panel.show_choices(choices, current, changed=False)
        enabled = {action.text(): action.isEnabled() for action in shown.panel.more_button.menu().actions()}
        assert (enabled["Rename…"], enabled["Delete…"]) == (own, own)
        assert enabled["Export montages…"]


def test_everything_has_a_name_a_tool_tip_and_a_place_in_the_order_of_tab(shown: Shown) -> None:
    kinds = (QComboBox, QDoubleSpinBox, QPushButton, QToolButton, QTableView)
    widgets = [w for w in shown.panel.findChildren(QWidget) if isinstance(w, kinds) and w.isVisible()]
    assert len(widgets) == 16
    shown.panel.show_choices([MontageChoice("As recorded", 1, saved=False)], "As recorded", changed=False)
    shown.select(0)
    reached: set[QWidget] = set()
    widget = shown.panel.montages
    while widget not in reached:
        reached.add(widget)
        widget = widget.nextInFocusChain()
    for widget in widgets:
        text = widget.text() if isinstance(widget, QPushButton) else ""
        assert widget.accessibleName() or text
        assert widget.toolTip() or widget is shown.panel.table
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert widget in reached


def test_a_selected_lane_is_told_by_its_row(shown: Shown) -> None:
    told: list[object] = []
    shown.panel.lane_selected.connect(told.append)
    shown.select(2)
    shown.select(1, 2)
    assert told == [2, None]


def test_it_is_painted_in_both_themes(shown: Shown) -> None:
    shown.select(1)
    light = shown.panel.grab().toImage()
    shown.panel.set_theme(DARK)
    assert shown.panel.grab().toImage() != light


# -- derivations


def dialog_of(qtbot: QtBot, plus: tuple[str, ...] = ()) -> DerivationDialog:
    dialog = DerivationDialog(RECORDING, LIGHT, plus)
    qtbot.addWidget(dialog)
    return dialog


def check(channels: object, *labels: str) -> None:
    for i in range(channels.count()):
        checked = channels.item(i).text() in labels
        channels.item(i).setCheckState(Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)


def can_add(dialog: DerivationDialog) -> bool:
    (add,) = [button for button in dialog.buttons.buttons() if button.text() == "Add"]
    return add.isEnabled()


def test_the_dialog_makes_derivations_of_check_boxes(qtbot: QtBot) -> None:
    dialog = dialog_of(qtbot, ("C3",))
    assert dialog.derivations == (Derivation("C3"),)
    check(dialog.minus, "M2")
    check(dialog.plus, "C3", "E1")
    assert dialog.derivations == (Derivation("C3", ("M2",)), Derivation("E1", ("M2",)))
    assert dialog.verdict.text() == "Adds C3 − M2, E1 − M2."
    assert can_add(dialog)


@pytest.mark.parametrize(
    ("plus", "minus", "words"),
    [
        ((), (), "at least one"),
        (("C3",), ("Chin",), "C3 (100 Hz, µV) and Chin (256 Hz, µV) can't be subtracted"),
        (("C3",), ("C3",), "less itself"),
    ],
)
def test_the_dialog_says_why_not(qtbot: QtBot, plus: tuple[str, ...], minus: tuple[str, ...], words: str) -> None:
    dialog = dialog_of(qtbot)
    check(dialog.plus, *plus)
    check(dialog.minus, *minus)
    assert words in dialog.verdict.text()
    assert not can_add(dialog)


def test_added_lanes_stand_under_the_selected_one_and_are_selected(shown: Shown) -> None:
    shown.select(0)
    shown.panel.add((Derivation("C3", ("M2",)), Derivation("E1", ("M2",))))
    assert shown.labels == ["C3", "C3 − M2", "E1 − M2", "M2", "E1", "Chin", "slow"]
    assert shown.montage.traces[1].band == Band(0.3, 35)
    assert shown.panel.rows == [1, 2]
