"""Folders of nights scored in the background: a window of their own, fed by a process of low priority."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.theme import Theme
from sleepviewer.errors import SleepViewerError

if TYPE_CHECKING:
    from sleepviewer.app.batch.window import BatchWindow
    from sleepviewer.batch.process import BatchProcess, BatchRequest

# The window and the batch are imported when they are first asked for: the program starts without them.

_KEY = "batch/folders"


class BatchPart(QObject):
    """Between the process and the window “Score a folder”, which may be closed and shown again while it runs."""

    _told = Signal(object)
    _ended = Signal(object)

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        self._process: BatchProcess | None = None
        self._thread: threading.Thread | None = None
        self._out = Path()
        self.window: BatchWindow | None = None
        """The batch's own window, once it was asked for."""
        self._told.connect(self._on_told)
        self._ended.connect(self._on_ended)

    # -- being a part

    def commands(self) -> Commands:
        """See :class:`Part`."""
        return {"score_folder": self.show_window}

    def enabled(self) -> Mapping[str, bool]:
        """It needs no night."""
        return {}

    def set_session(self, session: NightSession) -> None:
        """See :class:`Part`."""
        self._session = session

    def set_theme(self, theme: Theme) -> None:
        """The window has the program's style."""

    def close(self) -> None:
        """End the batch; what is done is kept, and the next start goes on."""
        if self._process is not None:
            self._process.cancel()
            self._process.close()
        if self._thread is not None:
            self._thread.join(timeout=5)
        if self.window is not None:
            self.window.close()

    # -- the window

    def show_window(self, folder: Path | None = None) -> None:
        """Show the window; a folder is proposed as the one to score, unless a batch runs."""
        from sleepviewer.app.batch.window import BatchWindow

        if self.window is None:
            self.window = window = BatchWindow(self._services.window)
            window.start_requested.connect(self.start)
            window.pause_requested.connect(self.pause)
            window.cancel_requested.connect(self.cancel)
            window.open_requested.connect(self._open)
            window.finished.connect(self._on_closed)
            self._propose_kept(window)
        if not self.running:
            if folder is not None:
                self.window.propose(folder)
            self.window.show_engine(self._engine_text())
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def _propose_kept(self, window: BatchWindow) -> None:
        kept = self._services.settings.get_json(_KEY, {})
        nights, out = kept.get("nights"), kept.get("out")
        if isinstance(nights, str) and isinstance(out, str) and nights and out:
            window.propose(Path(nights), Path(out))
        elif self._session is not None:
            window.propose(self._session.night.recording.path.parent)

    def _engine_text(self) -> str:
        from sleepviewer.review.contenders import engine_title

        spec = self._services.engine()
        return engine_title(spec.id) + ("" if spec.weights is None else f" · {spec.weights.name}")

    def _on_closed(self) -> None:
        if self.running:
            self._services.tell("The folder is being scored on; File › Score a folder… shows how far it is")

    # -- the batch

    @property
    def running(self) -> bool:
        """Whether a batch is being worked on."""
        return self._process is not None

    def start(self) -> None:
        """Score the folder that the window names, or what is left of it."""
        from sleepviewer.batch.process import BatchProcess

        window = self.window
        if window is None or self.running:
            return
        request = self._request(window)
        self._out = request.wanted.out
        self._services.settings.set_json(_KEY, {"nights": window.nights.text(), "out": window.out.text()})
        window.begin()
        self._process = BatchProcess()
        self._thread = threading.Thread(target=self._run, args=(self._process, request), name="batch", daemon=True)
        self._thread.start()

    def _request(self, window: BatchWindow) -> BatchRequest:
        from sleepviewer.batch.planning import Wanted
        from sleepviewer.batch.process import BatchRequest

        out = Path(window.out.text().strip()).expanduser().resolve()
        wanted = Wanted(out=out, spec=self._services.engine(), signal=window.signal.isChecked())
        return BatchRequest((str(Path(window.nights.text().strip()).expanduser()),), wanted)

    def _run(self, process: BatchProcess, request: BatchRequest) -> None:
        try:
            ended: object = process.run(request, self._told.emit)
        except Exception as error:  # it is told in the window's thread
            ended = error
        self._ended.emit(ended)

    def pause(self, on: bool) -> None:
        """Begin no further night, or go on."""
        if self._process is not None and self.window is not None:
            self._process.pause(on)
            self.window.show_paused(on)

    def cancel(self) -> None:
        """Give up the night that is being scored; what is done is kept."""
        if self._process is not None:
            self._process.cancel()

    def _on_told(self, word: object) -> None:
        from sleepviewer.batch.process import Planned
        from sleepviewer.batch.running import Told

        if self.window is None or not self.running:
            return
        if isinstance(word, Planned):
            self.window.show_nights(word.nights)
        elif isinstance(word, Told):
            self.window.show_told(word)

    def _on_ended(self, ended: object) -> None:
        from sleepviewer.batch.running import Finished

        self._process = self._thread = None
        if self.window is None:
            return
        if isinstance(ended, Finished):
            self.window.show_finished(ended)
            self._services.tell(ended.summary)
        else:
            self.window.show_trouble(str(ended))
            if not isinstance(ended, SleepViewerError) and isinstance(ended, Exception):
                raise ended

    def _open(self, line: dict[str, Any]) -> None:
        """Open a night with the archive that the batch made of it: her corrections go there."""
        recording = (self._out / line["path"]).resolve()
        self._services.open_path(recording, labels=self._out / line["file"])
