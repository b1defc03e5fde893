"""``sleepviewer explain``: what in an epoch's 30 seconds spoke for the stage that a model gave it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sleepviewer.errors import ChannelError

if TYPE_CHECKING:
    from sleepviewer.review.night import Night
    from sleepviewer.scoring.explain import Explanation

_path = click.Path(path_type=Path)
_WIDTH = 24
"""Characters of the longest bar."""


@click.command(short_help="Say what in an epoch spoke for the stage that a model gave it.")
@click.argument("night", type=_path)
@click.option("--epoch", type=click.IntRange(min=1), required=True, help="The epoch, counted from 1.")
@click.option("--engine", help="Whose stage (“models” lists them; default: what the weights hold, or the default one).")
@click.option("--weights", type=_path, help="Weights of that model (default: those that come with the program).")
@click.option("--channel", help="EEG channel (default: proposed from the names).")
@click.option("--truth", type=_path, help="The expert's hypnogram (found by its name where it lies beside).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else.")
def explain(
    night: Path,
    epoch: int,
    engine: str | None,
    weights: Path | None,
    channel: str | None,
    truth: Path | None,
    as_json: bool,
) -> None:
    """Say second by second what spoke for the stage that a model gave an epoch, and against the expert's.

    Where no expert disagrees, it is explained against the second likeliest stage. Figures are shares of log-odds; they
    say what the model used, not what is right.
    """
    from sleepviewer.models.shipped import member_of
    from sleepviewer.review.opening import open_night
    from sleepviewer.scoring.attribution import NightExplainer
    from sleepviewer.scoring.explain import check_explainable, pair_of
    from sleepviewer.scoring.family_engine import FamilyEngine
    from sleepviewer.scoring.registry import EngineSpec, single_model
    from sleepviewer.stages import Stage

    name = engine or (EngineSpec().id if weights is None else member_of(weights))
    check_explainable(name)
    model = single_model(EngineSpec(name))
    if model.id != name:
        click.echo(f"note: The ensemble is explained by one of its members, {model.id}.", err=True)
    opened = open_night(night, truth_path=truth)
    eeg = _channel(opened, channel)
    explainer = NightExplainer.prepare(FamilyEngine(model.id, weights), opened.recording, eeg)
    proba = explainer.proba(epoch - 1)
    expert = opened.document.truth
    label = Stage.UNKNOWN if expert is None else Stage(int(expert.stages[epoch - 1]))
    explanation = explainer.explain(epoch - 1, pair_of(proba, label))
    for note in opened.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        click.echo(json.dumps(explanation.as_dict(), ensure_ascii=False, allow_nan=False))
    else:
        click.echo(_text(explanation))


def _channel(opened: Night, channel: str | None) -> str:
    from sleepviewer.recording import propose_scoring_channel

    recording = opened.recording
    label = channel or propose_scoring_channel(recording)
    if label is None:
        there = ", ".join(c.label for c in recording.channels)
        raise ChannelError(f"No EEG channel of {recording.name} was recognised; name one with --channel ({there}).")
    return recording.channel(label).label


def _text(explanation: Explanation) -> str:
    """Return the explanation as lines: a bar for each second, to the right for the stage, to the left against it."""
    from sleepviewer.scoring.explain import NEIGHBOURS
    from sleepviewer.stages import SCORED_STAGES

    pair, seconds = explanation.pair, explanation.by_second().tolist()
    largest = max(map(abs, seconds)) or 1.0
    proba = "  ".join(
        f"{stage.label} {p:.2f}" for stage, p in zip(SCORED_STAGES, explanation.proba.tolist(), strict=True)
    )
    rows = []
    for second, value in enumerate(seconds):
        bar = "█" * round(_WIDTH * abs(value) / largest)
        left, right = (bar, "") if value < 0 else ("", bar)
        rows.append(f"{second:3}–{second + 1:<2} s {value:+6.2f} {left:>{_WIDTH}}│{right}".rstrip())
    beside = [
        f"{offset:+d} {lost:+.2f}"
        for offset, lost in zip(NEIGHBOURS, explanation.neighbours.tolist(), strict=True)
        if math.isfinite(lost)
    ]
    return "\n".join(
        (
            f"Epoch {explanation.epoch + 1} of “{explanation.channel}”, {explanation.engine}: {proba}",
            explanation.text,
            "",
            f"{'':14}{f'against {pair.predicted.label}':>{_WIDTH}} │ for {pair.predicted.label}",
            *rows,
            "",
            f"log-odds of {pair.predicted.label} against {pair.against.label}: {explanation.log_odds:+.2f} "
            f"(this epoch alone {explanation.log_odds_alone:+.2f}; {explanation.baseline}: "
            f"{explanation.baseline_log_odds:+.2f})",
            *([f"what the neighbours add: {', '.join(beside)}"] if beside else []),
            f"checks: the sum misses the change by {abs(explanation.completeness_error):.3f}; "
            f"rank correlation with occlusion {explanation.agreement:.2f}",
        )
    )
