"""Every member of the family as an engine: one EEG channel, a batch of epochs at a time, and the night in the end."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sleepviewer import __version__
from sleepviewer.errors import ChannelError, CheckpointError, EngineError
from sleepviewer.models.family import title_of
from sleepviewer.models.origin import origin_notes
from sleepviewer.models.shipped import shipped_weights
from sleepviewer.recording.base import Recording
from sleepviewer.scoring.base import (
    CancelToken,
    ChannelChoice,
    Prediction,
    Progress,
    ProgressCallback,
    no_progress,
    validity_notes,
)
from sleepviewer.scoring.signals import NightSignal, read_signal
from sleepviewer.stages import EPOCH_S, N_STAGES, Proba

if TYPE_CHECKING:
    from torch import Tensor

    from sleepviewer.models.card import ModelCard
    from sleepviewer.models.checkpoints import LoadedWeights
    from sleepviewer.models.night_model import NightModel
    from sleepviewer.models.normalisation import Epochs

BATCH_SIZE: Final = 32
"""Epochs scored at once: larger ones are no faster on a CPU and take more memory; a quarter of an hour of night."""

_MIN_RATE_HZ: Final = 50.0


class FamilyEngine:
    """Score with a member of the family.

    Parameters
    ----------
    member: its name.
    weights: a file of weights (see :mod:`sleepviewer.models.checkpoints`); None takes those that come with the program.
    batch_size: epochs scored at once, to begin with; halved where a GPU's memory does not suffice.
    device: torch's name of the device to begin with; None takes CUDA, MPS or the CPU, the first that is there.
    name: what the engine is called, ``MEMBER@vN`` for a version of the user's; None calls it as the member.
    score_unusable: whether epochs with an unusable signal are scored all the same.
    """

    def __init__(
        self,
        member: str,
        weights: Path | None = None,
        *,
        batch_size: int = BATCH_SIZE,
        device: str | None = None,
        name: str | None = None,
        score_unusable: bool = False,
    ) -> None:
        self.id: Final = member if name is None else name
        self.title: Final = title_of(member)
        self._member = member
        self._path = weights
        self._batch_size = batch_size
        self._device = device
        self._score_unusable = score_unusable
        self._loaded: LoadedWeights | None = None
        self._model: NightModel | None = None

    def warm_up(self) -> None:
        """Import torch and scipy, load the weights, and resample and score one epoch of silence."""
        weights = self._weights()
        rate_hz = weights.card.rate_hz + 1.0
        silence = np.zeros(round(EPOCH_S * rate_hz), dtype=np.float32)
        signal = NightSignal("", rate_hz, silence, np.zeros(1, dtype=bool), ())
        runner = self._runner(weights)
        if (result := runner.run(night_epochs(signal, weights.card))) and runner.model.has_context:
            runner.model.night(result[1])

    def score(
        self,
        recording: Recording,
        channels: ChannelChoice,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
    ) -> Prediction:
        """Score the whole night from the chosen EEG; EOG and EMG are not used.

        The night is resampled to the model's rate as one piece, and filtered and scaled as the model's card says. Every
        batch's probabilities are reported as progress; a member with context reads the whole night after them, and
        reports all probabilities once more. Raises EngineError, CheckpointError, ChannelError, ScoringCancelled.
        """
        started = time.perf_counter()
        cancel = cancel or CancelToken()
        progress(Progress(0.0, "reading"))
        self._weights()
        check_scorable(recording, channels.eeg)
        cancel.check()
        signal = read_signal(recording, channels.eeg, score_unusable=self._score_unusable)
        prediction = self.score_signal(signal, progress, cancel)
        unvalidated = (*prediction.unvalidated, *unusable_share(signal, self._weights().card))
        return replace(
            prediction,
            seconds=time.perf_counter() - started,
            notes=(*prediction.notes, *signal.notes, *validity_notes(unvalidated)),
            unvalidated=unvalidated,
        )

    def score_signal(
        self,
        signal: NightSignal,
        progress: ProgressCallback = no_progress,
        cancel: CancelToken | None = None,
        epochs: Epochs | None = None,
    ) -> Prediction:
        """Score a night whose signal is read already; what is to be said of the signal itself is left to the caller.

        ``epochs`` is what :func:`night_epochs` gives for the signal and this engine's card, where the caller has it.
        """
        started = time.perf_counter()
        weights = self._weights()
        if epochs is None:
            epochs = night_epochs(signal, weights.card)
        runner = self._runner(weights)
        scored = _score_night(runner, epochs, signal.clean, weights.card, progress, cancel or CancelToken())
        return Prediction(
            proba=scored.proba,
            engine=self.id,
            engine_version=__version__,
            weights_sha256=weights.sha256,
            channels=(signal.label,),
            seconds=time.perf_counter() - started,
            device=runner.device,
            notes=(
                *self._origin_notes(weights),
                *weights.notes,
                *_rate_notes(signal, weights.card),
                *scored.notes,
                *runner.notes,
            ),
            unvalidated=scored.unvalidated,
            context_changes=scored.changed,
        )

    @property
    def card(self) -> ModelCard:
        """The card of the weights. Raises EngineError or CheckpointError where they can't be read."""
        return self._weights().card

    def features(
        self, signal: NightSignal, progress: ProgressCallback = no_progress, cancel: CancelToken | None = None
    ) -> tuple[NDArray[np.float32], str]:
        """Return what the epoch model sees of each epoch of a night, ``float32 [n_epochs, 65]``, and the weights' hash.

        The night is resampled, filtered, scaled and adapted to as for scoring; rows of missing epochs are NaN. See
        :mod:`sleepviewer.scoring.features` for nights of recordings and archives.
        """
        from sleepviewer.models.context import SUMMARY_WIDTH

        cancel = cancel or CancelToken()
        weights = self._weights()
        epochs = night_epochs(signal, weights.card)
        runner = self._runner(weights)
        scorable = np.flatnonzero(np.isfinite(epochs).all(axis=1))
        runner.model.adapt(epochs[signal.clean])
        values = np.full((len(epochs), SUMMARY_WIDTH), np.nan, dtype=np.float32)
        for first in range(0, len(scorable), self._batch_size):
            cancel.check()
            which = scorable[first : first + self._batch_size]
            values[which] = runner.model.summaries(np.ascontiguousarray(epochs[which])).numpy()
            progress(Progress((first + len(which)) / len(scorable), "looking at the epochs"))
        return values, weights.sha256

    def model_input(self, signal: NightSignal) -> tuple[LoadedWeights, Epochs]:
        """Return the weights, and a night as their model takes it, ``float32 [n_epochs, epoch_samples]``.

        The night is resampled, filtered and scaled as for scoring; rows of missing epochs are NaN.
        """
        weights = self._weights()
        return weights, night_epochs(signal, weights.card)

    def _weights(self) -> LoadedWeights:
        """Return the weights, read once."""
        if self._loaded is None:
            from sleepviewer.models.checkpoints import load_weights

            path = self._path or shipped_weights(self._member)
            if path is None:
                raise EngineError(
                    f"{self.title} needs a file of weights, and none comes with SleepViewer; choose a .safetensors "
                    "file or a checkpoint of the AttnSleep code."
                )
            loaded = load_weights(path)
            _check_card(loaded.card, self._member, path)
            self._loaded = loaded
        return self._loaded

    def _origin_notes(self, weights: LoadedWeights) -> tuple[str, ...]:
        """Return a sentence where the user chose weights that are neither the program's nor hers."""
        return () if self._path is None else origin_notes(self._path.name, weights.sha256)

    def _runner(self, weights: LoadedWeights) -> _BatchRunner:
        """Return what runs the model, which is built once, on the device to begin with."""
        if self._model is None:
            from sleepviewer.models.night_model import NightModel

            self._model = NightModel(weights)
        return _BatchRunner(self._model, self._device or choose_device(), self._batch_size)


