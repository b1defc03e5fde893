"""Epochs as a model sees them: looked at in the scoring process, laid on a map, and listed with those like them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt

from sleepviewer.analysis.lookalikes import Embedding, LookAlike, embed
from sleepviewer.app.explain.embedding_run import LookController
from sleepviewer.app.explain.similar_epochs_panel import MapPanel
from sleepviewer.app.explain.similar_epochs_text import alike_text, listed_rows, lookalike_rows, stages_text, whose_text
from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.scrolled import scrolled
from sleepviewer.app.shell.theme import Theme
from sleepviewer.app.work.background import Background
from sleepviewer.app.work.embedding_worker import umap_plane
from sleepviewer.errors import SleepViewerError
from sleepviewer.review.contenders import engine_title
from sleepviewer.review.document import Change, Document
from sleepviewer.review.lookalikes import OPEN_NIGHT, archived_night, open_night, stages_of
from sleepviewer.review.navigation import EpochWalk
from sleepviewer.scoring.features import ArchiveNight, ArchiveNights, FeaturesRequest, NightFeatures, no_features
from sleepviewer.scoring.registry import EngineSpec, list_engines, single_model
from sleepviewer.stages import EPOCH_S

_NOTHING = (
    "“Look” has the model in the tool bar see every epoch; those that look alike to it then lie together here. "
    "K lists the epochs like the current one."
)


@dataclass(frozen=True, slots=True, eq=False)
class _Map:
    """The open night's epochs as points on a plane, ``float32 [n, 2]``."""

    embedding: Embedding
    plane: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Listing:
    """What the table shows: epochs of the open night, or an epoch's look-alikes."""

    epochs: NDArray[np.intp]
    like: int | None = None
    alike: tuple[LookAlike, ...] = ()


