"""``sleepviewer export``: corrected labels for training, or as hypnograms; of one night or of a folder of reviews."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sleepviewer.cli.answers import reading_option, unit_option
from sleepviewer.cli.options import (
    PATH,
    TableOption,
    check_format,
    check_out,
    endings_text,
    is_label_file,
    json_option,
    label_endings,
    overwrite_option,
    print_json,
    tell,
)
from sleepviewer.errors import ArchiveError, OutputError
from sleepviewer.files import ending_of, listed, unsupported_extension

if TYPE_CHECKING:
    from sleepviewer.recording import ToldUnit
    from sleepviewer.review.export_folder import FolderExport, FolderExported
    from sleepviewer.review.exporting import ExportOptions
    from sleepviewer.review.night import Night


def _formats_text() -> str:
    from sleepviewer.review.exporting import export_formats

    return (
        f"What is written: {listed(export_formats())} (default: what the ending of --out says, and archives into a "
        "folder)."
    )


@click.command(short_help="Write nights and their labels as npz for training, or as hypnogram files.")
@click.argument("nights", metavar="NIGHT_OR_FOLDER…", type=PATH, nargs=-1, required=True)
@click.option("--labels", type=PATH, help="Of a recording: hypnogram of any format, or a saved review (npz).")
@click.option(
    "--out",
    type=PATH,
    required=True,
    cls=TableOption,
    help_text=lambda: f"File ({endings_text(label_endings())}) for one night, else a folder.",
)
@click.option("--format", "kind", metavar="FORMAT", callback=check_format, cls=TableOption, help_text=_formats_text)
@click.option(
    "--channel", help="Channel whose signal goes into the npz (default: the review's, else the proposed one)."
)
@click.option("--recordings", type=PATH, help="Folder of the recordings (default: beside each review).")
@click.option("--only-reviewed", is_flag=True, help="Leave nights out in which nobody has corrected a label.")
@click.option("--only-edited", is_flag=True, help="Take only epochs whose label was corrected, or accepted by hand.")
@click.option("--trim-wake", type=click.FloatRange(min=0), help="Keep so many minutes of wake around sleep (npz only).")
@unit_option
@reading_option
@overwrite_option
@json_option
def export(
    nights: tuple[Path, ...],
    labels: Path | None,
    out: Path,
    kind: str | None,
    channel: str | None,
    recordings: Path | None,
    only_reviewed: bool,
    only_edited: bool,
    trim_wake: float | None,
    units: tuple[ToldUnit, ...],
    reading: str | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write signal and labels as npz that AttnSleep's loader reads, or the labels in another format.

    \b
    One night, with any hypnogram or with a review that was saved of it:
        sleepviewer export night.edf --labels night.npz --out train.npz
    All reviews of a folder, with a manifest, into another folder:
        sleepviewer export reviews --out training --format attnsleep --only-reviewed

    A night that fails does not stop the others; it is named with its reason, and the exit code is 1.
    """  # noqa: D301  (\b is click's mark for text that must not be re-wrapped)
    from sleepviewer.review.export_folder import FolderExport, export_review

    no_reviews = [path for path in nights if not path.is_dir() and path.suffix.lower() != ".npz"]
    of_recording = labels is not None or bool(no_reviews)
    to_file = len(nights) == 1 and not nights[0].is_dir() and not out.is_dir() and is_label_file(out)
    options = _options(kind, out, only_edited, trim_wake, to_file=to_file or of_recording)
    if of_recording:
        if len(nights) > 1 or labels is None:
            raise click.UsageError("a recording is exported alone and needs --labels; saved reviews (npz) do not")
        if only_reviewed or recordings is not None:
            raise click.UsageError("--only-reviewed and --recordings go with saved reviews (npz) and folders of them")
        opened = _opened(nights[0], labels, out, units, reading)
        line = _of_recording(opened, out, options, channel, overwrite=overwrite)
    elif units or reading:
        raise click.UsageError("--unit and --read-as go with a recording; saved reviews (npz) hold what was said")
    else:
        wanted = FolderExport(nights, out, options, recordings, channel, only_reviewed, overwrite)
        if not to_file:
            _of_reviews(wanted, as_json=as_json)
            return
        check_out(out, nights[0])
        line = export_review(wanted)
        tell(line["notes"])
    if as_json:
        print_json(line)
    click.echo(f"{out} written", err=True)


def _options(
    kind: str | None, out: Path, only_edited: bool, trim_wake: float | None, *, to_file: bool
) -> ExportOptions:
    from sleepviewer.review.exporting import ExportOptions, Format, format_of

    if kind is None:
        known = to_file and not out.is_dir() and is_label_file(out)
        chosen = format_of(out) if known else Format.ARCHIVE
    else:
        chosen = Format(kind)
        if to_file and not out.is_dir() and ending_of(out, label_endings()) not in chosen.endings:
            raise click.UsageError(f"--format {kind}: {unsupported_extension(chosen.endings)}")
    if trim_wake is not None and not (chosen.has_signal and (not to_file or out.suffix.lower() == ".npz")):
        raise click.UsageError("--trim-wake needs npz")
    return ExportOptions(chosen, only_edited, trim_wake)


def _opened(night: Path, labels: Path, out: Path, units: tuple[ToldUnit, ...], reading: str | None) -> Night:
    from sleepviewer.review.night import set_truth_from
    from sleepviewer.review.opening import open_night
    from sleepviewer.review.saving import is_review_of, restore_review

    check_out(out, night, labels, endings=label_endings())
    opened = open_night(night, look_beside=False, units=units)
    if is_review_of(opened, labels):
        restore_review(opened, labels)
        if opened.foreign_review:
            raise ArchiveError(opened.foreign_review)
    else:
        set_truth_from(opened, labels, reading)
        if labels.suffix.lower() == ".npz":
            opened.notes += (f"{labels.name} is no review of {night.name}; its stages were taken as an expert's.",)
    return opened


def _of_recording(
    opened: Night, out: Path, options: ExportOptions, channel: str | None, *, overwrite: bool
) -> dict[str, Any]:
    from sleepviewer.review.exporting import check_export_path, export_labels

    check_export_path(opened, out, options=options, replace=overwrite)
    if channel is not None:
        opened.channel = opened.recording.channel(channel).label
    line = export_labels(opened, out, options=options, replace=overwrite)
    tell(opened.notes)
    return line


def _of_reviews(wanted: FolderExport, *, as_json: bool) -> None:
    from sleepviewer.review.export_folder import export_folder

    def show(done: int, total: int, night: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{done}/{total} nights {night:<40.40}", nl=done == total, err=True)

    result = export_folder(wanted, tell=show)
    for night, reason in result.left_out.items():
        click.echo(f"left out: {night}: {reason}", err=True)
    for night, reason in result.failed.items():
        click.echo(f"failed: {night}: {reason}", err=True)
    for night, line in result.exported.items():
        tell(f"{night}: {note}" for note in line["notes"])
    if as_json:
        print_json(_as_dict(result))
    else:
        click.echo(result.summary)
    if trouble := result.trouble():
        raise OutputError(trouble)


def _as_dict(result: FolderExported) -> dict[str, Any]:
    return {
        "folder": str(result.folder),
        "exported": list(result.exported),
        "kept": list(result.kept),
        "left_out": result.left_out,
        "failed": result.failed,
        "nights": list(result.nights.values()),
    }
