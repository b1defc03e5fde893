"""A simulated night on disk, in the form in which Sleep-EDF's nights are: for the demo, and for tests without data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import edfio
import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import OutputError
from sleepviewer.files import atomic_writer
from sleepviewer.hypnogram import Hypnogram, write_edf
from sleepviewer.simulation.hypnogram import simulate_hypnogram
from sleepviewer.simulation.signals import simulate_signals
from sleepviewer.stages import EPOCH_S, StageArray

DEFAULT_START: Final = datetime(2001, 1, 1, 23, 0)
"""When a simulated night begins: a fixed date, so that the same seed gives the same bytes on any day."""

_PSG_ENDING: Final = "E0-PSG.edf"
_HYPNOGRAM_ENDING: Final = "EC-Hypnogram.edf"
_FIRST_YEAR, _LAST_YEAR = 1985, 2084


@dataclass(frozen=True, slots=True)
class _Format:
    """How the EDF header describes a channel."""

    rate_hz: int
    unit: str
    physical: tuple[float, float]
    digital: tuple[int, int]
    transducer: str
    prefilter: str


_ELECTRODES: Final = "Ag-AgCl electrodes"
_AMPLIFIER: Final = "HP:0.5Hz LP:100Hz"
_FORMATS: Final = {
    "EEG Fpz-Cz": _Format(100, "uV", (-192, 192), (-2048, 2047), _ELECTRODES, _AMPLIFIER),
    "EEG Pz-Oz": _Format(100, "uV", (-197, 196), (-2048, 2047), _ELECTRODES, _AMPLIFIER),
    "EOG horizontal": _Format(100, "uV", (-1009, 1009), (-2048, 2047), _ELECTRODES, _AMPLIFIER),
    "Resp oro-nasal": _Format(1, "", (-2048, 2047), (-2048, 2047), "Oral-nasal thermistors", "HP:0.03Hz LP:0.9Hz"),
    "EMG submental": _Format(1, "uV", (-5, 5), (-2500, 2500), _ELECTRODES, "HP:16Hz Rectification LP:0.7Hz"),
    "Temp rectal": _Format(1, "DegC", (34, 40), (-2849, 2731), "Rectal thermistor", ""),
    "Event marker": _Format(1, "", (-2047, 2048), (-2047, 2048), "Marker button", "Hold during 2 seconds"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedNight:
    """The two files of a simulated night, and its true stages ``int8 [n_epochs]``."""

    psg_path: Path
    hypnogram_path: Path
    stages: StageArray


def simulate_night(path: Path, *, seed: int = 0, hours: float = 8.0, start: datetime = DEFAULT_START) -> SimulatedNight:
    """Simulate a night and write it as a recording and an expert's hypnogram.

    Parameters
    ----------
    path: a folder, where the files get names like Sleep-EDF's (``SM4001E0-PSG.edf``, ``SM4001EC-Hypnogram.edf``); or a
        file name ending in ``.edf`` for the recording, where the hypnogram gets a name that goes with it. Files that
        are there are replaced.
    seed: which night, 0 or more; the same seed, length and start give the same bytes.
    hours: length, rounded to whole 30-s epochs.
    start: clock time of the first sample, whole seconds.

    Both headers say SIMULATED. Raises ValueError for a negative seed or a night without an epoch, OutputError where the
    files can't be written or EDF can't hold the date (only 1985 to 2084).
    """
    n_epochs = round(hours * 3600 / EPOCH_S)
    if seed < 0 or n_epochs < 1:
        raise ValueError("a simulated night needs a seed of 0 or more and at least one epoch of 30 seconds")
    if not _FIRST_YEAR <= start.year <= _LAST_YEAR:
        raise OutputError(f"{path} was not written, because EDF has no dates in {start.year}; choose another start.")
    start = start.replace(microsecond=0)
    psg_path, hypnogram_path = _paths(path, seed)
    stages = simulate_hypnogram(n_epochs, seed)
    _write_recording(simulate_signals(stages, seed), psg_path, seed, start)
    write_edf(Hypnogram(stages, start, "simulation", "simulation"), hypnogram_path, simulated=True)
    return SimulatedNight(psg_path, hypnogram_path, stages)


def _paths(path: Path, seed: int) -> tuple[Path, Path]:
    """Return where the recording and its hypnogram go; six equal first letters hold Sleep-EDF's pairs together."""
    if path.suffix.lower() != ".edf":
        pair = f"SM4{seed % 100:02d}{1 + seed // 100 % 9}"
        return path / f"{pair}{_PSG_ENDING}", path / f"{pair}{_HYPNOGRAM_ENDING}"
    if path.name.endswith(_PSG_ENDING):
        return path, path.with_name(path.name.removesuffix(_PSG_ENDING) + _HYPNOGRAM_ENDING)
    return path, path.with_name(f"{path.stem}-Hypnogram.edf")


def _write_recording(signals: dict[str, NDArray[np.float64]], path: Path, seed: int, start: datetime) -> None:
    """Write the channels as plain EDF with 30-s data records; what the range can't hold is clipped, as in recorders."""
    edf = edfio.Edf(
        [_edf_signal(label, samples) for label, samples in signals.items()],
        patient=edfio.Patient(code="SIMULATED", additional=(f"seed_{seed}",)),
        recording=edfio.Recording(startdate=start.date(), equipment_code="SleepViewer", additional=("SIMULATED",)),
        starttime=start.time(),
        data_record_duration=EPOCH_S,
    )
    with atomic_writer(path) as file:
        file.write(edf.to_bytes())


def _edf_signal(label: str, samples: NDArray[np.float64]) -> edfio.EdfSignal:
    form = _FORMATS[label]
    return edfio.EdfSignal(
        np.clip(samples, *form.physical),
        form.rate_hz,
        label=label,
        transducer_type=form.transducer,
        physical_dimension=form.unit,
        physical_range=form.physical,
        digital_range=form.digital,
        prefiltering=form.prefilter,
    )
