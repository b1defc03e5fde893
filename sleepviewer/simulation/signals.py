"""The seven channels of a Sleep-EDF recording, simulated from a hypnogram."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sleepviewer.simulation import body
from sleepviewer.simulation.background import CHANNELS, simulate_background
from sleepviewer.simulation.cohort import SLEEP_EDF, Cohort, recorded
from sleepviewer.simulation.landmarks import add_landmarks
from sleepviewer.simulation.oscillations import per_sample, slow_noise
from sleepviewer.simulation.timeline import make_timeline
from sleepviewer.stages import StageArray


def simulate_signals(stages: StageArray, seed: int = 0, cohort: Cohort = SLEEP_EDF) -> dict[str, NDArray[np.float64]]:
    """Simulate a recording of these stages ``int8 [n_epochs]`` (values 0 to 4).

    Returns Sleep-EDF's channels in its order: Fpz-Cz, Pz-Oz and horizontal EOG in µV at 100 Hz; respiration in the
    recorder's own units, submental EMG in µV, temperature in °C and the event marker at 1 Hz. The same stages and seed
    give the same samples.
    """
    rng = np.random.default_rng([seed, 1])
    timeline = make_timeline(stages, rng)
    traces = simulate_background(timeline, rng, cohort.sleepers)
    add_landmarks(traces, timeline, rng, cohort.sleepers)
    for channel in CHANNELS:
        # Electrodes settle and dry: the gain drifts by some per cent over the hours.
        traces[channel] *= per_sample(1 + 0.06 * slow_noise(len(timeline), 5400.0, rng))
    if cohort != SLEEP_EDF:
        equipment = np.random.default_rng([seed, 2])
        traces = {channel: recorded(trace, cohort.recorder, equipment) for channel, trace in traces.items()}
    return {
        **{channel: traces[channel].astype(np.float64) for channel in CHANNELS},
        "Resp oro-nasal": body.simulate_respiration(timeline, rng),
        "EMG submental": body.simulate_chin_muscle(timeline, rng),
        "Temp rectal": body.simulate_temperature(timeline, rng),
        "Event marker": body.simulate_event_marker(timeline, rng),
    }
