"""Pictures of the page and the night: what is in them, how large they are, and where they go."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from PySide6.QtCore import QByteArray, QRect, QSize
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from pytestqt.qtbot import QtBot

from helpers.window_nights import write_night
from sleepviewer.app.files.picture_dialog import PictureDialog
from sleepviewer.app.files.pictures import PictureSetup, What, caption_of, save_picture
from sleepviewer.app.files.pictures_feature import PicturesPart
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.shell.theme import DARK, LIGHT
from sleepviewer.app.window import MainWindow
from sleepviewer.display.span import Span
from sleepviewer.errors import OutputError
from sleepviewer.simulation import simulate_night

SVG = "{http://www.w3.org/2000/svg}"
SMALL = PictureSetup(What.BOTH, 800, 500, 96)


@pytest.fixture
def opened(window: MainWindow, tmp_path: Path) -> MainWindow:
    assert window.open_path(write_night(tmp_path / "night.edf"))
    return window


def part_of(window: MainWindow) -> PicturesPart:
    (part,) = [part for part in window.parts if isinstance(part, PicturesPart)]
    return part


def save(window: MainWindow, path: Path, setup: PictureSetup = SMALL, theme: str = "window") -> None:
    part_of(window).keep(setup, theme)
    assert part_of(window).save(path), window.info_bar.text


@pytest.mark.parametrize("what", list(What))
def test_a_png_has_its_size_and_its_dots_an_inch(opened: MainWindow, tmp_path: Path, what: What) -> None:
    path = tmp_path / "picture.png"
    for dpi in (96, 150, 300):
        save(opened, path, PictureSetup(what, 800, 500, dpi))
        image = QImage(str(path))
        assert image.size() == QSize(round(800 * dpi / 96), round(500 * dpi / 96))
        assert image.dotsPerMeterX() == round(dpi / 0.0254)
        colors = {image.pixel(x, y) for x in range(0, image.width(), 5) for y in range(0, image.height(), 5)}
        assert len(colors) > 8


def test_more_dots_are_the_same_picture_finer(opened: MainWindow, tmp_path: Path) -> None:
    """The same shapes at the same places, lines as thick."""
    images = []
    for dpi in (96, 288):
        save(opened, tmp_path / "picture.png", PictureSetup(What.PAGE, 800, 500, dpi))
        image = QImage(str(tmp_path / "picture.png")).scaled(80, 50).convertToFormat(QImage.Format.Format_Grayscale8)
        images.append([image.pixelColor(x, y).lightness() for x in range(80) for y in range(50)])
    far = [abs(a - b) for a, b in zip(*images, strict=True)]
    assert sum(far) / len(far) < 24
    assert abs(sum(images[0]) - sum(images[1])) / sum(images[0]) < 0.05


@pytest.mark.parametrize("what", [What.PAGE, What.NIGHT, What.BOTH])
def test_an_svg_is_lines_and_words(opened: MainWindow, tmp_path: Path, what: What) -> None:
    path = tmp_path / "picture.svg"
    save(opened, path, PictureSetup(what, 800, 500))
    root = ET.fromstring(path.read_bytes())
    assert root.get("viewBox") == "0 0 800 500"
    words = " ".join("".join(element.itertext()) for element in root.iter(f"{SVG}text"))
    assert "night.edf" in words
    lines = [*root.iter(f"{SVG}polyline"), *root.iter(f"{SVG}path")]
    assert lines
    if what is not What.NIGHT:
        assert "EEG C4" in words
        points = max(len(element.get("points", "").split()) for element in root.iter(f"{SVG}polyline"))
        assert points > 200, "the trace is a line of many points"
        assert not list(root.iter(f"{SVG}image")) or what is What.BOTH
    assert QSvgRenderer(QByteArray(path.read_bytes())).isValid()


@pytest.mark.parametrize("ending", ["svg", "pdf"])
def test_a_window_is_whole_in_every_format(opened: MainWindow, tmp_path: Path, ending: str) -> None:
    """The menus at the top and the panel at the right are there: a window is kept as pixels."""
    setup = PictureSetup(What.WINDOW, opened.width(), opened.height())
    save(opened, tmp_path / f"picture.{ending}", setup)
    if ending == "pdf":
        return
    image = QImage(opened.size(), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    QSvgRenderer(str(tmp_path / "picture.svg")).render(painter)
    painter.end()
    shown = opened.grab().toImage()
    for area in (QRect(0, 0, 300, 18), QRect(opened.width() - 300, 100, 250, opened.height() - 150)):
        there, here = (
            i.copy(area).scaled(20, 20).convertToFormat(QImage.Format.Format_Grayscale8) for i in (image, shown)
        )
        far = [
            abs(there.pixelColor(x, y).lightness() - here.pixelColor(x, y).lightness())
            for x in range(20)
            for y in range(20)
        ]
        assert sum(far) / len(far) < 12


def test_a_pdf_is_one_page_of_the_pictures_size(opened: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "picture.pdf"
    save(opened, path, PictureSetup(What.BOTH, 960, 480))
    content = path.read_bytes()
    assert content.startswith(b"%PDF")
    assert content.rstrip().endswith(b"%%EOF")
    box = re.search(rb"/MediaBox \[\s*0 0 ([\d.]+) ([\d.]+)", content)
    assert box is not None
    assert [round(float(side)) for side in box.groups()] == [720, 360]  # points of 1/72 inch
    assert content.count(b"/Type /Page\n") == 1


def test_a_caption_says_what_is_seen(opened: MainWindow) -> None:
    assert opened.session is not None
    opened.session.go_to(7)
    caption = caption_of(opened.session, opened.page, What.BOTH)
    for part in (
        "night.edf",
        "epoch 8 of 40",
        "2021-03-04 22:33:30",
        "page of 60 s",
        "a half lane",
        "display filters on",
    ):
        assert part in caption
    assert "SIMULATED" not in caption
    opened.run_command("filters")
    opened.page.traces.set_filters_on(False)
    opened.page.traces.set_timebase(10.0)
    opened.page.traces.set_negative_up(True)
    caption = caption_of(opened.session, opened.page, What.PAGE)
    assert "no display filters" in caption
    assert "page of 10 s" in caption
    assert "negative up" in caption
    assert "epoch" not in caption_of(opened.session, opened.page, What.NIGHT)


def test_a_caption_of_the_night_says_which_part_is_shown(opened: MainWindow) -> None:
    assert opened.session is not None
    assert "shown" not in caption_of(opened.session, opened.page, What.NIGHT)
    opened.page.night.set_span(Span(4, 24))
    caption = caption_of(opened.session, opened.page, What.NIGHT)
    assert "2021-03-04 22:30:00" in caption
    assert "shown 22:32:00 to 22:42:00" in caption


def test_a_simulated_night_says_so_in_every_picture(window: MainWindow, tmp_path: Path) -> None:
    assert window.open_path(simulate_night(tmp_path, hours=0.25).psg_path)
    assert window.session is not None
    for what in What:
        assert "SIMULATED" in caption_of(window.session, window.page, what)


@pytest.mark.parametrize(("theme", "light"), [("dark", False), ("light", True)])
def test_a_picture_has_its_own_theme_and_the_window_keeps_its(
    opened: MainWindow, tmp_path: Path, theme: str, light: bool
) -> None:
    before = opened.page.grab().toImage()
    path = tmp_path / "picture.png"
    save(opened, path, SMALL, theme)
    corner = QImage(str(path)).pixelColor(2, 2)
    assert (corner.lightness() > 128) == light
    assert corner.name() == (LIGHT if light else DARK).panel
    assert opened.page.grab().toImage() == before


def test_a_picture_goes_to_the_clipboard_as_pixels_and_as_lines(opened: MainWindow) -> None:
    part_of(opened).keep(PictureSetup(What.BOTH, 640, 400, 192), "light")
    opened.run_command("copy_picture")
    content = QGuiApplication.clipboard().mimeData()
    assert content.imageData().size() == QSize(1280, 800)
    assert QSvgRenderer(content.data("image/svg+xml")).isValid()
    assert "night.edf" in content.text()
    assert "clipboard" in opened.status_line.text


# -- trouble


def test_another_ending_is_a_sentence(opened: MainWindow, tmp_path: Path) -> None:
    assert not part_of(opened).save(tmp_path / "picture.bmp")
    assert "picture.bmp" in opened.info_bar.text
    assert not (tmp_path / "picture.bmp").exists()


def test_a_folder_that_is_not_there_is_a_sentence(opened: MainWindow, tmp_path: Path) -> None:
    assert not part_of(opened).save(tmp_path / "no" / "picture.png")
    assert "can't be written" in opened.info_bar.text


def test_too_many_pixels_are_refused_before_they_take_the_memory(opened: MainWindow, tmp_path: Path) -> None:
    part_of(opened).keep(PictureSetup(What.BOTH, 8000, 8000, 1200), "window")
    assert not part_of(opened).save(tmp_path / "picture.png")
    assert "too large" in opened.info_bar.text
    opened.run_command("copy_picture")
    assert "too many pixels" in opened.info_bar.text


def test_paint_that_fails_leaves_no_file_and_the_program_up(opened: MainWindow, tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise OutputError("broken")

    for ending in (".png", ".svg", ".pdf"):
        with pytest.raises(OutputError, match="broken"):
            save_picture(tmp_path / f"picture{ending}", broken, SMALL, "")
        assert not (tmp_path / f"picture{ending}").exists()


# -- asked for


def test_the_dialog_remembers_and_the_file_is_written(
    qtbot: QtBot, opened: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def choose(dialog: PictureDialog) -> int:
        dialog._what.setCurrentIndex(dialog._what.findData("page"))
        dialog._usual.activated.emit(3)
        dialog._dpi.setValue(300)
        dialog._theme.setCurrentIndex(dialog._theme.findData("light"))
        assert "3509 × 2481 pixels" in dialog._result.text()
        return 1

    monkeypatch.setattr(PictureDialog, "exec", choose)
    monkeypatch.setattr(dialogs, "ask_picture_path", lambda *_: tmp_path / "asked.png")
    opened.run_command("save_picture")
    assert QImage(str(tmp_path / "asked.png")).size() == QSize(3509, 2481)
    assert "asked.png" in opened.status_line.text
    assert part_of(opened).setup == PictureSetup(What.PAGE, 1123, 794, 300)
    assert Settings().get_json("pictures/theme", "") == "light"


def test_the_dialog_copies_instead(opened: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    def copy(dialog: PictureDialog) -> int:
        dialog._copy()
        return int(dialog.result())

    monkeypatch.setattr(PictureDialog, "exec", copy)
    monkeypatch.setattr(dialogs, "ask_picture_path", lambda *_: pytest.fail("asked for a file"))
    opened.run_command("save_picture")
    assert "clipboard" in opened.status_line.text


def test_a_window_is_as_large_as_it_is(qtbot: QtBot, opened: MainWindow) -> None:
    dialog = PictureDialog(PictureSetup(What.WINDOW, 100, 100), "window", opened)
    assert (dialog.setup.width, dialog.setup.height) == (opened.width(), opened.height())
    assert not dialog._width.isEnabled()


@pytest.mark.parametrize("kept", [{}, {"what": "no", "width": -3, "dpi": "many"}, {"width": 1e9}, {"what": None}])
def test_a_damaged_setup_is_the_usual_one(opened: MainWindow, kept: dict[str, object]) -> None:
    Settings().set_json("pictures/setup", kept)
    opened.settings.set_json("pictures/setup", kept)
    assert part_of(opened).setup == PictureSetup()


# -- from the command line


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    from sleepviewer.cli import main

    night = write_night(tmp_path / "night.edf")

    def call(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["view", str(night), *arguments])
        return result.exit_code, result.output

    return call


@pytest.mark.parametrize("what", ["window", "page", "night", "both"])
@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_pictures_from_the_command_line(
    qtbot: QtBot, tmp_path: Path, run: Callable[..., tuple[int, str]], what: str, ending: str
) -> None:
    path = tmp_path / f"picture.{ending}"
    code, said = run("--screenshot", str(path), "--what", what, "--size", "800x500", "--dpi", "144", "--timebase", "10")
    assert code == 0, said
    content = path.read_bytes()
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    assert content.startswith(starts[ending])
    if ending == "png":
        assert QImage(str(path)).size() == QSize(1200, 750)
    if ending == "svg" and what in ("page", "both"):
        assert "page of 10 s" in content.decode()


def test_what_the_command_line_can_not_paint_is_a_sentence(tmp_path: Path, run: Callable[..., tuple[int, str]]) -> None:
    for arguments, said in (
        (("--screenshot", str(tmp_path / "p.gif")), ".png"),
        (("--screenshot", str(tmp_path / "p.png"), "--timebase", "7"), "is not one of 5, 10"),
        (("--screenshot", str(tmp_path / "p.png"), "--epoch", "99"), "40 epochs"),
    ):
        code, output = run(*arguments)
        assert code != 0
        assert said in output
