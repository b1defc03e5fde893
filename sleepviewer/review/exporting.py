"""Export the labels that count, for training or as a hypnogram, and destroy nothing by it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

import sleepviewer
from sleepviewer.archive.archive import NOT_CORRECTED, ScoringArchive, read_archive, write_archive, write_attnsleep
from sleepviewer.archive.build import trim_wake
from sleepviewer.archive.tracks import all_formats
from sleepviewer.errors import ArchiveError, OutputError, ReviewInTheWayError
from sleepviewer.files import ending_of, sha256_of, unsupported_extension
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.hypnogram.formats import Export
from sleepviewer.review.event_files import events_of, write_events
from sleepviewer.review.events import Event
from sleepviewer.review.lights import Lights
from sleepviewer.review.night import Night
from sleepviewer.review.saving import check_not_source, is_review_of, lights_of, make_archive, stamp_of
from sleepviewer.stages import SCORED_STAGES, Stage, StageArray


class Format(str):
    """Name of what labels are written as: one of the exports in the table of formats.

    ``attnsleep`` and ``archive`` are npz files with the signal, for training; ``archive`` has all layers and their
    history besides. The others are hypnograms. Raises ValueError for another name.
    """

    __slots__ = ()

    ATTNSLEEP: ClassVar[Format]
    ARCHIVE: ClassVar[Format]
    EDF: ClassVar[Format]
    CSV: ClassVar[Format]
    TXT: ClassVar[Format]

    def __new__(cls, name: str) -> Self:
        """Return the name of an export that there is."""
        if name not in _by_id():
            raise ValueError(f"“{name}” is no format; the formats are {', '.join(_by_id())}")
        return super().__new__(cls, name)

    @property
    def export(self) -> Export:
        """The format's row in the table."""
        return _by_id()[self]

    @property
    def endings(self) -> tuple[str, ...]:
        """Endings of such a file's name, the usual one first."""
        return self.export.endings

    @property
    def has_signal(self) -> bool:
        """Whether it is made for training, and so holds the signal."""
        return self.export.has_signal


def export_formats() -> tuple[Format, ...]:
    """Return all that labels can be written as, in the order of the table."""
    return tuple(Format(name) for name in _by_id())


def export_endings() -> tuple[str, ...]:
    """Return the endings of all that labels can be written as."""
    return tuple(dict.fromkeys(ending for export in _by_id().values() for ending in export.endings))


def _by_id() -> dict[str, Export]:
    return {export.id: export for known in all_formats() for export in known.exports}


Format.ATTNSLEEP, Format.ARCHIVE = Format("attnsleep"), Format("archive")
Format.EDF, Format.CSV, Format.TXT = Format("edf"), Format("csv"), Format("txt")


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """As what, and which epochs: all that have a label, or ``only_edited``, those with a corrected one.

    A label is corrected where somebody has set it or accepted the model's by hand, also where it is the same as before.
    ``trim_wake_min`` keeps so many minutes of wake around sleep (None: all); a hypnogram is never trimmed.
    """

    format: Format
    only_edited: bool = False
    trim_wake_min: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self) | {"format": str(self.format)}

    @property
    def narrowed(self) -> bool:
        """Whether epochs may be left out that have a label."""
        return self.only_edited or (self.trim_wake_min is not None and self.format.has_signal)


def format_of(path: Path) -> Format:
    """Return the format that a file's name asks for, by its longest ending; of the two for training the archive.

    Raises OutputError for the ending of no format.
    """
    ending = ending_of(path, export_endings())
    if not ending:
        raise OutputError(f"{path} was not written: {unsupported_extension(export_endings())}.")
    return next(kind for kind in export_formats() if ending in kind.endings)


# -- one night


def export_labels(
    night: Night, path: Path, *, options: ExportOptions | None = None, replace: bool = False
) -> dict[str, Any]:
    """Write the labels that count, by default all of them in the format of the file's name; return what was written.

    What is returned is the file's line of a manifest (see :func:`described`). Raises what :func:`check_export_path`
    does; OutputError where the file can't be written, its name does not end as the format's do, or no epoch is left to
    export; ChannelError, RecordingError where the signal is asked for and can't be had.
    """
    options = options or ExportOptions(format_of(path))
    check_export_path(night, path, options=options, replace=replace)
    archive = make_archive(night, signal=options.format.has_signal)
    if options.format.has_signal:
        night.recording.check_unchanged()
    line = write_export(archive, path, options)
    if path == night.saved_path:
        night.saved_stamp = stamp_of(path)
    return line


