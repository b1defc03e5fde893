"""``sleepviewer consensus``: what most of several scorers of a night say, as one hypnogram."""

from __future__ import annotations

import math
from pathlib import Path

import click

from sleepviewer.cli.options import (
    PATH,
    TableOption,
    check_out,
    endings_text,
    json_option,
    overwrite_option,
    print_json,
    tell,
)


def _endings() -> tuple[str, ...]:
    from sleepviewer.hypnogram.formats import written_endings

    return written_endings()


@click.command(short_help="Make one hypnogram of several scorers' of a night.")
@click.argument("scorers", metavar="A B [C…]", type=PATH, nargs=-1, required=True)
@click.option(
    "--out",
    type=PATH,
    required=True,
    cls=TableOption,
    help_text=lambda: f"Hypnogram to write: {endings_text(_endings())}.",
)
@click.option(
    "--ties",
    default="open",
    show_default=True,
    metavar="open|by-certainty|SCORER",
    help="Where several stages have as many votes: leave the epoch unscored, take what the surer say, or what one "
    "scorer says (by name, or by number: 1 is A).",
)
@overwrite_option
@json_option
def consensus(scorers: tuple[Path, ...], out: Path, ties: str, overwrite: bool, as_json: bool) -> None:
    """Give each epoch the stage that most of the scorers give it.

    Scorers are saved reviews (npz), archives that a model scored, and hypnogram files of any format, laid over each
    other by clock time.
    """
    import numpy as np

    from sleepviewer.hypnogram import Hypnogram, write_hypnogram
    from sleepviewer.review.adjudication import adjudicate, load_raters, most_say
    from sleepviewer.stages import Stage

    check_out(out, *scorers, endings=_endings(), overwrite=overwrite)
    loaded = load_raters(scorers)
    raters = loaded.raters
    tell(loaded.notes)
    if ties.isdecimal() and 1 <= int(ties) <= len(raters):
        ties = raters[int(ties) - 1].name
    found, side_by_side = most_say(raters, ties), adjudicate(raters)
    names = " and ".join([", ".join(side_by_side.names[:-1]), side_by_side.names[-1]])
    write_hypnogram(Hypnogram(found.stages, loaded.grid.start, loaded.grid.source, f"consensus of {names}"), out)
    scored = int(np.count_nonzero(found.stages != Stage.UNKNOWN))
    tied = int(np.count_nonzero(found.tied))
    left = int(np.count_nonzero(found.tied & (found.stages == Stage.UNKNOWN)))
    if as_json:
        print_json(
            {
                "out": str(out),
                "scorers": [{"name": rater.name, "file": rater.origin} for rater in raters],
                "epochs": len(found.stages),
                "scored": scored,
                "unanimous": len(side_by_side.agreed),
                "tied": tied,
                "left_open": left,
                "ties": ties,
                "kappa": [
                    {"a": a, "b": b, "kappa": None if pair is None or math.isnan(pair.kappa) else pair.kappa}
                    for (a, b), pair in side_by_side.pairs.items()
                ],
                "fleiss_kappa": None if math.isnan(side_by_side.fleiss) else side_by_side.fleiss,
                "notes": list(loaded.notes),
            }
        )
        return
    click.echo(side_by_side.figures)
    click.echo(
        f"{len(side_by_side.agreed)} of {len(found.stages)} epochs unanimous, {tied} tied, {left} of these left open"
    )
    click.echo(f"{out} written: {scored} epochs scored", err=True)
