"""What the commands share: options, where results may be written, and how they are told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click

from sleepviewer.errors import OutputError

PATH: Final = click.Path(path_type=Path)
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Write over a file that is there (never over the night's own)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else.")
truth_option = click.option(
    "--truth", type=PATH, help="The expert's hypnogram (found by its name where it lies beside)."
)

LABEL_ENDINGS: Final = (".npz", ".edf", ".csv", ".tsv", ".txt")


def check_out(out: Path, *inputs: Path | None, endings: tuple[str, ...] = (), overwrite: bool | None = None) -> None:
    """Find out before the work, not after it, that the result can't be written, or would replace what it is made of.

    Unless ``overwrite`` was asked for, it must not replace anything; None leaves that to what writes it.
    """
    if out.is_dir() or not out.resolve().parent.is_dir():
        what = "is a folder" if out.is_dir() else f"lies in a folder that does not exist ({out.resolve().parent})"
        raise OutputError(f"{out} can't be written, since it {what}; name a file in a folder that exists.")
    if any(path is not None and path.exists() and out.exists() and out.samefile(path) for path in inputs):
        raise OutputError(f"{out} is one of the files to read and was not written over; choose another name.")
    if endings and out.suffix.lower() not in endings:
        *most, last = endings
        raise OutputError(f"{out} was not written: end its name in {', '.join(most) + ' or ' if most else ''}{last}.")
    if overwrite is False and out.exists():
        raise OutputError(f"{out} is there already; choose another name, or write over it with --overwrite.")


def tell(notes: Iterable[str]) -> None:
    """Print notes on stderr, a line each."""
    for note in notes:
        click.echo(f"note: {note}", err=True)


def print_json(values: object) -> None:
    """Print JSON-ready values on stdout, in one line."""
    click.echo(json.dumps(values, ensure_ascii=False, allow_nan=False))
