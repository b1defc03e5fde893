"""Montages in the window: keys call and save them, and a recording comes back as it was shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.traces import derivation_dialog, montage_dialogs
from sleepviewer.app.traces.channel_panel import ChannelPanel
from sleepviewer.app.traces.montage_feature import MontagePart
from sleepviewer.app.window import MainWindow
from sleepviewer.display.filters import Band
from sleepviewer.display.montage import AS_RECORDED, Derivation, Montage, Trace, as_recorded
from sleepviewer.display.montage_offers import LINKED, OTHER_MASTOID
from sleepviewer.display.montage_store import MontageBook, book_text, read_book_file, write_book

KEYS, SHIFT, CONTROL = Qt.Key, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
FULL = ("C3", "C4", "M1", "M2", "E1")
MakeWindow = Callable[[], MainWindow]


def night_of(folder: Path, *labels: str, name: str = "night.edf") -> Path:
    channels = [
        Signal(label, 200, "uV", np.round(30 * np.random.default_rng(i).standard_normal(60_000), 1))
        for i, label in enumerate(labels)
    ]
    return write_edf(folder / name, channels, record_s=30)


@pytest.fixture
def night(tmp_path: Path) -> Path:
    return night_of(tmp_path, *FULL)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """What is answered when a montage's name is asked for; the question and the proposal come back in it."""
    asked: dict[str, str | None] = {"answer": "Sleep"}

    def ask_name(_: object, title: str, question: str, proposed: str) -> str | None:
        asked.update(title=title, question=question, proposed=proposed)
        return proposed if asked["answer"] == "proposed" else asked["answer"]

    monkeypatch.setattr(montage_dialogs, "ask_name", ask_name)
    return asked


def part_of(window: MainWindow) -> MontagePart:
    part = window.findChild(MontagePart)
    assert isinstance(part, MontagePart)
    return part


def panel_of(window: MainWindow) -> ChannelPanel:
    panel = window.findChild(ChannelPanel)
    assert isinstance(panel, ChannelPanel)
    return panel


def lanes(window: MainWindow) -> list[str]:
    """Labels of the lanes on the page, from its top."""
    return [trace.label for trace in window.page.traces.montage.shown]


def show(window: MainWindow, montage: Montage) -> None:
    """Show a montage as the panel would."""
    part_of(window)._show(montage)


# -- keys


def test_function_keys_switch_between_the_montages_that_are_offered(qtbot: QtBot, opened: MainWindow) -> None:
    assert lanes(opened) == list(FULL)
    qtbot.keyClick(opened, KEYS.Key_F2)
    assert lanes(opened) == ["C3 − M2", "C4 − M1", "E1 − M2"]
    assert opened.status_line.text.endswith("Montage: Other mastoid")
    qtbot.keyClick(opened, KEYS.Key_F4)
    assert lanes(opened) == ["C3 − (M1 + M2)/2", "C4 − (M1 + M2)/2", "E1 − (M1 + M2)/2"]
    qtbot.keyClick(opened, KEYS.Key_F1)
    assert lanes(opened) == list(FULL)


def test_a_key_without_a_montage_says_how_to_give_it_one(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, KEYS.Key_F9)
    assert "Shift+F9" in opened.status_line.text
    qtbot.keyClick(opened, KEYS.Key_F3)
    assert "needs channels that this recording does not have" in opened.status_line.text
    assert lanes(opened) == list(FULL)


@pytest.mark.parametrize("key", range(1, 13))
def test_shift_and_a_key_save_what_is_shown_there(
    qtbot: QtBot, opened: MainWindow, names: dict[str, str | None], key: int
) -> None:
    qtbot.keyClick(opened, KEYS.Key_F2)
    names["answer"] = "proposed"
    function = KEYS(KEYS.Key_F1.value + key - 1)
    qtbot.keyClick(opened, function, SHIFT)
    assert names["proposed"] == f"Montage {key}"
    assert opened.status_line.text.endswith(f"Saved at F{key}: Montage {key}")
    show(opened, as_recorded(opened.session.night.recording))
    qtbot.keyClick(opened, function)
    assert lanes(opened) == ["C3 − M2", "C4 − M1", "E1 − M2"]
    action = opened.findChild(QAction, f"montage_{key}")
    assert action.text() == f"Montage {key}: Montage {key}"


