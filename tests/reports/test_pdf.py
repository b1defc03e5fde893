"""The night's report as PDF: it says what the page of HTML says, in text that can be searched, on real paper."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from helpers.night_archives import N, run, write_night
from sleepviewer.app.shell.stage_colors import USUAL
from sleepviewer.reports.colours import STAGES_DARK, STAGES_LIGHT
from sleepviewer.reports.html import Cell, Grid, number, text
from sleepviewer.reports.night_facts import facts_of
from sleepviewer.reports.night_pdf import write_night_pdf
from sleepviewer.reports.paper import PAPERS, Paper, Sheets, clip, own_settings, printable, width_of, wrap

HOSTILE = "<script>alert(1)</script> $x^2$ & \"'\u202e\\"


class Rows(HTMLParser):
    """The texts of every row of every table of a page, captions and heads among them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._within = ""
        self.feed(page)

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        if name == "tr":
            self.rows.append([])
        if name in ("td", "th"):
            self.rows[-1].append("")
            self._within = name

    def handle_endtag(self, name: str) -> None:
        if name == self._within:
            self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within:
            self.rows[-1][-1] += data


def text_of(pdf: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in pdf.pages).split())


def report(night: Path, *options: object) -> tuple[PdfReader, str]:
    """Write both reports by the command; return the PDF and the HTML."""
    for ending in ("pdf", "html"):
        done = run("report", night, "--out", night.with_suffix(f".{ending}"), "--overwrite", *options)
        assert done.exit_code == 0, done.stderr
    return PdfReader(night.with_suffix(".pdf")), night.with_suffix(".html").read_text(encoding="utf-8")


def assert_the_same(pdf: PdfReader, page: str) -> None:
    written = text_of(pdf)
    rows = Rows(page).rows
    assert len(rows) > 30
    for row in rows:
        assert " ".join(" ".join(row).split()) in written


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_every_row_of_the_page_is_on_paper(tmp_path: Path, paper: str) -> None:
    meta = {"lights": {"off": 10, "on": 230}, "truth": {"source": "e.edf", "scorer": "T"}, "scorer": "Dr µ κ – ≥ Ä"}
    write_night(tmp_path / "n.npz", meta=meta)
    pdf, page = report(tmp_path / "n.npz", "--paper", paper)
    assert_the_same(pdf, page)
    written = text_of(pdf)
    for words in ("Cohen's κ", "e.edf T", "Dr µ κ – ≥ Ä", "lights off", "Suspect labels", "All epochs, line by line"):
        assert words in written
    width, height = PAPERS[paper]
    for place, sheet in enumerate(pdf.pages, 1):
        assert (float(sheet.mediabox.width), float(sheet.mediabox.height)) == pytest.approx(
            (width / 25.4 * 72, height / 25.4 * 72), abs=0.1
        )
        assert f"page {place} of {len(pdf.pages)}" in sheet.extract_text()
        fonts = sheet["/Resources"]["/Font"].values()  # type: ignore[index]
        assert {font.get_object()["/Subtype"] for font in fonts} == {"/Type0"}  # letters, no outlines
    assert pdf.metadata is not None
    assert pdf.metadata.title == "n"


def test_the_real_nights_recording_has_one_report_in_two_shapes(real_copy: Path) -> None:
    pdf, page = report(real_copy)
    assert_the_same(pdf, page)
    assert "411.0" in text_of(pdf)  # minutes of TRT


def test_the_same_night_gives_the_same_file(tmp_path: Path) -> None:
    write_night(tmp_path / "n.npz")
    first, second = BytesIO(), BytesIO()
    for file in (first, second):
        write_night_pdf(facts_of(tmp_path / "n.npz"), file)
    assert first.getvalue() == second.getvalue()


def test_a_simulated_night_is_marked_on_every_page(tmp_path: Path) -> None:
    recording = {"name": "n.edf", "sha256": "00" * 32, "start": "2024-01-01T22:30:00", "n_epochs": N}
    write_night(tmp_path / "n.npz", meta={"recording": recording | {"simulated": True}})
    pdf, page = report(tmp_path / "n.npz")
    assert all("SIMULATED" in sheet.extract_text() for sheet in pdf.pages)
    assert "<h1>n (simulated)</h1>" in page
    assert "This night is simulated" in page
    assert "This night is simulated" in text_of(pdf)
    write_night(tmp_path / "n.npz")
    assert not facts_of(tmp_path / "n.npz").simulated


