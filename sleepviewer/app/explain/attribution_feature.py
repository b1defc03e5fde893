"""Why this stage: has the current epoch explained in the background, and shows it under the scored channel's trace."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

import numpy as np
from PySide6.QtCore import QObject, QTimer

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.work.explain_worker import ExplainWorker
from sleepviewer.display.evidence import Evidence
from sleepviewer.errors import SleepViewerError
from sleepviewer.review.document import Change, Document
from sleepviewer.scoring.base import Prediction, Progress
from sleepviewer.scoring.explain import (
    NEIGHBOURS,
    NIGHT_READY,
    Explanation,
    ExplanationRequest,
    StagePair,
    check_explainable,
    pair_of,
)
from sleepviewer.scoring.registry import EngineSpec, single_model
from sleepviewer.stages import Stage

_PAUSE_MS: Final = 300
"""How long she stays on an epoch before it is explained: turning pages starts nothing."""
_AGAIN_MS: Final = 50
_KEPT: Final = 256
"""Explanations that are kept, 2 kB each."""

_FOLLOWED: Final = (Change.PREDICTION, Change.TRUTH, Change.EDITS)


class ExplainPart(QObject):
    """Between the session, the worker and the page of traces; it does nothing while it is switched off."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._worker = ExplainWorker(self)
        self._session: NightSession | None = None
        self._theme = services.page.theme
        self._on = False
        self._wanted: ExplanationRequest | None = None
        self._asked: ExplanationRequest | None = None
        self._night_ready = False
        self._said = ""
        self._kept: OrderedDict[ExplanationRequest, Explanation] = OrderedDict()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._start)
        self._worker.progressed.connect(self._on_progress)
        self._worker.finished.connect(self._on_finished)
        self._worker.failed.connect(self._on_failed)
        self._worker.cancelled.connect(self._on_ended)
        services.page.traces.montage_shown.connect(self._follow)

    # -- being a part

    def commands(self) -> Commands:
        return {"why": self._switch}

    def enabled(self) -> Mapping[str, bool]:
        return {}

    def set_session(self, session: NightSession) -> None:
        """Follow another night; what is asked of the one before is not heard."""
        if self._session is not None:
            self._session.epoch_changed.disconnect(self._follow)
            self._session.document_changed.disconnect(self._on_change)
        self._session = session
        session.epoch_changed.connect(self._follow)
        session.document_changed.connect(self._on_change)
        self._follow()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._follow()

    def close(self) -> None:
        """End the process, whatever it does."""
        self._soon.stop()
        self._wanted = self._asked = None
        self._worker.close()

    @property
    def pending(self) -> bool:
        """Whether an epoch's explanation is still to come."""
        return self._on and self._wanted is not None

    # -- what is wanted

    def _switch(self) -> None:
        self._on = not self._on
        self._services.check("why", self._on)
        if not self._on:
            self._want(None)
            self._asked = None
            self._worker.rest()
            self._services.page.traces.set_evidence(None)
        self._follow()

    def _on_change(self, change: Change) -> None:
        if change in _FOLLOWED:
            self._follow()

    def _follow(self) -> None:
        """Show the current epoch's explanation, or have it made once she has stayed on it."""
        session = self._session
        if not self._on or session is None:
            return
        prediction = session.document.prediction
        try:
            if prediction is None:
                self._refuse("Why? Score the night first (S): this tells what spoke for the model's stage")
                return
            check_explainable(prediction.engine)
            if not prediction.scored[session.epoch]:
                self._refuse("Why? This epoch was not scored: a gap, or no signal")
                return
        except SleepViewerError as error:
            self._refuse(f"Why? {error}")
            return
        request = self._request(session, prediction)
        if (explanation := self._kept.get(request)) is not None:
            self._want(None)
            self._show(explanation)
            return
        if request != self._wanted:
            self._want(request)
            self._soon.start(_PAUSE_MS)
        self._show_busy(request)

    def _request(self, session: NightSession, prediction: Prediction) -> ExplanationRequest:
        chosen = self._services.engine()
        recording, epoch = session.night.recording, session.epoch
        scorer = chosen if chosen.id == prediction.engine else EngineSpec(prediction.engine)
        model = single_model(scorer)
        return ExplanationRequest(
            recording.path,
            model,
            prediction.channels[0],
            epoch,
            pair_of(prediction.proba[epoch], *_label(session.document, epoch)),
            prediction.weights_sha256 if model == scorer else "",
            recording.stamp,
        )

    def _want(self, request: ExplanationRequest | None) -> None:
        """Want another explanation than before, or none; one that is being made for nothing is stopped.

        Not while the night is being laid out, which the next epoch needs as well.
        """
        self._wanted = request
        if request is None:
            self._soon.stop()
        if self._asked is not None and self._asked != request and self._night_ready:
            self._worker.cancel()

    # -- what the worker does

    def _start(self) -> None:
        request = self._wanted
        if request is None or request == self._asked:
            return
        if self._worker.running:  # its last words are on their way, or it is stopping
            if self._night_ready or self._asked is None:
                self._worker.cancel()
            self._soon.start(_AGAIN_MS)
            return
        self._asked, self._night_ready = request, False
        self._worker.start(request)

    def _on_progress(self, progress: Progress) -> None:
        self._night_ready = progress.fraction >= NIGHT_READY
        if self._night_ready and self._asked != self._wanted:
            self._worker.cancel()

    def _on_finished(self, explanation: Explanation) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            return
        self._kept[asked] = explanation
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        self._follow()

    def _on_failed(self, sentence: str) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and asked == self._wanted:
            self._want(None)
            self._refuse(f"Why? {sentence}")

    def _on_ended(self) -> None:
        self._asked = None
        if self._wanted is not None:  # she may have come back to what was cancelled
            self._soon.start(_AGAIN_MS)

    # -- showing

    def _refuse(self, sentence: str) -> None:
        """Say where the bars would be why there are none."""
        self._want(None)
        session = self._session
        if session is not None:
            lane = self._lane(session.night.channel or "")
            self._put(Evidence(session.epoch, lane, ((sentence, None),), details=sentence), sentence)

    def _show_busy(self, request: ExplanationRequest) -> None:
        legend = (("being worked out…", None), *self._legend(request.pair, request.channel, request.epoch))
        self._put(Evidence(request.epoch, self._lane(request.channel), legend, busy=True, details="Being worked out"))

    def _show(self, explanation: Explanation) -> None:
        pair, shares = explanation.pair, explanation.difference
        largest = float(np.abs(shares).max())
        evidence = Evidence(
            explanation.epoch,
            self._lane(explanation.channel),
            self._legend(pair, explanation.channel, explanation.epoch),
            bars=(shares / largest if largest else shares).astype(np.float32),
            color_for=self._color(pair.predicted),
            color_against=self._color(pair.against),
            details=_details(explanation, largest),
        )
        self._put(evidence, explanation.text)

    def _put(self, evidence: Evidence, said: str = "") -> None:
        """Show the evidence, and what it says in the status line too, unless that stands there already."""
        traces = self._services.page.traces
        before, said_before = traces.evidence, self._said
        traces.set_evidence(evidence)
        self._said = said
        if said and (said != said_before or before is None or before.epoch != evidence.epoch):
            self._services.tell(said)

    def _legend(self, pair: StagePair, channel: str, epoch: int) -> tuple[tuple[str, str | None], ...]:
        return (
            (f"▲ for {pair.predicted.label}", self._color(pair.predicted)),
            (f"▼ against {pair.predicted.label} ({pair.said_by}: {pair.against.label})", self._color(pair.against)),
            (f"{channel}, epoch {epoch + 1}", None),
        )

    def _color(self, stage: Stage) -> str:
        return self._theme.stage(stage).name()

    def _lane(self, channel: str) -> str:
        """Return the label of the lane that shows the channel, itself or as a derivation's first; else the channel."""
        shown = [trace.derivation for trace in self._services.page.traces.montage.shown]
        if any(derivation.label == channel for derivation in shown):
            return channel
        return next((derivation.label for derivation in shown if derivation.plus == channel), channel)


