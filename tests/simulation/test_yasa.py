"""A scorer that knows nothing of the simulator finds the simulated stages."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sleepviewer.recording import open_recording
from sleepviewer.simulation import simulate_night
from sleepviewer.stages import N_STAGES, StageArray

COLUMNS = ["WAKE", "N1", "N2", "N3", "REM"]


def kappa(truth: StageArray, scored: NDArray[np.int_]) -> float:
    """Cohen's κ."""
    table = np.zeros((N_STAGES, N_STAGES))
    np.add.at(table, (truth, scored), 1)
    table /= table.sum()
    chance = table.sum(axis=1) @ table.sum(axis=0)
    return float((np.trace(table) - chance) / (1 - chance))


def score_with_yasa(fpz_cz_uv: NDArray[np.float64]) -> NDArray[np.int_]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other packages, while they load the classifier
        import mne
        import yasa

        raw = mne.io.RawArray(fpz_cz_uv[None] * 1e-6, mne.create_info(["Fpz-Cz"], 100, "eeg"), verbose=False)
        probabilities = yasa.SleepStaging(raw, eeg_name="Fpz-Cz").predict()._proba
    return np.asarray(probabilities[COLUMNS].to_numpy().argmax(axis=1))


@pytest.mark.parametrize("seed", range(5))
def test_yasa_agrees_with_a_simulated_night_from_one_frontal_channel(seed: int, tmp_path: Path) -> None:
    night = simulate_night(tmp_path, seed=seed)
    with open_recording(night.psg_path) as recording:
        fpz_cz = recording.read("EEG Fpz-Cz", 0, recording.duration_s).astype(np.float64)
    assert kappa(night.stages, score_with_yasa(fpz_cz)) >= 0.65
