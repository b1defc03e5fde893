"""From recordings and hypnograms as they are published to a folder of training archives and its manifest.

Nights are made one by one, in processes of their own if asked for; memory does not grow with their number. What is
there and still fits its sources is kept, so that a preparation that was broken off goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from sleepviewer.archive.archive import NOT_CORRECTED, ScoringArchive, read_archive, write_archive
from sleepviewer.archive.build import build_archive, make_meta
from sleepviewer.datasets import shhs, sleep_edf
from sleepviewer.datasets.manifest import Line, is_prepared, read_manifest, write_manifest
from sleepviewer.datasets.selection import WAKE_MINUTES, count_stages, select_epochs
from sleepviewer.datasets.sources import ChannelWish, NightSources
from sleepviewer.errors import ArchiveError, DatasetError, OutputError, SleepViewerError
from sleepviewer.files import sha256_of
from sleepviewer.hypnogram import Hypnogram, align, read_track
from sleepviewer.recording import Recording, open_recording
from sleepviewer.recording.base import Channel
from sleepviewer.recording.units import amplitude_notes, interquartile_range
from sleepviewer.stages import Stage

_RATE_TOLERANCE_HZ: Final = 1e-6


@dataclass(frozen=True, slots=True)
class PrepareProgress:
    """A night is done: its name, how many of how many are, and its line of the manifest."""

    night: str
    done: int
    total: int
    line: Line


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is in a folder after a preparation.

    ``lines`` are the manifest's, by night; ``made``, ``kept`` and ``failed`` name the nights of this run: made now,
    there already, or not to be had.
    """

    folder: Path
    lines: dict[str, Line]
    made: tuple[str, ...]
    kept: tuple[str, ...]
    failed: tuple[str, ...]

    @property
    def epochs(self) -> int:
        """Epochs of all nights in the folder."""
        return sum(self.stages.values())

    @property
    def stages(self) -> dict[str, int]:
        """Epochs of each stage, of all nights in the folder."""
        totals = count_stages(np.empty(0, dtype=np.int8))
        for line in filter(is_prepared, self.lines.values()):
            for label in totals:
                totals[label] += line["stages"][label]
        return totals

    def trouble(self) -> str:
        """Return a sentence on the nights that failed, or nothing."""
        if not self.failed:
            return ""
        total = len(self.made) + len(self.kept) + len(self.failed)
        first = self.lines[self.failed[0]]["failed"]
        more = "" if len(self.failed) == 1 else f" (and {len(self.failed) - 1} more, see the manifest)"
        return f"{len(self.failed)} of {total} nights could not be prepared: {self.failed[0]}: {first}{more}"


def prepare_sleep_edf(
    source: Path,
    out: Path,
    *,
    channel: str = "EEG Fpz-Cz",
    jobs: int = 1,
    progress: Callable[[PrepareProgress], None] | None = None,
) -> Prepared:
    """Make a training archive of every cassette night of Sleep-EDF in a folder (and the folders in it).

    Parameters
    ----------
    source: the folder with ``SC4001E0-PSG.edf``, ``SC4001EC-Hypnogram.edf`` …
    out: the folder to write to, ``NIGHT.npz`` per night and ``manifest.jsonl``; made where it is not there.
    channel: the EEG derivation, ``EEG Fpz-Cz`` or ``EEG Pz-Oz``.
    jobs: processes that work at the same time.
    progress: told after every night.

    Nights that fail are lines of the manifest, with the reason. Raises DatasetError where ``source`` has no night or
    ``out`` holds another preparation, OutputError where ``out`` can't be written.
    """
    nights = sleep_edf.find_nights(source)
    wish = ChannelWish("sleep-edf", channel, (channel,), sleep_edf.RATE_HZ)
    return _prepare(nights, wish, out, jobs, progress)


def prepare_shhs(
    recordings: Path,
    hypnograms: Path,
    out: Path,
    *,
    channel: str = "C4-A1",
    only: Path | None = None,
    jobs: int = 1,
    progress: Callable[[PrepareProgress], None] | None = None,
) -> Prepared:
    """Make a training archive of every night of the Sleep Heart Health Study in a folder.

    As :func:`prepare_sleep_edf`, from the folders with ``shhs1-200001.edf`` and ``shhs1-200001-profusion.xml``.
    ``channel`` is a derivation, ``C4-A1`` or ``C3-A2``, or a label of the files; ``only`` a text file that names the
    nights to take, one a line.
    """
    nights = shhs.find_nights(recordings, hypnograms, only)
    return _prepare(nights, shhs.channel_wish(channel), out, jobs, progress)


# -- all nights


