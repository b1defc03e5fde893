"""Results as text: for the terminal, as a Markdown table, as CSV and as JSON-ready values."""

from __future__ import annotations

import csv
import html
import io
import math
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sleepviewer.analysis.calibration import ECE_BINS
from sleepviewer.analysis.intervals import METRICS, Interval
from sleepviewer.stages import EPOCH_S, SCORED_STAGES
from sleepviewer.training.published import PublishedDataset, PublishedRow
from sleepviewer.training.results import Difference, Results, RunResult
from sleepviewer.training.runs import Protocol

DASH: Final = "–"
"""What stands where there is no figure."""

METRIC_TITLES: Final = {
    **{f"f1_{stage.label}": f"F1 {stage.label}" for stage in SCORED_STAGES},
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "kappa": "κ",
    "mgm": "MGm",
}

LEGEND: Final = (
    "F1, accuracy, macro-F1 and MGm in percent, κ as a share, of all test epochs pooled. “honest” keeps the pass with"
    " the best κ on subjects held out of the training folds; “published” the pass with the best accuracy on the test"
    " fold itself, as the original code does."
)


DIFFERENCE_LEGEND: Final = (
    "Paired differences in points (κ: as it is), with intervals of the difference over the same draws for both: the"
    " bias of the published protocol, then runs against each other."
)


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table: texts, those of ``figures`` and of ``bounds`` by the names of METRICS.

    ``bounds`` holds the two ends of a figure's interval, and nothing for a figure without one.
    """

    name: str
    protocol: str
    figures: Mapping[str, str]
    bounds: Mapping[str, tuple[str, str]]
    time: str = ""
    source: str = ""

    def span(self, metric: str) -> str:
        """Return a figure's interval as ``(81.2 to 86.0)``, empty where there is none."""
        return "({} to {})".format(*self.bounds[metric]) if metric in self.bounds else ""


@dataclass(frozen=True, slots=True, eq=False)
class DatasetTable:
    """The runs on one data set, beside what others reported for it."""

    dataset: str
    runs: tuple[RunResult, ...]
    published: PublishedDataset | None

    def rows(self) -> list[TableRow]:
        """Return two rows a run, one a protocol, then the reported ones."""
        own = [_run_row(result, protocol) for result in self.runs for protocol in Protocol]
        return own + [_published_row(row) for row in (self.published.rows if self.published else ())]


def tables(results: Results) -> list[DatasetTable]:
    """Sort the runs by data set (of one name, size and length of epochs), in the order in which they were given."""
    groups: dict[tuple[str, int, float], list[RunResult]] = {}
    for result in results.runs:
        data = result.run.data
        groups.setdefault((data.name, data.n_epochs, data.epoch_s), []).append(result)
    return [DatasetTable(name, tuple(runs), runs[0].published) for (name, *_), runs in groups.items()]


def interval_legend(results: Results) -> str:
    """Say what the intervals are."""
    return (
        f"The 95 % intervals are by bootstrap over subjects ({results.draws} draws, seed {results.seed}). They"
        " tell what other subjects would change, not what another seed of the training would."
    )


def figure(metric: str, value: float) -> str:
    """Return a share as the table shows it: percent with one digit, κ with three; a dash for NaN."""
    if math.isnan(value):
        return DASH
    return f"{value:.3f}" if metric == "kappa" else f"{100 * value:.1f}"


def difference(metric: str, value: float) -> str:
    """Return a difference with its sign, in points or in κ; a dash for NaN."""
    if math.isnan(value):
        return DASH
    text = f"{value:+.3f}" if metric == "kappa" else f"{100 * value:+.1f}"
    return text.replace("-", "−") if float(text) else text[1:]


def row_of(
    name: str,
    protocol: str,
    intervals: Mapping[str, Interval],
    *,
    signed: bool = False,
    time: str = "",
    source: str = "",
) -> TableRow:
    """Return a table's row of figures with intervals, or of differences (``signed``)."""
    show = difference if signed else figure
    return TableRow(
        name,
        protocol,
        {metric: show(metric, intervals[metric].value) for metric in METRICS},
        {
            metric: (show(metric, intervals[metric].low), show(metric, intervals[metric].high))
            for metric in METRICS
            if not math.isnan(intervals[metric].low)
        },
        time,
        source,
    )