def test_what_has_the_key_is_named_before_it_is_replaced(
    qtbot: QtBot, opened: MainWindow, names: dict[str, str | None]
) -> None:
    qtbot.keyClick(opened, KEYS.Key_F5, SHIFT)
    qtbot.keyClick(opened, KEYS.Key_F2)
    names["answer"] = None
    qtbot.keyClick(opened, KEYS.Key_F5, SHIFT)
    assert "F5 has “Sleep”" in str(names["question"])
    qtbot.keyClick(opened, KEYS.Key_F5)
    assert lanes(opened) == list(FULL)


def test_a_name_that_can_not_be_is_told(qtbot: QtBot, opened: MainWindow, names: dict[str, str | None]) -> None:
    names["answer"] = AS_RECORDED
    qtbot.keyClick(opened, KEYS.Key_F5, SHIFT)
    assert "choose another name" in opened.info_bar.text
    qtbot.keyClick(opened, KEYS.Key_F5)
    assert "No montage at F5" in opened.status_line.text


def test_menus_name_what_is_at_the_keys(opened: MainWindow) -> None:
    texts = [opened.findChild(QAction, f"montage_{key}").text() for key in (1, 2, 3, 4, 5)]
    assert texts == [
        f"Montage 1: {AS_RECORDED}",
        f"Montage 2: {OTHER_MASTOID}",
        "Montage 3",
        f"Montage 4: {LINKED}",
        "Montage 5",
    ]


# -- the page


def test_filters_derivations_and_order_reach_the_page(opened: MainWindow) -> None:
    lane = Trace(Derivation("C4", ("M1",)), Band(1, 20, 50), 75.0, "#0a9070", 2.0)
    hidden = Trace(Derivation("C3"), Band(0.3, 35), visible=False)
    show(opened, Montage("mine", (hidden, lane, Trace(Derivation("E1"), Band(0.3, 100)))))
    shown = opened.page.traces.montage
    assert shown.shown[0] == lane
    assert [trace.label for trace in shown.shown] == ["C4 − M1", "E1"]
    assert shown.shown[1].band == Band(0.3, None)
    assert part_of(opened).montage.traces[2].band == Band(0.3, 100)


def test_gains_changed_on_the_page_are_the_montage_s(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, KEYS.Key_L, CONTROL)
    traces = opened.page.traces
    shown = traces.montage
    traces.montage_changed.emit(shown.with_trace(1, replace(shown.traces[1], half_height=20.0)))
    assert [trace.half_height for trace in part_of(opened).montage.traces] == [None, 20.0, None, None, None]
    table = panel_of(opened).table.model_
    assert table.index(1, 2).data() == "±20 µV"


def test_engines_read_the_recording_whatever_the_montage_is(qtbot: QtBot, opened: MainWindow) -> None:
    recording = opened.session.night.recording
    before = recording.read("C3", 0, 30)
    qtbot.keyClick(opened, KEYS.Key_F2)
    np.testing.assert_array_equal(recording.read("C3", 0, 30), before)
    assert opened.scoring_bar.channel == "C3"


# -- the panel


def test_the_panel_comes_and_goes_with_its_key(qtbot: QtBot, opened: MainWindow) -> None:
    dock = opened.panels["channels"]
    assert not dock.isVisible()
    assert opened.findChild(ChannelPanel) is None
    qtbot.keyClick(opened, KEYS.Key_L, CONTROL)
    assert dock.isVisible()
    assert panel_of(opened).table.hasFocus()
    assert panel_of(opened).rows == [0]
    qtbot.keyClick(opened, KEYS.Key_L, CONTROL)
    assert not dock.isVisible()


def test_the_panel_s_lane_is_the_page_s_selected_one(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, KEYS.Key_L, CONTROL)
    panel = panel_of(opened)
    panel.table.toggle_selected()
    panel.select_rows([2])
    assert opened.page.traces.selected_lane == 1
    opened.page.traces.select_lane(3)
    assert panel.rows == [4]
    panel.select_rows([0])
    assert opened.page.traces.selected_lane is None


def test_a_panel_that_comes_later_shows_what_is_on_the_page(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, KEYS.Key_F2)
    opened.page.traces.select_lane(2)
    opened.panels.show("channels")
    panel = panel_of(opened)
    assert panel.rows == [4]
    opened.panels["channels"].hide()
    qtbot.keyClick(opened, KEYS.Key_F1)
    opened.panels.show("channels")
    assert panel.montages.currentText() == "As recorded  (F1)"
    assert panel.table.model_.index(0, 0).data() == "C3"


