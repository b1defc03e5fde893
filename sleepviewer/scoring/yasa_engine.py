"""YASA's pre-trained scorer: gradient-boosted trees on features of one EEG and, where given, one EOG and one EMG.

Vallat, R. & Walker, M. P., "An open-source, high-performance tool for automated sleep staging", eLife 2021,
doi 10.7554/eLife.70092. Its features lean on up to 7.5 minutes around an epoch and on the whole night's spread, so it
scores a night as a whole.
"""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer.errors import ChannelError, EngineError, UnitError
from sleepviewer.files import sha256_of
from sleepviewer.recording.base import Recording
from sleepviewer.scoring.base import CancelToken, ChannelChoice, Prediction, Progress, ProgressCallback, no_progress
from sleepviewer.scoring.signals import NO_SIGNAL, NightSignal, read_signal
from sleepviewer.stages import EPOCH_S, N_STAGES, Proba

MIN_EPOCHS: Final = 10
"""Five minutes: YASA calls shorter recordings unreliable."""

_MIN_EEG_RATE_HZ: Final = 80.0
# YASA was trained on EOGs of 50 Hz and more; slower channels are envelopes or trends and tell it nothing.
_MIN_OTHER_RATE_HZ: Final = 50.0
_COLUMNS: Final = ("WAKE", "N1", "N2", "N3", "REM")
_VOLTS_PER_MICROVOLT: Final = 1e-6


OWN_RATE_HZ: Final = 100.0
"""The rate that YASA resamples to, by a Fourier transform of the whole night; a polyphase filter is much quicker."""

_MOST_MISSING: Final = 0.1
"""An EOG or EMG that lacks a larger share of its epochs is not given to YASA by the ensemble."""


