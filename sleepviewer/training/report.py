"""The report on cross-validations: computed once, written as text, CSV, Markdown and a page of HTML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sleepviewer.analysis.intervals import DRAWS
from sleepviewer.errors import OutputError
from sleepviewer.files import atomic_writer
from sleepviewer.training.report_html import html_report
from sleepviewer.training.report_text import csv_report, markdown_report, text_report
from sleepviewer.training.results import Results, collect_results

REPORT_FILES: Final = {
    "report.txt": text_report,
    "report.csv": csv_report,
    "report.md": markdown_report,
    "report.html": html_report,
}
"""What is written, and what makes it from the results."""


def write_report(
    run_folders: Sequence[Path], out: Path, *, draws: int = DRAWS, seed: int = 0, allow_unfinished: bool = False
) -> str:
    """Report on runs: write REPORT_FILES into the folder ``out``, which is made, and return the text.

    Raises RunError where a run can't be reported on, OutputError where the folder can't be written.
    """
    results = collect_results(run_folders, draws=draws, seed=seed, allow_unfinished=allow_unfinished)
    write_results(results, out)
    return text_report(results)


def write_results(results: Results, out: Path) -> None:
    """Write REPORT_FILES into a folder, which is made; each file is there whole or not at all."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {out} can't be made: {error.strerror or error}. Choose another.") from error
    for name, make in REPORT_FILES.items():
        with atomic_writer(out / name) as file:
            file.write(make(results).encode())
