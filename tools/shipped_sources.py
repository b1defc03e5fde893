"""The real recordings that the shipped models are trained on and chosen by, as the trainings take them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from scipy.signal import resample_poly

from sleepviewer.models.filtering import band_pass
from sleepviewer.models.normalisation import Normalisation, normalise
from sleepviewer.models.shape import InputShape
from sleepviewer.stages import Stage, StageArray
from sleepviewer.training.data import LabelledNight, load_training_set
from sleepviewer.training.pseudo_epochs import Joining, SegmentedNight, join_epochs, prepare_night

JOINING: Final = Joining()
SHAPE: Final = InputShape.whole_epoch(100)
VALIDATION_SUBJECTS: Final = ("03", "08", "12", "17")
VALIDATION_UCDDB: Final = ("ucddb005", "ucddb009", "ucddb012")
NOISE_LEVELS: Final = (0.5, 1.0)
"""White noise, in units of a night's spread, under which the held-out subjects' nights are scored as well."""


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Everything there is to train on and to choose by, read from ``folder``.

    ``hypnograms`` are ``int8 [n_epochs]`` each, UNKNOWN where an epoch was not scored.
    """

    folder: Path
    train: list[SegmentedNight]
    validation: list[SegmentedNight]
    ucddb_train: list[LabelledNight]
    ucddb_validation: list[LabelledNight]
    hypnograms: list[StageArray]


def load_sources(folder: Path, *, with_ucddb: bool = True, leave_out: Collection[str] = ()) -> Sources:
    """Read the recordings, and the hypnograms of the 153 nights of Sleep-EDF-78 but for the held-out subjects'.

    Without UCDDB neither training nor choice sees any of its nights; nights of it to ``leave_out`` are not seen either.
    """
    nights = load_training_set(folder / "sleep_edf" / "sleep_edf_20_first5s.npz").nights
    prepared = [prepare_night(night, JOINING) for night in nights]
    held = [night.night.subject in VALIDATION_SUBJECTS for night in prepared]
    paths = sorted((folder / "ucddb").glob("*_wake_n3.npz")) if with_ucddb else []
    ucddb = [night for night in map(read_ucddb, paths) if night.subject not in leave_out]
    return Sources(
        folder=folder,
        train=[night for night, out in zip(prepared, held, strict=True) if not out],
        validation=[night for night, out in zip(prepared, held, strict=True) if out],
        ucddb_train=[night for night in ucddb if night.subject not in VALIDATION_UCDDB],
        ucddb_validation=[night for night in ucddb if night.subject in VALIDATION_UCDDB],
        hypnograms=_read_hypnograms(folder / "sleep_edf" / "sleep_edf_78_bandpower.npz"),
    )


def read_ucddb(path: Path) -> LabelledNight:
    """Read the wake and N3 epochs of a night, at 100 Hz, filtered and scaled by their own spread."""
    with np.load(path, allow_pickle=False) as npz:
        raw = npz["x"].astype(np.float32) * npz["scale"]
        epoch, stages = npz["epoch"], npz["stages"]
    at_rate = resample_poly(raw, 25, 32, axis=1, padtype="line").astype(np.float32)
    x = normalise(band_pass(at_rate, SHAPE.rate_hz, JOINING.band_hz), Normalisation.ROBUST_NIGHT)
    name = path.name.removesuffix("_wake_n3.npz")
    return LabelledNight(name, name, x, stages[epoch].astype(np.int8), epoch)


def _read_hypnograms(path: Path) -> list[StageArray]:
    with np.load(path, allow_pickle=False) as npz:
        y, key, subject = npz["y"], 10 * npz["subject"].astype(int) + npz["night"], npz["subject"]
    held = {int(name) for name in VALIDATION_SUBJECTS}
    nights = [y[key == k] for k in np.unique(key[~np.isin(subject, list(held))])]
    return [np.where(night < 0, Stage.UNKNOWN, night).astype(np.int8) for night in nights]


def validation_nights(sources: Sources) -> list[LabelledNight]:
    """Return the held-out nights of Sleep-EDF as whole epochs in their real order, the same every time."""
    rng = np.random.default_rng(99)
    return [in_order(night, rng) for night in sources.validation]


def in_order(source: SegmentedNight, rng: np.random.Generator) -> LabelledNight:
    """Return a night of segments as whole epochs in their real order."""
    night = source.night
    x = join_epochs(source, np.arange(len(night.y)), JOINING, rng)
    return LabelledNight(night.name, night.subject, x, night.y, night.epoch_index)


def noisy_night(night: LabelledNight, level: float) -> LabelledNight:
    """Return a night with white noise of ``level`` times its spread, filtered and scaled anew; the same every time."""
    noise = np.random.default_rng(round(100 * level)).standard_normal(night.x.size, dtype=np.float32) * level
    noise = band_pass(noise, SHAPE.rate_hz, JOINING.band_hz).reshape(night.x.shape)
    x = normalise(night.x + noise, Normalisation.ROBUST_NIGHT)
    return LabelledNight(night.name, night.subject, x, night.y, night.epoch_index)
