"""Odd surroundings: no home folder, commas for points, damaged settings, clocks that are changed, too little memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QLocale, QSettings
from PySide6.QtWidgets import QDoubleSpinBox
from pytestqt.qtbot import QtBot

from helpers.edf_files import Signal, write_edf
from sleepviewer import user_folders
from sleepviewer.app.main import _write_numbers_with_points
from sleepviewer.app.shell.settings import FORMAT, Settings
from sleepviewer.app.shell.theme import LIGHT
from sleepviewer.app.traces import overview as overviews
from sleepviewer.app.traces.overview import Overview
from sleepviewer.app.traces.view import TraceView
from sleepviewer.app.window import MainWindow
from sleepviewer.display.filters import Band
from sleepviewer.display.montage import Derivation
from sleepviewer.recording import open_recording
from sleepviewer.recording.clock_change import clock_change_note
from sleepviewer.review.opening import open_night
from sleepviewer.user_folders import ensure_user_folders, home_folder

START = datetime(2021, 3, 4, 22, 30)


def write_night(path: Path, n: int = 8, start: datetime = START) -> Path:
    samples = np.round(np.random.default_rng(0).standard_normal(n * 3000) * 30, 1)
    return write_edf(path, [Signal("EEG C4", 100, "uV", samples)], start=start, record_s=30)


# -- the home folder


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the system keeps temporary files; what is said about the home folder is forgotten afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(user_folders, "_said", "")
    for name in user_folders._VARIABLES:  # put back afterwards, whatever the call sets them to
        monkeypatch.setenv(name, os.environ.get(name, ""))
    return tmp_path


def test_a_home_folder_that_can_be_written_to_is_left_alone(stand_in: Path, user_folders: Path) -> None:
    before = dict(os.environ)
    assert ensure_user_folders() == ""
    assert dict(os.environ) == before


def test_without_a_home_folder_a_temporary_one_stands_in(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in user_folders._VARIABLES:
        monkeypatch.setenv(name, "/nonexistent/home")
    sentence = ensure_user_folders()
    folder = Path(os.environ["XDG_STATE_HOME"])
    assert folder.parent == stand_in
    assert folder.stat().st_mode & 0o777 == 0o700
    assert str(folder) in sentence
    assert "may empty" in sentence
    assert ensure_user_folders() == sentence  # said once more where it is asked, and no other folder made
    assert user_folders.log_folder().is_relative_to(folder)


def test_a_stand_in_that_is_another_users_link_is_not_used(
    stand_in: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in user_folders._VARIABLES:
        monkeypatch.setenv(name, "/nonexistent/home")
    (tmp_path / "trap").mkdir()
    (stand_in / f"sleepviewer-{os.getuid()}").symlink_to(tmp_path / "trap")
    ensure_user_folders()
    assert not Path(os.environ["HOME"]).samefile(tmp_path / "trap")


def test_dialogs_begin_somewhere_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert home_folder().is_dir()


# -- settings


@pytest.fixture
def ini(user_folders: Path) -> Path:
    scope = QSettings.Format.IniFormat, QSettings.Scope.UserScope
    return Path(QSettings(*scope, "SleepViewer", "SleepViewer").fileName())


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\x00\xff\x13 not settings at all\n\x00", "are damaged"),
        (b"[General]\ntheme dark and no equals sign\n", "are damaged"),
        (b"[General]\nformat=soon\ntheme=dark\n", "are damaged"),
        (f"[General]\nformat={FORMAT + 1}\ntheme=dark\n".encode(), "were written by a newer version"),
    ],
)
def test_settings_that_can_not_be_used_are_set_aside_and_spoken_of(ini: Path, content: bytes, why: str) -> None:
    ini.parent.mkdir(parents=True)
    ini.write_bytes(content)
    settings = Settings()
    assert why in settings.troubles[0]
    assert settings.theme == "system"
    aside = ini.with_name("SleepViewer-set-aside-1.ini")
    assert aside.read_bytes() == content
    assert str(aside) in settings.troubles[0]
    settings.theme = "dark"
    settings._store.sync()  # type: ignore[attr-defined]
    again = Settings()
    assert again.troubles == ()
    assert again.theme == "dark"


def test_good_settings_stay(ini: Path) -> None:
    settings = Settings()
    settings.theme = "light"
    settings._store.sync()  # type: ignore[attr-defined]
    assert Settings().troubles == ()
    assert [path.name for path in ini.parent.iterdir()] == ["SleepViewer.ini"]


def test_settings_of_the_first_version_without_a_number_are_read(ini: Path) -> None:
    ini.parent.mkdir(parents=True)
    ini.write_text("[General]\ntheme=dark\n")
    settings = Settings()
    assert settings.troubles == ()
    assert settings.theme == "dark"


def test_what_a_setting_holds_may_be_anything(ini: Path, qtbot: QtBot) -> None:
    ini.parent.mkdir(parents=True)
    ini.write_text('[General]\ntheme=7\ngeometry=x\npanels=@Invalid()\nrecent=@Invalid()\nkeys="[1, 2"\n')
    window = MainWindow(Settings())
    qtbot.addWidget(window)
    window.show()
    assert window.settings.recent == []


# -- decimal commas


@pytest.fixture
def german(qtbot: QtBot) -> Iterator[None]:
    before = QLocale()
    QLocale.setDefault(QLocale(QLocale.Language.German, QLocale.Country.Germany))
    yield
    QLocale.setDefault(before)


def test_numbers_in_fields_have_points(german: None, qtbot: QtBot) -> None:
    def shown() -> str:
        field = QDoubleSpinBox()
        qtbot.addWidget(field)
        field.setMaximum(9999)
        field.setValue(1234.5)
        return field.text()

    assert shown() == "1234,50"
    _write_numbers_with_points()
    assert shown() == "1234.50"


def test_the_program_starts_and_exports_under_a_locale_with_commas(tmp_path: Path) -> None:
    night = write_night(tmp_path / "night.edf")
    env = {**os.environ, "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "QT_QPA_PLATFORM": "offscreen"}
    picture, table = tmp_path / "window.png", tmp_path / "labels.csv"
    (tmp_path / "expert.txt").write_text("N2\n" * 8)
    code = (
        "from sleepviewer.cli import main\n"
        f"main(['view', {str(night)!r}, '--screenshot', {str(picture)!r}], standalone_mode=False)\n"
        "from PySide6.QtCore import QLocale\n"
        "import locale\n"
        "print(QLocale().toString(1234.5), locale.localeconv()['decimal_point'], QLocale.system().toString(1.5))\n"
        f"main(['export', {str(night)!r}, '--labels', {str(tmp_path / 'expert.txt')!r}, '--out', {str(table)!r}],"
        " standalone_mode=False)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1234.5", ".", "1,5"]
    assert picture.stat().st_size > 10_000
    lines = table.read_text().splitlines()
    assert len(lines) == 9
    assert not any(char.isdigit() and "," in char for char in lines)


# -- clocks that are changed


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("this system's time zone can't be set for a process")
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (datetime(2021, 3, 27, 23, 0), "set forward by an hour"),
        (datetime(2021, 10, 30, 23, 0), "set back by an hour"),
        (datetime(2021, 3, 26, 23, 0), ""),
        (datetime(2021, 3, 28, 4, 0), ""),
    ],
)
def test_a_night_in_which_the_clocks_are_changed_is_spoken_of(
    berlin: None, tmp_path: Path, start: datetime, said: str
) -> None:
    path = tmp_path / "night.edf"
    write_edf(path, [Signal("EEG C4", 1, "uV", np.zeros(8 * 3600))], start=start, record_s=60)
    night = open_night(path)
    note = clock_change_note(night.recording)
    assert said in note
    assert bool(said) == bool(note)
    assert (note in night.notes) == bool(said)
    # The rule: the recording's clock runs on evenly, whatever the clock on the wall does.
    clock = night.recording.clock(4.5 * 3600)
    assert clock is not None
    assert (clock - start).total_seconds() == 4.5 * 3600
    assert clock.tzinfo is None


def test_dates_that_no_clock_knows_are_passed_over(tmp_path: Path) -> None:
    recording = open_recording(write_night(tmp_path / "night.edf"))
    for start in (None, datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59)):
        recording.start = start
        assert clock_change_note(recording) == ""


# -- memory


def test_without_memory_for_pages_of_hours_a_preview_stays(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(overviews, "fill_chunk", no_memory)
    with open_recording(write_night(tmp_path / "night.edf", 200)) as recording:
        view = TraceView(LIGHT)
        qtbot.addWidget(view)
        told: list[str] = []
        view.trouble.connect(told.append)
        view.resize(900, 300)
        view.show()
        view.set_recording(recording)
        view.set_timebase(None)
        qtbot.waitUntil(lambda: any("Memory does not suffice" in sentence for sentence in told))
        qtbot.waitUntil(lambda: view._page is not None and np.isfinite(view._page.traces[0].y).any())
        assert view._page is not None
        assert "preview" in view._page.lanes[0].filtered
        view.show_epoch(100)
        qtbot.wait(50)
        assert len(told) == 1  # said once, not on every page
        view.close_recording()


def test_a_pyramid_that_does_not_fit_is_made_coarser(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = overviews.Pyramid

    def pyramid(rate: float, n: int, base: int) -> Any:
        if base < overviews._COARSE:
            raise MemoryError
        return made(rate, n, base)

    monkeypatch.setattr(overviews, "Pyramid", pyramid)
    with open_recording(write_night(tmp_path / "night.edf", 400)) as recording:
        overview = Overview(recording)
        told: list[str] = []
        overview.trouble.connect(told.append)
        lane = (Derivation("EEG C4"), Band(0.3, 35.0))
        overview.want([lane], 0.0)
        page, is_true = overview.page(lane, 0.0, recording.duration_s, 900)
        overview.close()
    assert "Memory does not suffice" in told[0]
    assert not is_true
    assert page.x.size > 0


def test_a_page_without_memory_is_a_sentence(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object, **__: object) -> None:
        raise MemoryError

    with open_recording(write_night(tmp_path / "night.edf")) as recording:
        view = TraceView(LIGHT)
        qtbot.addWidget(view)
        told: list[str] = []
        view.trouble.connect(told.append)
        view.show()
        monkeypatch.setattr(recording, "read", no_memory)
        view.set_recording(recording)
        assert "Memory does not suffice for this page" in told[0]
        assert view._page is not None
        assert view._page.mark == "This page can't be read any more"
        view.close_recording()


# -- the command line


def run_failing(monkeypatch: pytest.MonkeyPatch, error: Exception, *args: str) -> Any:
    from click.testing import CliRunner

    from sleepviewer.cli import main

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("sleepviewer.recording.open_recording", fail)
    return CliRunner().invoke(main, [*args, "info", "night.edf"])


def test_a_bug_in_a_command_is_one_sentence_and_exit_code_70(
    monkeypatch: pytest.MonkeyPatch, user_folders: Path
) -> None:
    from sleepviewer import logs

    monkeypatch.delenv("SLEEPVIEWER_DEBUG", raising=False)
    result = run_failing(monkeypatch, ZeroDivisionError("a bug"))
    logs.stop_log()
    assert result.exit_code == 70
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "something went wrong inside the program (ZeroDivisionError)" in result.stderr
    path = Path(result.stderr.split("the log says where: ")[1].rstrip(".\n"))
    assert user_folders in path.parents
    assert "ZeroDivisionError: a bug" in path.read_text()
    assert "in the command info" in path.read_text()


@pytest.mark.parametrize("way", ["option", "environment"])
def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    from sleepviewer import logs

    if way == "environment":
        monkeypatch.setenv("SLEEPVIEWER_DEBUG", "1")
    result = run_failing(monkeypatch, ZeroDivisionError("a bug"), *(["--debug"] if way == "option" else []))
    logs.stop_log()
    assert result.exit_code == 70
    assert "Traceback" in result.stderr


def test_a_command_without_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from sleepviewer import logs

    result = run_failing(monkeypatch, MemoryError())
    logs.stop_log()
    assert result.exit_code == 70
    assert "memory did not suffice" in result.stderr


def test_trouble_with_a_name_keeps_its_exit_code(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from sleepviewer.cli import main

    result = CliRunner().invoke(main, ["--debug", "info", str(tmp_path / "missing.edf"), "--json"])
    assert result.exit_code == 1
    assert "No such file" in result.stderr


def test_a_night_may_follow_debug_without_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from sleepviewer.cli import main

    missing = tmp_path / "missing.edf"
    result = CliRunner().invoke(main, ["--debug", str(missing), "--screenshot", str(tmp_path / "x.png")])
    assert result.exit_code == 1
    assert "No such file" in result.stderr
