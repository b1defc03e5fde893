"""``sleepviewer export-events`` and ``suggest-events``: a review's events as files, and a detector's suggestions."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from sleepviewer.errors import OutputError

_path = click.Path(path_type=Path)
_overwrite = click.option("--overwrite", is_flag=True, help="Write over a file that is there (never over the review).")


@click.command("export-events", short_help="Write a review's events as EDF+ annotations or CSV.")
@click.argument("review", type=_path)
@click.argument("out", type=_path)
@click.option(
    "--origin",
    type=click.Choice(["all", "expert", "suggested"]),
    default="all",
    show_default=True,
    help="Whose events: those that an expert drew or accepted, those that a detector suggests, or both.",
)
@_overwrite
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else.")
def export_events(review: Path, out: Path, origin: str, overwrite: bool, as_json: bool) -> None:
    """Write the events of a saved review (npz) to OUT: .edf as EDF+ annotations, .csv or .tsv as a table.

    The recording itself is not needed.
    """
    from sleepviewer.archive.archive import read_archive
    from sleepviewer.review.event_files import events_of, write_events
    from sleepviewer.review.events import in_order

    check_out(out, review, overwrite=overwrite)
    archive = read_archive(review)
    events, damaged = events_of(archive)
    if damaged:
        click.echo(f"note: {damaged} of the events in {review.name} are damaged and were left out", err=True)
    chosen = in_order(event for event in events if origin in ("all", str(event.origin)))
    recording = archive.meta.get("recording")
    simulated = isinstance(recording, dict) and recording.get("simulated") is True
    scorer = archive.meta.get("scorer")
    write_events(
        chosen, out, start=archive.start, scorer=scorer if isinstance(scorer, str) else "", simulated=simulated
    )
    kinds = dict(sorted(Counter(event.kind for event in chosen).items()))
    if as_json:
        click.echo(json.dumps({"out": str(out), "events": len(chosen), "kinds": kinds}, ensure_ascii=False))
    else:
        counts = ", ".join(f"{kind} {count}" for kind, count in kinds.items()) or "none"
        click.echo(f"{out} written: {len(chosen)} events ({counts})", err=True)


def check_out(out: Path, *inputs: Path, overwrite: bool) -> None:
    """Raise OutputError where a file of events can't be written to ``out``, or would replace another."""
    from sleepviewer.review.event_files import ENDINGS

    if out.suffix.lower() not in ENDINGS:
        raise OutputError(f"{out} was not written: end its name in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}.")
    if any(path.exists() and out.exists() and out.samefile(path) for path in inputs):
        raise OutputError(f"{out} is one of the files to read and was not written over; choose another name.")
    if out.exists() and not overwrite:
        raise OutputError(f"{out} is there already; choose another name, or write over it with --overwrite.")
