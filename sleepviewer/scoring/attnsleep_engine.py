"""AttnSleep as an engine: one EEG channel, one epoch at a time, from a file of weights."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from sleepviewer import __version__
from sleepviewer.errors import ChannelError, EngineError
from sleepviewer.recording.base import Recording
from sleepviewer.scoring.base import CancelToken, ChannelChoice, Prediction, Progress, ProgressCallback, no_progress
from sleepviewer.scoring.signals import NightSignal, read_signal
from sleepviewer.stages import EPOCH_S, N_STAGES, Proba

if TYPE_CHECKING:
    from sleepviewer.models.checkpoints import LoadedWeights
    from sleepviewer.models.epoch_model import EpochModel
    from sleepviewer.models.normalisation import Epochs

BATCH_SIZE: Final = 64
"""Epochs scored at once: about the fastest on a CPU, and half an hour of night per step of progress."""

_MIN_RATE_HZ: Final = 50.0


class AttnSleepEngine:
    """Score with AttnSleep weights of the user's choice.

    Parameters
    ----------
    weights: the file of weights (see :mod:`sleepviewer.models.checkpoints`); without one nothing can be scored.
    batch_size: epochs scored at once, to begin with; halved where a GPU's memory does not suffice.
    device: torch's name of the device to begin with; None takes CUDA, MPS or the CPU, the first that is there.
    """

    id: Final = "attnsleep"
    title: Final = "AttnSleep"

    def __init__(self, weights: Path | None, *, batch_size: int = BATCH_SIZE, device: str | None = None) -> None:
        self._path = weights
        self._batch_size = batch_size
        self._device = device
        self._loaded: LoadedWeights | None = None

    def warm_up(self) -> None:
        """Import torch and scipy, load the weights, and resample and score one epoch of silence."""
        weights = self._weights()
        rate_hz = weights.card.rate_hz + 1.0
        silence = np.zeros(round(EPOCH_S * rate_hz), dtype=np.float32)
        signal = NightSignal("", rate_hz, silence, np.zeros(1, dtype=bool), ())
        self._runner(weights).run(_epochs(signal, weights))

    def score(
        self,
        recording: Recording,
        channels: ChannelChoice,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> Prediction:
        """Score the whole night from the chosen EEG; EOG and EMG are not used.

        The night is resampled to the model's rate as one piece and scaled as the model's card says. Every batch's
        probabilities are told as progress. Raises EngineError, CheckpointError, ChannelError, ScoringCancelled.
        """
        started = time.perf_counter()
        cancel = cancel or CancelToken()
        progress(Progress(0.0, "reading"))
        weights = self._weights()
        if recording.n_epochs < 1:
            raise EngineError(f"{recording.name} is shorter than one 30-second epoch; there is nothing to score.")
        rate_hz = recording.channel(channels.eeg).rate_hz
        if rate_hz < _MIN_RATE_HZ:
            raise ChannelError(
                f"Channel “{channels.eeg}” of {recording.name} has {rate_hz:g} samples a second, too few for an EEG; "
                "choose another channel."
            )
        cancel.check()
        signal = read_signal(recording, channels.eeg)
        epochs = _epochs(signal, weights)
        runner = self._runner(weights)
        proba = _score_batches(runner, epochs, progress, cancel)
        return Prediction(
            proba=proba,
            engine=self.id,
            engine_version=__version__,
            weights_sha256=weights.sha256,
            channels=(channels.eeg,),
            seconds=time.perf_counter() - started,
            device=runner.device,
            notes=(*weights.notes, *_rate_notes(signal, weights), *signal.notes, *runner.notes),
        )

    def _weights(self) -> LoadedWeights:
        """Return the weights, read once."""
        if self._path is None:
            raise EngineError(
                "AttnSleep needs a file of weights, and none comes with SleepViewer; choose a .safetensors file or a "
                "checkpoint of the AttnSleep code."
            )
        if self._loaded is None:
            from sleepviewer.models.checkpoints import load_weights

            self._loaded = load_weights(self._path)
        return self._loaded

    def _runner(self, weights: LoadedWeights) -> _BatchRunner:
        return _BatchRunner(weights.build(), self._device or choose_device(), self._batch_size)


def choose_device() -> str:
    """Return torch's name of the fastest device that is there: ``cuda``, ``mps`` or ``cpu``."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _epochs(signal: NightSignal, weights: LoadedWeights) -> Epochs:
    """Return the night as the model takes it, ``float32 [n_epochs, epoch_samples]``; missing epochs are NaN."""
    from sleepviewer.models.normalisation import normalise

    card = weights.card
    epochs = signal.at_rate(card.rate_hz).reshape(len(signal.missing), card.epoch_samples).copy()
    epochs[signal.missing] = np.nan
    return normalise(epochs, card.normalisation)


