"""Export many saved reviews into a folder, with a manifest that says what was made of what.

A night that fails costs the others nothing, and a run that was broken off goes on where it stopped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from sleepviewer.archive.archive import NOT_CORRECTED, ScoringArchive, read_archive, read_meta
from sleepviewer.datasets.manifest import MANIFEST, Line, read_manifest, write_manifest
from sleepviewer.errors import ArchiveError, OutputError, SleepViewerError
from sleepviewer.files import sha256_of
from sleepviewer.recording.formats import recording_endings
from sleepviewer.review.companions import find_references
from sleepviewer.review.exporting import ExportOptions, recording_name, write_export
from sleepviewer.review.opening import open_night
from sleepviewer.review.saving import make_archive

_NO_NAME: Final = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


@dataclass(frozen=True, slots=True)
class FolderExport:
    """Which reviews to export, as what, and where to.

    ``sources`` are folders of saved reviews and single ones; ``out`` is a folder, made where it is not there.
    Recordings are looked for in ``recordings`` and then beside the review; ``channel`` takes another one's signal than
    the review names. With ``only_reviewed``, nights in which nobody has corrected anything are left out.
    """

    sources: tuple[Path, ...]
    out: Path
    options: ExportOptions
    recordings: Path | None = None
    channel: str | None = None
    only_reviewed: bool = False
    replace: bool = False

    @property
    def asked(self) -> dict[str, Any]:
        """What a manifest says was asked for of each night, as JSON-ready values."""
        return {**self.options.as_dict(), "channel": self.channel}


@dataclass(slots=True)
class FolderExported:
    """What came of it: manifest lines of the nights that were ``exported`` now or are ``kept`` from before.

    ``left_out`` and ``failed`` give the reason by night; ``cancelled`` says that the nights after these were not looked
    at.
    """

    folder: Path
    exported: dict[str, Line] = field(default_factory=dict)
    kept: dict[str, Line] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    cancelled: bool = False

    @property
    def nights(self) -> dict[str, Line]:
        """Lines of all nights that are in the folder as they were asked for."""
        return dict(sorted((self.exported | self.kept).items()))

    @property
    def summary(self) -> str:
        """A sentence for whoever waited."""
        epochs, edited = (sum(line[key] for line in self.nights.values()) for key in ("epochs", "edited"))
        said = [f"{len(self.exported)} {'night' if len(self.exported) == 1 else 'nights'} exported"]
        said += [f"{len(self.kept)} there already"] if self.kept else []
        said += [f"{len(self.left_out)} left out"] if self.left_out else []
        said += [f"{len(self.failed)} failed"] if self.failed else []
        stopped = "Stopped: " if self.cancelled else ""
        return f"{stopped}{', '.join(said)}; {epochs:,} epochs, {edited:,} of them corrected, in {self.folder}"

    def trouble(self) -> str:
        """Return a sentence on the nights that failed, or on there being none; else nothing."""
        if self.failed:
            night, reason = next(iter(self.failed.items()))
            more = "" if len(self.failed) == 1 else f" (and {len(self.failed) - 1} more, see {MANIFEST})"
            return f"{len(self.failed)} nights were not exported: {night}: {reason}{more}"
        if not self.nights and not self.cancelled:
            return f"No night was exported to {self.folder}: {next(iter(self.left_out.values()), 'there is none.')}"
        return ""


def corrected_share(archive: ScoringArchive) -> float:
    """Return which share of all epochs of the recording has a corrected label: one that somebody set or accepted."""
    return float(np.mean(archive.night_corrected != NOT_CORRECTED)) if archive.n_epochs else 0.0


def is_reviewed(archive: ScoringArchive) -> bool:
    """Whether a night counts as reviewed: at least one of its epochs has a corrected label."""
    return corrected_share(archive) > 0


def export_folder(
    wanted: FolderExport,
    *,
    tell: Callable[[int, int, str], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> FolderExported:
    """Export the reviews; ``tell`` hears nights done, nights in all, and the name of the one to come.

    Of several reviews of one recording, the one that was saved last is exported. ``manifest.jsonl`` is written after
    every night: a line for each, with its file, or ``left_out`` or ``failed`` and the reason. A file that is there is
    kept where it is of the same review and options, written over with ``replace``, and else that night fails.

    Raises ArchiveError where there is no review, OutputError where the folder can't be written, is one that is read
    from, or holds something else's manifest, DatasetError where its manifest is damaged.
    """
    reviews = find_reviews(wanted.sources)
    lines = _begin(wanted, reviews)
    result = FolderExported(wanted.out)
    newest, metas = _survey(reviews)
    for done, (review, night) in enumerate(_names(reviews).items()):
        if cancelled():
            result.cancelled = True
            break
        if tell is not None:
            tell(done, len(reviews), night)
        line, what = _one(wanted, review, night, metas[review], newest, lines.get(night))
        getattr(result, what)[night] = line if what in ("exported", "kept") else line[what]
        if what == "exported" or (what != "kept" and not _still_there(wanted.out, lines.get(night))):
            lines[night] = line
            write_manifest(wanted.out, lines)
    if tell is not None and not result.cancelled:
        tell(len(reviews), len(reviews), "")
    return result


def find_reviews(sources: Sequence[Path]) -> tuple[Path, ...]:
    """Return the npz files that are named or lie in the folders that are named, in order.

    Raises ArchiveError where a name leads nowhere, or there is none.
    """
    found: dict[Path, Path] = {}
    for source in sources:
        if not source.exists():
            raise ArchiveError(f"{source} is not there; name saved reviews (npz) or a folder of them.")
        for path in sorted(source.glob("*.npz")) if source.is_dir() else [source]:
            found.setdefault(path.resolve(), path)
    if not found:
        raise ArchiveError(f"There is no saved review (npz) in {', '.join(map(str, sources))}.")
    return tuple(found.values())


def export_review(wanted: FolderExport) -> Line:
    """Export the one review that is named to ``out``, here a file; return what a manifest would say of it.

    Raises ArchiveError where there is not one review, nobody has corrected it and that was asked for, or its signal
    can't be had; OutputError where the file can't be written, is there already, or is one of the night's own.
    """
    (review,) = find_reviews(wanted.sources)
    if read_meta(review) is None:
        raise ArchiveError(f"{review.name} is no review that SleepViewer saved.")
    archive = read_archive(review)
    if wanted.only_reviewed and not is_reviewed(archive):
        raise ArchiveError(f"Nobody has corrected a label in {review.name}.")
    recording = _find_recording(wanted, review, archive)
    beside = () if recording is None else (recording, *find_references(recording).paths)
    for source in (review, *beside):
        if wanted.out.exists() and wanted.out.samefile(source):
            raise OutputError(f"{wanted.out} is one of the night's own files and was not written over.")
    line: Line = {"review": {"file": review.name, "sha256": sha256_of(review)}}
    return {**line, **_write(wanted, review, archive, wanted.out, None)}


# -- before the work


def _begin(wanted: FolderExport, reviews: Sequence[Path]) -> dict[str, Line]:
    """Make the folder, and return what its manifest says so far."""
    out = wanted.out
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {out} can't be made: {error.strerror or error}.") from error
    read_from = {review.resolve().parent for review in reviews}
    read_from |= {wanted.recordings.resolve()} if wanted.recordings is not None else set()
    if out.resolve() in read_from:
        raise OutputError(f"{out} is a folder that is read from; name another one to export to.")
    lines = read_manifest(out)
    if any("review" not in line for line in lines.values()):
        raise OutputError(f"{out} holds a data set that was not exported from reviews; choose another folder.")
    write_manifest(out, lines)  # finds out before the work that the folder can't be written
    return lines


def _survey(reviews: Sequence[Path]) -> tuple[dict[tuple[str, ...], Path], dict[Path, Mapping[str, Any] | str | None]]:
    """Return the newest review of each recording, and each file's ``meta``: a sentence where it can't be read."""
    newest: dict[tuple[str, ...], tuple[int, Path]] = {}
    metas: dict[Path, Mapping[str, Any] | str | None] = {}
    for review in reviews:
        try:
            metas[review] = meta = read_meta(review)
            changed = review.stat().st_mtime_ns
        except (ArchiveError, OSError) as error:
            metas[review] = str(error)
            continue
        if meta is not None and (key := _recording_key(meta)):
            newest[key] = max(newest.get(key, (changed, review)), (changed, review))
    return {key: path for key, (_, path) in newest.items()}, metas


def _recording_key(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """Tell recordings apart: by content where that is known, else by name and start; empty where it has none."""
    recording = meta.get("recording")
    if not isinstance(recording, dict):
        return ()
    sha256 = recording.get("sha256")
    return (str(sha256),) if sha256 else (str(recording.get("name")), str(recording.get("start")))


def _names(reviews: Sequence[Path]) -> dict[Path, str]:
    """Give every night a name of its own that is one plain part of a path everywhere."""
    names: dict[Path, str] = {}
    for review in reviews:
        plain = _NO_NAME.sub("_", review.stem).lstrip(".") or "night"
        candidates = (plain, *(f"{plain}-{number}" for number in range(2, len(reviews) + 2)))
        taken = {name.lower() for name in names.values()}
        names[review] = next(name for name in candidates if name.lower() not in taken)
    return names


# -- one night


def _one(
    wanted: FolderExport,
    review: Path,
    night: str,
    meta: Mapping[str, Any] | str | None,
    newest: Mapping[tuple[str, ...], Path],
    earlier: Line | None,
) -> tuple[Line, str]:
    """Export a night, or keep what is there; return its line and ``exported``, ``kept``, ``left_out`` or ``failed``.

    Raises OutputError alone, where the manifest's folder is gone.
    """
    line: Line = {"night": night, "review": {"file": review.name}}
    if meta is None:
        return line | {"left_out": f"{review.name} is no review that SleepViewer saved."}, "left_out"
    if isinstance(meta, str):
        return line | {"failed": meta}, "failed"
    last = newest.get(_recording_key(meta), review)
    if last != review:
        return line | {"left_out": f"{last.name} is a newer review of the same recording."}, "left_out"
    try:
        line["review"]["sha256"] = sha256_of(review)
        archive = read_archive(review)
        if wanted.only_reviewed and not is_reviewed(archive):
            return line | {"left_out": f"Nobody has corrected a label in {review.name}."}, "left_out"
        if _is_kept(wanted, line, earlier):
            assert earlier is not None
            return earlier, "kept"
        written = _write(wanted, review, archive, wanted.out / _file_name(night, wanted.options), earlier)
    except SleepViewerError as error:
        return line | {"failed": str(error)}, "failed"
    except Exception as error:  # whatever is wrong with one night must not cost the others
        trouble = f"{review.name} made SleepViewer stumble ({type(error).__name__}: {error}); report it."
        return line | {"failed": trouble}, "failed"
    return {**line, **written}, "exported"


def _write(wanted: FolderExport, review: Path, archive: ScoringArchive, target: Path, earlier: Line | None) -> Line:
    _check_may_write(target, earlier, replace=wanted.replace)
    whole, notes = _whole(wanted, review, archive)
    written = write_export(whole, target, wanted.options)
    share = round(corrected_share(archive), 4)
    return {**written, "options": wanted.asked, "corrected_share": share, "notes": notes}


def _file_name(night: str, options: ExportOptions) -> str:
    """Training takes the night's name from the file's; a hypnogram must not pass for the expert's."""
    return f"{night}{'' if options.format.has_signal else '-labels'}{options.format.endings[0]}"


