"""A fine-tuning from reading the nights to the guard's verdict, with a state that outlives a kill.

After every chunk of steps the state is written whole, and each chunk draws its random numbers from the seed and its own
number: a tuning that was killed ends as one that was not.
"""

from __future__ import annotations

import io
import json
import pickle
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import torch

from sleepviewer import __version__
from sleepviewer.errors import TrainingError
from sleepviewer.files import atomic_writer
from sleepviewer.models.card import ModelCard
from sleepviewer.models.checkpoints import LoadedWeights, StateDict, load_weights, save_weights
from sleepviewer.stages import StageArray
from sleepviewer.training.context_tuning import tuned_context
from sleepviewer.training.corrected import TuningNight
from sleepviewer.training.fine_tune import (
    CANDIDATE_FILE,
    CONTEXT_NIGHTS,
    BaseModel,
    FineTuneRequest,
    FineTuneResult,
    TuningProgress,
    find_base,
    read_tuning_result,
    work_folder,
    write_tuning_result,
)
from sleepviewer.training.fold import make_folder
from sleepviewer.training.guard import BeforeAfter, GuardVerdict, Table, confusion_over, judge
from sleepviewer.training.measuring import stages_of
from sleepviewer.training.tuning_data import TuningData, load_tuning_data
from sleepviewer.training.tuning_steps import Stepper, context_of

STATE_FILE: Final = "state.pt"
CHUNK_STEPS: Final = 20
"""Steps between two writings of the state."""
LOOK_STEPS: Final = 40
"""Steps between two looks at κ, which take as long as a chunk."""
_TELL_STEPS: Final = 5

Tell = Callable[[TuningProgress], None]
Pause = Callable[[], None]
"""Called between steps: waits while the user pauses, and raises where she cancels."""


def fine_tune(request: FineTuneRequest, tell: Tell, pause: Pause = lambda: None) -> FineTuneResult:
    """Tune a model, or go on where that was broken; return the guard's verdict and where the tuned weights lie.

    Raises TrainingError where there is nothing to learn from or the state is of another tuning, CheckpointError,
    VersionError and ArchiveError for files that can't be used, OutputError where the disk is full, and what ``pause``
    raises.
    """
    work = work_folder(request)
    if (done := read_tuning_result(work)) is not None:
        return done
    torch.set_num_threads(1)
    make_folder(work)
    result = _Tuning(request, work, tell, pause).run()
    write_tuning_result(work, result)
    (work / STATE_FILE).unlink(missing_ok=True)
    return result


class _Clock:
    """Seconds since the first start, pauses left out, and seconds of the processor; both go on after a kill."""

    def __init__(self) -> None:
        self._zero = time.perf_counter()
        self._cpu_zero = time.process_time()

    @property
    def now(self) -> tuple[float, float]:
        return round(time.perf_counter() - self._zero, 2), round(time.process_time() - self._cpu_zero, 2)

    def add(self, seconds: float, cpu: float = 0.0) -> None:
        self._zero -= seconds
        self._cpu_zero -= cpu


