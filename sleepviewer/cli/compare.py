"""``sleepviewer compare``: two hypnograms of any format, laid over each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sleepviewer.cli.answers import check_reading, reading_option
from sleepviewer.cli.options import PATH, json_option, print_json, tell


@click.command(short_help="Compare two hypnograms of any format.")
@click.argument("a", type=PATH)
@click.argument("b", type=PATH)
@reading_option
@click.option("--read-b-as", "reading_b", metavar="READING", callback=check_reading, help="The same for B.")
@click.option("--diff", is_flag=True, help="Also write both line by line, what differs marked (and coloured).")
@json_option
def compare(a: Path, b: Path, reading: str | None, reading_b: str | None, diff: bool, as_json: bool) -> None:
    """Compare two hypnograms of any format, laid over each other by clock time; A is taken as the truth."""
    from sleepviewer.analysis.agreement import agreement
    from sleepviewer.analysis.diff import diff_text
    from sleepviewer.analysis.errors import compare as lay_side_by_side
    from sleepviewer.archive.tracks import read_any_track
    from sleepviewer.hypnogram import align, to_hypnogram

    track_a, track_b = read_any_track(a, reading), read_any_track(b, reading_b)
    if track_a.whole_only:  # A does not know its place in the night, so it must fit B as a whole
        second = to_hypnogram(track_b)
        first = align(track_a, start=second.start, n_epochs=len(second), name=b.name)
    else:
        first = to_hypnogram(track_a)
        second = align(track_b, start=first.start, n_epochs=len(first), name=a.name)
    result = agreement(first.stages, second.stages)
    notes = (*first.notes, *second.notes)
    tell(notes)
    if as_json:
        print_json({"a": str(a), "b": str(b), **result.as_full_dict(), "notes": list(notes)})
    else:
        click.echo(agreement_text(result.as_dict()))
        if diff:
            both = lay_side_by_side(first.stages, second.stages, start=first.start)
            # click takes the colours out again where the output is no terminal
            click.echo(diff_text(both, ansi=True, names=("A", "B")), nl=False)


def agreement_text(result: dict[str, Any]) -> str:
    """Return agreement's figures and confusion matrix in lines to read."""

    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    names = list(result["f1"])
    rows = [
        f"{name:>5} " + "".join(f"{n:6d}" for n in row) for name, row in zip(names, result["confusion"], strict=True)
    ]
    return "\n".join(
        (
            f"agreement over {result['epochs']} epochs: accuracy {number(result['accuracy'])}, "
            f"κ {number(result['kappa'])}, macro-F1 {number(result['macro_f1'])}",
            "F1: " + "  ".join(f"{name} {number(value)}" for name, value in result["f1"].items()),
            "rows: truth, columns: the other",
            "      " + "".join(f"{name:>6}" for name in names),
            *rows,
        )
    )
