"""The scoring archive: AttnSleep's npz of epochs and labels, and beside these what a review needs to go on.

AttnSleep's own loader takes ``x`` and ``y`` alone and reads these files as they are. Nothing in them is pickled.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import ArchiveError
from sleepviewer.files import atomic_writer
from sleepviewer.stages import N_STAGES, Stage, StageArray, most_likely

FORMAT: Final = "sleepviewer-archive"
VERSION: Final = 1
NOT_CORRECTED: Final = -2
"""In ``night_corrected``: the expert said nothing about the epoch."""

_HIGHEST: Final = N_STAGES - 1
_MOST_BYTES: Final = 4 << 30
"""What an archive may unpack to: 48 hours of one channel at 2 kHz take 1.3 GB."""
_MOST_EPOCHS: Final = 31 * 24 * 120
"""A month: a file that claims more is damaged, and would only fill the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoringArchive:
    """One night's labelled epochs, of which training takes ``x`` and ``y``, and the whole night's layers.

    The first group holds the n epochs that have a stage and a whole signal; the second all N epochs of the recording.

    Attributes
    ----------
    x: ``float32 [n, samples, 1]`` in µV, one channel at its own rate.
    y: ``int32 [n]``, 0 to 4, the labels that count.
    fs: samples a second; 0 in a review that was saved without a signal.
    ch_label: the channel.
    epoch_index: ``int32 [n]``, place of each epoch in the recording, rising.
    y_expert, y_model: ``int8 [n]``, -1 where there is none.
    proba: ``float32 [n, 5]`` of the model, NaN where there is none.
    edited: ``bool [n]``, corrected by hand.
    meta: where everything comes from, see :func:`sleepviewer.archive.build.make_meta`.
    night_expert: ``int8 [N]``, -1 where unscored.
    night_proba: ``float32 [N, 5]``, NaN where unscored.
    night_corrected: ``int8 [N]``, NOT_CORRECTED (-2) where nothing was said, -1 where the stage was taken away.
    night_flagged: ``bool [N]``, marked as uncertain.
    notes: sentences on what the file lacks; not written.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int32]
    fs: float
    ch_label: str
    epoch_index: NDArray[np.int32]
    y_expert: StageArray
    y_model: StageArray
    proba: NDArray[np.float32]
    edited: NDArray[np.bool_]
    meta: Mapping[str, Any]
    night_expert: StageArray
    night_proba: NDArray[np.float32]
    night_corrected: StageArray
    night_flagged: NDArray[np.bool_]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check shapes, types and ranges. Raises ArchiveError, saying which array contradicts which."""
        _check(self)

    def __len__(self) -> int:
        return len(self.y)

    @property
    def n_epochs(self) -> int:
        """Number of epochs of the whole night."""
        return len(self.night_expert)

    @property
    def start(self) -> datetime | None:
        """Clock time of the recording's first epoch, or None where the archive has none."""
        recording = self.meta.get("recording")
        start = recording.get("start") if isinstance(recording, dict) else None
        try:
            return datetime.fromisoformat(start).replace(tzinfo=None) if isinstance(start, str) else None
        except ValueError:
            return None

    @property
    def night_labels(self) -> StageArray:
        """The labels that count of the whole night, ``int8 [N]``.

        ``y`` at its places; elsewhere what was corrected, and else the base that ``meta`` names (the expert's
        hypnogram, the model's scoring, or nothing).
        """
        labels = np.full(self.n_epochs, int(Stage.UNKNOWN), dtype=np.int8)
        base = self.meta.get("base")
        if base == "truth":
            labels[:] = self.night_expert
        elif base == "model":
            labels[:] = most_likely(self.night_proba)
        corrected = self.night_corrected != NOT_CORRECTED
        labels[corrected] = self.night_corrected[corrected]
        labels[self.epoch_index] = self.y
        return labels


# -- checking