def difference_rows(results: Results) -> list[TableRow]:
    """Return each run's bias, then second minus first of each pair of runs under each protocol."""
    bias = [row_of(r.label, "published − honest", r.bias, signed=True) for r in results.runs]
    return bias + [
        row_of(
            f"{item.second} − {item.first}", f"{item.protocol}{_folds_note(item, results)}", item.intervals, signed=True
        )
        for item in results.differences
    ]


def _folds_note(item: Difference, results: Results) -> str:
    """Say over how many folds, where a run has more."""
    folds = max(len(r.run.data.folds) for r in results.runs if r.label in (item.first, item.second))
    return "" if len(item.folds) == folds else f", {len(item.folds)} of {folds} folds"


def duration(seconds: float) -> str:
    """Return a time as people say it: ``45 s``, ``5.2 min``, ``1.4 h``."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def calibration_lines(result: RunResult) -> list[str]:
    """Say how far the honest protocol's probabilities can be believed."""
    temperatures = [fold.temperature for fold in result.run.results]
    raw, calibrated = result.raw, result.calibrated
    risk = calibrated.risk
    return [
        f"temperature a fold: {min(temperatures):.2f} to {max(temperatures):.2f}, fitted on validation subjects;"
        " without and with it:",
        f"expected calibration error in {ECE_BINS} bins: {100 * raw.ece:.1f} %, then {100 * calibrated.ece:.1f} %",
        f"Brier score (sum over stages, 0 to 2): {raw.brier:.3f}, then {calibrated.brier:.3f}",
        f"negative log-likelihood: {raw.nll:.3f}, then {calibrated.nll:.3f}",
        "error of the surest 50, 80, 90, 100 % of epochs: "
        + ", ".join(f"{100 * risk.error_at(share):.1f}" for share in (0.5, 0.8, 0.9, 1.0))
        + f" %; area under the risk–coverage curve {risk.area:.3f}",
    ]


def weights_line(result: RunResult) -> str:
    """Say whether counting the test fold's labels too, as published, would change the class weights."""
    others, folds = result.folds_with_other_weights, len(result.run.results)
    if not others:
        return f"class weights: published counting gives the same in all {folds} folds"
    first = next(fold for fold in result.run.results if fold.fold == others[0])
    used, published = (" ".join(f"{w:.2f}" for w in ws) for ws in (first.class_weights, first.class_weights_published))
    return (
        f"class weights: published counting gives others in {len(others)} of {folds} folds (fold {others[0]}: {used}"
        f" used, {published} by published counting)"
    )


def dataset_title(table: DatasetTable) -> str:
    """Name a data set and its size."""
    data = table.runs[0].run.data
    subjects = len(set(data.nights.values()))
    seen = "" if data.epoch_s == EPOCH_S else f", of each {data.epoch_s:g} s"
    return f"{table.dataset}: {len(data.nights)} nights, {subjects} subjects, {data.n_epochs} epochs{seen}"


def text_report(results: Results) -> str:
    """Return the report for a terminal."""
    lines = ["Cross-validation", ""]
    for table in tables(results):
        rows = table.rows()
        lines += [dataset_title(table), "", *_text_table(rows)]
        if sources := [f"  {row.name}: {row.source}" for row in rows if row.source]:
            lines += ["", *sources]
        lines += [""]
    for paragraph in (LEGEND, interval_legend(results), DIFFERENCE_LEGEND):
        lines += [*textwrap.wrap(paragraph, 110), ""]
    lines += _text_table(difference_rows(results))
    lines += [f"  not compared: {reason}" for reason in results.not_compared]
    lines += ["", "Calibration of the honest protocol, and class weights", ""]
    for result in results.runs:
        lines += [f"  {result.label}", *(f"    {line}" for line in (*calibration_lines(result), weights_line(result)))]
    if notes := [f"  {result.label}: {note}" for result in results.runs for note in result.notes]:
        lines += ["", "Notes", "", *notes]
    return "\n".join(lines) + "\n"