def check_scorable(recording: Recording, label: str) -> None:
    """Raise EngineError for a recording without a whole epoch, ChannelError for a channel that can be no EEG."""
    if recording.n_epochs < 1:
        raise EngineError(f"{recording.name} is shorter than one 30-second epoch; there is nothing to score.")
    rate_hz = recording.channel(label).rate_hz
    if rate_hz < _MIN_RATE_HZ:
        raise ChannelError(
            f"Channel “{label}” of {recording.name} has {rate_hz:g} samples a second, too few for an EEG; "
            "choose another channel."
        )


def _check_card(card: ModelCard, member: str, path: Path) -> None:
    """Raise CheckpointError for weights of another member, or of one that does not see whole epochs."""
    if card.member != member:
        raise CheckpointError(
            f"{path.name} holds the weights of {card.member}, not of {member}; score with {card.member}, or choose "
            "another file."
        )
    if card.shape.seconds != EPOCH_S:
        raise CheckpointError(
            f"{path.name} was trained on {card.shape.seconds:g} s of each epoch and can't score whole ones of "
            f"{EPOCH_S:g} s; choose weights that were."
        )


def choose_device() -> str:
    """Return torch's name of the fastest device that is there: ``cuda``, ``mps`` or ``cpu``."""
    import torch

    with warnings.catch_warnings():  # a driver that is too old is warned of, on a terminal that nobody sees
        warnings.simplefilter("ignore")
        if torch.cuda.is_available():
            return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def night_epochs(signal: NightSignal, card: ModelCard) -> Epochs:
    """Return the night as the model takes it, ``float32 [n_epochs, epoch_samples]``; missing epochs are NaN."""
    from sleepviewer.models.filtering import band_pass
    from sleepviewer.models.normalisation import normalise

    samples = signal.at_rate(card.rate_hz)
    if card.band_hz is not None:
        samples = band_pass(samples, card.rate_hz, card.band_hz)
    if samples is signal.samples:
        samples = samples.copy()
    epochs = samples.reshape(len(signal.missing), card.epoch_samples)
    epochs[signal.missing] = np.nan
    return normalise(epochs, card.normalisation, signal.clean)