def _check(archive: ScoringArchive) -> None:
    if archive.x.ndim != 3 or archive.y.ndim != 1 or archive.night_expert.ndim != 1:
        raise ArchiveError("The array “x” should have the shape [n, samples, 1], “y” and “night_expert” one dimension.")
    n, whole = len(archive.y), len(archive.night_expert)
    arrays: tuple[tuple[str, NDArray[Any], type[np.generic], tuple[int, ...]], ...] = (
        ("x", archive.x, np.float32, (n, archive.x.shape[1], 1)),
        ("y", archive.y, np.int32, (n,)),
        ("epoch_index", archive.epoch_index, np.int32, (n,)),
        ("y_expert", archive.y_expert, np.int8, (n,)),
        ("y_model", archive.y_model, np.int8, (n,)),
        ("proba", archive.proba, np.float32, (n, N_STAGES)),
        ("edited", archive.edited, np.bool_, (n,)),
        ("night_expert", archive.night_expert, np.int8, (whole,)),
        ("night_proba", archive.night_proba, np.float32, (whole, N_STAGES)),
        ("night_corrected", archive.night_corrected, np.int8, (whole,)),
        ("night_flagged", archive.night_flagged, np.bool_, (whole,)),
    )
    for name, array, dtype, shape in arrays:
        if array.dtype != dtype or array.shape != shape:
            raise ArchiveError(
                f"The array “{name}” is {array.dtype} {list(array.shape)} where the archive's other arrays ask for "
                f"{np.dtype(dtype)} {list(shape)}."
            )
    _check_range("y", archive.y, 0, _HIGHEST)
    _check_range("y_expert", archive.y_expert, -1, _HIGHEST)
    _check_range("y_model", archive.y_model, -1, _HIGHEST)
    _check_range("night_expert", archive.night_expert, -1, _HIGHEST)
    _check_range("night_corrected", archive.night_corrected, NOT_CORRECTED, _HIGHEST)
    _check_range("epoch_index", archive.epoch_index, 0, whole - 1)
    for name, proba in (("proba", archive.proba), ("night_proba", archive.night_proba)):
        _check_range(name, np.round(proba, 3), 0, 1)  # a softmax in float32 may exceed 1 by a rounding error
    if (np.diff(archive.epoch_index) <= 0).any():
        raise ArchiveError("The array “epoch_index” does not rise, so the places of the epochs are not known.")
    if not np.isfinite(archive.x).all():
        raise ArchiveError("The array “x” holds values that are no numbers; epochs with gaps must be left out.")
    if not (np.isfinite(archive.fs) and (archive.fs > 0 or not n)):
        raise ArchiveError(f"The sampling rate is {archive.fs:g} a second, which can't be.")


def _check_range(name: str, array: NDArray[Any], low: int, high: int) -> None:
    """NaN passes: it stands for what is not there."""
    if ((array < low) | (array > high)).any():
        raise ArchiveError(f"The array “{name}” holds values outside {low} … {high}.")


# -- writing


def write_archive(path: Path, archive: ScoringArchive, *, keep_previous: bool = False) -> None:
    """Write an archive whole or not at all; with ``keep_previous`` the one that it replaces stays as ``NAME.npz~``.

    Raises OutputError where the file can't be written.

    The checks of :class:`ScoringArchive` leave nothing in it that numpy would have to pickle.
    """
    arrays: dict[str, Any] = {
        "x": archive.x,
        "y": archive.y,
        "fs": np.float64(archive.fs),
        "ch_label": np.str_(archive.ch_label),
        "epoch_index": archive.epoch_index,
        "y_expert": archive.y_expert,
        "y_model": archive.y_model,
        "proba": archive.proba,
        "edited": archive.edited,
        "meta": np.str_(json.dumps(archive.meta, ensure_ascii=False, allow_nan=False)),
        "night_expert": archive.night_expert,
        "night_proba": archive.night_proba,
        "night_corrected": archive.night_corrected,
        "night_flagged": archive.night_flagged,
    }
    with atomic_writer(path, keep_previous=keep_previous) as file:
        np.savez(file, **arrays)


