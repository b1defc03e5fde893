"""The nights of an analysis, one after the other: archives of a folder, or the predictions of a cross-validation."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from sleepviewer.analysis.calibration import softmax
from sleepviewer.analysis.errors import Comparison, compare
from sleepviewer.analysis.provenance import OUT_OF_FOLD, Provenance, TrainingRecord, card_records, provenance
from sleepviewer.analysis.signs import measure_signs
from sleepviewer.archive.archive import NOT_CORRECTED, ScoringArchive, read_archive
from sleepviewer.datasets.manifest import read_manifest
from sleepviewer.errors import AnalysisError, ArchiveError, SleepViewerError
from sleepviewer.models.shipped import peek_card, shipped_weights
from sleepviewer.models.versions import MARK
from sleepviewer.recording.formats import base_name, is_recording_name
from sleepviewer.review.lights import Lights
from sleepviewer.scoring.recipe import possible_identities, shipped_recipe
from sleepviewer.scoring.registry import ENSEMBLE
from sleepviewer.stages import N_STAGES, Stage, StageArray, most_likely
from sleepviewer.training.records import is_training, training_records, version_record
from sleepviewer.training.runs import Protocol, load_predictions, read_run

_AROUSAL: Final = "arousal"
_MOST_S: Final = 31 * 86_400.0  # what lies further from the start than any recording lasts is damage


@dataclass(frozen=True, slots=True, eq=False)
class AnalysedNight:
    """A night's comparison and what else a report tells of it.

    ``model`` is who predicted, ``scorers`` all hypnograms by their names (``expert``, ``model``, and ``corrected``
    where labels were corrected); ``arousals_s`` beginnings of marked arousals in seconds; ``path`` the file that it was
    read from; ``recording`` the recording's file, where it was found.
    """

    name: str
    subject: str
    model: str
    comparison: Comparison
    scorers: Mapping[str, StageArray]
    provenance: Provenance
    lights: Lights = field(default_factory=Lights)
    arousals_s: tuple[float, ...] = ()
    start: datetime | None = None
    path: Path | None = None
    recording: Path | None = None
    recording_name: str = ""

    def command(self, epoch: int | None = None) -> str:
        """Return the command that opens the night, at an epoch (counted from 0); empty where no file is known."""
        night = str(self.recording) if self.recording is not None else self.recording_name
        if not night:
            return ""
        words = ["sleepviewer", "view", night]
        words += ["--labels", str(self.path)] if self.path is not None else []
        words += [] if epoch is None else ["--epoch", str(epoch + 1)]
        return shlex.join(words)


@dataclass(slots=True)
class Sources:
    """What is to be analysed: archives in order, and folders of cross-validations. Nothing is read yet.

    ``left_out`` gathers a sentence for each file that could not be compared, as the nights are read.
    """

    archives: tuple[Path, ...]
    runs: tuple[Path, ...]
    recordings: Path | None = None
    protocol: Protocol = Protocol.HONEST
    records: tuple[TrainingRecord, ...] = ()
    left_out: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        """Files, a cross-validation counting as one."""
        return len(self.archives) + len(self.runs)

    def nights(self) -> Iterator[AnalysedNight]:
        """Return the nights, each read when it is asked for and not kept."""
        subjects: dict[Path, dict[str, Any]] = {}
        for path in self.archives:
            if path.parent not in subjects:
                subjects[path.parent] = _subjects(path.parent)
            try:
                yield archived_night(
                    path, self.records, subject=subjects[path.parent].get(path.name, ""), recordings=self.recordings
                )
            except SleepViewerError as error:
                self.left_out.append(str(error))
        for run in self.runs:
            yield from self._predicted(run)

    def _predicted(self, folder: Path) -> Iterator[AnalysedNight]:
        run = read_run(folder, allow_unfinished=True)
        if run.unfinished:
            self.left_out.append(f"{folder}: {len(run.unfinished)} folds are not finished and were left out.")
        temperatures = {result.fold: result.temperature for result in run.results}
        for night in load_predictions(run, self.protocol):
            n = int(night.epochs.max()) + 1
            truth = np.full(n, int(Stage.UNKNOWN), dtype=np.int8)
            proba = np.full((n, N_STAGES), np.nan, dtype=np.float32)
            truth[night.epochs] = night.truth
            proba[night.epochs] = softmax(night.logits, temperatures[night.fold])
            predicted = most_likely(proba)
            yield AnalysedNight(
                name=night.night,
                subject=night.subject,
                model=f"{run.model} ({run.name}, {self.protocol})",
                comparison=compare(truth, predicted, proba=proba, night=night.night, subject=night.subject),
                scorers={"expert": truth, "model": predicted},
                provenance=OUT_OF_FOLD,
                recording=_find(night.night, self.recordings),
            )


def find_sources(
    paths: Sequence[Path],
    *,
    trainings: Sequence[Path] = (),
    recordings: Path | None = None,
    protocol: Protocol = Protocol.HONEST,
) -> Sources:
    """Return what there is to analyse in files and folders.

    ``trainings`` are folders of trainings, or weights with their cards, that tell what models learned.

    Raises AnalysisError where there is nothing, RunError for a folder that is no training's.
    """
    archives: list[Path] = []
    runs: list[Path] = []
    for path in paths:
        if path.is_dir() and is_training(path):
            runs.append(path)
        elif path.is_dir():
            archives += sorted(path.glob("*.npz"))
        elif path.is_file():
            archives.append(path)
        else:
            raise AnalysisError(f"{path} is not there; name archives (npz), a folder of them, or a cross-validation.")
    if not archives and not runs:
        raise AnalysisError(
            f"There is no archive (npz) in {', '.join(map(str, paths))}; “sleepviewer score NIGHT --out NIGHT.npz” "
            "writes one."
        )
    records = [record for folder in trainings for record in training_records(folder)]
    return Sources(tuple(archives), tuple(runs), recordings, protocol, tuple(records))


def archived_night(
    path: Path, records: Sequence[TrainingRecord] = (), *, subject: str = "", recordings: Path | None = None
) -> AnalysedNight:
    """Read an archive and compare its expert with its model.

    The expert's hypnogram is the truth; labels that were corrected in the review do not change it. Raises ArchiveError
    where the archive can't be read or lacks one of the two.
    """
    archive = read_archive(path)
    predicted = most_likely(archive.night_proba)
    if (archive.night_expert == Stage.UNKNOWN).all():
        raise ArchiveError(f"{path.name} holds no expert's hypnogram, so there is nothing to compare with.")
    if (predicted == Stage.UNKNOWN).all():
        raise ArchiveError(f"{path.name} holds no model's scoring; score the night first.")
    dataset, facts = _mapping(archive.meta, "dataset"), _mapping(archive.meta, "recording")
    name = str(facts.get("name") or "")
    subject = str(dataset.get("subject") or subject or base_name(Path(name)) or path.stem)
    edited = archive.night_corrected != NOT_CORRECTED
    lights = lights_of(archive)
    found = compare(
        archive.night_expert,
        predicted,
        proba=archive.night_proba,
        signs=measure_signs(archive.x[:, :, 0], archive.fs, n=archive.n_epochs, places=archive.epoch_index),
        edited=edited,
        night=path.stem,
        subject=subject,
        start=archive.start,
        lights_off=lights.off,
    )
    scorers = {"expert": archive.night_expert, "model": predicted}
    if edited.any():
        scorers["corrected"] = archive.night_labels
    return AnalysedNight(
        name=path.stem,
        subject=subject,
        model=model_text(archive.meta),
        comparison=found,
        scorers=scorers,
        provenance=provenance(archive.meta, path.stem, [*records, *shipped_record(archive.meta)]),
        lights=lights,
        arousals_s=arousals_of(archive.meta),
        start=archive.start,
        path=path,
        recording=_beside(path, name) or _find(base_name(Path(name)), recordings),
        recording_name=name,
    )


def model_text(meta: Mapping[str, Any]) -> str:
    """Return who predicted, from an archive's ``meta``: engine, version, the beginning of the weights' hash."""
    model = _mapping(meta, "model")
    if not model:
        return "unknown model"
    weights = str(model.get("weights_sha256") or "")
    text = f"{model.get('engine', 'unknown')} {model.get('version', '')}".strip()
    return f"{text} ({weights[:12]})" if weights else text


def shipped_record(meta: Mapping[str, Any]) -> Iterator[TrainingRecord]:
    """Return what the card says of a model that comes with the program, or of a version of the user's.

    It counts where its weights are the ones that scored.
    """
    model = _mapping(meta, "model")
    engine, sha256 = str(model.get("engine") or ""), str(model.get("weights_sha256") or "")
    if MARK in engine and (record := version_record(engine, sha256)) is not None:
        yield record
        return
    if engine == ENSEMBLE:
        if sha256 in possible_identities(shipped=True):
            yield from card_records(shipped_recipe().card, sha256, "the cards of the ensemble's members")
        return
    path = shipped_weights(engine) if engine else None
    card = None if path is None else peek_card(path)
    if path is None or card is None or not sha256 or _shipped_sha256(path) != sha256:
        return
    yield from card_records(card, sha256, f"the card of {path.name}")


_HASHES: Final[dict[Path, str]] = {}


def _shipped_sha256(path: Path) -> str:
    from sleepviewer.files import sha256_of

    if path not in _HASHES:
        _HASHES[path] = sha256_of(path)
    return _HASHES[path]


def _subjects(folder: Path) -> dict[str, str]:
    """Return the subjects of a prepared folder's files, by its manifest; none where it has none or a damaged one."""
    try:
        lines = read_manifest(folder)
    except SleepViewerError:
        return {}
    return {str(line.get("file", f"{night}.npz")): str(line.get("subject", "")) for night, line in lines.items()}


