"""JSON: ours, ScoringHero's list of epochs, Dreem's bare list of numbers."""

from __future__ import annotations

import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sleepviewer.errors import HypnogramError
from sleepviewer.files import atomic_writer
from sleepviewer.hypnogram.base import Bout, Hypnogram, StageTrack
from sleepviewer.hypnogram.bouts import in_order
from sleepviewer.hypnogram.words import Word, clock_of, one_line, stages_of, without_zone
from sleepviewer.stages import EPOCH_S, Stage, stage_from_word, stage_labels

_KIND: Final = "SleepViewer hypnogram"
_VERSION: Final = 1
_MAX_BYTES: Final = 64 << 20
_LONGEST_STEP_S: Final = 120.0


def read_json(path: Path) -> StageTrack:
    """Read stages from JSON.

    Known are an object with ``stages`` (ours: words or numbers, one for every ``epoch_s`` seconds, with ``start`` and
    ``scorer``), ScoringHero's file (a list of epochs with ``start``, ``end`` and ``stage``, and beside it one of
    events) and a bare list of numbers, one for every 30 seconds (Dreem).

    Raises HypnogramError where the file can't be read, is larger than 64 MB, is of no such kind, or holds no stage.
    """
    content = _content(path)
    if isinstance(content, dict) and isinstance(content.get("stages"), list):
        return _ours(content, path)
    if isinstance(content, list) and content and isinstance(content[0], list):
        return _scoring_hero(content[0], path)
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return _scoring_hero(content, path)
    if isinstance(content, list) and content:
        return _listed(content, EPOCH_S, path)
    raise HypnogramError(f"{path.name} is JSON of a kind that holds no hypnogram known here.")


def _content(path: Path) -> Any:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise HypnogramError(f"{path.name} is larger than {_MAX_BYTES >> 20} MB, which no hypnogram is.")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise HypnogramError(f"{path} can't be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise HypnogramError(f"{path.name} is damaged or no JSON ({error}); export it again.") from error


def _listed(values: list[Any], step_s: float, path: Path) -> StageTrack:
    words = [Word(place, _word(value)) for place, value in enumerate(values, 1)]
    stages, notes = stages_of(words, path.name, [step_s] * len(words), unit="entry")
    ordered, _ = in_order((Bout(i * step_s, step_s, stage) for i, stage in enumerate(stages)), path.name)
    if step_s != EPOCH_S:
        notes = (*notes, f"{path.name} was scored in epochs of {step_s:g} s.")
    return StageTrack(ordered, None, path.name, notes=notes)


def _word(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value).strip()


def _ours(content: dict[str, Any], path: Path) -> StageTrack:
    step_s = _number(content.get("epoch_s", EPOCH_S))
    if not 0 < step_s <= _LONGEST_STEP_S:
        raise HypnogramError(
            f"{path.name} says that an epoch lasts “{content.get('epoch_s')}” seconds, which can't be."
        )
    if not content["stages"]:
        raise HypnogramError(f"{path.name} holds an empty list of stages.")
    track = _listed(content["stages"], step_s, path)
    start, scorer = content.get("start"), content.get("scorer")
    clock: datetime | None = without_zone(clock_of(start)) if isinstance(start, str) else None
    notes = track.notes
    if start is not None and clock is None:
        notes = (*notes, f"{path.name}: its start “{start}” is no date and time and was not used.")
    return StageTrack(track.bouts, clock, path.name, one_line(scorer) if isinstance(scorer, str) else "", notes)


def _scoring_hero(epochs: list[Any], path: Path) -> StageTrack:
    bouts, unscored = [], 0
    for number, epoch in enumerate(epochs, 1):
        if not isinstance(epoch, dict):
            raise HypnogramError(f"{path.name}, epoch {number}: it is no object with start, end and stage.")
        start, end = _number(epoch.get("start")), _number(epoch.get("end"))
        word = epoch.get("stage")
        stage = Stage.UNKNOWN if word is None else stage_from_word(word) if isinstance(word, str) else None
        if stage is None or not end > start:
            raise HypnogramError(f"{path.name}, epoch {number}: no stage with a start and a later end; correct it.")
        unscored += stage is Stage.UNKNOWN
        bouts.append(Bout(start, end - start, int(stage)))
    if unscored == len(bouts):
        raise HypnogramError(f"{path.name} is a scoring in which no epoch has a stage yet.")
    ordered, notes = in_order(bouts, path.name)
    return StageTrack(ordered, None, path.name, notes=notes)


def _number(value: Any) -> float:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fits else math.nan


def write_json(hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
    """Write one object: start, scorer, epoch_s, stages as words. Raises OutputError where it can't be written."""
    content: dict[str, Any] = {"kind": _KIND, "version": _VERSION, "epoch_s": EPOCH_S}
    if simulated:
        content["simulated"] = True
    if hypnogram.start is not None:
        content["start"] = hypnogram.start.isoformat()
    if scorer := one_line(hypnogram.scorer):
        content["scorer"] = scorer
    content["stages"] = stage_labels(hypnogram.stages)
    with atomic_writer(path) as file:
        file.write((json.dumps(content, ensure_ascii=False) + "\n").encode())
