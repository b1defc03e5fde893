"""What the commands share: options, where results may be written, and how they are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import click

from sleepviewer.errors import OutputError
from sleepviewer.files import ending_of, listed, unsupported_extension

PATH: Final = click.Path(path_type=Path)
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Write over a file that is there (never over the night's own)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else.")
truth_option = click.option(
    "--truth", type=PATH, help="The expert's hypnogram (found by its name where it lies beside)."
)


class TableOption(click.Option):
    """An option whose help text comes from the table of formats: it is made when it is shown, not at every start."""

    def __init__(self, *args: Any, help_text: Callable[[], str], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self._help_text = help_text

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help text."""
        self.help = self._help_text()
        return super().get_help_record(ctx)


def check_format(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """Return the name of an export in the table of formats, for an option that names one."""
    if value is None:
        return None
    from sleepviewer.review.exporting import export_formats

    if value not in export_formats():
        raise click.BadParameter(f"“{value}” is not one of {', '.join(export_formats())}")
    return value


def label_endings() -> tuple[str, ...]:
    """Return the endings of all files that labels can be written to."""
    from sleepviewer.review.exporting import export_endings

    return export_endings()


def is_label_file(out: Path) -> bool:
    """Return whether labels can be written to a file of this name."""
    return bool(ending_of(out, label_endings()))


def endings_text(endings: Iterable[str]) -> str:
    """Return endings as a help text has them: ``npz, edf or csv``."""
    return listed(ending.removeprefix(".") for ending in endings)


def check_out(out: Path, *inputs: Path | None, endings: tuple[str, ...] = (), overwrite: bool | None = None) -> None:
    """Find out before the work, not after it, that the result can't be written, or would replace what it is made of.

    Unless ``overwrite`` was asked for, it must not replace anything; None leaves that to what writes it.
    """
    if out.is_dir() or not out.resolve().parent.is_dir():
        what = "is a folder" if out.is_dir() else f"lies in a folder that does not exist ({out.resolve().parent})"
        raise OutputError(f"{out} can't be written, since it {what}; name a file in a folder that exists.")
    if any(path is not None and path.exists() and out.exists() and out.samefile(path) for path in inputs):
        raise OutputError(f"{out} is one of the files to read and was not written over; choose another name.")
    if endings and not ending_of(out, endings):
        raise OutputError(f"{out} was not written: {unsupported_extension(endings)}.")
    if overwrite is False and out.exists():
        raise OutputError(f"{out} is there already; choose another name, or write over it with --overwrite.")


def tell(notes: Iterable[str]) -> None:
    """Print notes on stderr, a line each."""
    for note in notes:
        click.echo(f"note: {note}", err=True)


def print_json(values: object) -> None:
    """Print JSON-ready values on stdout, in one line."""
    click.echo(json.dumps(values, ensure_ascii=False, allow_nan=False))