def write_attnsleep(path: Path, archive: ScoringArchive) -> None:
    """Write an archive's epochs as AttnSleep's own preparation does, whole or not at all: who said what stays out.

    Beside ``x``, ``y``, ``fs`` and ``ch_label`` stand ``epoch_index`` and ``n_epochs``, the epochs' places in the night
    and its length, without which they can't be laid on the recording again. Raises OutputError where the file can't be
    written.
    """
    with atomic_writer(path) as file:
        np.savez(
            file,
            x=archive.x,
            y=archive.y,
            fs=np.float64(archive.fs),
            ch_label=np.str_(archive.ch_label),
            epoch_index=archive.epoch_index,
            n_epochs=np.int32(archive.n_epochs),
        )


# -- reading


def read_meta(path: Path) -> Mapping[str, Any] | None:
    """Return an archive's ``meta`` without reading its arrays, or None where the file is an npz of another kind.

    Raises ArchiveError where the file is no npz, is damaged, or its ``meta`` is not SleepViewer's.
    """
    try:
        with path.open("rb") as file, _opened(file) as npz:
            return _meta(npz) if "meta" in npz.files else None
    except ArchiveError as error:
        raise _named(error, path) from error
    except OSError as error:
        raise ArchiveError(f"{path} can't be read: {error.strerror or error}.") from error


def read_archive(path: Path) -> ScoringArchive:
    """Read an archive of SleepViewer or of AttnSleep; pickled objects are never unpickled.

    AttnSleep's files have ``x``, ``y``, ``fs`` and ``ch_label`` (others of theirs are not touched). What they lack is
    filled with “nothing known”, their epochs are numbered as if they followed each other, and ``notes`` say so; those
    that :func:`write_attnsleep` wrote have their places.

    Raises ArchiveError where the file is no npz, is damaged, lacks arrays, or its arrays contradict each other.
    """
    try:
        with path.open("rb") as file:
            return _read(file, path.name)
    except ArchiveError as error:
        raise _named(error, path) from error
    except OSError as error:
        raise ArchiveError(f"{path} can't be read: {error.strerror or error}.") from error


def _named(error: ArchiveError, path: Path) -> ArchiveError:
    trouble = str(error)
    return ArchiveError(f"{path.name} is no usable archive: {trouble[0].lower()}{trouble[1:]}")


def _opened(file: Any) -> Any:
    if file.read(4) not in (b"PK\x03\x04", b"PK\x05\x06"):
        raise ArchiveError("It is no npz file.")
    file.seek(0)
    try:
        return np.load(file, allow_pickle=False)
    except Exception as error:  # a damaged zip makes its parser fail in many ways
        raise ArchiveError(f"It is damaged ({error}).") from error


def _read(file: Any, name: str) -> ScoringArchive:
    with _opened(file) as npz:
        _check_sizes(npz)
        for key in ("x", "y"):
            if key not in npz.files:
                raise ArchiveError(f"It has no array “{key}”; its arrays are: {', '.join(npz.files) or 'none'}.")
        return _native(npz) if "meta" in npz.files else _attnsleep(npz, name)


def _check_sizes(npz: Any) -> None:
    """Find out before memory is taken what the arrays will need; a small file can unpack to any size."""
    total = sum(member.file_size for member in npz.zip.infolist())
    if total > _MOST_BYTES:
        raise ArchiveError(
            f"It would unpack to {total / 1e9:.1f} GB, and no night needs more than {_MOST_BYTES >> 30}."
        )
    for member in npz.zip.infolist():
        if not member.filename.endswith(".npy"):
            continue
        try:
            with npz.zip.open(member) as file:
                version = np.lib.format.read_magic(file)
                reader = (
                    np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                )
                shape, _, dtype = reader(file)
        except Exception:  # noqa: S112  (told when the array is read, if it is one of those that are)
            continue
        if not dtype.hasobject and math.prod(shape) * dtype.itemsize > member.file_size:
            raise ArchiveError(f"Its array “{member.filename[:-4]}” claims to be larger than it is.")


def _array(npz: Any, key: str) -> NDArray[Any]:
    if key not in npz.files:
        raise ArchiveError(f"It has no array “{key}”.")
    try:
        return np.asarray(npz[key])
    except Exception as error:  # so does a damaged array, and a pickled one
        pickled = "Object arrays" in str(error)
        what = "holds pickled objects, which are not read" if pickled else f"is damaged ({error})"
        raise ArchiveError(f"Its array “{key}” {what}.") from error