def export_events(night: Night, path: Path, *, replace: bool = False) -> None:
    """Write the night's events, the suggested ones as such: ``.edf`` as EDF+ annotations, ``.csv`` as a table.

    Raises what :func:`check_export_path` does, and OutputError where the file can't be written.
    """
    check_export_path(night, path, replace=replace)
    document, recording = night.document, night.recording
    write_events(document.events, path, start=recording.start, scorer=document.scorer, simulated=recording.simulated)


def write_export(archive: ScoringArchive, path: Path, options: ExportOptions) -> dict[str, Any]:
    """Write of an archive what the options choose, whole or not at all; return the file's line of a manifest.

    Whether the file may be written over is for the caller to say. Raises OutputError where it can't be written, its
    name does not end as the format's do, or no epoch is left to export.
    """
    kind = options.format
    if ending_of(path, export_endings()) not in kind.endings:
        raise OutputError(f"{path} was not written as “{kind}”: {unsupported_extension(kind.endings)}.")
    chosen = chosen_epochs(archive.night_labels, archive.night_corrected, options)
    part = _part_of(archive, chosen, options)
    labels = np.where(chosen, archive.night_labels, np.int8(Stage.UNKNOWN))
    written = part.y if options.format.has_signal else labels
    if not (written != Stage.UNKNOWN).any() and (options.narrowed or kind == Format.ATTNSLEEP):
        what = "was corrected" if options.only_edited else "has both a stage and a signal"
        raise OutputError(f"{path} was not written, because no epoch of {recording_name(archive) or 'it'} {what}.")
    if kind == Format.ATTNSLEEP:
        write_attnsleep(path, part)
    elif kind.export.write is None:
        write_archive(path, part)
    else:
        scorer = str(archive.meta.get("scorer") or "")
        hypnogram = Hypnogram(labels, archive.start, source=recording_name(archive), scorer=scorer)
        kind.export.write(hypnogram, path, simulated=_recording(archive).get("simulated") is True)
    return described(part, labels, path, options)


def chosen_epochs(labels: StageArray, corrected: StageArray, options: ExportOptions) -> NDArray[np.bool_]:
    """Return which of the night's epochs the options ask for, ``bool [N]``, whether or not they have a label.

    ``labels``, ``int8 [N]``, are those that count, ``corrected``, ``int8 [N]``, NOT_CORRECTED where nothing was said.
    """
    chosen = np.ones(len(labels), dtype=bool)
    if options.trim_wake_min is not None and options.format.has_signal:
        first, stop = trim_wake(labels, options.trim_wake_min)
        chosen[:first] = chosen[stop:] = False
    if options.only_edited:
        chosen &= corrected != NOT_CORRECTED
    return chosen


def _part_of(archive: ScoringArchive, chosen: NDArray[np.bool_], options: ExportOptions) -> ScoringArchive:
    """Return the archive with the chosen epochs alone to train on; the night's layers stay whole."""
    if not options.narrowed:
        return archive
    rows = chosen[archive.epoch_index]
    return replace(
        archive,
        x=archive.x[rows],
        y=archive.y[rows],
        epoch_index=archive.epoch_index[rows],
        y_expert=archive.y_expert[rows],
        y_model=archive.y_model[rows],
        proba=archive.proba[rows],
        edited=archive.edited[rows],
        meta={**archive.meta, "export": options.as_dict()},
    )


# -- what a manifest says


