"""The report on one night: hypnograms, hypnodensity, spectrogram, statistics, agreement, and where it comes from."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sleepviewer
from sleepviewer.analysis.diff import LEGEND, LINE_EPOCHS
from sleepviewer.analysis.errors import Comparison, compare, letters
from sleepviewer.analysis.groups import clusters
from sleepviewer.analysis.provenance import Seen, provenance
from sleepviewer.analysis.quality import epoch_spectra, measure
from sleepviewer.analysis.shifts import KINDS
from sleepviewer.analysis.statistics import side_by_side
from sleepviewer.analysis.suspects import find_suspects
from sleepviewer.archive.archive import NOT_CORRECTED, ScoringArchive, read_archive
from sleepviewer.errors import ChannelError
from sleepviewer.reports import pictures
from sleepviewer.reports.analysis import figures_of_agreement
from sleepviewer.reports.html import number, page, table, tag, text
from sleepviewer.reports.nights import arousals_of, lights_of, model_text, shipped_record
from sleepviewer.reports.parts import confusion_tables, figures_table, kappas_table, stages_table, statistics_table
from sleepviewer.review.comparison import arousals_of as document_arousals
from sleepviewer.review.comparison import document_scorers
from sleepviewer.review.lights import Lights
from sleepviewer.stages import Proba, Stage, StageArray, most_likely

SUSPECTS_SHOWN = 30


@dataclass(frozen=True, slots=True, eq=False)
class NightFacts:
    """What a report on a night is made from.

    ``scorers`` are all hypnograms by name, ``proba`` the model's probabilities or None; ``signal`` ``float32 [m,
    samples]`` in µV at ``rate_hz`` are the epochs at ``places``; ``meta`` is as an archive's; ``notes`` sentences for
    the reader.
    """

    name: str
    n_epochs: int
    scorers: Mapping[str, StageArray]
    proba: Proba | None
    meta: Mapping[str, Any]
    channel: str = ""
    start: datetime | None = None
    lights: Lights = field(default_factory=Lights)
    arousals_s: tuple[float, ...] = ()
    edited: NDArray[np.bool_] | None = None
    signal: NDArray[np.float32] | None = None
    rate_hz: float = 0.0
    places: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()

    def comparison(self) -> Comparison | None:
        """Compare the expert with the model, or None where one of them is missing."""
        if "expert" not in self.scorers or "model" not in self.scorers:
            return None
        quality = None
        if self.signal is not None and len(self.signal):
            quality = measure(self.signal, self.rate_hz, n=self.n_epochs, places=self.places)
        return compare(
            self.scorers["expert"],
            self.scorers["model"],
            proba=self.proba,
            quality=quality,
            edited=self.edited,
            night=self.name,
            start=self.start,
            lights_off=self.lights.off,
        )


def facts_of(path: Path) -> NightFacts:
    """Read a night for a report: an archive (npz), or a recording with what lies beside it.

    Raises ArchiveError, RecordingError and what else opening a night raises.
    """
    return _archived(path) if path.suffix.lower() == ".npz" else _recorded(path)


def _archived(path: Path) -> NightFacts:
    archive = read_archive(path)
    return NightFacts(
        name=path.stem,
        n_epochs=archive.n_epochs,
        scorers=_scorers(archive),
        proba=archive.night_proba if np.isfinite(archive.night_proba).any() else None,
        meta=archive.meta,
        channel=archive.ch_label,
        start=archive.start,
        lights=lights_of(archive),
        arousals_s=arousals_of(archive.meta),
        edited=archive.night_corrected != NOT_CORRECTED,
        signal=archive.x[:, :, 0],
        rate_hz=archive.fs,
        places=archive.epoch_index,
        notes=archive.notes,
    )


def _scorers(archive: ScoringArchive) -> dict[str, StageArray]:
    layers = {"expert": archive.night_expert, "model": most_likely(archive.night_proba)}
    found = {name: stages for name, stages in layers.items() if (stages != Stage.UNKNOWN).any()}
    if (archive.night_corrected != NOT_CORRECTED).any() or not found:
        found["corrected"] = archive.night_labels
    return found


def _recorded(path: Path) -> NightFacts:
    from sleepviewer.archive.build import make_meta
    from sleepviewer.review.opening import open_night

    night = open_night(path)
    document, recording = night.document, night.recording
    with recording:
        prediction, truth = document.prediction, document.truth
        model = None if prediction is None else {
            "engine": prediction.engine,
            "version": prediction.engine_version,
            "weights_sha256": prediction.weights_sha256,
            "channels": list(prediction.channels),
        }  # fmt: skip
        meta = make_meta(recording, scorer=document.scorer, model=model, recording_sha256=night.sha256)
        meta["truth"] = None if truth is None else {"source": truth.source, "scorer": truth.scorer}
        notes, signal, rate_hz, places = night.notes, None, 0.0, None
        if night.channel is not None:
            try:
                epochs = recording.read_epochs(night.channel)
                places = np.flatnonzero(np.isfinite(epochs).all(axis=1))
                signal, rate_hz = epochs[places], recording.channel(night.channel).rate_hz
            except ChannelError as error:
                notes += (str(error),)
        return NightFacts(
            name=recording.name,
            n_epochs=recording.n_epochs,
            scorers=document_scorers(document),
            proba=None if prediction is None else prediction.proba,
            meta=meta,
            channel=night.channel or "",
            start=recording.start,
            lights=document.lights,
            arousals_s=document_arousals(document),
            edited=document.edited,
            signal=signal,
            rate_hz=rate_hz,
            places=places,
            notes=notes,
        )


def night_page(facts: NightFacts) -> str:
    """Return the report as a page of HTML; every name and text is escaped."""
    found = facts.comparison()
    body = [tag("h1", facts.name), _origin(facts)]
    body += [tag("p", note, "note") for note in facts.notes]
    body += [tag("h2", "The night"), pictures.hypnograms(facts.scorers, facts.start, facts.lights)]
    if found is not None and len(found.epochs):
        body += [tag("h3", "Where expert and model differ"), pictures.differences(found), _legend()]
    if facts.proba is not None:
        body += [tag("h3", "The model's probabilities"), pictures.hypnodensity(facts.proba, facts.start)]
    if facts.signal is not None and len(facts.signal) and facts.rate_hz > 0:
        hz, decibels = epoch_spectra(facts.signal, facts.rate_hz)
        places = np.arange(len(facts.signal)) if facts.places is None else facts.places
        body += [
            tag("h3", f"Spectrogram of {facts.channel}, dB"),
            pictures.spectrogram(hz, decibels, places, facts.n_epochs, facts.start),
        ]
    marks = side_by_side(
        facts.scorers, lights_off=facts.lights.off, lights_on=facts.lights.on, arousals_s=facts.arousals_s
    )
    body += ['<div class="side">', statistics_table(marks)]
    body += _agreement(found)
    if found is not None:
        body += _errors(found)
        body += _suspects(facts, found)
        body.append(f"<details>{tag('summary', 'All epochs, line by line')}{diff_html(found)}</details>")
    body.append(tag("p", "The method behind every number: docs/comparing.md of SleepViewer.", "note"))
    return page(facts.name, body)


def _origin(facts: NightFacts) -> str:
    recording, truth, model = (_mapping(facts.meta, key) for key in ("recording", "truth", "model"))
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
        "corrected by hand": None if facts.edited is None else f"{int(facts.edited.sum())} epochs",
        "report by": f"SleepViewer {sleepviewer.__version__}",
    }
    return table(["", ""], [[text(name), text(value)] for name, value in rows.items() if value], left=2, scroll=False)


def _agreement(found: Comparison | None) -> Iterator[str]:
    agreement = None if found is None else found.agreement
    if agreement is None:
        yield "</div>"
        yield tag("p", "There is no epoch that both an expert and a model score, so nothing is compared.")
        return
    yield figures_table(figures_of_agreement(agreement))
    yield stages_table(agreement)
    yield kappas_table(agreement)
    yield '</div><div class="side">'
    yield from confusion_tables(agreement)
    yield "</div>"


def _errors(found: Comparison) -> Iterator[str]:
    yield tag("h2", "Disagreements")
    shifts, flocks = int((found.shift != 0).sum()), clusters(found)
    yield tag("p", f"{len(found.epochs)} of {int(found.both.sum())} epochs; {shifts} of them shift boundaries only.")
    yield "<ul>"
    yield from (tag("li", flock.text) for flock in flocks)
    yield from (tag("li", shift.text) for shift in found.shifts)
    yield "</ul>"


def _suspects(facts: NightFacts, found: Comparison) -> Iterator[str]:
    if found.proba is None:
        return
    known = provenance(facts.meta, facts.name, shipped_record(facts.meta))
    yield tag("h2", "Suspect labels")
    yield tag("p", known.reason, "note")
    if known.seen is Seen.TRAINED:
        yield tag("p", "Not ranked: a model agrees with labels that it has learned.")
        return
    suspects = find_suspects(found.truth, found.proba, provenance=known, most=SUSPECTS_SHOWN)
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
        for s in suspects
    ]
    yield table(["rank", "epoch", "clock", "label", "rather", "p of label", "p of other"], rows, left=0)


def diff_html(found: Comparison) -> str:
    """Return the two hypnograms line by line, what differs coloured by its kind."""
    lines = [html.escape(LEGEND)]
    truth, predicted = letters(found.truth), letters(found.predicted)
    for first in range(0, len(found), LINE_EPOCHS):
        stop = min(first + LINE_EPOCHS, len(found))
        clock = found.clock(first)
        lines.append(f"\n{'' if clock is None else f'{clock:%H:%M:%S}  '}epoch {first + 1}")
        for name, stages in (("expert", truth), ("model ", predicted)):
            lines.append(f"{name}  " + "".join(_letter(found, e, stages[e]) for e in range(first, stop)))
    return f"<pre>{chr(10).join(lines)}</pre>"


def _letter(found: Comparison, epoch: int, letter: str) -> str:
    kind = int(found.kind[epoch])
    return letter if kind < 0 else f'<b class="{pictures.KIND_CLASSES[KINDS[kind]]}">{letter}</b>'


def _legend() -> str:
    parts = (f'<span class="{css}">■ {html.escape(str(kind))}</span>' for kind, css in pictures.KIND_CLASSES.items())
    return f"<p>{' &nbsp; '.join(parts)}</p>"


def _mapping(meta: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = meta.get(key)
    return value if isinstance(value, Mapping) else {}


__all__ = ["NightFacts", "diff_html", "facts_of", "night_page"]
