"""The night that is open in the window, and the one place that knows which epoch is the current one."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from sleepviewer.hypnogram import Hypnogram
from sleepviewer.recording.quality import SignalQuality
from sleepviewer.review.document import Change, Document
from sleepviewer.review.journal import JournalState
from sleepviewer.review.navigation import EpochWalk
from sleepviewer.review.night import Night
from sleepviewer.review.review_queue import ReviewQueue


class NightSession(QObject):
    """A night, its document, the current epoch and the selected range; views listen to its signals."""

    epoch_changed = Signal(int)
    document_changed = Signal(object)
    """Carries the document's Change."""
    channel_changed = Signal()
    """Another channel is scored."""
    scorers_changed = Signal()
    """Other further scorers are shown."""
    walk_changed = Signal()
    """D steps through another list."""
    in_order_changed = Signal(bool)
    """Reviewing in the order of doubt begins or ends."""

    quality_changed = Signal()
    """The scored channel's signal quality is known, or not known any more."""
    fingerprinted = Signal()
    """The recording's hash is known."""

    def __init__(self, night: Night, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.night = night
        self.queue = ReviewQueue(night.document)
        self._scorers: tuple[Hypnogram, ...] = ()
        self.safety = JournalState()
        """How safe the edits are that were not saved."""
        self.is_journaled = False
        """Whether a journal is kept of this session."""
        self.is_discarded = False
        """Whether the user wants the unsaved edits put aside when the night is left."""
        self._quality: SignalQuality | None = None
        self._walk: EpochWalk | None = None
        self._in_order = False
        self._epoch = 0
        self._anchor = 0
        self._unsubscribe = night.document.subscribe(self._on_change)

    def end(self) -> None:
        """Hear no more of the document: another session follows it, or none."""
        self._unsubscribe()

    @property
    def document(self) -> Document:
        """The document of the night."""
        return self.night.document

    @property
    def epoch(self) -> int:
        """The current epoch, counted from 0."""
        return self._epoch

    @property
    def selected(self) -> range:
        """The selected epochs: a range that the current one ends, or the current one alone."""
        first, last = sorted((self._anchor, self._epoch))
        return range(first, last + 1)

    @property
    def scorers(self) -> tuple[Hypnogram, ...]:
        """Hypnograms of further scorers, shown beside the document and no part of it; none while they are hidden."""
        return () if self.document.blinded else self._scorers

    @scorers.setter
    def scorers(self, scorers: tuple[Hypnogram, ...]) -> None:
        self._scorers = scorers
        self.scorers_changed.emit()

    @property
    def quality(self) -> SignalQuality | None:
        """Signal quality of the scored channel; None as long as it is not known."""
        return self._quality

    @quality.setter
    def quality(self, quality: SignalQuality | None) -> None:
        self._quality = quality
        self.quality_changed.emit()

    @property
    def walk(self) -> EpochWalk | None:
        """The list of epochs that D steps through; None where that is all disagreements."""
        return self._walk

    def set_walk(self, walk: EpochWalk | None) -> None:
        """Have D step through a list that a panel shows, in its order, or (None) through all disagreements again."""
        self._walk = walk
        self.walk_changed.emit()

    @property
    def in_order(self) -> bool:
        """Whether she reviews in the order of doubt: what sets a stage goes on to the next epoch of the queue."""
        return self._in_order

    def set_in_order(self, on: bool) -> None:
        """Begin or end reviewing in the order of doubt."""
        if on != self._in_order:
            self._in_order = on
            self.in_order_changed.emit(on)

    def choose_channel(self, label: str) -> None:
        """Make a channel the one that is scored and exported."""
        if label != self.night.channel:
            self.night.channel = label
            self.channel_changed.emit()

    def go_to(self, epoch: int) -> None:
        """Make an epoch the current one (clipped to the night) and the whole selection."""
        epoch = self._clip(epoch)
        self._anchor = epoch
        self._set(epoch)

    def extend_to(self, epoch: int) -> None:
        """Make an epoch the current one and stretch the selection to it."""
        self._set(self._clip(epoch))

    def _set(self, epoch: int) -> None:
        self._epoch = epoch
        self.epoch_changed.emit(epoch)

    def _clip(self, epoch: int) -> int:
        return max(0, min(epoch, self.document.n_epochs - 1))

    def _on_change(self, change: Change) -> None:
        self.queue.on_change(change)
        if change is Change.BLINDING:
            self.set_in_order(False)
            self.set_walk(None)
            self.scorers_changed.emit()
        self.document_changed.emit(change)