def _label(document: Document, epoch: int) -> tuple[Stage, str]:
    """Return the stage to hold against the model's and whose it is: her own correction, else the expert's."""
    if document.edited[epoch]:
        return Stage(int(document.corrected[epoch])), "yours"
    if document.truth is not None:
        return Stage(int(document.truth.stages[epoch])), "expert"
    return Stage.UNKNOWN, ""


def _details(explanation: Explanation, largest: float) -> str:
    """Return what the strip says when it is pointed at."""
    lines = [
        explanation.text + ".",
        f"The highest bar is {largest:.2f} of log-odds; all bars together {explanation.difference.sum():+.2f}, "
        f"compared with {explanation.baseline}.",
        f"Log-odds of {explanation.pair.predicted.label} against {explanation.pair.against.label}: "
        f"{explanation.log_odds:+.2f}; this epoch alone {explanation.log_odds_alone:+.2f}.",
    ]
    there = [
        f"{offset:+d}: {lost:+.2f}"
        for offset, lost in zip(NEIGHBOURS, explanation.neighbours.tolist(), strict=True)
        if np.isfinite(lost)
    ]
    if there:
        lines.append(f"What the neighbours add to it: {', '.join(there)}.")
    lines.append(
        f"Checks: sum misses by {abs(explanation.completeness_error):.2f}; rank correlation with occlusion "
        f"{explanation.agreement:.2f}."
    )
    lines.append("It says what the model used, not what is right.")
    return "\n".join(lines)
