"""Results as one page of HTML that needs nothing but itself: style and pictures are in it, scripts are not."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from sleepviewer.analysis.intervals import METRICS
from sleepviewer.stages import SCORED_STAGES
from sleepviewer.training.charts import STYLE as CHART_STYLE
from sleepviewer.training.charts import Line, line_chart, range_of
from sleepviewer.training.report_text import (
    DASH,
    DIFFERENCE_LEGEND,
    LEGEND,
    METRIC_TITLES,
    TableRow,
    calibration_lines,
    dataset_title,
    difference_rows,
    duration,
    interval_legend,
    tables,
    weights_line,
)
from sleepviewer.training.results import CalibrationResult, ProtocolResult, Results, RunResult
from sleepviewer.training.runs import FoldResult, PassRecord, Protocol

_STYLE: Final = (
    """
:root { color-scheme: light dark; --c0: #2f6fb5; --c1: #c2402f; --c2: #777; --cell: 63,134,201; }
@media (prefers-color-scheme: dark) { :root { --c0: #6fb2f0; --c1: #ff8a7a; --c2: #aaa; } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 84em; padding: 0 1em; }
table { border-collapse: collapse; margin: .6em 0; font-variant-numeric: tabular-nums; }
th, td { padding: .25em .6em; text-align: right; border-bottom: 1px solid rgba(128,128,128,.35); }
th { font-weight: 600; } td small { display: block; opacity: .75; white-space: nowrap; }
.text { text-align: left; } .scroll { overflow-x: auto; }
.side { display: flex; flex-wrap: wrap; gap: 1.5em; align-items: flex-start; }
figure { margin: .5em 0; } figcaption, caption { text-align: left; font-weight: 600; padding: .2em 0; }
"""
    + CHART_STYLE
)


def html_report(results: Results) -> str:
    """Return the whole page; every name and text of the runs is escaped."""
    body = [_tag("h1", "Cross-validation")]
    for table in tables(results):
        body += [_tag("h2", dataset_title(table)), *_figures_table(table.rows(), "a fold", "source")]
    body += [_tag("p", LEGEND), _tag("p", interval_legend(results))]
    body += [_tag("h2", "Differences"), _tag("p", DIFFERENCE_LEGEND), *_figures_table(difference_rows(results))]
    body += [_tag("p", f"Not compared: {reason}") for reason in results.not_compared]
    for result in results.runs:
        body += _run_section(result)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>Cross-validation</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _run_section(result: RunResult) -> Iterator[str]:
    yield _tag("h2", result.label)
    yield "<ul>"
    for line in (*calibration_lines(result), weights_line(result), *result.notes):
        yield _tag("li", line)
    yield "</ul>"
    yield '<div class="side">'
    for protocol in Protocol:
        yield _confusion_table(result.protocols[protocol])
    yield "</div>"
    yield '<div class="side">'
    yield _reliability_chart(result.raw, result.calibrated)
    yield _risk_chart(result.raw, result.calibrated)
    yield from _learning_curves(result.run.results)
    yield "</div>"
    yield _folds_table(result)
    yield from _facts("Configuration", result.run.config)
    yield from _facts("Environment", result.run.environment)


def _figures_table(rows: Sequence[TableRow], *last: str) -> Iterator[str]:
    yield '<div class="scroll"><table><thead><tr>'
    yield from (_tag("th", title, "text") for title in ("run", "protocol"))
    yield from (_tag("th", title) for title in METRIC_TITLES.values())
    yield from (_tag("th", title, "text") for title in last)
    yield "</tr></thead><tbody>"
    for row in rows:
        cells = [_tag("td", row.name, "text"), _tag("td", row.protocol, "text")]
        for metric in METRICS:
            bounds = _tag("small", row.span(metric)) if row.span(metric) else ""
            cells.append(f"<td>{html.escape(row.figures[metric])}{bounds}</td>")
        if last:
            cells += [_tag("td", row.time, "text"), _tag("td", row.source or "this run", "text")]
        yield _tag_of("tr", cells)
    yield "</tbody></table></div>"


def _confusion_table(result: ProtocolResult) -> str:
    """Lay out counts, and under each its share of the truth's stage, which also shades the cell."""
    confusion = result.agreement.confusion
    labels = [stage.label for stage in SCORED_STAGES]
    rows = [_tag_of("tr", [_tag("th", "expert \\ model", "text"), *(_tag("th", label) for label in labels)])]
    for label, counts in zip(labels, confusion, strict=True):
        total = int(counts.sum())
        cells = [_tag("th", label, "text")]
        for count in counts:
            share = count / total if total else 0.0
            percent = f"{100 * share:.1f} %" if total else DASH
            cells.append(
                f'<td style="background: rgba(var(--cell), {0.75 * share:.2f})">{count}<small>{percent}</small></td>'
            )
        rows.append(_tag_of("tr", cells))
    caption = f"{result.protocol}: epochs, and percent of the expert's stage"
    return f"<table>{_tag('caption', caption)}{''.join(rows)}</table>"


def _reliability_chart(raw: CalibrationResult, calibrated: CalibrationResult) -> str:
    unit = np.array([0.0, 1.0])
    lines = [Line("as sure as right", unit, unit, 2)]
    for label, colour, one in (("before temperature", 1, raw), ("after", 0, calibrated)):
        filled = one.reliability.counts > 0
        lines.append(
            Line(label, one.reliability.confidence[filled], one.reliability.accuracy[filled], colour, marks=True)
        )
    chart = line_chart(lines, "confidence", "share of epochs that are right", (0, 1), (0, 1))
    return _figure("Reliability, honest protocol", chart)


def _risk_chart(raw: CalibrationResult, calibrated: CalibrationResult) -> str:
    lines = [
        Line("before temperature", raw.risk.coverage, 100 * raw.risk.error, 1),
        Line("after", calibrated.risk.coverage, 100 * calibrated.risk.error, 0),
    ]
    top = range_of([np.zeros(1), *(line.y for line in lines)], at_least=1)[1]
    chart = line_chart(lines, "share of epochs kept, surest first", "error among them, %", (0, 1), (0, top))
    return _figure("Risk and coverage, honest protocol", chart)


def _learning_curves(folds: Sequence[FoldResult]) -> Iterator[str]:
    curves = [fold.curve for fold in folds if fold.curve]
    if not curves:
        return
    yield _curve_chart("Learning curve: loss", "training loss", [("training", _curves(curves, "loss"), 0)])
    for metric, title in (("kappa", "κ"), ("accuracy", "accuracy")):
        sets = [
            (name, _curves(curves, f"{name}.{metric}"), colour) for colour, name in enumerate(("validation", "test"))
        ]
        yield _curve_chart(f"Learning curve: {title}", title, sets)


def _curves(folds: Sequence[Sequence[PassRecord]], name: str) -> list[tuple[Any, Any]]:
    """Return passes and values of each fold; ``name`` is a field of PassRecord, or of a Score in it."""

    def value(record: PassRecord) -> float:
        found: Any = record
        for part in name.split("."):
            found = getattr(found, part)
        return float(found)

    return [(np.array([r.number for r in fold]), np.array([value(r) for r in fold])) for fold in folds]


def _curve_chart(caption: str, y_label: str, sets: Sequence[tuple[str, list[tuple[Any, Any]], int]]) -> str:
    lines = []
    for name, curves, colour in sets:
        lines += [Line(name, x, y, colour, faint=True) for x, y in curves]
        # Over the passes that every fold has, so that no fold's end shows as a jump.
        common = sorted(set.intersection(*(set(x.tolist()) for x, _ in curves)))
        mean = np.array([np.mean([y[x == number][0] for x, y in curves]) for number in common])
        lines.append(Line(f"{name}, mean of {len(curves)} folds", np.array(common), mean, colour))
    x_range = range_of([line.x.astype(np.float64) for line in lines], at_least=1)
    chart = line_chart(
        lines, "pass", y_label, x_range, range_of([line.y for line in lines], at_least=0.01), whole_x=True
    )
    return _figure(caption, chart)


def _folds_table(result: RunResult) -> str:
    titles = ("fold", "tests", "time", "passes", "honest pick", "published pick", "temperature", "class weights used")
    tested = {fold.number: fold.test for fold in result.run.data.folds}
    rows = [_tag_of("tr", [_tag("th", title, "text") for title in (*titles, "by published counting")])]
    for fold in result.run.results:
        weights = (" ".join(f"{w:.2f}" for w in ws) for ws in (fold.class_weights, fold.class_weights_published))
        cells = (
            fold.fold,
            ", ".join(tested[fold.fold]),
            duration(fold.seconds),
            fold.passes,
            *(fold.picked[protocol] for protocol in Protocol),
            f"{fold.temperature:.2f}",
            *weights,
        )
        rows.append(_tag_of("tr", [_tag("td", cell, "text") for cell in cells]))
    return f'<div class="scroll"><table>{_tag("caption", "Folds")}{"".join(rows)}</table></div>'


def _facts(title: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield f"<details>{_tag('summary', title)}<table>"
    for name, value in values.items():
        yield _tag_of("tr", [_tag("th", name, "text"), _tag("td", value, "text")])
    yield "</table></details>"


def _figure(caption: str, chart: str) -> str:
    return f"<figure>{_tag('figcaption', caption)}{chart}</figure>"


def _tag(name: str, text: object, css: str = "") -> str:
    """Wrap a text, escaped."""
    attribute = f' class="{css}"' if css else ""
    return f"<{name}{attribute}>{html.escape(str(text))}</{name}>"


def _tag_of(name: str, parts: Iterable[str]) -> str:
    """Wrap parts that are HTML already."""
    return f"<{name}>{''.join(parts)}</{name}>"