def test_letters_of_any_kind_are_shown_and_none_is_code(tmp_path: Path) -> None:
    night = tmp_path / "<script>alert(1)<$_^&睡眠.npz"
    facts = {"scorer": HOSTILE + " 睡眠", "truth": {"source": "x" * 500, "scorer": HOSTILE}}
    model = {"engine": HOSTILE, "version": "1\n2", "weights_sha256": "ab" * 32, "channels": [HOSTILE, "µV\tκ"]}
    recording = {"name": HOSTILE, "sha256": "00" * 32, "start": "2024-01-01T22:30:00", "n_epochs": N}
    write_night(night, meta=facts | {"model": model, "recording": recording})
    pdf, page = report(night)
    written = text_of(pdf)
    assert "<script>alert(1)</script> $x^2$ & \"'" in written
    assert "��" in written  # what the font lacks is not left out
    assert page.count("<script>") == 1
    assert "睡眠" in page


@pytest.mark.parametrize(
    ("truth", "predicted", "words", "signal"),
    [
        ([2] * 30, [-1] * 30, "nothing is compared", True),
        ([-1] * 30, [2] * 30, "nothing is compared", False),
        ([-1] * 30, [-1] * 30, "nothing is compared", True),
        ([2, -1] * 15, [-1, 2] * 15, "nothing is compared", False),
        ([2], [2], "0 of 1 epoch;", True),
        ([2], [3], "1 of 1 epoch;", False),
        ([0, 2, -1, 3] * 9, [0, 2, 2, -1] * 9, "0 of 18 epochs;", True),
    ],
)
def test_odd_nights_have_both_reports(
    tmp_path: Path, truth: list[int], predicted: list[int], words: str, signal: bool
) -> None:
    stages = [np.array(values, np.int8) for values in (truth, predicted)]
    write_night(tmp_path / "n.npz", truth=stages[0], predicted=stages[1], signal=signal)
    pdf, page = report(tmp_path / "n.npz")
    assert words in page
    assert words in text_of(pdf)
    assert "nan" not in text_of(pdf).lower()


def test_no_window_is_loaded_and_what_is_there_is_kept(tmp_path: Path) -> None:
    write_night(tmp_path / "n.npz")
    code = (
        "import sys; from sleepviewer.cli import main; main(sys.argv[1:], standalone_mode=False); "
        "print(sorted(name for name in ('PySide6', 'matplotlib.pyplot') if name in sys.modules))"
    )
    words = [sys.executable, "-c", code, "report", str(tmp_path / "n.npz"), "--out", str(tmp_path / "n.pdf")]
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=_without_display())
    assert done.stdout.strip() == "[]"
    before = (tmp_path / "n.pdf").read_bytes()
    assert "is there already" in run("report", tmp_path / "n.npz", "--out", tmp_path / "n.pdf").stderr
    assert (tmp_path / "n.pdf").read_bytes() == before
    assert "is not there" in run("report", tmp_path / "no.npz", "--out", tmp_path / "m.pdf").stderr


def _without_display() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}


def test_a_long_table_goes_on_with_its_heads() -> None:
    with own_settings():
        sheets = Sheets(Paper("a4", "head"))
        sheets.table(Grid(["name", "value"], [[text(f"row {row}"), number(row)] for row in range(200)], "Rows"))
        file = BytesIO()
        assert sheets.write(file, "t") == 4
    pages = [" ".join(page.extract_text().split()) for page in PdfReader(file).pages]
    assert all("name value" in page for page in pages)
    assert re.findall(r"row (\d+) (\d+)", " ".join(pages)) == [(str(row), str(row)) for row in range(200)]


def test_a_table_wider_than_the_page_gives_way() -> None:
    with own_settings():
        sheets = Sheets(Paper("letter", "h" * 900))
        sheets.side_by_side([[Grid([f"column {i}" for i in range(40)], [[Cell("wide" * 9)] * 40])]])
        sheets.table(Grid(["a", "b"], [[text("x" * 900), text("y" * 900)]]))
        file = BytesIO()
        sheets.write(file, "t")
    page = PdfReader(file).pages[0]
    places: list[float] = []

    def visit(part: str, matrix: list[float], at: list[float], *_: object) -> None:
        if part.strip():
            places.append(matrix[4] + at[4])

    page.extract_text(visitor_text=visit)
    assert min(places) >= 15 / 25.4 * 72 - 1
    assert max(places) <= float(page.mediabox.width) - 15 / 25.4 * 72


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=80), st.floats(8, 120))
def test_lines_fit_and_lose_nothing(words: str, width: float) -> None:
    lines = wrap(words, width, 8)
    assert all(width_of(line, 8) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(printable(words).split())
    assert width_of(clip(words, width, 8), 8) <= width


def test_stages_have_the_windows_colours() -> None:
    assert USUAL.light == STAGES_LIGHT
    assert USUAL.dark == STAGES_DARK