def described(part: ScoringArchive, labels: StageArray, path: Path, options: ExportOptions) -> dict[str, Any]:
    """Return what a manifest says of a file that was written, as JSON-ready values.

    ``part`` is what of the night it holds; ``labels``, ``int8 [N]``, are those of a hypnogram. Names are plain: they
    lead nowhere.
    """
    written, edited = part.y, part.edited
    if not options.format.has_signal:
        written, edited = labels[labels != Stage.UNKNOWN], (part.night_corrected >= 0) & (labels != Stage.UNKNOWN)
    recording, model, dataset = _recording(part), part.meta.get("model"), part.meta.get("dataset")
    return {
        "file": path.name,
        "sha256": sha256_of(path),
        "subject": str(dataset.get("subject") or "") if isinstance(dataset, dict) else "",
        "recording": {
            "name": recording_name(part),
            "sha256": recording.get("sha256"),
            "start": recording.get("start"),
            "n_epochs": part.n_epochs,
            "simulated": recording.get("simulated") is True,
        },
        "scorer": part.meta.get("scorer"),
        "base": part.meta.get("base"),
        "model": model if isinstance(model, dict) else None,
        "channel": part.ch_label if options.format.has_signal else None,
        "fs": part.fs if options.format.has_signal else None,
        "epochs": len(written),
        "edited": int(edited.sum()),
        "stages": {stage.label: int((written == stage).sum()) for stage in SCORED_STAGES},
        "options": options.as_dict(),
        "software": f"SleepViewer {sleepviewer.__version__}",
        "exported": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def recording_name(archive: ScoringArchive) -> str:
    """Return the name of an archive's recording without any folder, or nothing."""
    name = _recording(archive).get("name")
    return name.replace("\\", "/").rsplit("/", 1)[-1] if isinstance(name, str) else ""


def _recording(archive: ScoringArchive) -> dict[str, Any]:
    recording = archive.meta.get("recording")
    return recording if isinstance(recording, dict) else {}


# -- what an export must not destroy


def check_export_path(night: Night, path: Path, *, options: ExportOptions | None = None, replace: bool = False) -> None:
    """Raise OutputError where an export would destroy something.

    That is always the recording, the expert's hypnogram, and an archive (ReviewInTheWayError) with corrections, flags,
    events or lights that this night does not have, or that the export leaves out; and, unless the user was asked
    (``replace``), whatever else is there, but for an archive that loses nothing.
    """
    check_not_source(night, path)
    if not path.exists():
        return
    whole = options is None or (options.format == Format.ARCHIVE and not options.narrowed)
    lost = _said_elsewhere(night, path, kept=whole)
    if not whole and path == night.saved_path:
        raise ReviewInTheWayError(f"{path} is the saved review and was not written over; choose another name.")
    if lost:
        whose = "this night" if whole else "the export"
        raise ReviewInTheWayError(
            f"{path} was not written over: it holds {lost} that {whose} does not. Choose another name."
        )
    if (lost is None or not whole) and not replace:
        raise OutputError(f"{path} is there already and was not written over; choose another name.")


def _said_elsewhere(night: Night, path: Path, *, kept: bool = True) -> str | None:
    """Name what an archive says that the night does not (empty: nothing); None where it is no archive.

    Unless what the night says is ``kept``, that counts too.
    """
    try:
        archive = read_archive(path) if path.suffix.lower() == ".npz" else None
    except ArchiveError:
        archive = None
    if archive is None or not archive.meta:
        return None
    theirs, ours = archive.night_corrected, night.document.corrected
    said = (theirs != NOT_CORRECTED) | archive.night_flagged
    events = {_place(event) for event in events_of(archive)[0] if not event.suggested}
    lights = lights_of(archive, path)[0]
    if kept and len(theirs) == len(ours) and is_review_of(night, path):
        lights = Lights() if lights == night.document.lights else lights
        said = ((theirs != NOT_CORRECTED) & (theirs != ours)) | (archive.night_flagged & ~night.document.flagged)
        events -= {_place(event) for event in night.document.events}
    epochs = int(said.sum())
    counts = ((epochs, "corrected or flagged epochs"), (len(events), "events"))
    told = [f"{count} {what}" for count, what in counts if count]
    told += ["lights off and on"] if lights != Lights() else []
    return " and ".join(told)


def _place(event: Event) -> tuple[str, float, float, str | None]:
    return event.kind, event.start_s, event.stop_s, event.channel
