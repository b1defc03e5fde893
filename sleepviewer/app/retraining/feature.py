"""Training on corrected nights: counts what was reviewed, runs the training, and keeps what the guard offers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QBoxLayout, QMainWindow

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.retraining.training_progress import TuningTrack
from sleepviewer.app.retraining.unfinished_training import UnfinishedTraining
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.model_events import model_shelf
from sleepviewer.app.shell.notice_bar import NoticeBar
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.work.background import Background
from sleepviewer.errors import SleepViewerError

if TYPE_CHECKING:
    from sleepviewer.app.retraining.panel import RetrainingPanel
    from sleepviewer.training.corrected_counts import NightCount
    from sleepviewer.training.fine_tune import FineTuneRequest, FineTuneResult
    from sleepviewer.training.fine_tune_process import FineTuneProcess

# The window of it, and all that trains, is imported when it is first asked for: the program starts without.

_POLL_MS: Final = 250
_FOLDER_KEY: Final = "retraining/folder"


class RetrainingPart(QObject):
    """Between the window “Train on corrected nights” and the process that tunes; one training at a time."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        self._theme = services.page.theme
        self._unfinished = UnfinishedTraining(services.settings)
        self._process: FineTuneProcess | None = None
        self._request: FineTuneRequest | None = None
        self._result: FineTuneResult | None = None
        self._kept = ""
        self._track = TuningTrack()
        self.panel: RetrainingPanel | None = None
        """The window once it was asked for."""
        self.make_process: Callable[[], FineTuneProcess] = _new_process
        """What runs a training."""
        self.notice = NoticeBar(self._theme, services.window)
        self._put_up(self.notice)
        self._timer = QTimer(self)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self._poll)
        self._counting = Background("counting reviewed epochs", self)
        self._counting.done.connect(self._on_counted)
        self._ending = Background("ending a training", self)
        self._ending.done.connect(lambda does: does())
        self._ending.failed.connect(self._on_ending_failed)
        self._offer_unfinished()

    # -- being a part

    def commands(self) -> Commands:
        """See :class:`Part`."""
        return {"retrain": self.show_panel}

    def enabled(self) -> Mapping[str, bool]:
        """It needs no night."""
        return {}

    def set_session(self, session: NightSession) -> None:
        """See :class:`Part`."""
        self._session = session

    def set_theme(self, theme: Theme) -> None:
        """See :class:`Part`."""
        self._theme = theme
        self.notice.set_theme(theme)
        if self.panel is not None:
            self.panel.set_theme(theme)

    def close(self) -> None:
        """End the process; the training is offered to be gone on with at the next start."""
        self._timer.stop()
        if self._process is not None:
            self._process.close()
        self._ending.close()
        self._counting.close()
        if self.panel is not None:
            self.panel.close()

    # -- the window of it

    @property
    def running(self) -> bool:
        """Whether a training runs, is paused or is being ended."""
        return self._process is not None

    def show_panel(self) -> None:
        """Show the window, at what there is: nights to choose, a training that runs, or its verdict."""
        if self.panel is None:
            self.panel = self._make_panel()
            if self._session is not None and self._session.night.saved_path is not None:
                self.add_this_night()
        if not self.running and self._result is None:
            self._offer_bases()
        self.notice.show_notice("")
        self.panel.show()
        self.panel.raise_()
        self.panel.activateWindow()

    def _make_panel(self) -> RetrainingPanel:
        from sleepviewer.app.retraining.panel import RetrainingPanel

        panel = RetrainingPanel(self._theme, self._services.window)
        panel.this_night_requested.connect(self.add_this_night)
        panel.files_requested.connect(self._ask_for_files)
        panel.folder_requested.connect(self._ask_for_folder)
        panel.night_removed.connect(lambda gone: self._count([path for path in panel.paths if path != gone]))
        panel.whole_nights_toggled.connect(lambda: self._count(panel.paths))
        panel.start_requested.connect(self._start_wanted)
        panel.pause_requested.connect(self.pause_or_resume)
        panel.cancel_requested.connect(self._ask_and_cancel)
        panel.back_requested.connect(self._go_back)
        panel.finished.connect(self._on_closed)
        verdict = panel.verdict
        verdict.keep_requested.connect(self.keep)
        verdict.discard_requested.connect(self.discard)
        verdict.activate_requested.connect(self._activate)
        verdict.score_requested.connect(self._score)
        verdict.models_requested.connect(lambda: self._services.actions["models"].trigger())
        return panel

    def _put_up(self, notice: NoticeBar) -> None:
        """Put the strip above whatever the window shows, the first page included."""
        window = self._services.window
        centre = window.centralWidget() if isinstance(window, QMainWindow) else None
        if centre is not None and isinstance(layout := centre.layout(), QBoxLayout):
            layout.insertWidget(0, notice)

    def _offer_bases(self) -> None:
        from sleepviewer.app.retraining.panel import BaseOffer
        from sleepviewer.models.versions import MARK, SHIPPED
        from sleepviewer.scoring.registry import list_engines, plain_title

        # By the names of versions: what a plain name means changes when another one is activated.
        offers: list[BaseOffer] = []
        for info in list_engines():
            if info.ready and plain_title(info.id) is None:
                plain = f"{info.id}{MARK}{SHIPPED}" if MARK not in info.id else info.id
                name = info.version.name if info.version is not None else plain
                if name not in {offer.name for offer in offers}:
                    offers.append(BaseOffer(name, info.title))
        assert self.panel is not None
        chosen = next((offer.name for offer in offers), "")
        self.panel.offer_bases(offers, chosen)

    def _on_closed(self) -> None:
        if self._timer.isActive():
            self._services.tell("The training goes on; Score › Train on corrected nights… shows how far it is")

    # -- the nights

    def add_this_night(self) -> None:
        """Add the saved review of the open night."""
        assert self.panel is not None
        session = self._session
        path = None if session is None else session.night.saved_path
        if session is None or path is None:
            self.panel.say_why_not("The open night's review is not saved yet: save it (Ctrl+S), then add it.")
            return
        if session.document.unsaved:
            self._services.tell("Edits that are not saved yet are not learned from: save first (Ctrl+S)")
        self.add_nights([path])

    def add_nights(self, paths: Sequence[Path]) -> None:
        """List archives, and count what was reviewed in them."""
        assert self.panel is not None
        self._count([*self.panel.paths, *paths])

    def _ask_for_files(self) -> None:
        assert self.panel is not None
        if paths := dialogs.ask_reviews(self.panel, self._folder()):
            self._services.settings.set_json(_FOLDER_KEY, str(paths[0].parent))
            self.add_nights(paths)

    def _ask_for_folder(self) -> None:
        assert self.panel is not None
        folder = dialogs.ask_folder(self.panel, "Choose a folder of saved reviews", self._folder())
        if folder is None:
            return
        self._services.settings.set_json(_FOLDER_KEY, str(folder))
        if not (found := sorted(folder.glob("*.npz"))):
            self.panel.say_why_not(f"{folder} holds no saved review (.npz).")
            return
        self.add_nights(found)

    def _folder(self) -> Path:
        if kept := self._services.settings.get_json(_FOLDER_KEY, ""):
            return Path(kept)
        return Path.home() if self._session is None else self._session.night.recording.path.parent

    def _count(self, paths: Sequence[Path]) -> None:
        from sleepviewer.training.corrected_counts import count_night

        assert self.panel is not None
        listed = tuple({path.absolute(): None for path in paths})
        vouched = self.panel.whole_nights.isChecked()
        self.panel.show_counting()
        self._counting.start(lambda _: tuple(count_night(path, vouched=vouched) for path in listed))

    def _on_counted(self, counts: tuple[NightCount, ...]) -> None:
        if self.panel is not None:
            self.panel.show_counts(counts)

    # -- the training

    def _start_wanted(self) -> None:
        from sleepviewer.training.fine_tune import FineTuneRequest

        assert self.panel is not None
        self.start(
            FineTuneRequest(
                archives=self.panel.chosen,
                base=self.panel.base_name,
                replay=self.panel.replay_folder,
                whole_nights=self.panel.whole_nights.isChecked(),
            )
        )

    def start(self, request: FineTuneRequest) -> None:
        """Train, or go on with a training that was broken; what goes wrong is told in the window of it."""
        if self.running:
            self._services.tell("A training is running already")
            return
        self.show_panel()
        assert self.panel is not None
        process = self.make_process()
        self._track, self._result, self._request = TuningTrack(), None, request
        try:
            process.start(request)
        except SleepViewerError as error:
            self.panel.show_trouble(str(error), self._track)
            return
        self._process = process
        self._unfinished.remember(request)
        self.panel.show_training(self._track)
        self._timer.start()

    def _poll(self) -> None:
        process = self._process
        if process is None:
            return
        rows = process.poll()
        self._track.add(rows)
        if not process.running:
            self._on_end(process)
        elif self.panel is not None and self.panel.isVisible():
            self.panel.show_training(self._track, paused=self._paused)

    @property
    def _paused(self) -> bool:
        return self._process is not None and self._process.state == "paused"

    def pause_or_resume(self) -> None:
        """Pause the training before its next step, or have it go on."""
        if self._process is not None:
            (self._process.resume if self._paused else self._process.pause)()

    def _ask_and_cancel(self) -> None:
        assert self.panel is not None
        title, text = "Cancel the training", "What it has done is forgotten; the model is as it was."
        if dialogs.ask_whether(self.panel, title, text, "Cancel the training", "Go on training"):
            self.cancel()

    def cancel(self) -> None:
        """Stop and forget the training, in the background: that takes seconds."""
        process = self._process
        if process is None or not self._timer.isActive():
            return
        self._timer.stop()
        if self.panel is not None:
            self.panel.show_training(self._track, stopping=True)

        def end(_: object) -> Callable[[], None]:
            process.cancel()
            process.close()
            return self._on_cancelled

        self._ending.start(end)

    def _on_cancelled(self) -> None:
        self._process = self._request = None
        self._unfinished.forget()
        self._services.tell("The training was cancelled; the model is as it was")
        if self.panel is not None:
            self.panel.show_setup()

    def _on_end(self, process: FineTuneProcess) -> None:
        self._timer.stop()
        self._process = None
        try:
            result = process.result()
        except SleepViewerError as error:
            self._unfinished.forget()
            self._show_trouble(str(error))
            return
        finally:
            # It has ended, but to wait for the system to say so would hold the window up.
            threading.Thread(target=process.close, name="ended training", daemon=True).start()
        self._track.fill(result.rows)
        self._result = result
        word = "the tuned model is better and is offered" if result.verdict.offered else "the tuned model is refused"
        self._services.tell(f"The training is done: {word}")
        if self.panel is not None:
            self.panel.show_result(result, self._track)
            if not self.panel.isVisible():
                self.notice.show_notice(f"The training is done: {word}.", [("Look at the verdict", self.show_panel)])

    def _show_trouble(self, sentence: str) -> None:
        if self.panel is not None:
            self.panel.show_trouble(sentence, self._track)
        if self.panel is None or not self.panel.isVisible():
            self._services.trouble(sentence)

    # -- what becomes of it

    def keep(self, label: str, note: str) -> None:
        """Keep the tuned model as the next version; it does not become active."""
        from sleepviewer.training.fine_tune import discard, keep

        result, request = self._result, self._request
        if result is None or request is None or self._ending.running:
            return

        def work(_: object) -> Callable[[], None]:
            path = keep(result, label=label, note=note)
            discard(request)
            return partial(self._on_kept, path.stem)

        self._ending.start(work)

    def _on_kept(self, name: str) -> None:
        from sleepviewer.models.versions import ModelVersions

        self._unfinished.forget()
        self._result = self._request = None
        self._kept = name
        title = ModelVersions().get(name).title
        model_shelf().changed.emit()
        self._services.tell(f"Kept as {title}")
        if self.panel is not None:
            self.panel.show_kept(title, night_open=self._session is not None)

    def discard(self) -> None:
        """Forget the tuned model."""
        from sleepviewer.training.fine_tune import discard

        request = self._request
        if request is None or self._ending.running:
            return

        def work(_: object) -> Callable[[], None]:
            discard(request)
            return self._on_discarded

        self._ending.start(work)

    def _on_discarded(self) -> None:
        self._result = self._request = None
        self._unfinished.forget()
        self._services.tell("The tuned model is discarded; the model is as it was")
        if self.panel is not None:
            self._go_back()

    def _on_ending_failed(self, error: Exception) -> None:
        self._show_trouble(str(error))
        if self.panel is not None and self._result is not None:
            self.panel.show_result(self._result, self._track)
            self.panel.where.setText(f"⚠ {error}")
        if not isinstance(error, SleepViewerError):
            raise error

    def _activate(self) -> None:
        from sleepviewer.models.versions import ModelVersions

        try:
            version = ModelVersions().activate(self._kept)
        except SleepViewerError as error:
            self._services.trouble(str(error))
            return
        model_shelf().use(version.member)
        self._services.tell(f"{version.title} is active")
        if self.panel is not None:
            self.panel.verdict.show_activated(version.title)

    def _score(self) -> None:
        """Score the open night with the version that was kept."""
        model_shelf().chosen.emit(self._kept)
        self._services.actions["score"].trigger()

    def _go_back(self) -> None:
        """Show the nights again."""
        assert self.panel is not None
        self._offer_bases()
        self.panel.show_setup()

    # -- what was interrupted

    def _offer_unfinished(self) -> None:
        """Offer a training that was begun and that nobody is at, where there is one."""
        request = self._unfinished.found()
        if request is None:
            return
        names = " and ".join(path.stem for path in request.archives)
        self.notice.show_notice(
            f"A training on {names} was interrupted, or its verdict not decided on. What it has done is kept.",
            [("Go on", partial(self._go_on, request)), ("Forget it", partial(self._forget, request))],
        )

    def _go_on(self, request: FineTuneRequest) -> None:
        self.notice.show_notice("")
        self.start(request)

    def _forget(self, request: FineTuneRequest) -> None:
        from sleepviewer.training.fine_tune import discard

        self.notice.show_notice("")
        self._unfinished.forget()

        def work(_: object) -> Callable[[], None]:
            discard(request)
            return lambda: self._services.tell("The interrupted training is forgotten; the model is as it was")

        self._ending.start(work)


def _new_process() -> FineTuneProcess:
    from sleepviewer.training.fine_tune_process import FineTuneProcess

    return FineTuneProcess()