def markdown_report(results: Results) -> str:
    """Return the report as Markdown, for a page of documentation."""
    lines: list[str] = []
    for table in tables(results):
        lines += [f"### {_md(dataset_title(table))}", "", *_md_table(table.rows(), "a fold", "source"), ""]
    lines += [LEGEND, interval_legend(results), "", "### Differences", ""]
    lines += [DIFFERENCE_LEGEND, "", *_md_table(difference_rows(results)), ""]
    lines += [f"- Not compared: {_md(reason)}" for reason in results.not_compared]
    lines += [""] * bool(results.not_compared)
    lines += ["### Calibration of the honest protocol, and class weights", ""]
    for result in results.runs:
        lines += [f"- {_md(result.label)}"]
        lines += [f"  - {_md(line)}" for line in (*calibration_lines(result), weights_line(result), *result.notes)]
    return "\n".join(lines) + "\n"


CSV_COLUMNS: Final = (
    *("kind", "dataset", "name", "protocol"),
    *(f"{metric}{part}" for metric in METRICS for part in ("", "_low", "_high")),
    *("ece_raw", "ece", "brier_raw", "brier", "risk_coverage_area"),
    *("seconds_per_fold", "folds", "subjects", "epochs", "source"),
)


def csv_report(results: Results) -> str:
    """Return everything as CSV: shares between 0 and 1, empty where there is no figure.

    ``kind`` is ``run``, ``reported``, ``bias`` (published - honest) or ``difference`` (second - first).
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_csv_rows(results))
    return buffer.getvalue()


def results_dict(results: Results) -> dict[str, Any]:
    """Return everything as JSON-ready values, None where there is no figure."""
    return {
        "runs": [_run_dict(result) for result in results.runs],
        "differences": [
            {
                "first": item.first,
                "second": item.second,
                "protocol": str(item.protocol),
                "folds": list(item.folds),
                "subjects": item.subjects,
                "figures": _intervals_dict(item.intervals),
            }
            for item in results.differences
        ],
        "not_compared": list(results.not_compared),
        "draws": results.draws,
        "seed": results.seed,
    }


# -- parts


def _run_row(result: RunResult, protocol: Protocol) -> TableRow:
    time = duration(result.seconds_per_fold)
    return row_of(result.label, protocol, result.protocols[protocol].intervals, time=time)


def _published_row(row: PublishedRow) -> TableRow:
    return TableRow(
        row.model,
        row.protocol,
        {metric: row.figures.get(metric, DASH) for metric in METRICS},
        {},
        DASH,
        f"{row.source} ({row.note})" if row.note else row.source,
    )


def _text_table(rows: Sequence[TableRow]) -> Iterator[str]:
    """Lay rows out for a terminal: the figures, and under them where their intervals begin and end."""
    name, protocol = (max(len(getattr(row, part)) for row in rows) for part in ("name", "protocol"))
    protocol = max(protocol, len("95 % from"))

    def line(first: str, second: str, cells: Iterable[str], last: str) -> str:
        return f"  {first:{name}}  {second:{protocol}}{''.join(f'{cell:>9}' for cell in cells)}{last:>10}".rstrip()

    yield line("", "", METRIC_TITLES.values(), "a fold" if any(row.time for row in rows) else "")
    for row in rows:
        yield line(row.name, row.protocol, (row.figures[metric] for metric in METRICS), row.time)
        for place, title in enumerate(("95 % from", "to") if row.bounds else ()):
            ends = (row.bounds[metric][place] if metric in row.bounds else DASH for metric in METRICS)
            yield line("", f"{title:>{protocol}}", ends, "")


def _md(text: str) -> str:
    """Keep a name from being read as Markdown or HTML."""
    plain = html.escape(" ".join(text.split()), quote=False)
    return "".join(f"\\{letter}" if letter in "\\|`*_[]" else letter for letter in plain)


def _md_table(rows: Sequence[TableRow], *last: str) -> Iterator[str]:
    """Lay rows out in Markdown, with time and source at the end where ``last`` has titles for them."""
    titles = ["run", "protocol", *METRIC_TITLES.values(), *last]
    yield f"| {' | '.join(titles)} |"
    yield "|" + "---|" * len(titles)
    for row in rows:
        figures = (f"{row.figures[metric]} {row.span(metric)}".strip() for metric in METRICS)
        cells = [row.name, row.protocol, *figures, *((row.time, row.source or "this run") if last else ())]
        yield f"| {' | '.join(map(_md, cells))} |"


def _csv_rows(results: Results) -> Iterator[dict[str, Any]]:
    for result in results.runs:
        common = {"dataset": result.run.data.name, "name": result.label, "folds": len(result.run.results)}
        for protocol, values in result.protocols.items():
            row = {"kind": "run", **common, "protocol": str(protocol), **_csv_intervals(values.intervals)}
            row |= {"seconds_per_fold": result.seconds_per_fold, "subjects": values.subjects}
            row |= {"epochs": values.agreement.epochs}
            if protocol is Protocol.HONEST:
                row |= _calibration_dict(result)
            yield row
        subjects = result.protocols[Protocol.HONEST].subjects
        yield {"kind": "bias", **common, "protocol": "published - honest", "subjects": subjects} | _csv_intervals(
            result.bias
        )
    dataset_of = {result.label: result.run.data.name for result in results.runs}
    for item in results.differences:
        yield {
            "kind": "difference",
            "dataset": dataset_of[item.second],
            "name": f"{item.second} - {item.first}",
            "protocol": str(item.protocol),
            "folds": len(item.folds),
            "subjects": item.subjects,
        } | _csv_intervals(item.intervals)
    for table in tables(results):
        for reported in table.published.rows if table.published else ():
            yield {
                "kind": "reported",
                "dataset": table.dataset,
                "name": reported.model,
                "protocol": reported.protocol,
                "source": reported.source,
            } | {metric: value for metric in METRICS if (value := reported.value(metric)) is not None}


def _csv_intervals(intervals: Mapping[str, Interval]) -> dict[str, float]:
    parts = {
        f"{metric}{part}": value
        for metric, interval in intervals.items()
        for part, value in (("", interval.value), ("_low", interval.low), ("_high", interval.high))
    }
    return {name: value for name, value in parts.items() if not math.isnan(value)}


def _calibration_dict(result: RunResult) -> dict[str, float]:
    return {
        "ece_raw": result.raw.ece,
        "ece": result.calibrated.ece,
        "brier_raw": result.raw.brier,
        "brier": result.calibrated.brier,
        "risk_coverage_area": result.calibrated.risk.area,
    }


def _run_dict(result: RunResult) -> dict[str, Any]:
    return {
        "label": result.label,
        "folder": str(result.run.folder),
        "model": result.run.model,
        "dataset": result.run.data.name,
        "folds": len(result.run.results),
        "unfinished": list(result.run.unfinished),
        "seconds_per_fold": result.seconds_per_fold,
        "protocols": {
            str(protocol): {
                "epochs": values.agreement.epochs,
                "subjects": values.subjects,
                "confusion": values.agreement.confusion.tolist(),
                "figures": _intervals_dict(values.intervals),
            }
            for protocol, values in result.protocols.items()
        },
        "bias": _intervals_dict(result.bias),
        "calibration": _calibration_dict(result) | {"temperatures": [fold.temperature for fold in result.run.results]},
        "folds_with_other_weights": list(result.folds_with_other_weights),
        "notes": list(result.notes),
    }


def _intervals_dict(intervals: Mapping[str, Interval]) -> dict[str, dict[str, float | None]]:
    return {
        metric: {name: _number(getattr(interval, name)) for name in ("value", "low", "high")}
        for metric, interval in intervals.items()
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