class _Tuning:
    """One tuning."""

    def __init__(self, request: FineTuneRequest, work: Path, tell: Tell, pause: Pause) -> None:
        self._settings = request.settings
        self._state_path, self._candidate = work / STATE_FILE, work / CANDIDATE_FILE
        self._tell, self._pause = tell, pause
        self._clock = _Clock()
        self._rows: list[TuningProgress] = []
        self._steps = request.settings.steps_for(len(request.archives))
        self._say("reading", 0)
        self._base_model = find_base(request.base)
        self._base = load_weights(self._base_model.path)
        self._data: TuningData = load_tuning_data(request, self._base.card)
        self._fingerprint = f"{self._base.sha256} {self._data.fingerprint} {asdict(self._settings)}"

    def run(self) -> FineTuneResult:
        stepper = Stepper(self._base, self._data, self._settings)
        done = self._restore(stepper)
        for row in self._rows:  # who goes on with a broken tuning sees its whole curves
            self._tell(row)
        if not self._rows:
            self._look(0, None, stepper)
        for begin in range(done, self._steps, CHUNK_STEPS):
            stop = min(begin + CHUNK_STEPS, self._steps)
            loss = stepper.chunk(begin, stop, self._told(stop), self._wait)
            if stop % LOOK_STEPS == 0 or stop == self._steps:
                self._look(stop, loss, stepper)
            else:
                self._say("tuning", stop, loss=loss, keep=True)
            self._save(stop, stepper)
        return self._finish(dict(stepper.model.state_dict()) | self._context(stepper))

    def _context(self, stepper: Stepper) -> StateDict:
        """Return the context's weights; tuned where there are enough nights, else the base's."""
        kept = context_of(self._base.state)
        if not kept or len(self._data.nights) < CONTEXT_NIGHTS:
            return kept
        self._say("context", self._steps)
        return tuned_context(self._base, stepper, self._data, self._settings, self._wait)

    # -- looking and telling

    def _look(self, step: int, loss: float | None, stepper: Stepper) -> None:
        """Look at κ on the held-out epochs and on one night of another subject, and tell."""
        weights = replace(self._base, state=context_of(self._base.state) | _copy(stepper.model.state_dict()))
        guards = self._data.replay.guards[:1]
        held = self._table(weights, self._data.held_out, self._data.nights)
        rest = self._table(weights, [night.y for night in guards], guards)
        self._say("tuning", step, loss=loss, corrected=held.kappa, others=rest.kappa, keep=True)

    def _table(self, weights: LoadedWeights, truths: Sequence[StageArray], nights: Sequence[TuningNight]) -> Table:
        self._wait()
        return Table.of(confusion_over(truths, stages_of(weights, [night.x for night in nights])))

    def _told(self, last: int) -> Callable[[int, float], None]:
        """Return what a chunk tells its steps to; the last one's is told with all that is known then."""

        def told(step: int, loss: float) -> None:
            if step % _TELL_STEPS == 0 and step != last:
                self._say("tuning", step, loss=loss)

        return told

    def _say(
        self,
        phase: str,
        step: int,
        *,
        loss: float | None = None,
        corrected: float | None = None,
        others: float | None = None,
        keep: bool = False,
    ) -> None:
        figures = (_rounded(value) for value in (loss, corrected, others))
        row = TuningProgress(phase, step, self._steps, *self._clock.now, *figures)
        if keep:
            self._rows.append(row)
        self._tell(row)

    def _wait(self) -> None:
        started = time.perf_counter()
        self._pause()
        self._clock.add(started - time.perf_counter())

    # -- the state

    def _save(self, step: int, stepper: Stepper) -> None:
        seconds, cpu = self._clock.now
        rows = json.dumps([row.as_dict() for row in self._rows])
        state = {"of": self._fingerprint, "step": step, "rows": rows, "seconds": seconds, "cpu_seconds": cpu}
        buffer = io.BytesIO()
        torch.save(state | stepper.state(), buffer)
        with atomic_writer(self._state_path) as file:
            file.write(buffer.getbuffer())

    def _restore(self, stepper: Stepper) -> int:
        """Load the state of a broken tuning; return how many steps it has done, 0 where there is none."""
        if not self._state_path.exists():
            return 0
        anew = "remove it to start anew"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about pickle protocols: what it can't read, it refuses
                state = torch.load(self._state_path, map_location="cpu", weights_only=True)
            if state["of"] != self._fingerprint:
                raise TrainingError(f"{self._state_path} is of another tuning; {anew}.")
            stepper.restore(state)
            self._rows = [TuningProgress.from_dict(row) for row in json.loads(state["rows"])]
            self._clock.add(state["seconds"], state["cpu_seconds"])
            return int(state["step"])
        except (
            RuntimeError, LookupError, ValueError, TypeError, AttributeError, OSError, EOFError, pickle.UnpicklingError,
        ) as error:  # fmt: skip
            raise TrainingError(f"{self._state_path} is damaged or no state of a tuning; {anew}.") from error

    # -- the end

    def _finish(self, state: StateDict) -> FineTuneResult:
        self._say("guard", self._steps)
        tuned = replace(self._base, state=state)
        guards = self._data.replay.guards
        held, rest = (self._data.held_out, self._data.nights), ([night.y for night in guards], guards)
        verdict = judge(
            BeforeAfter(self._table(self._base, *held), self._table(tuned, *held)),
            BeforeAfter(self._table(self._base, *rest), self._table(tuned, *rest)),
        )
        save_weights(self._candidate, state, self._card(verdict))
        seconds, cpu = self._clock.now
        return FineTuneResult(
            verdict=verdict,
            candidate=self._candidate,
            member=self._base.card.member,
            base=self._base_model.name,
            seconds=seconds,
            cpu_seconds=cpu,
            rows=tuple(self._rows),
            notes=self._data.replay.notes,
        )

    def _card(self, verdict: GuardVerdict) -> ModelCard:
        nights = self._data.nights
        lineage = {
            "nights": [night.as_dict() for night in nights],
            "earlier_nights": [
                *self._base.card.lineage.get("earlier_nights", ()),
                *self._base.card.lineage.get("nights", ()),
            ],
            "replay": self._data.replay.source,
            "replayed_nights": [night.as_dict() for night in self._data.replay.replayed],
            "settings": asdict(self._settings) | {"steps": self._steps},
            "context_tuned": len(nights) >= CONTEXT_NIGHTS,
            "verdict": verdict.as_dict(),
        }
        return tuned_card(self._base.card, self._base_model, verdict, lineage)


def tuned_card(base: ModelCard, parent: BaseModel, verdict: GuardVerdict, lineage: dict[str, Any]) -> ModelCard:
    """Return the card of a tuned model: the base's, with its own figures and where it comes from."""
    nights = len(lineage["nights"])
    measured = {
        "held-out corrected epochs": verdict.corrected.after,
        "other subjects": verdict.others.after,
    }
    return replace(
        base,
        name=f"{base.name}, tuned",
        trained_on=f"{base.trained_on}; then fine-tuned on {nights} corrected night{'s' * (nights > 1)}",
        measured={
            f"{where} {figure}": value
            for where, table in measured.items()
            for figure, value in (("kappa", table.kappa), ("accuracy", table.accuracy))
            if value == value
        },
        notes="The figures are the guard's, measured when the model was made: on blocks of the corrected nights that"
        " were kept out of the tuning, and on other subjects. The temperature is the base's.",
        lineage={
            "parent": parent.name,
            "parent_sha256": parent.sha256,
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "software": f"SleepViewer {__version__}",
            **lineage,
        },
    )


def _copy(state: StateDict) -> StateDict:
    return {name: tensor.detach().clone() for name, tensor in state.items()}


def _rounded(value: float | None) -> float | None:
    """Round for a line of progress; NaN has no place in JSON."""
    return None if value is None or value != value else round(value, 4)