def _is_kept(wanted: FolderExport, line: Line, earlier: Line | None) -> bool:
    """Whether a night was exported before from the same review, as it would be now, and nobody has touched it."""
    if earlier is None:
        return False
    same = earlier.get("review") == line["review"] and earlier.get("options") == wanted.asked
    target = wanted.out / _file_name(line["night"], wanted.options)
    try:
        return same and earlier.get("file") == target.name and sha256_of(target) == earlier.get("sha256")
    except OSError:
        return False


def _still_there(out: Path, earlier: Line | None) -> bool:
    """Whether the manifest says of an earlier file what is still true: a failure now does not take it away."""
    if earlier is None or "file" not in earlier:
        return False
    try:
        return sha256_of(out / Path(str(earlier["file"])).name) == earlier.get("sha256")
    except OSError:
        return False


def _check_may_write(target: Path, earlier: Line | None, *, replace: bool) -> None:
    if not (target.exists() or target.is_symlink()):
        return
    if target.is_symlink() or not target.is_file():
        raise OutputError(f"{target} is a link or no file and was not written over; move it away.")
    if not replace:
        raise OutputError(f"{target} is there already, with other content; move it away, or ask to write over it.")
    was_exported = earlier is not None and earlier.get("file") == target.name
    if target.suffix == ".npz" and not was_exported and (read_meta(target) or {}).get("edits"):
        raise OutputError(f"{target} holds corrections and was not exported from here; move it away.")


