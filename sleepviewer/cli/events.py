"""``sleepviewer export-events`` and ``suggest-events``: a review's events as files, and a detector's suggestions."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sleepviewer.cli.answers import reading_option, unit_option
from sleepviewer.cli.options import PATH, check_out, json_option, overwrite_option, print_json

if TYPE_CHECKING:
    from sleepviewer.recording import ToldUnit


@click.command("export-events", short_help="Write a review's events as EDF+ annotations or CSV.")
@click.argument("review", type=PATH)
@click.argument("out", type=PATH)
@click.option(
    "--origin",
    type=click.Choice(["all", "expert", "suggested"]),
    default="all",
    show_default=True,
    help="Whose events: those that an expert drew or accepted, those that a detector suggests, or both.",
)
@overwrite_option
@json_option
def export_events(review: Path, out: Path, origin: str, overwrite: bool, as_json: bool) -> None:
    """Write the events of a saved review (npz) to OUT: .edf as EDF+ annotations, .csv or .tsv as a table.

    The recording itself is not needed.
    """
    from sleepviewer.archive.archive import read_archive
    from sleepviewer.review.event_files import ENDINGS, events_of, write_events
    from sleepviewer.review.events import in_order

    check_out(out, review, endings=ENDINGS, overwrite=overwrite)
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
        print_json({"out": str(out), "events": len(chosen), "kinds": kinds})
    else:
        counts = ", ".join(f"{kind} {count}" for kind, count in kinds.items()) or "none"
        click.echo(f"{out} written: {len(chosen)} events ({counts})", err=True)


@click.command("suggest-events", short_help="Look for spindles and slow waves with YASA.")
@click.argument("night", type=PATH)
@click.argument("out", type=PATH)
@click.option(
    "--labels",
    type=PATH,
    help="Hypnogram or saved review (npz): look in its N2 and N3 alone (default: the one beside the night, if any).",
)
@click.option("--whole-night", is_flag=True, help="Look in all stages, whatever the labels say.")
@click.option("--channel", "channels", multiple=True, help="EEG channel; may be repeated (default: the proposed one).")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(["spindle", "slow wave"]),
    multiple=True,
    help="What to look for; may be repeated (default: both).",
)
@unit_option
@reading_option
@overwrite_option
@json_option
def suggest_events(
    night: Path,
    out: Path,
    labels: Path | None,
    whole_night: bool,
    channels: tuple[str, ...],
    kinds: tuple[str, ...],
    units: tuple[ToldUnit, ...],
    reading: str | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Look for spindles and slow waves in NIGHT and write them to OUT (.edf, .csv or .tsv), marked as suggested."""
    from sleepviewer.review.event_files import ENDINGS, write_events
    from sleepviewer.review.exporting import check_export_path
    from sleepviewer.review.night import set_truth_from
    from sleepviewer.review.opening import open_night
    from sleepviewer.review.saving import is_review_of, restore_review
    from sleepviewer.review.suggestions import take_up
    from sleepviewer.scoring.detection import DetectionRequest, Detector, detect, detectable, nothing_found

    check_out(out, night, labels, endings=ENDINGS, overwrite=overwrite)
    opened = open_night(night, look_beside=labels is None, units=units, reading=reading)
    if labels is not None and is_review_of(opened, labels):
        restore_review(opened, labels)
    elif labels is not None:
        set_truth_from(opened, labels, reading)
    check_export_path(opened, out, replace=overwrite)
    possible = [channel.label for channel in detectable(opened.recording)]
    proposed = opened.channel if opened.channel in possible else possible[0]
    stages = opened.document.labels
    restricted = not whole_night and bool((stages >= 0).any())
    request = DetectionRequest(
        night,
        channels or (proposed,),
        tuple(map(Detector, kinds)) or tuple(Detector),
        stages if restricted else None,
    )
    detection = detect(opened.recording, request)
    for event in opened.document.events:  # what is written is what was found, not what the review holds
        opened.document.remove_event(event.id)
    take_up(opened.document, detection)
    for note in (*opened.notes, *detection.notes):
        click.echo(f"note: {note}", err=True)
    if not detection.found:
        click.echo(f"note: {nothing_found(detection, restricted=restricted)}", err=True)
    events = opened.document.events
    recording = opened.recording
    write_events(events, out, start=recording.start, scorer=detection.detector, simulated=recording.simulated)
    found = {kind: sum(event.kind == kind for event in events) for kind in map(str, request.detectors)}
    if as_json:
        values = {"out": str(out), "kinds": found, "channels": list(request.channels), "detector": detection.detector}
        print_json(values | {"restricted": restricted, "seconds": detection.seconds})
    else:
        where = "in N2 and N3" if restricted else "in all stages"
        counts = ", ".join(f"{kind} {count}" for kind, count in found.items())
        click.echo(f"{out} written: {counts}, {where}, on {', '.join(request.channels)}", err=True)