class MapPart(QObject):
    """Between the worker, the document and the panel “Look-alikes”."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        self._spec = EngineSpec()
        self._features: NightFeatures | None = None
        self._map: _Map | None = None
        self._wide: Embedding | None = None
        self._others: dict[str, ArchiveNight] = {}
        self._others_said = ""
        self._listing: _Listing | None = None
        self._walk: EpochWalk | None = None
        self._then: Callable[[], object] | None = None
        self._seen, self._stale = False, True
        self.panel = MapPanel(services.page.theme)
        self.panel.view.describe = self._describe
        area = Qt.DockWidgetArea.RightDockWidgetArea
        self._dock = services.panels.add("map", "Look-alikes", scrolled(self.panel), area, shown=False, beside="review")
        self._looking = LookController(self.panel, self)
        self._laying = Background("map", self)
        self._finding = Background("look-alikes", self)
        self._connect()

    def _connect(self) -> None:
        self._dock.visibilityChanged.connect(self._on_seen)
        self._looking.found.connect(self._on_found)
        self._looking.trouble.connect(self._refuse)
        self._looking.cancelled.connect(self._on_cancelled)
        self._looking.changed.connect(self._services.refresh)
        self._laying.done.connect(self._show_map)
        self._laying.failed.connect(self._on_laying_failed)
        self._finding.done.connect(self._show_listing)
        self._finding.failed.connect(self._on_finding_failed)
        panel = self.panel
        panel.look_requested.connect(self.look)
        panel.cancel_requested.connect(self.cancel)
        panel.alike_requested.connect(self.list_alike)
        panel.elsewhere_requested.connect(self._ask_for_folder)
        panel.all_requested.connect(self._leave_list)
        panel.method_chosen.connect(lambda _: self._lay_out())
        panel.view.picked.connect(self._go_to)
        panel.view.lassoed.connect(self.list_epochs)
        panel.table.picked.connect(self._go_to)
        panel.table.elsewhere_picked.connect(self._open_elsewhere)

    # -- being a part

    def commands(self) -> Commands:
        """See :class:`Part`."""
        return {
            "look_alikes": self._show_panel,
            "alike": self.list_alike,
            "alike_elsewhere": self._ask_for_folder,
            "cancel_look": self.cancel,
        }

    def enabled(self) -> Mapping[str, bool]:
        """See :class:`Part`."""
        return {"cancel_look": self.running}

    def set_session(self, session: NightSession) -> None:
        """See :class:`Part`."""
        self.cancel()
        self._looking.set_session(session)
        if self._session is not None:
            self._session.document_changed.disconnect(self._on_change)
            self._session.epoch_changed.disconnect(self._on_epoch)
            self._session.walk_changed.disconnect(self._on_walk)
        self._session, self._walk, self._listing = session, None, None
        session.document_changed.connect(self._on_change)
        session.epoch_changed.connect(self._on_epoch)
        session.walk_changed.connect(self._on_walk)
        self._forget()
        self.panel.show_list("", ())

    def set_theme(self, theme: Theme) -> None:
        """See :class:`Part`."""
        self.panel.set_theme(theme)

    def close(self) -> None:
        """See :class:`Part`."""
        self._looking.close()
        self._laying.close()
        self._finding.close()

    # -- looking

    @property
    def running(self) -> bool:
        """Whether epochs are being looked at, or laid on a plane."""
        return self._looking.running or self._laying.running

    def _show_panel(self) -> None:
        self._services.panels.show("map")
        if self._features is None and not self.running:
            self.look()

    def look(self) -> None:
        """See the open night's epochs as the model in the tool bar does, in the background."""
        session, spec = self._session, single_model(self._services.engine())
        if session is None:
            return
        if session.document.blinded:
            self._refuse("You are scoring blind: what the model sees is hidden until you are done.")
            return
        night = session.night
        if not any(info.id == spec.id and info.takes_weights for info in list_engines()):
            self._refuse(no_features(engine_title(spec.id)))
        elif night.channel is None:
            self._refuse("No EEG channel was recognised by its name: choose the channel to look at in the tool bar.")
        elif self._start(FeaturesRequest(spec, (night.recording.path,), night.channel, night.recording.stamp)):
            self._spec = spec

    def look_in(self, folder: Path) -> None:
        """Look in a folder's archives as well, with the model of the map."""
        session = self._session
        if session is None:
            return
        if self._map is None:
            self._then = partial(self.look_in, folder)
            if not self.running:
                self.look()
            return
        own = session.night.saved_path
        there = [p for p in sorted(folder.glob("*.npz")) if own is None or p.resolve() != own.resolve()]
        if not there:
            self._refuse(f"{folder} holds no scoring archive (.npz) of another night; choose the folder that does.")
            return
        self._start(FeaturesRequest(self._spec, tuple(there)))

    def _start(self, request: FeaturesRequest) -> bool:
        if self.running:
            self._services.tell("Epochs are being looked at already")
            return False
        self._looking.start(request)
        return True

    def cancel(self) -> None:
        """Stop looking; what was found before stays."""
        self._then = None
        self._looking.cancel()
        if self._laying.running:
            self._laying.cancel()
            self._rest()
            if self._map is not None:
                self.panel.choose_method("pca")

    def _ask_for_folder(self) -> None:
        if self._session is not None:
            self._services.panels.show("map")
            folder = dialogs.ask_archives(self._services.window, self._session.night.recording.path.parent)
            if folder is not None:
                self.look_in(folder)

    def _refuse(self, sentence: str) -> None:
        self._then = None
        if self._map is None:
            self.panel.view.show_sentence(sentence)
        self._services.trouble(sentence)

    def _forget(self) -> None:
        self._features, self._map, self._wide, self._others, self._others_said = None, None, None, {}, ""
        self.panel.show_caption("")
        self.panel.view.show_sentence(_NOTHING)
        self.panel.choose_method("pca")

    # -- what the worker tells

    def _on_found(self, found: object) -> None:
        session = self._session
        if session is None:
            return
        if isinstance(found, ArchiveNights):
            self._take_up(session, found)
            return
        assert isinstance(found, NightFeatures)
        try:
            session.night.recording.check_unchanged()
        except SleepViewerError as error:
            self._refuse(str(error))
            return
        then = self._then
        self._forget()
        self._leave_list()
        self._then, self._features = then, found
        self._lay_out()

    def _take_up(self, session: NightSession, found: ArchiveNights) -> None:
        """Look in the archives' nights from now on; an archive of the open night itself is left out."""
        recording = session.night.recording
        own = (recording.name, recording.start)
        others = [night for night in found.nights if (night.recording, night.start) != own]
        said = f"{len(others)} further {'night' if len(others) == 1 else 'nights'} looked in"
        if found.notes:
            said += f"; {len(found.notes)} could not be: {found.notes[0]}"
        assert self._features is not None
        try:
            self._wide = embed([open_night(session.document, self._features), *map(archived_night, others)])
        except SleepViewerError as error:
            self._refuse(str(error))
            return
        self._others = {str(night.path): night for night in others}
        self._others_said = f"{said}."
        self.list_alike()

    def _on_cancelled(self) -> None:
        self._services.tell("Looking at the epochs was cancelled; what was found before stays")

    def _rest(self) -> None:
        self.panel.show_progress(None)
        self._services.refresh()

    # -- the map

    @property
    def _document(self) -> Document | None:
        return None if self._session is None else self._session.document

    def _lay_out(self) -> None:
        document, features, method = self._document, self._features, self.panel.method
        if document is None or features is None:
            return
        night = open_night(document, features)

        def work(cancelled: Callable[[], bool]) -> _Map | None:
            embedding = embed([night])
            plane = umap_plane(embedding, cancelled) if method == "umap" else embedding.map(method)
            return None if plane is None else _Map(embedding, plane)

        self.panel.show_progress(-1.0, "laying out")
        self._laying.start(work)
        self._services.refresh()

    def _show_map(self, made: object) -> None:
        self._rest()
        assert isinstance(made, _Map)
        self._map = made
        self._refresh_soon()
        then, self._then = self._then, None
        if then is not None:
            then()

    def _on_laying_failed(self, error: Exception) -> None:
        self._rest()
        self.panel.choose_method("pca")
        if not isinstance(error, SleepViewerError):
            raise error
        self._refuse(str(error))

    def _on_seen(self, seen: bool) -> None:
        self._seen = seen
        if seen:
            self._refresh_soon() if self._stale else self._show_epoch()
        if self._dock.isHidden():
            self._leave_list()  # D steps through what is shown

    def _on_change(self, change: Change) -> None:
        if change is Change.BLINDING:
            self.cancel()
            self._leave_list()
            self._forget()
        if change in (Change.TRUTH, Change.PREDICTION, Change.EDITS):
            self._refresh_soon()

    def _on_epoch(self, _: int) -> None:
        if self._seen:
            self._show_epoch()

    def _show_epoch(self) -> None:
        if self._session is not None:
            self.panel.view.show_epoch(self._session.epoch)
            self.panel.table.select_epoch(self._session.epoch)

    def _refresh_soon(self) -> None:
        self._stale = True
        if self._seen and self._session is not None and self._map is not None:
            self._stale = False
            self._refresh(self._session, self._map)

    def _refresh(self, session: NightSession, shown: _Map) -> None:
        """Bring map and list up to date with the document's stages."""
        stages = stages_of(session.document)
        embedding = shown.embedding.with_stages(OPEN_NIGHT, *stages)
        self._map = _Map(embedding, shown.plane)
        if self._wide is not None:
            self._wide = self._wide.with_stages(OPEN_NIGHT, *stages)
        self.panel.view.show_points(shown.plane, embedding.epoch.astype(np.intp), embedding.truth, embedding.predicted)
        assert self._features is not None
        self.panel.show_caption(
            whose_text(self._spec.id, session.night.channel or "", self._features, session.document.prediction)
        )
        self._show_list()
        self._show_epoch()

    def _describe(self, epoch: int) -> str:
        session = self._session
        return "" if session is None else stages_text(session.night.recording, epoch, *stages_of(session.document))

    # -- the list

    def list_epochs(self, epochs: NDArray[np.intp]) -> None:
        """List epochs of the open night, and have D step through them."""
        count = "1 epoch" if len(epochs) == 1 else f"{len(epochs)} epochs"
        self._list(_Listing(epochs), f"{count} of the map")

    def list_alike(self) -> None:
        """List the epochs that look most like the current one, and have D step through those of this night."""
        session = self._session
        if session is None:
            return
        self._services.panels.show("map")
        if self._map is None:
            self._then = self.list_alike
            if not self.running:
                self.look()
            return
        embedding, epoch = self._wide or self._map.embedding, session.epoch

        def work(_: Callable[[], bool]) -> _Listing:
            alike = embedding.alike(OPEN_NIGHT, epoch)
            own = [one.epoch for one in alike if one.night == OPEN_NIGHT]
            return _Listing(np.array(own, dtype=np.intp), epoch, alike)

        self._finding.start(work)

    def _show_listing(self, listing: object) -> None:
        assert isinstance(listing, _Listing)
        assert listing.like is not None
        self._list(listing, f"like epoch {listing.like + 1}")

    def _on_finding_failed(self, error: Exception) -> None:
        if not isinstance(error, SleepViewerError):
            raise error
        self._services.tell(str(error))

    def _list(self, listing: _Listing, name: str) -> None:
        if self._session is None:
            return
        self._walk = EpochWalk(name, listing.epochs)
        self._listing = listing
        self._session.set_walk(self._walk)
        self._show_list()
        self._show_epoch()

    def _show_list(self) -> None:
        session, listing, shown = self._session, self._listing, self._map
        if session is None or listing is None or shown is None:
            return
        recording, stages = session.night.recording, stages_of(session.document)
        self.panel.view.show_listed(listing.epochs)
        if listing.like is None:
            count = "1 epoch" if len(listing.epochs) == 1 else f"{len(listing.epochs)} epochs"
            title = f"{count} of the map; D goes on to the next." if len(listing.epochs) else "No epoch lies in there."
            self.panel.show_list(title, listed_rows(recording, listing.epochs, *stages))
            return
        rows = lookalike_rows(recording, listing.alike, *stages)
        said = alike_text(listing.like, listing.alike, *stages, shown.embedding)
        self.panel.show_list(f"{said} {self._others_said}".strip(), rows, distances=True)

    def _leave_list(self) -> None:
        if self._walk is not None and self._session is not None:
            self._session.set_walk(None)

    def _on_walk(self) -> None:
        if self._session is not None and self._session.walk is not self._walk:
            self._walk, self._listing = None, None
            self.panel.show_list("", ())
            self.panel.view.show_listed(np.empty(0, dtype=np.intp))

    # -- going there

    def _go_to(self, epoch: int) -> None:
        if self._session is not None and epoch != self._session.epoch:
            self._session.go_to(epoch)

    def _open_elsewhere(self, archive: str, epoch: int) -> None:
        """Open the recording that an archive was made of, where it lies beside the archive, at the epoch."""
        night = self._others.get(archive)
        if night is None:
            return
        path = night.path.with_name(night.recording)
        if not night.recording or not path.is_file():
            name = night.recording or "The recording"
            self._services.trouble(
                f"{name} does not lie beside {night.path.name}; open it with Ctrl+O (epoch {epoch + 1})."
            )
            return
        self._services.open_path(path)
        session = self._session
        if session is not None and session.night.recording.path == path:
            start = session.night.recording.start
            late_s = 0.0 if start is None or night.start is None else (night.start - start).total_seconds()
            session.go_to(epoch + round(late_s / EPOCH_S))
