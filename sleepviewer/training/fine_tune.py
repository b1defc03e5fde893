"""Fine-tuning a model on corrected nights: what is asked for, what came of it, and how it is kept.

The arithmetic is in :mod:`sleepviewer.training.tuner`; it runs in a child process that
:class:`sleepviewer.training.fine_tune_process.FineTuneProcess` starts. Nothing here loads torch.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import platformdirs

from sleepviewer.errors import CheckpointError, OutputError, TrainingError
from sleepviewer.files import atomic_writer, sha256_of
from sleepviewer.models.card import with_lineage
from sleepviewer.models.shipped import member_of
from sleepviewer.models.versions import ModelVersions
from sleepviewer.scoring.registry import DEFAULT_MEMBER
from sleepviewer.training.guard import GuardVerdict

CANDIDATE_FILE: Final = "candidate.safetensors"
RESULT_FILE: Final = "result.json"

STEPS_OF_ONE_NIGHT: Final = 120
_STEPS_OF_A_FURTHER_NIGHT: Final = 60
_MOST_STEPS: Final = 480
CONTEXT_NIGHTS: Final = 3
"""From so many corrected nights on the context is tuned as well: one night's order of stages is no rule."""


@dataclass(frozen=True, slots=True)
class TuningSettings:
    """How a model is tuned; the defaults suit one night. What was tried: docs/retraining.md.

    Attributes
    ----------
    steps: changes of the weights; 0: 120 for one corrected night, 60 more for each further one, at most 480.
    learning_rate: of Adam.
    batch: reviewed epochs in a step.
    replay: replayed epochs in a step for each reviewed one.
    pull: weight of the KL divergence from the base on the reviewed epochs.
    hold: the same on the replayed epochs, which have no other loss.
    context_passes, context_learning_rate: of the context, where it is tuned.
    seed: of everything random.
    """

    steps: int = 0
    learning_rate: float = 2e-4
    batch: int = 16
    replay: int = 4
    pull: float = 0.2
    hold: float = 3.0
    context_passes: int = 10
    context_learning_rate: float = 2e-4
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise TrainingError for a setting that can't be."""
        whole = (("steps", 0), ("batch", 1), ("replay", 1), ("context_passes", 1), ("seed", 0))
        for name, least in whole:
            if getattr(self, name) < least:
                raise TrainingError(f"The setting “{name}” is {getattr(self, name)}, but must be {least} or more.")
        for name in ("learning_rate", "context_learning_rate"):
            if not 0 < getattr(self, name) < 1:
                raise TrainingError(f"The setting “{name}” is {getattr(self, name)}, but must lie between 0 and 1.")
        for name in ("pull", "hold"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise TrainingError(f"The setting “{name}” is {getattr(self, name)}, but must be 0 or more.")

    def steps_for(self, nights: int) -> int:
        """Return how many steps so many corrected nights get."""
        return self.steps or min(STEPS_OF_ONE_NIGHT + _STEPS_OF_A_FURTHER_NIGHT * (nights - 1), _MOST_STEPS)


@dataclass(frozen=True, slots=True)
class FineTuneRequest:
    """What to tune on what: small, and readable as JSON by the child process.

    Attributes
    ----------
    archives: the corrected nights, npz.
    base: the model to begin with: a member (its active version), ``MEMBER@vN``, ``MEMBER@shipped``, or a file.
    replay: folder of archives to replay and to guard by; None takes simulated nights.
    whole_nights: the user vouches for the corrected nights: what was left as the model scored it stands as well.
    settings: how.
    work: folder of the unfinished training, None for one in the user's cache that the request's content names.
    """

    archives: tuple[Path, ...]
    base: str = DEFAULT_MEMBER
    replay: Path | None = None
    whole_nights: bool = False
    settings: TuningSettings = field(default_factory=TuningSettings)
    work: Path | None = None

    def to_json(self) -> str:
        """Return the request as one line of JSON."""
        return json.dumps(
            {
                "archives": [str(path.absolute()) for path in self.archives],
                "base": self.base,
                "replay": None if self.replay is None else str(self.replay.absolute()),
                "whole_nights": self.whole_nights,
                "settings": asdict(self.settings),
                "work": None if self.work is None else str(self.work.absolute()),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> FineTuneRequest:
        """Rebuild a request. Raises TrainingError where the text is none."""
        try:
            values = json.loads(text)
            return cls(
                archives=tuple(Path(path) for path in values["archives"]),
                base=str(values["base"]),
                replay=None if values["replay"] is None else Path(values["replay"]),
                whole_nights=bool(values["whole_nights"]),
                settings=TuningSettings(**values["settings"]),
                work=None if values["work"] is None else Path(values["work"]),
            )
        except (ValueError, TypeError, KeyError) as error:
            raise TrainingError(f"The request for a fine-tuning can't be read ({error}).") from error


@dataclass(frozen=True, slots=True)
class BaseModel:
    """The model that a tuning begins with: its name as a card tells it, its member, its file and that one's hash."""

    name: str
    member: str
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class TuningProgress:
    """Where a tuning is.

    ``phase`` is ``reading``, ``tuning``, ``context`` or ``guard``; ``step`` of ``of`` are those of the whole tuning;
    ``kappa_corrected`` (of the held-out epochs of the corrected nights), ``kappa_others`` (of a night of another
    subject) and ``loss`` are there only when they were looked at; ``seconds`` and ``cpu_seconds`` count from the first
    start, pauses left out.
    """

    phase: str
    step: int
    of: int
    seconds: float
    cpu_seconds: float
    loss: float | None = None
    kappa_corrected: float | None = None
    kappa_others: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the line that the child writes."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TuningProgress:
        """Rebuild from a line. Raises TypeError where it is none."""
        return cls(**values)


@dataclass(frozen=True, slots=True, eq=False)
class FineTuneResult:
    """What a tuning came to.

    ``candidate`` is the file of the tuned weights, in the tuning's folder ``work`` until :func:`keep` or
    :func:`discard`; ``rows`` are all progress lines with a loss or a κ, ``notes`` sentences for the user.
    """

    verdict: GuardVerdict
    candidate: Path
    member: str
    base: str
    seconds: float
    cpu_seconds: float
    rows: tuple[TuningProgress, ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "verdict": self.verdict.as_dict(),
            "candidate": str(self.candidate),
            "member": self.member,
            "base": self.base,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "rows": [row.as_dict() for row in self.rows],
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FineTuneResult:
        """Rebuild from :meth:`as_dict`. Raises KeyError, TypeError or ValueError where it is none."""
        return cls(
            verdict=GuardVerdict.from_dict(values["verdict"]),
            candidate=Path(values["candidate"]),
            member=str(values["member"]),
            base=str(values["base"]),
            seconds=float(values["seconds"]),
            cpu_seconds=float(values["cpu_seconds"]),
            rows=tuple(TuningProgress.from_dict(row) for row in values["rows"]),
            notes=tuple(values["notes"]),
        )


def find_base(name: str) -> BaseModel:
    """Return the model that a request's ``base`` means.

    Raises VersionError or CheckpointError, in one sentence, where there is none.
    """
    path = Path(name)
    if path.suffix == ".safetensors":
        try:
            return BaseModel(path.name, member_of(path), path, sha256_of(path))
        except OSError as error:
            raise CheckpointError(f"The weights {path} can't be read: {error.strerror or error}.") from error
    version = ModelVersions().get(name)
    return BaseModel(version.name, version.member, version.path, version.sha256())


def work_folder(request: FineTuneRequest) -> Path:
    """Return the folder of a request's training, the same for the same archives, base and settings.

    Raises TrainingError where an archive can't be read, VersionError or CheckpointError where the base can't.
    """
    if request.work is not None:
        return request.work
    digest = hashlib.sha256(request.to_json().encode())
    digest.update(find_base(request.base).sha256.encode())
    for path in request.archives:
        try:
            digest.update(sha256_of(path).encode())
        except OSError as error:
            raise TrainingError(f"{path} can't be read: {error.strerror or error}.") from error
    cache = platformdirs.user_cache_path("SleepViewer", appauthor=False)
    return cache / "fine-tuning" / digest.hexdigest()[:16]


def read_tuning_result(work: Path) -> FineTuneResult | None:
    """Return the result of a tuning that is done, None of one that is not or whose candidate is gone."""
    try:
        values = json.loads((work / RESULT_FILE).read_text(encoding="utf-8"))
        result = FineTuneResult.from_dict(values)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return result if result.candidate.is_file() else None


def write_tuning_result(work: Path, result: FineTuneResult) -> None:
    """Write the result, which marks the tuning as done."""
    with atomic_writer(work / RESULT_FILE) as file:
        file.write((json.dumps(result.as_dict(), indent=1) + "\n").encode())


def keep(
    result: FineTuneResult,
    versions: ModelVersions | None = None,
    *,
    out: Path | None = None,
    refused_too: bool = False,
    label: str = "",
    note: str = "",
) -> Path:
    """Keep a tuned model as the member's next version, or as the file ``out``; return where it lies.

    ``label`` and ``note`` are what the user calls it and says of it; they stand on its card. It does not become active.

    Raises TrainingError where the guard refused it (unless ``refused_too``), OutputError where it can't be
    written; then the candidate stays where it is.
    """
    if not (result.verdict.offered or refused_too):
        raise TrainingError(f"The tuned model is not kept. {result.verdict.reason}")
    if out is not None and out.suffix != ".safetensors":
        raise OutputError(f"{out.name} can't be written: a file of weights must end in .safetensors.")
    target = (versions or ModelVersions()).new_path(result.member) if out is None else out
    said = {key: one_line for key, text in (("label", label), ("note", note)) if (one_line := " ".join(text.split()))}
    try:
        content = with_lineage(result.candidate.read_bytes(), said)
    except (OSError, ValueError) as error:
        raise TrainingError(f"The tuned weights {result.candidate} are gone or damaged; tune again.") from error
    with atomic_writer(target) as file:
        file.write(content)
    return target


def discard(request: FineTuneRequest) -> None:
    """Remove the folder of a request's training, finished or not; nothing happens where there is none."""
    shutil.rmtree(work_folder(request), ignore_errors=True)