def test_keys_of_the_list_come_before_the_window_s(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, KEYS.Key_L, CONTROL)
    table = panel_of(opened).table
    qtbot.keyClick(table, KEYS.Key_Down, CONTROL)
    assert lanes(opened)[:2] == ["C4", "C3"]
    qtbot.keyClick(table, KEYS.Key_Delete)
    assert lanes(opened) == ["C4", "M1", "M2", "E1"]
    qtbot.keyClick(table, KEYS.Key_2)
    assert opened.session.document.edits


def test_enter_in_a_field_of_the_panel_accepts_no_stage(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, KEYS.Key_L, CONTROL)
    gain = panel_of(opened).form.gain
    gain.setFocus()
    gain.selectAll()
    qtbot.keyClicks(gain, "30")
    qtbot.keyClick(gain, KEYS.Key_Return)
    assert part_of(opened).montage.traces[0].half_height == 30.0
    assert "stage" not in opened.status_line.text
    assert not opened.session.document.edits


def test_derivations_are_added_by_their_dialog(
    qtbot: QtBot, opened: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def ask(_: object, __: object, ___: object, plus: tuple[str, ...]) -> tuple[Derivation, ...]:
        asked.append(plus)
        return (Derivation("C4", ("M1", "M2")),)

    monkeypatch.setattr(derivation_dialog, "ask_derivations", ask)
    qtbot.keyClick(opened, KEYS.Key_L, CONTROL)
    qtbot.keyClick(opened, KEYS.Key_L, CONTROL | SHIFT)
    assert asked == [("C3",)]
    assert lanes(opened) == ["C3", "C4 − (M1 + M2)/2", "C4", "M1", "M2", "E1"]


def test_the_list_of_montages_saves_renames_and_deletes(
    qtbot: QtBot, opened: MainWindow, names: dict[str, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    qtbot.keyClick(opened, KEYS.Key_L, CONTROL)
    panel = panel_of(opened)
    panel.select_rows([4])
    panel.remove_selected()
    assert panel.montages.currentText() == "As recorded, changed"
    qtbot.mouseClick(panel.save_button, Qt.MouseButton.LeftButton)
    assert names["proposed"] == "My montage"
    assert panel.montages.currentText() == "Sleep"
    names["answer"] = " Sleep  lab "
    panel.rename_asked.emit()
    assert panel.montages.currentText() == "Sleep lab"
    panel.chosen.emit(AS_RECORDED)
    assert lanes(opened) == list(FULL)
    panel.chosen.emit("Sleep lab")
    assert lanes(opened) == list(FULL[:4])
    monkeypatch.setattr(montage_dialogs, "ask_delete", lambda *_: True)
    panel.delete_asked.emit()
    assert panel.montages.currentText() == "Sleep lab, not saved"
    assert lanes(opened) == list(FULL[:4])
    panel.reset_asked.emit()
    assert lanes(opened) == list(FULL)


# -- other recordings


def test_lanes_that_fit_are_shown_and_the_missing_ones_are_named(
    qtbot: QtBot, opened: MainWindow, names: dict[str, str | None], tmp_path: Path
) -> None:
    qtbot.keyClick(opened, KEYS.Key_F2)
    qtbot.keyClick(opened, KEYS.Key_F5, SHIFT)
    assert opened.open_path(night_of(tmp_path, "C3", "M2", "ECG", name="other.edf"))
    assert lanes(opened) == ["C3", "M2", "ECG"]
    qtbot.keyClick(opened, KEYS.Key_F5)
    assert lanes(opened) == ["C3 − M2"]
    assert opened.status_line.text.endswith("Montage: Sleep; not in this recording: C4 − M1, M1, E1 − M2")
    qtbot.keyClick(opened, KEYS.Key_F5, SHIFT)
    assert [trace.label for trace in part_of(opened).montage.traces] == ["C3 − M2", "C4 − M1", "M1", "M2", "E1 − M2"]


def test_a_montage_of_which_nothing_fits_leaves_the_page_alone(
    qtbot: QtBot, opened: MainWindow, names: dict[str, str | None], tmp_path: Path
) -> None:
    qtbot.keyClick(opened, KEYS.Key_F5, SHIFT)
    assert opened.open_path(night_of(tmp_path, "ECG", name="heart.edf"))
    qtbot.keyClick(opened, KEYS.Key_F5)
    assert lanes(opened) == ["ECG"]
    assert opened.info_bar.text == "⚠  heart.edf has nothing of the montage “Sleep”: C3, C4, M1, M2, E1."


# -- memory


def test_a_recording_comes_back_as_it_was_shown(make_window: MakeWindow, night: Path, tmp_path: Path) -> None:
    window = make_window()
    window.open_path(night)
    changed = Montage("mine", (Trace(Derivation("C4", ("M1",)), Band(1, 20, 50), 75.0, "#0a9070", 2.0),))
    show(window, changed)
    window.close()
    window = make_window()
    window.open_path(night_of(tmp_path, *FULL[::-1], name="next.edf"))
    assert part_of(window).montage == changed
    assert window.page.traces.montage.shown == changed.traces
    window.open_path(night_of(tmp_path, "C3", "C4", name="fewer.edf"))
    assert lanes(window) == ["C3", "C4"]
    window.open_path(night)
    assert lanes(window) == ["C4 − M1"]
    window.run_command("montage_reset")
    window.close()
    window = make_window()
    window.open_path(night)
    assert lanes(window) == list(FULL)


def test_saved_montages_and_their_keys_come_back(
    qtbot: QtBot, make_window: MakeWindow, night: Path, names: dict[str, str | None]
) -> None:
    window = make_window()
    window.open_path(night)
    qtbot.keyClick(window, KEYS.Key_F2)
    qtbot.keyClick(window, KEYS.Key_F12, SHIFT)
    window = make_window()  # the first one was not closed, as after a crash
    window.open_path(night)
    qtbot.keyClick(window, KEYS.Key_F12)
    assert lanes(window) == ["C3 − M2", "C4 − M1", "E1 − M2"]


def test_damaged_settings_are_a_sentence_and_what_is_whole_stays(make_window: MakeWindow, night: Path) -> None:
    sound = Montage("Sound", (Trace(Derivation("C3"), Band(0.3, 35)),))
    stored = json.loads(book_text(MontageBook().with_saved(replace(sound, name="Broken")).with_saved(sound, 7)))
    stored["montages"][0]["traces"][0]["low_pass_hz"] = "many"
    text = json.dumps(stored)
    Settings().set_json("montages/book", text)
    window = make_window()
    window.open_path(night)
    assert "The list of saved montages: montage 1 was left out" in window.info_bar.text
    window.run_command("montage_7")
    assert lanes(window) == ["C3"]
    assert Settings().get_json("montages/book_unread", "") == text


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "SleepViewer montages", "version": 9}'])
def test_settings_without_any_montage_are_a_sentence(make_window: MakeWindow, night: Path, text: str) -> None:
    Settings().set_json("montages/book", text)
    window = make_window()
    assert window.open_path(night)
    assert "The list of saved montages" in window.info_bar.text
    assert lanes(window) == list(FULL)


# -- files


def test_montages_travel_in_a_file(
    opened: MainWindow, names: dict[str, str | None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "lab.json"
    monkeypatch.setattr(montage_dialogs, "ask_export_path", lambda *_: path)
    monkeypatch.setattr(montage_dialogs, "ask_import_path", lambda *_: path)
    monkeypatch.setattr(montage_dialogs, "ask_delete", lambda *_: True)
    opened.run_command("montage_export")
    assert [trace.label for trace in read_book_file(path)[0].named("My montage").traces] == list(FULL)
    part = part_of(opened)
    part.choose(OTHER_MASTOID)
    part.save(6)
    opened.run_command("montage_export")
    assert str(path) in opened.status_line.text
    part.delete()
    opened.run_command("montage_reset")
    opened.run_command("montage_import")
    assert opened.status_line.text.endswith("Imported: Sleep")
    opened.run_command("montage_6")
    assert lanes(opened) == ["C3 − M2", "C4 − M1", "E1 − M2"]


def test_a_file_that_holds_no_montages_is_a_sentence(
    opened: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}")
    monkeypatch.setattr(montage_dialogs, "ask_import_path", lambda *_: path)
    opened.run_command("montage_import")
    assert "other.json holds no montages" in opened.info_bar.text
    write_book(MontageBook(), path)
    opened.run_command("montage_import")
    assert opened.status_line.text.endswith("other.json has no montages")


def test_a_file_that_can_not_be_written_is_a_sentence(
    opened: MainWindow, names: dict[str, str | None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    part_of(opened).save(6)
    monkeypatch.setattr(montage_dialogs, "ask_export_path", lambda *_: tmp_path / "nowhere" / "lab.json")
    opened.run_command("montage_export")
    assert "can't be written" in opened.info_bar.text