def _rate_notes(signal: NightSignal, card: ModelCard) -> tuple[str, ...]:
    """Return a sentence where the channel is slower than the model's input."""
    if signal.rate_hz >= card.rate_hz:
        return ()
    return (
        f"“{signal.label}” has {signal.rate_hz:g} samples a second, fewer than the {card.rate_hz} that the "
        f"model was made for: it sees nothing above {signal.rate_hz / 2:g} Hz.",
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """A night's probabilities ``float32 [n_epochs, 5]``, NaN where missing, and what is to be said about them.

    ``changed`` is the share of the stages that the context changed.
    """

    proba: Proba
    notes: tuple[str, ...] = ()
    unvalidated: tuple[str, ...] = ()
    changed: float = 0.0


def _score_night(
    runner: _BatchRunner,
    epochs: Epochs,
    clean: NDArray[np.bool_],
    card: ModelCard,
    progress: ProgressCallback,
    cancel: CancelToken,
) -> _Scored:
    """Score a night's epochs ``float32 [n_epochs, n_samples]``; the model is fitted to the clean ones.

    Each batch's probabilities are reported as they come, and where the member has a context and the night is long
    enough for it, in the end what that makes of all of them.
    """
    from sleepviewer.models.card import Limit

    proba = np.full((len(epochs), N_STAGES), np.nan, dtype=np.float32)
    scorable = np.asarray(np.isfinite(epochs).all(axis=1))
    minutes = float(scorable.sum() * EPOCH_S / 60)
    adapts = minutes >= card.limits.get(Limit.ADAPTATION_MINUTES, 0.0)
    reads = runner.model.has_context and minutes >= card.limits.get(Limit.CONTEXT_MINUTES, 0.0)
    progress(Progress(0.0, "fitting the model to the night"))
    runner.model.adapt(epochs[clean if adapts else np.zeros_like(clean)])
    summaries: Tensor | None = None
    first = 0
    while first < len(epochs):
        cancel.check()
        stop = min(first + runner.batch_size, len(epochs))
        which = first + np.flatnonzero(scorable[first:stop])
        if len(which):
            result = runner.run(epochs[which])
            if result is None:
                continue
            proba[which] = result[0]
            if summaries is None:
                summaries = result[1].new_full((len(epochs), result[1].shape[1]), np.nan)
            summaries[which] = result[1]
        share = stop / (len(epochs) + runner.batch_size * reads)
        progress(Progress(share, f"scored {round(stop * EPOCH_S / 60)} minutes", first, proba[first:stop].copy()))
        first = stop
    cancel.check()
    scored = _Scored(proba, *_short(minutes, card, has_context=runner.model.has_context))
    if reads and summaries is not None:
        scored = _read_night(runner.model, summaries, scored, card)
        cancel.check()
        progress(Progress(1.0, "read the whole night", 0, scored.proba.copy()))
    return scored


def _read_night(model: NightModel, summaries: Tensor, scored: _Scored, card: ModelCard) -> _Scored:
    """Return the night as the context reads it, or as it was where the context strays further than it ever did."""
    from sleepviewer.models.card import Limit

    reading = model.night(summaries)
    unvalidated = scored.unvalidated
    farthest = card.limits.get(Limit.DISTANCE, np.inf)
    if reading.distance > farthest:
        unvalidated += (
            f"its signal is unlike that of the training nights (distance {reading.distance:.2f}; validated up to "
            f"{farthest:.2f})",
        )
    most = card.limits.get(Limit.CONTEXT_CHANGES, 1.0)
    if reading.changed <= most:
        return replace(scored, proba=reading.proba, unvalidated=unvalidated, changed=reading.changed)
    note = (
        f"With its context the model would have changed {reading.changed:.0%} of the stages, more than it ever did in "
        f"validation ({most:.0%}): the night was scored epoch by epoch instead."
    )
    return _Scored(
        scored.proba, (*scored.notes, note), (*unvalidated, "its epochs were scored one by one"), reading.changed
    )


def _short(minutes: float, card: ModelCard, *, has_context: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the notes on a short recording, and the clause that takes it beyond what was validated."""
    from sleepviewer.models.card import Limit

    needed = {"fitting it to the night": Limit.ADAPTATION_MINUTES}
    if has_context:
        needed = {"its context": Limit.CONTEXT_MINUTES} | needed
    left_out = [what for what, limit in needed.items() if minutes < card.limits.get(limit, 0.0)]
    notes: tuple[str, ...] = ()
    if left_out:
        notes = (
            f"Only {minutes:g} minutes could be scored: the model was used without {' and without '.join(left_out)}, "
            "which did not help on so short pieces in validation.",
        )
    return notes, too_short(minutes, card)


def too_short(minutes: float, card: ModelCard) -> tuple[str, ...]:
    """Return the clause that less of a night was scored than what was validated; nothing where it is enough."""
    from sleepviewer.models.card import Limit

    least = card.limits.get(Limit.CALIBRATION_MINUTES, 0.0)
    return (f"only {minutes:g} minutes could be scored (validated from {least:g})",) if minutes < least else ()


def unusable_share(signal: NightSignal, card: ModelCard) -> tuple[str, ...]:
    """Return the clause that too much of a night is unusable for what was validated; nothing where it is not."""
    from sleepviewer.models.card import Limit

    most = card.limits.get(Limit.UNUSABLE_SHARE, 1.0)
    share = float(signal.missing.mean()) if len(signal.missing) else 0.0
    return (f"{share:.0%} of it was not scored (validated up to {most:.0%})",) if share > most else ()


class _BatchRunner:
    """Run a model over batches, on smaller ones and at last on the CPU where memory does not suffice.

    ``device``, ``batch_size`` and ``notes`` are what it has come to.
    """

    def __init__(self, model: NightModel, device: str, batch_size: int) -> None:
        self.model = model
        self.device = device
        self.batch_size = batch_size
        self.notes: tuple[str, ...] = ()
        try:
            model.to(device)
        except RuntimeError as error:  # no room for the weights, or a driver that does not work after all
            if device == "cpu":
                raise
            why = "has no memory left" if _is_out_of_memory(error) else "can't be used"
            self._go_on_on_cpu(f"The graphics processor ({device}) {why}; the night was scored on the CPU.")

    def run(self, epochs: Epochs) -> tuple[Proba, Tensor] | None:
        """Return probabilities and summaries of ``[n, n_samples]``, or None: out of memory, try a smaller batch."""
        try:
            return self.model.batch(np.ascontiguousarray(epochs))
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
        except MemoryError:
            pass
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
            self._go_on_on_cpu(f"The memory of {self.device} did not suffice; the rest was scored on the CPU.")
        else:
            raise EngineError("Memory does not suffice to score one epoch; close other programs and score again.")

    def _go_on_on_cpu(self, note: str) -> None:
        self.notes = (note,)
        self.device, self.batch_size = "cpu", BATCH_SIZE
        self.model.to("cpu")


def _is_out_of_memory(error: RuntimeError) -> bool:
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)
