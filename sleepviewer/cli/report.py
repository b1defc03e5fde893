"""``sleepviewer report``: what cross-validations came to."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sleepviewer.errors import OutputError


@click.command(short_help="Report on cross-validations: tables, intervals, calibration.")
@click.argument("runs", metavar="RUN…", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for report.txt, .csv, .md, .html.")
@click.option("--allow-unfinished", is_flag=True, help="Report on the finished folds of a run that is not done.")
@click.option(
    "--draws", type=click.IntRange(min=1), default=2000, show_default=True, help="Draws of subjects for the intervals."
)
@click.option("--overwrite", is_flag=True, help="Write over an earlier report.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else.")
def report(
    runs: tuple[Path, ...], out: Path, allow_unfinished: bool, draws: int, overwrite: bool, as_json: bool
) -> None:
    """Report on one or more cross-validations (their folders), under both protocols and against each other.

    F1 by stage, accuracy, macro-F1, κ and MGm with 95 % intervals over subjects, beside what others reported for the
    data set; the bias of picking passes on the test fold; paired differences of runs; calibration.
    """
    from sleepviewer.training.report import REPORT_FILES, write_results
    from sleepviewer.training.report_text import results_dict, text_report
    from sleepviewer.training.results import collect_results

    there = [out / name for name in REPORT_FILES if (out / name).exists()]
    if there and not overwrite:
        raise OutputError(f"{there[0]} is there already; choose another folder, or write over it with --overwrite.")
    results = collect_results(runs, draws=draws, allow_unfinished=allow_unfinished)
    write_results(results, out)
    if as_json:
        values = results_dict(results) | {"out": str(out)}
        click.echo(json.dumps(values, ensure_ascii=False, allow_nan=False))
    else:
        click.echo(text_report(results), nl=False)
