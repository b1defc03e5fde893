"""What a report on one night is made from, whatever it is written as."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sleepviewer.analysis.errors import Comparison, compare
from sleepviewer.analysis.signs import measure_signs
from sleepviewer.archive.archive import NOT_CORRECTED, ScoringArchive, read_archive
from sleepviewer.errors import ChannelError
from sleepviewer.recording import ToldUnit
from sleepviewer.reports.nights import arousals_of, lights_of
from sleepviewer.review.comparison import arousals_of as document_arousals
from sleepviewer.review.comparison import document_scorers
from sleepviewer.review.lights import Lights
from sleepviewer.stages import Proba, Stage, StageArray, most_likely


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

    @property
    def simulated(self) -> bool:
        """Whether the recording is no person's, but simulated."""
        return mapping(self.meta, "recording").get("simulated") is True

    @property
    def title(self) -> str:
        """The night's name, and that it is simulated where it is."""
        return f"{self.name} (simulated)" if self.simulated else self.name

    def comparison(self) -> Comparison | None:
        """Compare the expert with the model, or None where one of them is missing."""
        if "expert" not in self.scorers or "model" not in self.scorers:
            return None
        signs = None
        if self.signal is not None and len(self.signal):
            signs = measure_signs(self.signal, self.rate_hz, n=self.n_epochs, places=self.places)
        return compare(
            self.scorers["expert"],
            self.scorers["model"],
            proba=self.proba,
            signs=signs,
            edited=self.edited,
            night=self.name,
            start=self.start,
            lights_off=self.lights.off,
        )


def facts_of(path: Path, *, units: Iterable[ToldUnit] = (), reading: str | None = None) -> NightFacts:
    """Read a night for a report: an archive (npz), or a recording with what lies beside it.

    Of a recording, ``units`` is what was told of its channels, ``reading`` how the expert's hypnogram is to be read.
    Raises ArchiveError, RecordingError and what else opening a night raises.
    """
    return _archived(path) if path.suffix.lower() == ".npz" else _recorded(path, units, reading)


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


def _recorded(path: Path, units: Iterable[ToldUnit], reading: str | None) -> NightFacts:
    from sleepviewer.archive.build import make_meta
    from sleepviewer.review.opening import open_night

    night = open_night(path, units=units, reading=reading)
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


def mapping(meta: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return what an archive's ``meta`` has under a key, nothing where that is no object."""
    value = meta.get(key)
    return value if isinstance(value, Mapping) else {}
