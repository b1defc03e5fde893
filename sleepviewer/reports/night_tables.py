"""The tables and sentences of a report on one night: pages of HTML and PDF show these, so that they agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import sleepviewer
from sleepviewer.analysis.errors import Comparison
from sleepviewer.analysis.groups import clusters
from sleepviewer.analysis.provenance import Seen, provenance
from sleepviewer.analysis.statistics import side_by_side
from sleepviewer.analysis.suspects import find_suspects
from sleepviewer.reports.analysis import figures_of_agreement
from sleepviewer.reports.html import Grid, number, text
from sleepviewer.reports.night_facts import NightFacts, mapping
from sleepviewer.reports.nights import model_text, shipped_record
from sleepviewer.reports.parts import confusion_grids, figures_grid, kappas_grid, stages_grid, statistics_grid

SUSPECTS_SHOWN: Final = 30
METHOD: Final = "The method behind every number: docs/comparing.md of SleepViewer."
SIMULATED: Final = "This night is simulated: it is no person's recording."
NOTHING_COMPARED: Final = "There is no epoch that both an expert and a model score, so nothing is compared."


def origin(facts: NightFacts) -> Grid:
    """Return where the night, its scorers and the report come from; what is not known is left out."""
    recording, truth, model = (mapping(facts.meta, key) for key in ("recording", "truth", "model"))
    rows = {
        "recording": recording.get("name") or facts.name,
        "SHA-256": recording.get("sha256"),
        "start": None if facts.start is None else facts.start.isoformat(sep=" ", timespec="seconds"),
        "epochs": facts.n_epochs,
        "expert": " ".join(str(truth.get(key) or "") for key in ("source", "scorer")).strip(),
        "model": model_text(facts.meta) if model else None,
        "weights, SHA-256": model.get("weights_sha256"),
        "channels scored": ", ".join(map(str, model.get("channels") or ())),
        "reviewed by": facts.meta.get("scorer"),
        "corrected by hand": None if facts.edited is None else _count(int(facts.edited.sum()), "epoch"),
        "report by": f"SleepViewer {sleepviewer.__version__}",
    }
    return Grid(["", ""], [[text(name), text(value)] for name, value in rows.items() if value], left=2)


def statistics(facts: NightFacts) -> Grid:
    """Return the night's statistics, a column for each scorer."""
    return statistics_grid(
        side_by_side(facts.scorers, lights_off=facts.lights.off, lights_on=facts.lights.on, arousals_s=facts.arousals_s)
    )


def agreement(found: Comparison) -> tuple[list[Grid], list[Grid]]:
    """Return the tables of figures and the confusion matrices; none where no epoch is scored by both."""
    if found.agreement is None:
        return [], []
    figures = figures_grid(figures_of_agreement(found.agreement))
    return [figures, stages_grid(found.agreement), kappas_grid(found.agreement)], list(confusion_grids(found.agreement))


def disagreements(found: Comparison) -> tuple[str, list[str]]:
    """Return how many epochs differ, and a sentence for each flock of errors and each shifted bout."""
    shifts = int((found.shift != 0).sum())
    verb = "shifts boundaries" if shifts == 1 else "shift boundaries"
    summary = f"{len(found.epochs)} of {_count(int(found.both.sum()), 'epoch')}; {shifts} of them {verb} only."
    return summary, [*(flock.text for flock in clusters(found)), *(shift.text for shift in found.shifts)]


@dataclass(frozen=True, slots=True)
class SuspectPart:
    """Whether the model may judge the labels, and those that it doubts; ``rows`` is None where it may not."""

    sentences: tuple[str, ...]
    rows: Grid | None


def suspects(facts: NightFacts, found: Comparison) -> SuspectPart | None:
    """Return the suspect labels, or why there are none; None without probabilities."""
    if found.proba is None:
        return None
    known = provenance(facts.meta, facts.name, shipped_record(facts.meta))
    if known.seen is Seen.TRAINED:
        return SuspectPart((known.reason, "Not ranked: a model agrees with labels that it has learned."), None)
    listed = find_suspects(found.truth, found.proba, provenance=known)
    told = [known.reason]
    if len(listed) > SUSPECTS_SHOWN:
        told.append(f"The {SUSPECTS_SHOWN} most suspect of {len(listed)}.")
    elif not listed:
        told.append("None: the model finds no label likelier wrong than itself.")
    rows = [
        [
            number(s.rank),
            number(s.epoch + 1),
            text("" if (clock := found.clock(s.epoch)) is None else f"{clock:%H:%M:%S}"),
            text(s.label.label),
            text(s.suggested.label),
            number(s.p_label),
            number(s.p_suggested),
        ]
        for s in listed[:SUSPECTS_SHOWN]
    ]
    heads = ["rank", "epoch", "clock", "label", "rather", "p of label", "p of other"]
    return SuspectPart(tuple(told), Grid(heads, rows, left=0) if rows else None)


def notes(facts: NightFacts) -> Iterator[str]:
    """Return what a reader must know first."""
    if facts.simulated:
        yield SIMULATED
    yield from facts.notes


def _count(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
