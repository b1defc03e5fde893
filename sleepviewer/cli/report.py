"""``sleepviewer report``: what cross-validations came to, or one night on a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sleepviewer.cli.answers import reading_option, unit_option
from sleepviewer.cli.options import PATH, print_json
from sleepviewer.errors import AnalysisError, OutputError

if TYPE_CHECKING:
    from sleepviewer.recording import ToldUnit


@click.command(short_help="Report on cross-validations (their folders), or on one night as a page.")
@click.argument("runs", metavar="RUN… | NIGHT", type=PATH, nargs=-1, required=True)
@click.option(
    "--out",
    type=PATH,
    required=True,
    help="Of runs: folder for report.txt, .csv, .md, .html. Of a night: a file (pdf, html).",
)
@click.option(
    "--paper",
    type=click.Choice(["a4", "letter"], case_sensitive=False),
    default="a4",
    show_default=True,
    help="Of a night as PDF: the size of its pages.",
)
@click.option("--allow-unfinished", is_flag=True, help="Report on the finished folds of a run that is not done.")
@click.option(
    "--draws", type=click.IntRange(min=1), default=2000, show_default=True, help="Draws of subjects for the intervals."
)
@unit_option
@reading_option
@click.option("--overwrite", is_flag=True, help="Write over an earlier report.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else (runs only).")
def report(
    runs: tuple[Path, ...],
    out: Path,
    paper: str,
    allow_unfinished: bool,
    draws: int,
    units: tuple[ToldUnit, ...],
    reading: str | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Report on one or more cross-validations (their folders), or on one night (an archive or a recording).

    Of runs: F1 by stage, accuracy, macro-F1, κ and MGm with 95 % intervals over subjects, under both protocols, beside
    what others reported for the data set; the bias of picking passes on the test fold; paired differences of runs;
    calibration.

    Of a night: hypnograms, hypnodensity, spectrogram, statistics for every scorer, agreement, disagreements, who
    scored, and which model of which version; as PDF, or as a page of HTML that needs nothing but itself.
    """
    for run in runs:
        if not run.exists():
            raise AnalysisError(f"{run} is not there; name a night (a recording or an npz), or the folders of runs.")
    if any(run.is_file() for run in runs):
        if len(runs) > 1:
            raise click.UsageError("a report is on one night, or on the folders of runs; “analyse” takes many nights")
        if units and runs[0].suffix.lower() == ".npz":
            raise click.UsageError("--unit goes with a recording; an archive holds its signal in µV")
        _report_night(runs[0], out, paper=paper, overwrite=overwrite, units=units, reading=reading)
        return
    if units or reading:
        raise click.UsageError("--unit and --read-as go with a night, not with the folders of runs")
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
        print_json(values)
    else:
        click.echo(text_report(results), nl=False)


def _report_night(
    night: Path, out: Path, *, paper: str, overwrite: bool, units: tuple[ToldUnit, ...], reading: str | None
) -> None:
    from sleepviewer.files import atomic_writer, ending_of, unsupported_extension
    from sleepviewer.reports.night_facts import facts_of

    ending = ending_of(out, (".pdf", ".html", ".htm"))
    if not ending:
        raise OutputError(f"{out} was not written: {unsupported_extension(('.pdf', '.html'))}.")
    if out.exists() and not overwrite:
        raise OutputError(f"{out} is there already; choose another name, or write over it with --overwrite.")
    facts = facts_of(night, units=units, reading=reading)
    if ending == ".pdf":
        from sleepviewer.reports.night_pdf import write_night_pdf

        with atomic_writer(out) as file:
            write_night_pdf(facts, file, paper=paper)
    else:
        from sleepviewer.reports.night_page import night_page

        text = night_page(facts)
        with atomic_writer(out) as file:
            file.write(text.encode())
    click.echo(f"{out} written", err=True)