def _prepare(
    nights: Sequence[NightSources],
    wish: ChannelWish,
    out: Path,
    jobs: int,
    progress: Callable[[PrepareProgress], None] | None,
) -> Prepared:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {out} can't be made: {error.strerror or error}.") from error
    earlier = read_manifest(out)
    _check_same_kind(earlier, wish, out)
    asked = {sources.night for sources in nights}
    lines = {
        night: line
        for night, line in earlier.items()
        if (night in asked or is_prepared(line)) and (out / f"{night}.npz").is_file()
    }
    write_manifest(out, lines)  # finds out before the work that the folder can't be written
    results: dict[str, list[str]] = {"made": [], "kept": [], "failed": []}
    tasks = [(sources, wish, out, earlier.get(sources.night)) for sources in nights]
    for done, (line, what) in enumerate(_run(tasks, jobs), 1):
        night = line["night"]
        results[what].append(night)
        lines[night] = line
        if what != "kept" or line != earlier.get(night):
            write_manifest(out, lines)
        if progress is not None:
            progress(PrepareProgress(night, done, len(tasks), line))
    ordered = {night: lines[night] for night in sorted(lines)}
    return Prepared(out, ordered, **{what: tuple(sorted(names)) for what, names in results.items()})


def _check_same_kind(lines: dict[str, Line], wish: ChannelWish, out: Path) -> None:
    for night, line in lines.items():
        there = (line.get("dataset"), line.get("channel"))
        if is_prepared(line) and there != (wish.dataset, wish.channel):
            raise DatasetError(
                f"{out} holds {night} of {there[0]}, channel “{there[1]}”, and a folder holds one channel of one data "
                "set; prepare into another folder."
            )


_Task = tuple[NightSources, ChannelWish, Path, Line | None]


def _run(tasks: Sequence[_Task], jobs: int) -> Iterator[tuple[Line, str]]:
    """Yield each night's line and what became of it, in whatever order they are done."""
    if jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield _prepare_night(*task)
        return
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    parallel = Parallel(n_jobs=min(jobs, len(tasks)), return_as="generator_unordered", batch_size=1)
    try:
        yield from parallel(delayed(_prepare_night)(*task) for task in tasks)
    except BrokenProcessPool as error:
        raise DatasetError(
            "A process that prepared a night was ended from outside (is there enough memory?); the nights done so far "
            "are kept, and the same command goes on from there, with fewer --jobs if need be."
        ) from error


# -- one night


def _prepare_night(sources: NightSources, wish: ChannelWish, out: Path, earlier: Line | None) -> tuple[Line, str]:
    """Make a night's archive, or keep the one that is there; return its line and ``made``, ``kept`` or ``failed``.

    Raises OutputError alone: where one night can't be written, the others can't either.
    """
    target = out / f"{sources.night}.npz"
    try:
        origin = _origin(sources)
        kept = _kept(target, earlier, wish, origin)
        if kept is not None:
            return kept, "kept"
        _check_may_write(target, known=earlier is not None)
        _sweep(target)
        archive, line = _make(sources, wish, origin)
        write_archive(target, archive)
    except OutputError:
        raise
    except SleepViewerError as error:
        trouble = str(error)
    except Exception as error:  # whatever is wrong with one night must not cost the others
        trouble = f"{sources.recording.name} made SleepViewer stumble ({type(error).__name__}: {error}); report it."
    else:
        return line, "made"
    if earlier is not None and _is_prepared_here(target):
        with suppress(OSError):
            target.unlink()  # it is of sources that are no longer there: a folder of archives must not hold it
    return {"night": sources.night, "failed": trouble}, "failed"


def _origin(sources: NightSources) -> dict[str, str]:
    """Return names and hashes of the two files that a night comes from."""
    if sources.hypnogram is None:
        raise DatasetError(sources.trouble)
    origin: dict[str, str] = {}
    for kind, path in (("recording", sources.recording), ("hypnogram", sources.hypnogram)):
        try:
            origin |= {kind: path.name, f"{kind}_sha256": sha256_of(path)}
        except OSError as error:
            raise DatasetError(f"{path} can't be read: {error.strerror or error}.") from error
    return origin


def _kept(target: Path, earlier: Line | None, wish: ChannelWish, origin: dict[str, str]) -> Line | None:
    """Return the night's line where its archive is there, readable and of the same sources, else None.

    Stages are counted anew: somebody may have corrected them by hand.
    """
    if earlier is None or not is_prepared(earlier):
        return None
    if (earlier.get("dataset"), earlier.get("channel"), earlier.get("wake_minutes"), earlier.get("source")) != (
        wish.dataset,
        wish.channel,
        WAKE_MINUTES,
        origin,
    ):
        return None
    try:
        archive = read_archive(target)
    except ArchiveError:
        return None
    return earlier | {"epochs": len(archive), "stages": count_stages(archive.y)}