def _whole(wanted: FolderExport, review: Path, archive: ScoringArchive) -> tuple[ScoringArchive, list[str]]:
    """Return the night with its signal, from the recording where that is found, else from the review itself."""
    if not wanted.options.format.has_signal:
        return archive, list(archive.notes)
    recording = _find_recording(wanted, review, archive)
    if recording is not None:
        night = open_night(recording, labels_path=review, look_beside=False)
        try:
            if night.foreign_review:
                raise ArchiveError(night.foreign_review)
            if wanted.channel is not None:
                night.channel = night.recording.channel(wanted.channel).label
            whole = make_archive(night)
            night.recording.check_unchanged()
        finally:
            night.recording.close()
        # The labels are those of whoever saved the review, not of whoever exports it.
        saved = {key: archive.meta[key] for key in ("scorer", "dataset") if key in archive.meta}
        return replace(whole, meta={**whole.meta, **saved}), list(night.notes)
    name = recording_name(archive) or "the recording"
    if not len(archive) or wanted.channel not in (None, archive.ch_label):
        why = "the review holds no signal" if not len(archive) else f"the review holds “{archive.ch_label}” alone"
        raise ArchiveError(f"{name} was not found and {why}; name the folder of the recordings.")
    return archive, [f"{name} was not found: the signal, and the epochs that have one, are the review's own."]


def _find_recording(wanted: FolderExport, review: Path, archive: ScoringArchive) -> Path | None:
    """Return the recording that a review names, or one that is called as the review is, or None."""
    name = recording_name(archive)
    folders = [folder for folder in (wanted.recordings, review.parent) if folder is not None]
    for folder in folders:
        if name not in ("", ".", "..") and (folder / name).is_file():
            return folder / name
    for folder in folders:
        there = [folder / f"{review.stem}{ending}" for ending in recording_endings()]
        if found := next((path for path in there if path.is_file()), None):
            return found
    return None