class YasaEngine:
    """Score with YASA's pre-trained classifiers, which come with the library.

    ``score_unusable``: whether epochs with an unusable signal are scored all the same.
    """

    id: Final = "yasa"
    title: Final = "YASA"

    def __init__(self, *, score_unusable: bool = False) -> None:
        self._score_unusable = score_unusable

    def warm_up(self) -> None:
        """Import YASA and let it compile its features by scoring a few minutes of noise."""
        rate_hz, n_epochs = 128.0, MIN_EPOCHS
        noise = np.random.default_rng(0).normal(0.0, 20.0, size=(1, round(n_epochs * EPOCH_S * rate_hz)))
        with yasa_calls():
            _staging({"EEG": noise[0]}, rate_hz).predict(str(classifier_path(("EEG",))))

    def score(
        self,
        recording: Recording,
        channels: ChannelChoice,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> Prediction:
        """Score the whole night from the chosen EEG and, where given, EOG and EMG.

        Epochs in which any of them has a gap or no signal, or the EEG no usable one, are left unscored. Raises
        EngineError for a night that is too short or that YASA refuses, ChannelError for a channel that is absent or
        unfit, ScoringCancelled.
        """
        started = time.perf_counter()
        cancel = cancel or CancelToken()
        progress(Progress(0.0, "reading"))
        _check(recording, channels)
        eeg = read_signal(recording, channels.eeg, score_unusable=self._score_unusable)
        signals = {"EEG": eeg} | {
            kind: read_signal(recording, label, unusable=NO_SIGNAL) for kind, label in _others(channels).items()
        }
        cancel.check()
        prediction = score_signals(
            signals, np.logical_or.reduce([s.missing for s in signals.values()]), progress, cancel
        )
        notes = tuple(note for signal in signals.values() for note in signal.notes)
        return replace(prediction, seconds=time.perf_counter() - started, notes=notes)

    def score_beside(
        self, eeg: NightSignal, recording: Recording, channels: ChannelChoice, cancel: CancelToken
    ) -> Prediction:
        """Score a night whose EEG is read already; an EOG or EMG that is unfit is left out, with a note.

        What is to be said of the EEG itself is left to the caller. Raises EngineError, ChannelError for an EEG that is
        unfit, ScoringCancelled.
        """
        _check(recording, ChannelChoice(channels.eeg))
        signals, notes = {"EEG": eeg}, []
        for kind, label in _others(channels).items():
            try:
                _check_rate(recording, kind, label)
                signal = read_signal(recording, label, unusable=NO_SIGNAL)
                share = float(signal.missing.mean())
                if share > _MOST_MISSING:
                    raise ChannelError(f"“{label}” has no signal in {share:.0%} of the epochs.")
            except (ChannelError, UnitError) as error:
                notes.append(f"YASA was not given “{label}” as {kind}: {error}")
                continue
            signals[kind] = signal
        prediction = score_signals(signals, eeg.missing, no_progress, cancel, at_most_hz=OWN_RATE_HZ)
        return replace(prediction, notes=tuple(notes))


def score_signals(
    signals: Mapping[str, NightSignal],
    missing: NDArray[np.bool_],
    progress: ProgressCallback = no_progress,
    cancel: CancelToken | None = None,
    *,
    at_most_hz: float = np.inf,
) -> Prediction:
    """Score signals by kind, EEG first; epochs ``missing`` ``bool [n_epochs]`` stay unscored. Raises EngineError.

    Signals at more than ``at_most_hz`` are resampled to that; YASA itself goes on with 100 Hz.
    """
    cancel = cancel or CancelToken()
    started = time.perf_counter()
    rate_hz = min(signals["EEG"].rate_hz, at_most_hz)
    classifier = classifier_path(tuple(signals))
    with yasa_calls():
        progress(Progress(0.1, "features"))
        staging = _staging({kind: signal.at_rate(rate_hz) for kind, signal in signals.items()}, rate_hz)
        cancel.check()
        staging.fit()
        cancel.check()
        progress(Progress(0.9, "staging"))
        table = staging.predict(str(classifier)).proba
    cancel.check()
    proba = _fit_to_night(table[list(_COLUMNS)].to_numpy(dtype=np.float32), missing)
    progress(Progress(1.0, "done", 0, proba))
    return Prediction(
        proba=proba,
        engine=YasaEngine.id,
        engine_version=yasa_version(),
        weights_sha256=sha256_of(classifier),
        channels=tuple(signal.label for signal in signals.values()),
        seconds=time.perf_counter() - started,
    )


def _others(channels: ChannelChoice) -> dict[str, str]:
    """Return the chosen channels beside the EEG, by kind."""
    return {kind: label for kind, label in (("EOG", channels.eog), ("EMG", channels.emg)) if label}


def _check(recording: Recording, channels: ChannelChoice) -> None:
    """Raise EngineError for a night that is too short, ChannelError for a channel that is absent or too slow."""
    if recording.n_epochs < MIN_EPOCHS:
        raise EngineError(
            f"{recording.name} lasts {recording.duration_s / 60:.1f} minutes; YASA needs at least five minutes."
        )
    for kind, label in ({"EEG": channels.eeg} | _others(channels)).items():
        _check_rate(recording, kind, label)


def _check_rate(recording: Recording, kind: str, label: str) -> None:
    rate_hz = recording.channel(label).rate_hz
    if (kind == "EEG" and rate_hz <= _MIN_EEG_RATE_HZ) or rate_hz < _MIN_OTHER_RATE_HZ:
        needed = f"more than {_MIN_EEG_RATE_HZ:g}" if kind == "EEG" else f"at least {_MIN_OTHER_RATE_HZ:g}"
        raise ChannelError(
            f"Channel “{label}” of {recording.name} has {rate_hz:g} samples a second; as {kind} YASA needs "
            f"{needed}: choose another channel{'' if kind == 'EEG' else ' or none'}."
        )


def _staging(microvolts: Mapping[str, NDArray[np.floating]], rate_hz: float) -> Any:
    """Return YASA's stager over channels named by their kind, all of one length and rate."""
    import mne
    import yasa

    kinds = list(microvolts)
    info = mne.create_info(kinds, rate_hz, [kind.lower() for kind in kinds])
    # mne keeps volts; YASA turns them back into µV by the channels' types.
    volts = np.stack([samples.astype(np.float64) for samples in microvolts.values()]) * _VOLTS_PER_MICROVOLT
    raw = mne.io.RawArray(volts, info, verbose="ERROR")
    names = {f"{kind.lower()}_name": kind for kind in kinds if kind != "EEG"}
    return yasa.SleepStaging(raw, eeg_name="EEG", **names)


def classifier_path(kinds: tuple[str, ...]) -> Path:
    """Return the newest classifier file that YASA ships for these kinds of channels."""
    from importlib.util import find_spec

    spec = find_spec("yasa")
    if spec is None or spec.origin is None:
        raise EngineError("YASA is not installed; install it with “pip install yasa”.")
    name = "clf_" + "+".join(kind.lower() for kind in kinds)
    versions = {
        tuple(int(part) for part in match[1].split(".")): path
        for path in (Path(spec.origin).parent / "classifiers").iterdir()
        if (match := re.fullmatch(re.escape(name) + r"_lgb_([\d.]+)\.joblib", path.name))
    }
    if not versions:
        raise EngineError(f"This YASA comes without a classifier for {', '.join(kinds)}; install yasa 0.8 anew.")
    return versions[max(versions)]


def yasa_version() -> str:
    """Return the version of the YASA that is installed."""
    from importlib.metadata import version

    return version("yasa")


def _fit_to_night(proba: Proba, missing: NDArray[np.bool_]) -> Proba:
    """Return YASA's rows as ``[n_epochs, 5]`` with NaN where an epoch is missing.

    YASA resamples to 100 Hz by itself; at rates like 128.1 Hz its last epoch can come out a sample short and be left
    out.
    """
    rows = np.full((len(missing), N_STAGES), np.nan, dtype=np.float32)
    n = min(len(rows), len(proba))
    rows[:n] = proba[:n]
    rows[missing] = np.nan
    return rows


@contextmanager
def yasa_calls(trouble: str = "YASA can't score this night") -> Iterator[None]:
    """Keep the library's warnings to itself, and turn what it refuses into an EngineError.

    The warnings are about its dependencies' versions (the classifiers were stored with an older scikit-learn) and say
    nothing about the night.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except ImportError as error:
            raise EngineError(f"YASA can't be loaded ({error}); install it anew with “pip install yasa”.") from error
        except (AssertionError, ValueError) as error:
            raise EngineError(f"{trouble}: {error}") from error
