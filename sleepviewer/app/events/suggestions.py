"""Has spindles and slow waves looked for in the background, and lays what is found under the night as suggestions."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from sleepviewer.app.events.panel import EventsPanel
from sleepviewer.app.feature import Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.work.detection_worker import DetectionWorker
from sleepviewer.errors import SleepViewerError
from sleepviewer.review.suggestions import take_up
from sleepviewer.scoring.base import Progress
from sleepviewer.scoring.detection import Detection, DetectionRequest, Detector, detectable, nothing_found
from sleepviewer.stages import Stage

_SETTING = "events/suggest"


class EventSuggestions(QObject):
    """Between the panel's button, the worker and the document of the session that is being searched."""

    changed = Signal()
    """Something began to run or has ended."""

    def __init__(self, panel: EventsPanel, services: Services, parent: QObject) -> None:
        super().__init__(parent)
        self._panel = panel
        self._services = services
        self._worker = DetectionWorker(self)
        self._session: NightSession | None = None
        self._searched: NightSession | None = None
        self._restricted = False
        kept = services.settings.get_json(_SETTING, {"detectors": list(map(str, Detector)), "restricted": True})
        detectors = kept.get("detectors")
        panel.suggest.choose(
            detectors if isinstance(detectors, list) else list(map(str, Detector)),
            restricted=kept.get("restricted") is not False,
        )
        panel.suggest_requested.connect(self.start)
        panel.cancel_requested.connect(self.cancel)
        self._worker.progressed.connect(self._on_progress)
        self._worker.finished.connect(self._on_finished)
        self._worker.failed.connect(self._on_failed)
        self._worker.cancelled.connect(self._on_cancelled)

    @property
    def running(self) -> bool:
        """Whether a night is being searched."""
        return self._searched is not None or self._worker.running

    def set_session(self, session: NightSession) -> None:
        """Follow another night; a search of the one before is cancelled, and its last words are not heard."""
        if self._worker.running:
            self._worker.cancel()
        if self._session is not None:
            self._session.channel_changed.disconnect(self._offer_channels)
        self._session = session
        session.channel_changed.connect(self._offer_channels)
        self._panel.say("")
        self._offer_channels()

    def _offer_channels(self) -> None:
        """Offer the channels that can be searched, and choose the one that is scored."""
        if self._session is None:
            return
        night = self._session.night
        try:
            labels = [channel.label for channel in detectable(night.recording)]
        except SleepViewerError:
            labels = []  # start() says why
        self._panel.suggest.show_channels(labels, [night.channel] if night.channel in labels else labels[:1])

    def start(self) -> None:
        """Look through the chosen channels of the open night."""
        session, chosen = self._session, self._panel.suggest
        if session is None:
            return
        if self.running:
            self._services.tell("Events are being looked for already")
            return
        try:
            detectable(session.night.recording)
        except SleepViewerError as error:
            self._refuse(str(error))
            return
        if not chosen.channels or not chosen.detectors:
            what = "channel" if not chosen.channels else "kind of event"
            self._refuse(f"No {what} to look for is chosen: the arrow beside “Suggest” offers them.")
            return
        labels = session.document.labels
        known = bool((labels != int(Stage.UNKNOWN)).any())
        self._restricted = chosen.restricted and known
        night = session.night
        request = DetectionRequest(
            night.recording.path,
            chosen.channels,
            chosen.detectors,
            np.array(labels) if self._restricted else None,
            night.recording.stamp,
            night.recording.told_units,
        )
        self._services.panels.show("events")
        self._panel.show_progress(0.0, "starting")
        self._searched = session
        self._worker.start(request)
        self.changed.emit()

    def _refuse(self, sentence: str) -> None:
        self._panel.say(sentence)
        self._services.trouble(sentence)

    def cancel(self) -> None:
        """Stop looking; what the night had before stays."""
        if self._worker.running:
            self._worker.cancel()
            self._panel.show_progress(0.0, "cancelling…")

    def close(self) -> None:
        """End the process, and remember what was chosen."""
        chosen = self._panel.suggest
        kept = {"detectors": list(map(str, chosen.detectors)), "restricted": chosen.restricted}
        self._services.settings.set_json(_SETTING, kept)
        self._worker.close()
        self._searched = None

    # -- what the worker tells

    def _on_progress(self, progress: Progress) -> None:
        if self._searched is self._session:
            self._panel.show_progress(progress.fraction, progress.message)

    def _on_finished(self, detection: Detection) -> None:
        session = self._end()
        if session is None:
            return
        try:
            session.night.recording.check_unchanged()
            edit = take_up(session.document, detection)
        except SleepViewerError as error:
            self._services.trouble(str(error))
            return
        count = 0 if edit is None else len(edit.after)
        if detection.found:
            known = len(detection.found) - count
            sentence = f"{count} suggested by {detection.detector.upper()}" + (
                f"; {known} are there already" if known else ""
            )
        else:
            sentence = nothing_found(detection, restricted=self._restricted)
        if self._panel.suggest.restricted and not self._restricted:
            sentence += "; no epoch has a label yet, so the whole night was searched"
        self._panel.say("\n".join((f"{sentence.rstrip('.')}.", *detection.notes)))
        self._services.tell(sentence)

    def _on_failed(self, sentence: str) -> None:
        if self._end() is not None:
            self._refuse(sentence)

    def _on_cancelled(self) -> None:
        if self._end() is not None:
            self._services.tell("Looking for events was cancelled; nothing was changed")

    def _end(self) -> NightSession | None:
        """Put everything back to rest; return the session that was searched, if it is still open."""
        session = self._searched if self._searched is self._session else None
        self._searched = None
        self._panel.say("")
        self._panel.show_progress(None)
        self.changed.emit()
        return session
