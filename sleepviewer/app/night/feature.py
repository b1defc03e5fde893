"""The night's own concerns: spectrogram, annotations, lights, further scorers, the range, and the rows' arrangement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QTimer

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.night.annotation_panel import AnnotationPanel
from sleepviewer.app.night.arrangement import USUAL_ORDER, Arrangement
from sleepviewer.app.night.rows_dialog import RowsDialog
from sleepviewer.app.night.view import NightView
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.work.background import Background
from sleepviewer.display.clock import clock_text
from sleepviewer.display.marks import Mark
from sleepviewer.display.spectrogram import Spectrogram, compute_spectrogram
from sleepviewer.display.spectrogram_cache import keep_spectrogram, load_spectrogram
from sleepviewer.errors import AlignmentError, SleepViewerError
from sleepviewer.hypnogram.words import is_stage
from sleepviewer.recording.annotations import Annotation, Annotations
from sleepviewer.recording.base import Recording
from sleepviewer.recording.quality import SignalQuality, assess_recording
from sleepviewer.review.document import Change
from sleepviewer.review.lights import Lights
from sleepviewer.review.night import load_truth
from sleepviewer.stages import EPOCH_S

_SETTINGS_KEY = "night/rows"
_MARK_LAYER = "annotations"
_AFTER_PAINTING_MS = 150
"""The first page is to be on the screen before anything reads the whole file."""

_BEING_COMPUTED = "The spectrogram is being computed…"


class NightPart(QObject):
    """Commands of the night's rows, and what fills them in the background."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        view = services.page.night
        assert isinstance(view, NightView)
        self._view = view
        self._session: NightSession | None = None
        self._read: tuple[Annotation, ...] = ()
        self._annotations: tuple[Annotation, ...] = ()
        self._spectrograms: dict[str, Spectrogram] = {}
        self._theme: Theme | None = None
        self.panel = AnnotationPanel(services.window)
        services.panels.add(
            "annotations",
            "Annotations",
            self.panel,
            Qt.DockWidgetArea.RightDockWidgetArea,
            shown=False,
            beside="review",
        )
        self._spectrogram_work = Background("spectrogram", self)
        self._annotation_work = Background("annotations", self)
        self._quality_work = Background("signal quality of the night", self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_AFTER_PAINTING_MS)
        self._soon.timeout.connect(self._start_work)
        self._spectrogram_work.done.connect(self._show_spectrogram)
        self._spectrogram_work.failed.connect(self._on_spectrogram_failed)
        self._annotation_work.done.connect(self._show_annotations)
        self._annotation_work.failed.connect(self._on_annotations_failed)
        self._quality_work.done.connect(self._show_quality)
        self._quality_work.failed.connect(self._on_quality_failed)
        self.panel.picked.connect(self._go_to_annotation)
        self._view.extend_requested.connect(self._extend_to)
        self._view.scorer_dropped.connect(self._drop_scorer)
        self._view.arrangement_changed.connect(self._on_arranged)
        services.page.traces.mark_picked.connect(self._on_mark_picked)
        self._view.set_arrangement(Arrangement.from_dict(services.settings.get_json(_SETTINGS_KEY, {})))

    # -- being a part

    def commands(self) -> Commands:
        """See :class:`Part`."""
        commands: dict[str, Callable[[], object]] = {
            "night_hour": lambda: self._view.show_hours(1),
            "night_four_hours": lambda: self._view.show_hours(4),
            "night_earlier": lambda: self._view.move_by(-0.5),
            "night_later": lambda: self._view.move_by(0.5),
            "lights_off": lambda: self._set_lights("off"),
            "lights_on": lambda: self._set_lights("on"),
            "find_annotation": self._find_annotation,
            "add_scorer": self._ask_for_scorer,
            "drop_scorers": self._drop_scorers,
            "rows_arrange": self._arrange_rows,
            "rows_reset": lambda: self._view.set_arrangement(Arrangement(), by_user=True),
        }
        return commands | {f"row_{key}": partial(self._toggle_row, key) for key in USUAL_ORDER}

    def enabled(self) -> Mapping[str, bool]:
        """See :class:`Part`."""
        session = self._session
        return {"drop_scorers": session is not None and bool(session.scorers)}

    def set_session(self, session: NightSession) -> None:
        """See :class:`Part`."""
        self._spectrogram_work.cancel()
        self._annotation_work.cancel()
        self._quality_work.cancel()
        if self._session is not None:
            self._session.channel_changed.disconnect(self._start_work)
            self._session.scorers_changed.disconnect(self._show_scorers)
            self._session.document_changed.disconnect(self._on_change)
        self._session = session
        self._read, self._annotations, self._spectrograms = (), (), {}
        self._services.page.marks.set_layer(_MARK_LAYER, ())
        self.panel.show_annotations(None, (), "The annotations are being read…")
        self._view.set_scorers(session.scorers)
        self._view.spectrogram.show_sentence(_BEING_COMPUTED, pending=True)
        session.channel_changed.connect(self._start_work)
        session.scorers_changed.connect(self._show_scorers)
        session.document_changed.connect(self._on_change)
        self._check_rows()
        self._soon.start()

    def set_theme(self, theme: Theme) -> None:
        """See :class:`Part`."""
        self._theme = theme
        self._show_marks()

    def close(self) -> None:
        """See :class:`Part`."""
        self._soon.stop()
        self._spectrogram_work.close()
        self._annotation_work.close()
        self._quality_work.close()

    # -- in the background

    def _start_work(self) -> None:
        self._start_spectrogram()
        self._start_quality()
        session = self._session
        if session is not None and self.panel.model.recording is not session.night.recording:
            recording = session.night.recording
            self._annotation_work.start(lambda _: recording.annotations())

    def _start_spectrogram(self) -> None:
        """Compute the scored channel's spectrogram, unless nobody sees it."""
        session, row = self._session, self._view.spectrogram
        if session is None or row.key in self._view.arrangement.hidden:
            self._spectrogram_work.cancel()
            row.show_sentence("")
            return
        label, recording = session.night.channel, session.night.recording
        if label is None:
            row.show_sentence("Choose the channel to score: its spectrogram is shown here")
        elif label in self._spectrograms:
            self._show_spectrogram(self._spectrograms[label])
        else:
            row.show_sentence(_BEING_COMPUTED, pending=True)
            self._spectrogram_work.start(partial(_spectrogram_of, recording, label))

    def _show_spectrogram(self, spectrogram: object) -> None:
        assert isinstance(spectrogram, Spectrogram)
        if self._session is not None:
            self._spectrograms[spectrogram.label] = spectrogram
            self._view.spectrogram.show_spectrogram(self._session.night.recording, spectrogram)

    def _on_spectrogram_failed(self, error: Exception) -> None:
        if not isinstance(error, SleepViewerError | MemoryError):
            raise error
        self._view.spectrogram.show_sentence(f"No spectrogram: {str(error) or 'memory does not suffice for it.'}")

    def _start_quality(self) -> None:
        """Assess the scored channel; where there is none, or its unit is not known, the row is not there."""
        session = self._session
        self._quality_work.cancel()
        self._show_quality(None)
        if session is None or session.night.channel is None:
            return
        recording, label = session.night.recording, session.night.channel
        if recording.channel(label).is_voltage:
            self._quality_work.start(lambda _: assess_recording(recording, label))

    def _show_quality(self, quality: object) -> None:
        assert quality is None or isinstance(quality, SignalQuality)
        row = self._view.quality
        before = row.has_content
        row.show_quality(quality)
        if self._session is not None:
            self._session.quality = quality
        if row.has_content != before:
            self._view.refresh_rows()

    def _on_quality_failed(self, error: Exception) -> None:
        if not isinstance(error, SleepViewerError | MemoryError):
            raise error

    # -- annotations

    def _show_annotations(self, annotations: object) -> None:
        assert isinstance(annotations, Annotations)
        session = self._session
        if session is None:
            return
        self._read = annotations.entries
        recording = session.night.recording
        self._lay_annotations(session)
        if annotations.notes:
            self._services.tell(" ".join(annotations.notes))
        elif (hint := _lights_hint(recording, annotations.entries)) and session.document.lights == Lights():
            self._services.tell(hint)

    def _lay_annotations(self, session: NightSession) -> None:
        """Show the annotations; stages among them are another scorer's, and hidden from who scores blind."""
        recording, blinded = session.night.recording, session.document.blinded
        self._annotations = tuple(entry for entry in self._read if not (blinded and is_stage(entry.text)))
        nothing = f"{recording.name} holds no annotations" + (" but stages, which are hidden." if blinded else ".")
        self.panel.show_annotations(recording, self._annotations, nothing)
        self._view.annotations.show_annotations(recording, self._annotations)
        self._view.refresh_rows()
        self._show_marks()

    def _on_change(self, change: Change) -> None:
        if change is Change.BLINDING and self._session is not None and self._read:
            self._lay_annotations(self._session)

    def _on_annotations_failed(self, error: Exception) -> None:
        if not isinstance(error, SleepViewerError | MemoryError):
            raise error
        why = str(error) or "memory does not suffice for them."
        self.panel.show_annotations(None, (), f"The annotations can't be read: {why}")

    def _show_marks(self) -> None:
        theme = self._theme or self._services.page.theme
        color = theme.warning_text  # neither the epoch's blue nor the grey of gaps
        marks = [
            Mark(f"{_MARK_LAYER}:{number}", entry.onset_s, entry.stop_s, entry.text, color)
            for number, entry in enumerate(self._annotations)
        ]
        self._services.page.marks.set_layer(_MARK_LAYER, marks)

    def _find_annotation(self) -> None:
        self._services.panels.show("annotations")
        self.panel.start_search()

    def _go_to_annotation(self, number: int) -> None:
        if self._session is not None:
            self._session.go_to(int(self._annotations[number].onset_s // EPOCH_S))

    def _on_mark_picked(self, key: str) -> None:
        layer, _, number = key.partition(":")
        if layer == _MARK_LAYER and number.isdecimal():
            self.panel.choose(int(number))

    # -- lights and range

    def _set_lights(self, which: str) -> None:
        """Mark lights off or on at the current epoch; where the mark is there already, take it away."""
        if self._session is None:
            return
        document, epoch = self._session.document, self._session.epoch
        lights = document.lights
        off, on = lights.off, lights.on
        if which == "off":
            off = None if off == epoch else epoch
        else:
            on = None if on == epoch else epoch
        try:
            edit = document.set_lights(Lights(off, on))
        except AlignmentError:
            other, at = ("on", lights.on) if which == "off" else ("off", lights.off)
            side = "before" if which == "off" else "after"
            self._services.tell(f"Lights {which} must be {side} lights {other}, at epoch {(at or 0) + 1}: nothing set")
            return
        if edit is not None:
            self._services.tell(edit.text[0].upper() + edit.text[1:])

    def _extend_to(self, epoch: int) -> None:
        if self._session is not None:
            self._session.extend_to(epoch)

    # -- further scorers

    def _ask_for_scorer(self) -> None:
        if self._session is not None:
            folder = self._session.night.recording.path.parent
            path = dialogs.ask_truth(self._services.window, folder, "Add another scorer's hypnogram")
            if path is not None:
                self.add_scorer(path)

    def add_scorer(self, path: Path) -> bool:
        """Show another scorer's hypnogram in a row of its own; trouble is told and changes nothing."""
        session = self._session
        if session is None:
            return False
        try:
            hypnogram = self._services.readings.read(
                path, lambda reading: load_truth(session.night.recording, path, reading)
            )
        except SleepViewerError as error:
            self._services.trouble(str(error))
            return False
        if hypnogram is None:
            return False
        session.scorers = (*session.scorers, hypnogram)
        added = self._view.scorers[-1].title
        self._services.tell(" ".join((f"{added}: {path.name}.", *hypnogram.notes)))
        return True

    def _drop_scorer(self, number: int) -> None:
        if self._session is not None:
            scorers = self._session.scorers
            self._session.scorers = scorers[:number] + scorers[number + 1 :]

    def _drop_scorers(self) -> None:
        if self._session is not None:
            self._session.scorers = ()

    def _show_scorers(self) -> None:
        if self._session is not None:
            self._view.set_scorers(self._session.scorers)
            self._services.refresh()

    # -- the rows

    def _toggle_row(self, key: str) -> None:
        arrangement = self._view.arrangement
        self._view.set_arrangement(arrangement.shown(key, key in arrangement.hidden), by_user=True)

    def _arrange_rows(self) -> None:
        RowsDialog(self._view, self._services.window).open()

    def _on_arranged(self, arrangement: Arrangement) -> None:
        self._services.settings.set_json(_SETTINGS_KEY, arrangement.as_dict())
        self._check_rows()
        if (self._view.spectrogram.key not in arrangement.hidden) and not self._view.spectrogram.says_something:
            self._start_spectrogram()

    def _check_rows(self) -> None:
        for key in USUAL_ORDER:
            self._services.check(f"row_{key}", key not in self._view.arrangement.hidden)


def _spectrogram_of(recording: Recording, label: str, cancelled: Callable[[], bool]) -> Spectrogram:
    kept = load_spectrogram(recording, label)
    if kept is not None:
        return kept
    spectrogram = compute_spectrogram(recording, label, cancelled=cancelled)
    keep_spectrogram(recording, spectrogram)
    return spectrogram


def _lights_hint(recording: Recording, entries: tuple[Annotation, ...]) -> str:
    """A sentence where the file itself notes lights off and on, which nobody has marked yet."""
    times: dict[str, str] = {}
    for entry in entries:
        words = " ".join(entry.text.casefold().replace("lights", "light").replace("-", " ").split())
        for which in ("off", "on"):
            if words.startswith(f"light {which}") or words.startswith("light out" if which == "off" else "light in"):
                times.setdefault(which, clock_text(recording, entry.onset_s))
    if not times:
        return ""
    noted = " and ".join(f"lights {which} at {time}" for which, time in times.items())
    return f"The file notes {noted}: L and Shift+L mark them"
