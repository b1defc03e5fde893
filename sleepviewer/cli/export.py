"""``sleepviewer export``."""

from __future__ import annotations

from pathlib import Path

import click

from sleepviewer.cli.options import LABEL_ENDINGS, PATH, check_out, overwrite_option, tell
from sleepviewer.errors import ArchiveError


@click.command(short_help="Write a night and its labels as npz for training, or as EDF+, CSV, text.")
@click.argument("night", type=PATH)
@click.option("--labels", type=PATH, required=True, help="Hypnogram of any format, or a saved review (npz).")
@click.option("--out", type=PATH, required=True, help="Where to write: npz for training, or edf, csv, txt.")
@click.option(
    "--channel", help="Channel whose signal goes into the npz (default: the review's, else the proposed one)."
)
@click.option("--trim-wake", type=click.FloatRange(min=0), help="Keep so many minutes of wake around sleep (npz only).")
@overwrite_option
def export(night: Path, labels: Path, out: Path, channel: str | None, trim_wake: float | None, overwrite: bool) -> None:
    """Write a night's signal and labels as an npz that AttnSleep's loader reads, or its labels in another format."""
    from sleepviewer.review.night import set_truth_from
    from sleepviewer.review.opening import open_night
    from sleepviewer.review.saving import check_export_path, export_labels, is_review_of, restore_review

    if trim_wake is not None and out.suffix.lower() != ".npz":
        raise click.UsageError("--trim-wake needs an --out that ends in .npz")
    check_out(out, night, labels, endings=LABEL_ENDINGS)
    opened = open_night(night, look_beside=False)
    if is_review_of(opened, labels):
        restore_review(opened, labels)
        if opened.foreign_review:
            raise ArchiveError(opened.foreign_review)
    else:
        set_truth_from(opened, labels)
        if labels.suffix.lower() == ".npz":
            opened.notes += (f"{labels.name} is no review of {night.name}; its stages were taken as an expert's.",)
    check_export_path(opened, out, replace=overwrite)
    if channel is not None:
        opened.channel = opened.recording.channel(channel).label
    export_labels(opened, out, trim_wake_min=trim_wake, replace=overwrite)
    tell(opened.notes)
    click.echo(f"{out} written", err=True)
