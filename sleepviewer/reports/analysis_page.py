"""An analysis of many nights as one page of HTML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

import sleepviewer
from sleepviewer.analysis.groups import CRITERIA, Tally
from sleepviewer.analysis.intervals import DRAWS
from sleepviewer.analysis.provenance import Seen
from sleepviewer.analysis.statistics import STATISTIC_TITLES
from sleepviewer.reports.analysis import (
    MOST_SUSPECTS,
    SHOWN_ERRORS,
    Analysis,
    ModelPart,
    Unit,
    figures_of_agreement,
)
from sleepviewer.reports.html import Cell, copy_button, number, page, share, table, tag, text
from sleepviewer.reports.parts import confusion_grids, figures_grid, kappas_grid, stages_grid
from sleepviewer.training.charts import Line, line_chart, range_of

_SEEN_WORDS: Final = {
    Seen.HELD_OUT: "known not to have been trained on their labels",
    Seen.TRAINED: "trained on their labels",
    Seen.UNKNOWN: "not known whether it was trained on their labels",
}


def analysis_page(analysis: Analysis, *, draws: int = DRAWS, over: Unit = "subjects") -> str:
    """Return the whole page; every name and text is escaped."""
    body = [
        tag("h1", "Truth and prediction compared"),
        tag("p", f"{_count(analysis.nights, 'night')}, {_count(analysis.epochs, 'epoch')} that both score. {_WHO}"),
    ]
    if analysis.left_out:
        summary = f"{_count(len(analysis.left_out), 'file')} left out"
        body.append(f"<details open>{tag('summary', summary)}<ul>")
        body += [tag("li", reason) for reason in analysis.left_out[:SHOWN_ERRORS]]
        body.append("</ul></details>")
    for part in analysis.parts.values():
        body += _part(part, draws, over)
    body.append(tag("p", "The method behind every number: docs/comparing.md of SleepViewer.", "note"))
    return page("Truth and prediction compared", body)


_WHO: Final = f"Written by SleepViewer {sleepviewer.__version__}."


def _part(part: ModelPart, draws: int, over: Unit) -> Iterator[str]:
    yield tag("h2", part.model)
    found = part.agreement
    if found is None:
        yield tag("p", "The expert and the model have no epoch that both of them score.")
        return
    if part.edited:
        yield tag(
            "p", f"{_count(part.edited, 'epoch')} corrected by hand; the truth here is the expert's all the same."
        )
    yield '<div class="side">'
    yield figures_grid(figures_of_agreement(found), part.intervals(draws, over), over).html()
    yield stages_grid(found).html()
    yield kappas_grid(found).html()
    yield '</div><div class="side">'
    yield from (grid.html() for grid in confusion_grids(found))
    yield "</div>"
    yield tag("h3", "What the errors have in common")
    yield tag(
        "p",
        "The share of errors among the epochs of each group, and how many of the errors only shift a boundary of a "
        "bout by a few epochs. A pair's share is of the epochs of its true stage.",
        "note",
    )
    yield '<div class="side">'
    yield _hours(part)
    for criterion in CRITERIA:
        if criterion not in ("night", "subject"):
            yield _group_table(part, criterion)
    yield "</div>"
    yield from _clusters(part)
    yield from _suspects(part)
    yield from _errors(part)
    yield from _bias(part)
    yield tag("h3", "Nights")
    yield _nights(part)
    yield tag("h3", "Subjects")
    yield _group_table(part, "subject")


def _group_table(part: ModelPart, criterion: str) -> str:
    def row(place: int, name: str, tally: Tally) -> list[Cell]:
        return [
            Cell(name, place if criterion in ("bout", "doubt") else None, "text"),
            number(tally.epochs),
            number(tally.errors),
            share(tally.rate),
            number(tally.shifts),
        ]

    rows = [row(place, name, tally) for place, (name, tally) in enumerate(part.groups.rows(criterion))]
    return table(["", "epochs", "errors", "share", "shifts"], rows, caption=CRITERIA[criterion])


def _hours(part: ModelPart) -> str:
    hours = [(name, tally) for name, tally in part.groups.rows("hour") if name.startswith("hour ")]
    if len(hours) < 2:
        return ""
    x = np.array([int(name.removeprefix("hour ")) for name, _ in hours], dtype=np.float64)
    lines = [
        Line("all errors", x, np.array([100 * (tally.rate or 0) for _, tally in hours]), 1, marks=True),
        Line(
            "without shifts of boundaries",
            x,
            np.array([100 * tally.confusions / tally.epochs for _, tally in hours]),
            0,
            marks=True,
        ),
    ]
    top = range_of([np.zeros(1), *(line.y for line in lines)], at_least=1)[1]
    chart = line_chart(
        lines, "hour of the night", "errors, % of epochs", range_of([x], at_least=1), (0, top), whole_x=True
    )
    return f"<figure>{tag('figcaption', 'Errors through the night')}{chart}</figure>"


def _clusters(part: ModelPart) -> Iterator[str]:
    yield tag("h3", "Where errors flock")
    if not part.cluster_count:
        yield tag("p", "Nowhere: errors lie scattered.")
        return
    flocks = "1 stretch" if part.cluster_count == 1 else f"{part.cluster_count:,} stretches"
    yield tag("p", f"{flocks} of a night; the signal explains {part.explained}.")
    rows = [
        [
            text(flock.night),
            number(flock.start + 1),
            number(flock.stop),
            number(flock.errors),
            text(f"{flock.pair[0].label} → {flock.pair[1].label}"),
            share(flock.poor),
            share(flock.poor_elsewhere),
            text(f"yes: {flock.sign}" if flock.by_signal else "no"),
        ]
        for flock in part.clusters
    ]
    heads = ["night", "first epoch", "last", "errors", "mostly", "poor signal", "elsewhere", "explained by the signal"]
    yield table(heads, rows)


def _suspects(part: ModelPart) -> Iterator[str]:
    yield tag("h3", "Suspect labels")
    for seen, count in sorted(part.seen.items()):
        yield tag("p", f"Of {_count(count, 'night')} the model is {_SEEN_WORDS[seen]}.", "note")
    for reason in part.refusals[:20]:
        yield tag("p", f"Not ranked: {reason}")
    if not part.suspects:
        yield tag("p", "None.")
        return
    yield tag(
        "p",
        f"{_count(part.suspect_count, 'label')} likelier wrong than the model, by confident learning; the "
        f"{len(part.suspects)} most suspect are here, {min(part.suspect_count, MOST_SUSPECTS):,} in suspects.csv.",
    )
    rows = [
        [
            number(place),
            text(shown.night),
            number(shown.suspect.epoch + 1),
            text(shown.suspect.label.label),
            text(shown.suspect.suggested.label),
            number(shown.suspect.p_label),
            number(shown.suspect.p_suggested),
            copy_button(shown.command),
        ]
        for place, shown in enumerate(part.suspects, 1)
    ]
    yield table(["rank", "night", "epoch", "label", "rather", "p of label", "p of other", "open"], rows, left=0)


def _errors(part: ModelPart) -> Iterator[str]:
    shown = part.surest_errors
    yield tag("h3", "Disagreements that the model is surest of")
    yield tag("p", f"{len(shown)} of {_count(sum(night.errors for night in part.nights), 'disagreement')}; all are in "
              "disagreements.csv.")  # fmt: skip
    rows = [
        [
            text(one.row.night),
            number(one.row.epoch + 1),
            text("" if one.row.clock is None else f"{one.row.clock:%H:%M:%S}"),
            text(one.row.pair),
            number(one.row.p_predicted),
            text(one.row.kind),
            Cell("–" if one.row.distance > 9999 else str(one.row.distance), one.row.distance),
            text(one.row.truth_context),
            text(one.row.predicted_context),
            text(one.row.signal),
            copy_button(one.command),
        ]
        for one in shown
    ]
    heads = ["night", "epoch", "clock", "pair", "p", "kind", "distance", "expert", "model", "signal", "open"]
    yield table(heads, rows)


def _bias(part: ModelPart) -> Iterator[str]:
    yield tag("h3", "Night statistics: expert and model")
    yield tag(
        "p",
        "Means over nights, the model's minus the expert's, and between which limits 95 % of nights lie (Bland & "
        "Altman). Those of each night are in statistics.csv.",
        "note",
    )
    rows = [
        [
            text(STATISTIC_TITLES[name]),
            number(bias.nights),
            number(bias.first, 1),
            number(bias.second, 1),
            number(bias.difference, 1),
            number(bias.low, 1),
            number(bias.high, 1),
        ]
        for name, bias in part.bias.rows().items()
    ]
    yield table(["statistic", "nights", "expert", "model", "difference", "from", "to"], rows, scroll=False)


def _nights(part: ModelPart) -> str:
    rows = []
    for night in part.nights:
        found = night.agreement
        figures = [None] * 3 if found is None else [found.accuracy, found.macro_f1, found.kappa]
        rows.append(
            [
                text(night.name),
                text(night.subject),
                number(0 if found is None else found.epochs),
                *(number(value) for value in figures),
                number(night.errors),
                number(night.shifts),
                number(night.explained),
                copy_button(night.command),
            ]
        )
    heads = ["night", "subject", "epochs", "accuracy", "macro-F1", "κ", "errors", "shifts", "by signal", "open"]
    return table(heads, rows, left=2)


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
