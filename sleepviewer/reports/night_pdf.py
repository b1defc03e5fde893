"""The report on one night as PDF: the values of the page of HTML on sheets of paper."""

from __future__ import annotations

from typing import BinaryIO, Final

import numpy as np

from sleepviewer.analysis.diff import LEGEND, diff_lines
from sleepviewer.analysis.errors import Comparison
from sleepviewer.analysis.shifts import KINDS
from sleepviewer.recording.spectra import epoch_spectra
from sleepviewer.reports import night_tables
from sleepviewer.reports.colours import KINDS_LIGHT, STAGES_LIGHT
from sleepviewer.reports.drawing import differences, hypnodensity, hypnogram, spectrogram
from sleepviewer.reports.night_facts import NightFacts
from sleepviewer.reports.paper import Paper, Sheets, own_settings
from sleepviewer.reports.pictures import spectrogram_pixels
from sleepviewer.stages import HYPNOGRAM_ORDER

_LANE_MM: Final = 22.0


def write_night_pdf(facts: NightFacts, file: BinaryIO, *, paper: str = "a4") -> int:
    """Write the report as PDF on ``a4`` or ``letter``; return how many pages it has."""
    with own_settings():
        sheets = _sheets(facts, paper)
        return sheets.write(file, facts.title)


def _sheets(facts: NightFacts, paper: str) -> Sheets:
    sheets = Sheets(Paper(paper, facts.title, facts.simulated))
    sheets.heading(facts.title, 15)
    sheets.table(night_tables.origin(facts))
    for note in night_tables.notes(facts):
        sheets.prose(note)
    found = facts.comparison()
    _pictures(sheets, facts, found)
    figures, matrices = ([], []) if found is None else night_tables.agreement(found)
    sheets.heading("Statistics and agreement", 12, keep=110)
    if not figures:
        sheets.prose(night_tables.NOTHING_COMPARED)
    sheets.side_by_side([[night_tables.statistics(facts)], *([figures[:1], figures[1:]] if figures else [])])
    if matrices:
        sheets.side_by_side([[matrix] for matrix in matrices], size=6.2, gap=2.5)
    if found is not None:
        _disagreements(sheets, found)
        _suspects(sheets, facts, found)
        _line_by_line(sheets, found)
    sheets.prose(night_tables.METHOD)
    return sheets


def _pictures(sheets: Sheets, facts: NightFacts, found: Comparison | None) -> None:
    sheets.heading("The night", 12)
    last = len(facts.scorers) - 1
    n = max((len(stages) for stages in facts.scorers.values()), default=0)
    for place, (name, stages) in enumerate(facts.scorers.items()):
        draw = hypnogram(stages, n, facts.start, facts.lights, hours_below=place == last)
        sheets.picture(_LANE_MM, draw, name=name, below=6.0 if place == last else 2.0)
    if found is not None and len(found.epochs):
        sheets.heading("Where expert and model differ", 9)
        sheets.picture(5, differences(found))
        sheets.legend([(KINDS_LIGHT[kind], str(kind)) for kind in KINDS])
    if facts.proba is not None:
        sheets.heading("The model's probabilities", 9, keep=30)
        sheets.picture(22, hypnodensity(facts.proba, facts.start))
        sheets.legend([(STAGES_LIGHT[stage], stage.label) for stage in HYPNOGRAM_ORDER])
    if facts.signal is not None and len(facts.signal) and facts.rate_hz > 0:
        hz, decibels = epoch_spectra(facts.signal, facts.rate_hz)
        places = np.arange(len(facts.signal)) if facts.places is None else facts.places
        pixels = spectrogram_pixels(decibels, places, facts.n_epochs)
        if pixels is not None:
            sheets.heading(f"Spectrogram of {facts.channel}, dB", 9, keep=30)
            sheets.picture(24, spectrogram(pixels, float(hz[-1]), facts.start))


def _disagreements(sheets: Sheets, found: Comparison) -> None:
    summary, sentences = night_tables.disagreements(found)
    sheets.heading("Disagreements", 12)
    sheets.prose(summary)
    for sentence in sentences:
        sheets.prose(sentence, bullet=True)


def _suspects(sheets: Sheets, facts: NightFacts, found: Comparison) -> None:
    suspects = night_tables.suspects(facts, found)
    if suspects is None:
        return
    sheets.heading("Suspect labels", 12)
    for sentence in suspects.sentences:
        sheets.prose(sentence)
    if suspects.rows is not None:
        sheets.table(suspects.rows)


def _line_by_line(sheets: Sheets, found: Comparison) -> None:
    sheets.heading("All epochs, line by line", 12)
    sheets.typed([LEGEND])
    block: list[str] = []
    for line in diff_lines(found, names=("expert", "model")):
        if "epoch" in line and block:
            sheets.space(1)
            sheets.typed(block)
            block = []
        block.append(line.rstrip())
    sheets.typed(block)
    sheets.space(2)