def _rate_notes(signal: NightSignal, weights: LoadedWeights) -> tuple[str, ...]:
    """Return a sentence where the channel is slower than the model's input."""
    if signal.rate_hz >= weights.card.rate_hz:
        return ()
    return (
        f"“{signal.label}” has {signal.rate_hz:g} samples a second, fewer than the {weights.card.rate_hz} that the "
        f"model was made for: it sees nothing above {signal.rate_hz / 2:g} Hz.",
    )


def _score_batches(runner: _BatchRunner, epochs: Epochs, progress: ProgressCallback, cancel: CancelToken) -> Proba:
    """Return the probabilities ``[n_epochs, 5]``, telling each batch's; NaN rows where an epoch is missing."""
    proba = np.full((len(epochs), N_STAGES), np.nan, dtype=np.float32)
    scorable = np.asarray(np.isfinite(epochs).all(axis=1))
    first = 0
    while first < len(epochs):
        cancel.check()
        stop = min(first + runner.batch_size, len(epochs))
        which = first + np.flatnonzero(scorable[first:stop])
        if len(which):
            rows = runner.run(epochs[which])
            if rows is None:
                continue
            proba[which] = rows
        minutes = round(stop * EPOCH_S / 60)
        progress(Progress(stop / len(epochs), f"scored {minutes} minutes", first, proba[first:stop].copy()))
        first = stop
    cancel.check()
    return proba


class _BatchRunner:
    """Run a model over batches, on smaller ones and at last on the CPU where memory does not suffice.

    ``device``, ``batch_size`` and ``notes`` are what it has come to.
    """

    def __init__(self, model: EpochModel, device: str, batch_size: int) -> None:
        self.device = device
        self.batch_size = batch_size
        self.notes: tuple[str, ...] = ()
        self._model = model.to(device)

    def run(self, epochs: Epochs) -> Proba | None:
        """Return the probabilities ``[n, 5]`` of ``[n, n_samples]``, or None: out of memory, try a smaller batch."""
        import torch

        try:
            with torch.inference_mode():
                x = torch.from_numpy(np.ascontiguousarray(epochs)).unsqueeze(1).to(self.device)
                return np.asarray(self._model(x).softmax(dim=1).cpu().numpy(), dtype=np.float32)
        except RuntimeError as error:
            if not isinstance(error, torch.OutOfMemoryError) and "out of memory" not in str(error):
                raise
        self._make_do_with_less()
        return None

    def _make_do_with_less(self) -> None:
        """Halve the batch; where it is one epoch already, move to the CPU. Raises EngineError on the CPU."""
        import torch

        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        if self.batch_size > 1:
            self.batch_size //= 2
        elif self.device != "cpu":
            self.notes = (f"The memory of {self.device} did not suffice; the rest was scored on the CPU.",)
            self.device, self.batch_size = "cpu", BATCH_SIZE
            self._model = self._model.to("cpu")
        else:
            raise EngineError("Memory does not suffice to score one epoch; close other programs and score again.")