def _scalar(npz: Any, key: str) -> Any:
    array = _array(npz, key)
    if array.size != 1:
        raise ArchiveError(f"Its array “{key}” should hold one value, but holds {array.size}.")
    return array.reshape(()).item()


def _rate(npz: Any) -> float:
    try:
        return float(_scalar(npz, "fs"))
    except (TypeError, ValueError) as error:
        raise ArchiveError("Its “fs” is no number of samples a second.") from error


def _meta(npz: Any) -> Mapping[str, Any]:
    try:
        meta = json.loads(str(_scalar(npz, "meta")))
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"Its “meta” is no JSON ({error}).") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise ArchiveError("Its “meta” does not say that it is a SleepViewer archive.")
    if meta.get("version") != VERSION:
        raise ArchiveError(f"It has version {meta.get('version')}, but this SleepViewer reads {VERSION}; update it.")
    return meta


def _native(npz: Any) -> ScoringArchive:
    return ScoringArchive(
        x=_array(npz, "x"),
        y=_array(npz, "y"),
        fs=_rate(npz),
        ch_label=str(_scalar(npz, "ch_label")),
        epoch_index=_array(npz, "epoch_index"),
        y_expert=_array(npz, "y_expert"),
        y_model=_array(npz, "y_model"),
        proba=_array(npz, "proba"),
        edited=_array(npz, "edited"),
        meta=_meta(npz),
        night_expert=_array(npz, "night_expert"),
        night_proba=_array(npz, "night_proba"),
        night_corrected=_array(npz, "night_corrected"),
        night_flagged=_array(npz, "night_flagged"),
    )


def _attnsleep(npz: Any, name: str) -> ScoringArchive:
    x, y = _array(npz, "x"), _array(npz, "y")
    if x.ndim == 2:
        x = x[:, :, None]
    elif x.ndim == 3 and x.shape[1] == 1:
        x = x.transpose(0, 2, 1)
    if x.dtype.kind not in "fiu" or y.dtype.kind not in "iu":
        raise ArchiveError(f"Its “x” is {x.dtype} and its “y” {y.dtype}; both should be numbers, “y” whole ones.")
    n = len(y) if y.ndim == 1 else 0
    _check_range("y", y, 0, _HIGHEST)
    index, whole, notes = _places(npz, n, name)
    night = np.full(whole, int(Stage.UNKNOWN), dtype=np.int8)
    if y.ndim == 1:  # else the archive's own check says so
        night[index] = y.astype(np.int8)
    return ScoringArchive(
        x=np.ascontiguousarray(x, dtype=np.float32),
        y=y.astype(np.int32),
        fs=_rate(npz),
        ch_label=str(_scalar(npz, "ch_label")) if "ch_label" in npz.files else "",
        epoch_index=index,
        y_expert=y.astype(np.int8),
        y_model=np.full(n, int(Stage.UNKNOWN), dtype=np.int8),
        proba=np.full((n, N_STAGES), np.nan, dtype=np.float32),
        edited=np.zeros(n, dtype=bool),
        meta={},
        night_expert=night,
        night_proba=np.full((whole, N_STAGES), np.nan, dtype=np.float32),
        night_corrected=np.full(whole, NOT_CORRECTED, dtype=np.int8),
        night_flagged=np.zeros(whole, dtype=bool),
        notes=notes,
    )


def _places(npz: Any, n: int, name: str) -> tuple[NDArray[np.int32], int, tuple[str, ...]]:
    """Return the places of AttnSleep's n epochs, how many the night has, and a note where the file does not tell."""
    if not {"epoch_index", "n_epochs"} <= set(npz.files):
        note = f"{name} does not tell its epochs' places in the recording; they are taken to follow each other."
        return np.arange(n, dtype=np.int32), n, (note,)
    index, whole = _array(npz, "epoch_index"), _scalar(npz, "n_epochs")
    if index.dtype != np.int32 or index.shape != (n,) or not isinstance(whole, int) or not n <= whole <= _MOST_EPOCHS:
        raise ArchiveError("Its “epoch_index” and “n_epochs” are no places of its epochs.")
    _check_range("epoch_index", index, 0, whole - 1)
    return index, whole, ()
