"""The report on one night as a page of HTML."""

from __future__ import annotations

import html

import numpy as np

from sleepviewer.analysis.diff import LEGEND, LINE_EPOCHS
from sleepviewer.analysis.errors import Comparison, letters
from sleepviewer.analysis.shifts import KINDS
from sleepviewer.recording.spectra import epoch_spectra
from sleepviewer.reports import night_tables, pictures
from sleepviewer.reports.colours import KIND_CLASSES
from sleepviewer.reports.html import page, tag
from sleepviewer.reports.night_facts import NightFacts, facts_of


def night_page(facts: NightFacts) -> str:
    """Return the report as a page of HTML; every name and text is escaped."""
    found = facts.comparison()
    body = [tag("h1", facts.title), night_tables.origin(facts).html()]
    body += [tag("p", note, "note") for note in night_tables.notes(facts)]
    body += [tag("h2", "The night"), pictures.hypnograms(facts.scorers, facts.start, facts.lights)]
    if found is not None and len(found.epochs):
        body += [tag("h3", "Where expert and model differ"), pictures.differences(found), _legend()]
    if facts.proba is not None:
        body += [tag("h3", "The model's probabilities"), pictures.hypnodensity(facts.proba, facts.start)]
    if facts.signal is not None and len(facts.signal) and facts.rate_hz > 0:
        hz, decibels = epoch_spectra(facts.signal, facts.rate_hz)
        places = np.arange(len(facts.signal)) if facts.places is None else facts.places
        body += [
            tag("h3", f"Spectrogram of {facts.channel}, dB"),
            pictures.spectrogram(hz, decibels, places, facts.n_epochs, facts.start),
        ]
    body += ['<div class="side">', night_tables.statistics(facts).html()]
    figures, matrices = ([], []) if found is None else night_tables.agreement(found)
    body += [grid.html() for grid in figures]
    body += ['</div><div class="side">', *(grid.html() for grid in matrices), "</div>"]
    if not figures:
        body.append(tag("p", night_tables.NOTHING_COMPARED))
    if found is not None:
        summary, sentences = night_tables.disagreements(found)
        body += [tag("h2", "Disagreements"), tag("p", summary)]
        body += ["<ul>", *(tag("li", sentence) for sentence in sentences), "</ul>"] if sentences else []
        suspects = night_tables.suspects(facts, found)
        if suspects is not None:
            body += [tag("h2", "Suspect labels"), *(tag("p", sentence, "note") for sentence in suspects.sentences)]
            body += [] if suspects.rows is None else [suspects.rows.html(scroll=True)]
        body.append(f"<details>{tag('summary', 'All epochs, line by line')}{diff_html(found)}</details>")
    body.append(tag("p", night_tables.METHOD, "note"))
    return page(facts.title, body)


def diff_html(found: Comparison) -> str:
    """Return the two hypnograms line by line, what differs coloured by its kind."""
    lines = [html.escape(LEGEND)]
    truth, predicted = letters(found.truth), letters(found.predicted)
    for first in range(0, len(found), LINE_EPOCHS):
        stop = min(first + LINE_EPOCHS, len(found))
        clock = found.clock(first)
        lines.append(f"\n{'' if clock is None else f'{clock:%H:%M:%S}  '}epoch {first + 1}")
        for name, stages in (("expert", truth), ("model ", predicted)):
            lines.append(f"{name}  " + "".join(_letter(found, e, stages[e]) for e in range(first, stop)))
    return f"<pre>{chr(10).join(lines)}</pre>"


def _letter(found: Comparison, epoch: int, letter: str) -> str:
    kind = int(found.kind[epoch])
    return letter if kind < 0 else f'<b class="{KIND_CLASSES[KINDS[kind]]}">{letter}</b>'


def _legend() -> str:
    parts = (f'<span class="{css}">■ {html.escape(str(kind))}</span>' for kind, css in KIND_CLASSES.items())
    return f"<p>{' &nbsp; '.join(parts)}</p>"


__all__ = ["NightFacts", "diff_html", "facts_of", "night_page"]
