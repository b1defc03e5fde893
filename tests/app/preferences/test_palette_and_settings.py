"""Finding, remapping and remembering: the palette, the settings, the help, and what comes back at the next start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QDoubleSpinBox, QLabel, QLineEdit, QListWidget, QMessageBox
from pytestqt.qtbot import QtBot

from helpers.window_nights import KEYPAD, corrected_of, session_of, write_night
from sleepviewer.app.keys.keymap import PROFILES, Keymap
from sleepviewer.app.preferences.feature import KeysPart
from sleepviewer.app.preferences.keys_page import KeysPage
from sleepviewer.app.preferences.settings_dialog import SettingsDialog
from sleepviewer.app.shell.command_palette import CommandPalette, Entry
from sleepviewer.app.shell.help_overlay import HelpOverlay
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.window import MainWindow
from sleepviewer.stages import Stage

MakeWindow = Callable[[], MainWindow]
Key = Qt.Key


@pytest.fixture
def night(tmp_path: Path) -> Path:
    return write_night(tmp_path / "night.edf")


def keys_part(window: MainWindow) -> KeysPart:
    (part,) = [part for part in window.parts if isinstance(part, KeysPart)]
    return part


# -- the palette


@pytest.fixture
def palette(qtbot: QtBot, opened: MainWindow) -> Iterator[CommandPalette]:
    palette = CommandPalette(keys_part(opened).entries(), opened)
    palette.show()
    yield palette
    palette.close()


def type_into(palette: CommandPalette, text: str) -> None:
    (line,) = palette.findChildren(QLineEdit)
    line.clear()
    QTest.keyClicks(line, text)


def press_in(palette: CommandPalette, key: Key) -> None:
    QTest.keyClick(palette.findChildren(QLineEdit)[0], key)


def test_a_few_letters_find_a_command_with_its_keys(palette: CommandPalette) -> None:
    assert len(palette.found) > 60
    type_into(palette, "nxt dis")
    assert palette.found[0].title == "Next disagreement"
    assert palette.found[0].keys == ("D",)
    type_into(palette, "qqqq")
    assert palette.found == []
    press_in(palette, Key.Key_Return)
    assert palette.chosen is None
    assert palette.isVisible()


def test_what_a_command_does_finds_it_too(palette: CommandPalette) -> None:
    type_into(palette, "clipboard")
    assert palette.found[0].title == "Copy the picture"


def test_enter_chooses_and_arrows_move(palette: CommandPalette) -> None:
    type_into(palette, "next")
    second = palette.found[1]
    press_in(palette, Key.Key_Down)
    press_in(palette, Key.Key_Return)
    assert palette.chosen is second
    assert not palette.isVisible()


def test_what_can_not_be_called_says_why_and_is_not(palette: CommandPalette) -> None:
    type_into(palette, "undo")
    entry = palette.found[0]
    assert entry.why_not == "there is nothing to undo"
    assert "nothing to undo" in palette.said
    press_in(palette, Key.Key_Return)
    assert palette.chosen is None
    assert palette.isVisible()
    (row,) = [i for i in range(palette.findChildren(QListWidget)[0].count()) if palette.found[i] is entry]
    said = palette.findChildren(QListWidget)[0].item(row).data(Qt.ItemDataRole.AccessibleTextRole)
    assert "not now: there is nothing to undo" in said


def test_the_palette_runs_what_was_chosen(
    opened: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    def choose(title: str) -> None:
        def execute(palette: CommandPalette) -> int:
            palette.chosen = next(e for e in palette._entries if e.title == title)
            return 1

        monkeypatch.setattr(CommandPalette, "exec", execute)
        qtbot.keyClick(opened, Key.Key_K, Qt.KeyboardModifier.ControlModifier)

    choose("Last epoch")
    assert session_of(opened).epoch == 39
    choose("Display filters")
    assert not opened.actions_["filters"].isChecked()
    assert opened.open_path(write_night(tmp_path / "other.edf"))
    choose("night.edf")
    assert session_of(opened).night.recording.name == "night.edf"


def test_switches_show_how_they_stand(opened: MainWindow) -> None:
    entries = {entry.title: entry for entry in keys_part(opened).entries()}
    assert entries["Display filters"].checked is True
    assert entries["Full screen"].checked is False
    assert entries["Panel: Review"].checked is True
    entries["Panel: Review"].call()
    assert not opened.panels["review"].isVisible()
    assert entries["Set W"].checked is None
    assert "Find a command…" not in entries


def test_the_palette_paints_every_kind_of_entry(qtbot: QtBot, opened: MainWindow) -> None:
    entries = [
        Entry("x" * 300, "Edit", ("Ctrl+K",), "long", lambda: None),
        Entry("switch", "View", (), "on", lambda: None, "", True),
        Entry("not now", "View", (), "no", lambda: None, "because " * 40),
        Entry("İstanbul", "Recent", (), "odd letters", lambda: None),
    ]
    palette = CommandPalette(entries, opened)
    palette.show()
    for text in ("", "x", "i", "not"):
        type_into(palette, text)
        assert not palette.grab().isNull()
    palette.close()


# -- remapping


def page_of(qtbot: QtBot, keymap: Keymap | None = None) -> KeysPage:
    page = KeysPage(keymap or Keymap())
    qtbot.addWidget(page)
    page.show()
    return page


def click(page: KeysPage, text: str) -> None:
    (button,) = [b for b in page.findChildren(QAbstractButton) if b.text() == text]
    assert button.isEnabled()
    button.click()


def press_key(page: KeysPage, key: Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(page._edit, key, modifier)


def test_a_free_key_is_added(qtbot: QtBot) -> None:
    page = page_of(qtbot)
    page.choose_command("flag")
    press_key(page, Key.Key_J)
    assert page.conflict == "J is free."
    with qtbot.waitSignal(page.keymap_changed):
        click(page, "Add the key")
    assert page.keymap.keys("flag") == ("Q", "J")


def test_a_key_that_is_taken_is_named_before_it_is_given(qtbot: QtBot) -> None:
    page = page_of(qtbot)
    page.choose_command("flag")
    press_key(page, Key.Key_W, Qt.KeyboardModifier.NoModifier)
    assert "“Set W” (Edit)" in page.conflict
    assert "taken from there" in page.conflict
    assert page.keymap == Keymap()
    click(page, "Only this key")
    assert page.keymap.keys("flag") == ("W",)
    assert page.keymap.keys("stage_w") == ("0",)
    click(page, "Usual keys")
    assert page.keymap == Keymap()


def test_a_key_that_nobody_may_have_can_not_be_given(qtbot: QtBot) -> None:
    page = page_of(qtbot)
    page.choose_command("flag")
    page._edit.setKeySequence(QKeySequence("Alt+F"))
    assert "opens the menu File" in page.conflict
    assert not page._add.isEnabled()
    assert not page._only.isEnabled()


def test_the_keypad_is_a_key_of_its_own(qtbot: QtBot) -> None:
    page = page_of(qtbot)
    page.choose_command("next_epoch")
    press_key(page, Key.Key_6, KEYPAD)
    assert page.conflict == "keypad 6 is free."
    click(page, "Add the key")
    assert page.keymap.command_of("Num+6") == "next_epoch"
    assert page.keymap.command_of("6") is None


def test_all_is_reset_and_the_profile_stays(qtbot: QtBot) -> None:
    page = page_of(qtbot, Keymap("aasm_isr").with_keys("flag", ["Y"]))
    click(page, "Usual keys for all commands")
    assert page.keymap == Keymap("aasm_isr")
    click(page, "No key")
    assert page.keymap.keys(page.command) == ()


def test_commands_are_searched_by_name_and_by_key(qtbot: QtBot) -> None:
    page = page_of(qtbot)

    def shown(text: str) -> set[str]:
        page._search.setText(text)
        return {command for command, item in page._items.items() if not item.isHidden()}

    assert "next_disagreement" in shown("next disagree")
    assert "open" not in shown("next disagree")
    assert shown("ctrl+p") >= {"save_picture"}
    assert shown("qqqq") == set()


def test_keys_that_were_set_work_and_come_back(qtbot: QtBot, make_window: MakeWindow, night: Path) -> None:
    window = make_window()
    assert window.open_path(night)
    keys_part(window).set_keymap(Keymap("aasm_isr").with_keys("flag", ["Y"]))
    for start in range(2):
        document = session_of(window).document
        session_of(window).go_to(0)
        qtbot.keyClick(window, Key.Key_4)
        assert corrected_of(window) == {0: 4}
        assert session_of(window).epoch == 0
        qtbot.keyClick(window, Key.Key_4, KEYPAD)
        assert session_of(window).epoch == 1
        qtbot.keyClick(window, Key.Key_5)
        assert corrected_of(window) == {0: 4}
        qtbot.keyClick(window, Key.Key_Y)
        assert document.flagged.tolist()[:2] == [False, True]
        qtbot.keyClick(window, Key.Key_Q)
        assert document.flagged.tolist()[:2] == [False, True]
        assert "(Y)" in window.actions_["flag"].toolTip()
        if not start:
            window.close()
            window = make_window()
            assert window.open_path(night)


def test_the_settings_set_keys_of_the_window(qtbot: QtBot, opened: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    def execute(dialog: SettingsDialog) -> int:
        dialog.keys.choose_command("flag")
        press_key(dialog.keys, Key.Key_Y)
        click(dialog.keys, "Only this key")
        box = dialog.keys._profile
        box.setCurrentIndex(box.findData("aasm_isr"))
        box.activated.emit(box.currentIndex())
        assert PROFILES["aasm_isr"].tip in dialog.keys._profile_tip.text()
        return 0

    monkeypatch.setattr(SettingsDialog, "exec", execute)
    opened.run_command("settings")
    assert Settings().keymap == Keymap("aasm_isr", {"flag": ("Y",)})
    assert opened.actions_.keymap.command_of("4") == "stage_rem"


# -- the help


def test_the_help_shows_keys_as_they_are_set_and_searches(qtbot: QtBot, opened: MainWindow) -> None:
    overlay = HelpOverlay(Keymap("aasm_isr").with_keys("flag", ["Ctrl+Alt+F9"]), opened)
    overlay.show()
    assert "Ctrl+Alt+F9" in overlay.text
    assert "R · 4" in overlay.text
    (line,) = overlay.findChildren(QLineEdit)
    QTest.keyClicks(line, "disagreement")
    assert "Next disagreement" in overlay.text
    assert "Flag" not in overlay.text
    overlay.close()


# -- what comes back


def test_panels_come_back_as_they_were(make_window: MakeWindow, night: Path) -> None:
    first = make_window()
    assert first.open_path(night)
    dock = first.panels["review"]
    dock.setFloating(True)
    dock.close()
    first.close()
    second = make_window()
    assert second.open_path(night)
    assert second.panels["review"].isFloating()
    assert not second.panels["review"].isVisible()
    second.run_command("reset_window")
    assert not second.panels["review"].isFloating()
    assert second.panels["review"].isVisible()


def test_panels_that_were_never_shown_come_back_too(make_window: MakeWindow, night: Path) -> None:
    """A window that closes on its welcome page keeps the arrangement of the last night."""
    first = make_window()
    assert first.open_path(night)
    first.panels["review"].setFloating(True)
    first.close()
    make_window().close()
    third = make_window()
    assert third.open_path(night)
    assert third.panels["review"].isFloating()


def test_a_damaged_arrangement_is_the_first_one(make_window: MakeWindow, night: Path) -> None:
    Settings()._store.setValue("panels", b"damage")
    window = make_window()
    assert window.open_path(night)
    assert window.panels["review"].isVisible()
    assert not window.panels["review"].isFloating()


def test_stage_colours_are_switched_and_remembered(make_window: MakeWindow, night: Path) -> None:
    window = make_window()
    assert window.open_path(night)
    before = window.page.panel.grab().toImage(), window.page.night.grab().toImage()
    window.session.document.set_stage(list(range(20)), 2)  # type: ignore[union-attr,arg-type]
    usual = window.page.night.grab().toImage()
    assert usual != before[1]
    window.actions_["stages_safe"].trigger()
    assert window.page.night.grab().toImage() != usual
    assert Settings().stage_colors == "safe"
    window.close()
    window = make_window()
    assert window.actions_["stages_safe"].isChecked()
    assert not window.actions_["stages_usual"].isChecked()


def test_everything_is_forgotten_when_that_is_asked_for(
    make_window: MakeWindow, night: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make_window()
    assert window.open_path(night)
    window.actions_["theme_dark"].trigger()
    window.resize(800, 610)
    keys_part(window).set_keymap(Keymap("aasm_isr"))
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    monkeypatch.setattr(SettingsDialog, "exec", lambda dialog: dialog._reset.click())
    window.run_command("settings")
    assert window.actions_.keymap == Keymap()
    assert window.actions_["theme_system"].isChecked()
    window.close()
    settings = Settings()
    assert (settings.theme, settings.recent, settings.keymap) == ("system", [], Keymap())
    assert settings.geometry is None
    assert settings.panels is None


def test_full_screen_and_back(qtbot: QtBot, opened: MainWindow) -> None:
    qtbot.keyClick(opened, Key.Key_Return, Qt.KeyboardModifier.AltModifier)
    assert opened.isFullScreen()
    assert opened.actions_["full_screen"].isChecked()
    assert "Full screen: Alt+Enter goes back" in opened.status_line.text
    qtbot.keyClick(opened, Key.Key_Return, Qt.KeyboardModifier.AltModifier)
    assert not opened.isFullScreen()
    assert not opened.actions_["full_screen"].isChecked()
    assert "Full screen" not in opened.status_line.text


# -- the welcome page


def test_the_welcome_page_is_walked_by_arrows_and_answers_to_enter(
    qtbot: QtBot, make_window: MakeWindow, night: Path
) -> None:
    window = make_window()
    assert window.open_path(night)
    window.close()
    window = make_window()
    qtbot.waitUntil(window.welcome.open_button.hasFocus)
    for _ in range(5):
        qtbot.keyClick(window.focusWidget(), Key.Key_Down)
    focused = window.focusWidget()
    assert isinstance(focused, QAbstractButton)
    assert focused.text().startswith("night.edf")
    qtbot.keyClick(focused, Key.Key_Return)
    assert session_of(window).night.recording.name == "night.edf"


def test_the_welcome_page_names_the_keys_as_they_are_set(make_window: MakeWindow) -> None:
    Settings().keymap = Keymap().with_keys("score", ["Ctrl+F8"])
    assert "Ctrl+F8" in make_window().welcome._steps.text()


# -- the keyboard goes back to the night


@pytest.fixture
def in_a_field(opened: MainWindow) -> MainWindow:
    """A window whose keyboard is in a number field of a panel, which keeps the stage keys for itself."""
    opened.run_command("lane_below")
    opened.panels.show("channels")
    field = next(field for field in opened.panels["channels"].findChildren(QDoubleSpinBox) if field.isEnabled())
    field.setFocus()
    assert opened.focusWidget() is field
    QTest.keyClick(field, Key.Key_3)
    assert not corrected_of(opened)
    return opened


def test_esc_in_a_panel_gives_the_keyboard_back_to_the_night(in_a_field: MainWindow) -> None:
    field = in_a_field.focusWidget()
    QTest.keyClick(field, Key.Key_Escape)
    assert in_a_field.focusWidget() is not field
    QTest.keyClick(in_a_field, Key.Key_3)
    assert corrected_of(in_a_field) == {0: Stage.N3}


@pytest.mark.parametrize("view", ["traces", "night"])
def test_a_click_on_the_night_takes_the_keyboard_back(in_a_field: MainWindow, view: str) -> None:
    QTest.mouseClick(getattr(in_a_field.page, view), Qt.MouseButton.LeftButton)
    QTest.keyClick(in_a_field.focusWidget(), Key.Key_Home)
    QTest.keyClick(in_a_field.focusWidget(), Key.Key_3)
    assert corrected_of(in_a_field) == {0: Stage.N3}


def test_esc_empties_the_search_of_annotations_and_then_gives_the_keyboard_back(opened: MainWindow) -> None:
    opened.run_command("find_annotation")
    line = opened.focusWidget()
    assert isinstance(line, QLineEdit)
    QTest.keyClicks(line, "w3")
    QTest.keyClick(line, Key.Key_Escape)
    assert (line.text(), opened.focusWidget()) == ("", line)
    QTest.keyClick(line, Key.Key_Escape)
    assert opened.focusWidget() is not line


def test_the_settings_open_in_the_search_of_commands(qtbot: QtBot, opened: MainWindow) -> None:
    dialog = SettingsDialog(opened.settings, opened.actions_, opened)
    dialog.show()
    qtbot.waitUntil(lambda: isinstance(dialog.focusWidget(), QLineEdit))
    dialog.close()


def test_a_panel_floats_where_it_is_seen_and_goes_back(opened: MainWindow) -> None:
    """The command from the palette, whose own line had the keyboard."""
    opened.panels.show("channels")  # the review is behind its tab now, and lies outside the window
    opened.setFocus()
    opened.run_command("float_panel")
    (floating,) = [opened.panels[name] for name in opened.panels.names if opened.panels[name].isFloating()]
    assert floating is opened.panels["channels"]
    assert opened.screen().availableGeometry().contains(floating.geometry().center())
    assert opened.focusWidget() is opened
    opened.run_command("float_panel")
    assert not floating.isFloating()


def test_a_panel_from_behind_a_tab_floats_on_the_screen(opened: MainWindow) -> None:
    opened.panels.show("channels")
    opened.panels.float_or_dock(opened.panels["review"])
    assert opened.screen().availableGeometry().contains(opened.panels["review"].geometry().center())


def test_what_is_searched_for_is_what_gets_the_key(qtbot: QtBot) -> None:
    page = KeysPage(Keymap())
    qtbot.addWidget(page)
    line = next(line for line in page.findChildren(QLineEdit) if line.accessibleName() == "Search commands or keys")
    line.setText("flag")
    assert page.command == "flag"  # “Save the review” speaks of flags too, and comes before
    line.setText("")
    assert page.command == "flag"


def test_the_drop_text_is_whole_on_a_low_screen(qtbot: QtBot, window: MainWindow) -> None:
    window.resize(window.minimumSizeHint().width(), window.minimumSizeHint().height())
    window.resize(911, window.minimumSizeHint().height())
    text = next(label for label in window.welcome.findChildren(QLabel) if "drop a recording" in label.text())
    qtbot.waitUntil(lambda: text.height() >= text.heightForWidth(text.width()))