def lights_of(archive: ScoringArchive) -> Lights:
    """Return an archive's lights off and on; none where it has none, or none that can be read."""
    try:
        return Lights.from_dict(archive.meta.get("lights", {}), archive.n_epochs)
    except ArchiveError:
        return Lights()


def arousals_of(meta: Mapping[str, Any]) -> tuple[float, ...]:
    """Return when the expert's arousals begin; suggestions that nobody has accepted do not count."""
    events = meta.get("events")
    return tuple(
        float(event["start_s"])
        for event in (events if isinstance(events, list) else ())
        if isinstance(event, dict)
        and event.get("kind") == _AROUSAL
        and event.get("origin", "expert") == "expert"
        and isinstance(event.get("start_s"), (int, float))
        and 0 <= event["start_s"] < _MOST_S
    )


def _beside(archive: Path, name: str) -> Path | None:
    """Return the recording of that name beside an archive, or None."""
    path = archive.parent / Path(name).name if name else None
    return path if path is not None and path.is_file() else None


def _find(stem: str, folder: Path | None) -> Path | None:
    """Return a recording in a folder whose name begins as the night's does, or None."""
    if folder is None or not stem:
        return None
    return next((path for path in sorted(folder.glob(f"{glob.escape(stem)}*")) if is_recording_name(path)), None)


def _mapping(meta: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = meta.get(key)
    return value if isinstance(value, Mapping) else {}