def _check_may_write(target: Path, *, known: bool) -> None:
    """Refuse to write over anything but an untouched archive that was prepared here."""
    if not target.exists():
        return
    try:
        archive = read_archive(target)
    except ArchiveError as error:
        if known:
            return
        raise DatasetError(f"{target} is there and is no archive that was prepared here; move it away.") from error
    if (archive.night_corrected != NOT_CORRECTED).any():
        raise DatasetError(f"{target} holds corrections made by hand and was not written over; move it away.")
    if "dataset" not in archive.meta:
        raise DatasetError(f"{target} is there and was not prepared here; move it away.")


def _sweep(target: Path) -> None:
    """Take away what a process that was killed while it wrote this archive left beside it."""
    for part in target.parent.glob(f".{target.name}.*.part"):
        with suppress(OSError):
            part.unlink()


def _is_prepared_here(target: Path) -> bool:
    try:
        archive = read_archive(target)
    except ArchiveError:
        return False
    return "dataset" in archive.meta and bool((archive.night_corrected == NOT_CORRECTED).all())


def _make(sources: NightSources, wish: ChannelWish, origin: dict[str, str]) -> tuple[ScoringArchive, Line]:
    assert sources.hypnogram is not None
    with open_recording(sources.recording) as recording:
        channel = _channel(recording, wish)
        truth = align(
            read_track(sources.hypnogram), start=recording.start, n_epochs=recording.n_epochs, name=recording.name
        )
        if (truth.stages <= Stage.W).all():
            raise DatasetError(f"{sources.hypnogram.name} scores no sleep in {recording.name}; is it of this night?")
        selection = select_epochs(truth.stages)
        archive = build_archive(
            recording,
            channel.label,
            np.where(selection.kept, truth.stages, np.int8(Stage.UNKNOWN)),
            meta=_meta(recording, truth, sources, wish, origin),
            expert=truth.stages,
            trim_wake_min=WAKE_MINUTES,
        )
        recording.check_unchanged()
    if not len(archive):
        raise DatasetError(f"No epoch of {sources.recording.name} has both a stage and a whole signal.")
    spread = interquartile_range(archive.x)
    implausible = amplitude_notes(spread, channel.label)
    line: Line = {
        "night": sources.night,
        "file": f"{sources.night}.npz",
        "dataset": wish.dataset,
        "subject": sources.subject,
        "recording_night": sources.recording_night,
        "channel": wish.channel,
        "channel_label": channel.label,
        "fs": archive.fs,
        "epochs": len(archive),
        "stages": count_stages(archive.y),
        "dropped": {
            "unscored": selection.unscored,
            "wake_trimmed": selection.wake_trimmed,
            "gap": int(selection.kept.sum()) - len(archive),
        },
        "wake_minutes": WAKE_MINUTES,
        "units": {
            "unit": "uV",
            "iqr_uv": round(spread, 3),
            "plausible": not implausible,
            "note": " ".join(implausible),
        },
        "notes": [*recording.notes, *truth.notes],
        "source": origin,
    }
    return archive, line


def _channel(recording: Recording, wish: ChannelWish) -> Channel:
    """Return the channel that is wished for, at the rate that the data set has."""
    by_name = {wish.key(channel.label): channel for channel in reversed(recording.channels)}
    channel = next((by_name[key] for label in wish.labels if (key := wish.key(label)) in by_name), None)
    if channel is None:
        channel = recording.channel(wish.channel)  # raises, with the labels that there are
    if abs(channel.rate_hz - wish.rate_hz) > _RATE_TOLERANCE_HZ:
        raise DatasetError(
            f"“{channel.label}” of {recording.name} has {channel.rate_hz:g} samples a second, and nights of this data "
            f"set have {wish.rate_hz:g}."
        )
    return channel


def _meta(
    recording: Recording, truth: Hypnogram, sources: NightSources, wish: ChannelWish, origin: dict[str, str]
) -> dict[str, Any]:
    meta = make_meta(recording, scorer=truth.scorer, base="truth", recording_sha256=origin["recording_sha256"])
    meta["truth"] = {"source": truth.source, "scorer": truth.scorer}
    meta["dataset"] = {
        "name": wish.dataset,
        "night": sources.night,
        "subject": sources.subject,
        "recording_night": sources.recording_night,
        "channel": wish.channel,
    }
    return meta
