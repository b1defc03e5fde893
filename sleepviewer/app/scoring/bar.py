"""The tool bar's right half: which channel is scored, by which model, and the button that starts it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QWidget,
)

from sleepviewer.app.shell.model_events import model_shelf
from sleepviewer.models.family import title_of
from sleepviewer.models.origin import Origin, origin_of_file
from sleepviewer.models.shipped import member_of, peek_card
from sleepviewer.models.versions import MARK
from sleepviewer.recording import Recording, propose_emg, propose_eog, propose_scoring_channel
from sleepviewer.recording.base import Role
from sleepviewer.scoring.base import ChannelChoice
from sleepviewer.scoring.registry import EngineSpec, list_engines

_MEASURED_ROLE: Final = Qt.ItemDataRole.UserRole + 1
_PICKER_CHARACTERS: Final = 48


class ScoringBar(QWidget):
    """Channel and engine pickers. The channel is proposed from the names, shown, and changed here."""

    score_requested = Signal()
    channel_chosen = Signal(str)
    """The user has chosen a channel; one that was only proposed is no choice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._recording: Recording | None = None
        self._files: list[Path] = []
        self._channel = _picker("Channel to score", 16, self)
        self._with_others = QCheckBox("+ EOG, EMG", self)
        self._with_others.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._engine = _picker("Scoring engine", 12, self)
        self._engine.setItemDelegate(_MeasuredDelegate(self._engine))
        self._engine.setMaximumWidth(_PICKER_CHARACTERS * self._engine.fontMetrics().averageCharWidth())
        self._score = QToolButton(self)
        self._score.setObjectName("primary")
        self._score.setText("▶ Score")
        self._score.setToolTip("Score the night with this engine on this channel (S)")
        self._score.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._score.clicked.connect(self.score_requested)
        self._channel.currentIndexChanged.connect(self._explain_channel)
        self._channel.textActivated.connect(self.channel_chosen)
        self._engine.currentIndexChanged.connect(self._explain_engine)
        self._engine.currentIndexChanged.connect(self._offer_others)
        self._fill_engines()
        model_shelf().changed.connect(self.refresh_engines)
        model_shelf().chosen.connect(self.choose_engine)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 6, 0)
        layout.addWidget(QLabel("Channel", self))
        for widget in (self._channel, self._with_others, self._engine, self._score):
            layout.addWidget(widget)
        self.setEnabled(False)

    def set_recording(self, recording: Recording) -> None:
        """Offer the recording's channels, the proposed one first in hand."""
        self._recording = recording
        self._channel.clear()
        for channel in recording.channels:
            # Without a unit a channel can be scored, said with a note; of another unit it is no EEG.
            if channel.is_voltage or not channel.unit:
                self._channel.addItem(channel.label)
        proposed = propose_scoring_channel(recording)
        self._channel.setCurrentIndex(-1 if proposed is None else self._channel.findText(proposed))
        self._explain_channel()
        self._offer_others()
        self.setEnabled(True)

    def set_running(self, running: bool) -> None:
        """Hold the pickers still while a scoring runs."""
        self.setEnabled(not running and self._recording is not None)

    @property
    def channel(self) -> str | None:
        """The channel to score, or None where none was proposed and none chosen."""
        return self._channel.currentText() or None

    def choose_channel(self, label: str) -> None:
        """Take a channel by its label."""
        self._channel.setCurrentIndex(self._channel.findText(label))

    @property
    def choice(self) -> ChannelChoice | None:
        """The channels that the engine gets."""
        if self.channel is None or self._recording is None:
            return None
        if not (self._with_others.isChecked() and self._with_others.isVisibleTo(self)):
            return ChannelChoice(self.channel)
        return ChannelChoice(self.channel, propose_eog(self._recording), propose_emg(self._recording))

    @property
    def spec(self) -> EngineSpec:
        """The chosen engine."""
        spec = self._engine.currentData()
        assert isinstance(spec, EngineSpec)
        return spec

    def add_weights(self, path: Path) -> None:
        """Offer the member that a file of weights holds, with these weights, and choose it."""
        self._offer_file(path)
        self._files.append(path)
        self._engine.setCurrentIndex(self._engine.count() - 1)

    def _offer_file(self, path: Path) -> None:
        member, card = member_of(path), peek_card(path)
        title = f"{title_of(member)} · {path.name}"
        measured = "" if card is None else card.headline
        self._add_engine(title, EngineSpec(member, path), measured, str(origin_of_file(path)))

    def choose_engine(self, engine_id: str) -> None:
        """Choose one of the engines that come with the program; one that can't score is not offered."""
        self._choose(EngineSpec(engine_id))

    def refresh_engines(self) -> None:
        """Offer the engines anew: versions were made, activated or deleted. The chosen one stays, if it can."""
        chosen = self.spec
        self._engine.blockSignals(True)
        self._engine.clear()
        self._fill_engines()
        for path in self._files:
            self._offer_file(path)
        self._engine.setCurrentIndex(0)
        for spec in (EngineSpec(chosen.id.partition(MARK)[0]), chosen):  # of a version that is gone, its member
            self._choose(spec)
        self._engine.blockSignals(False)
        self._explain_engine()
        self._offer_others()

    def _choose(self, spec: EngineSpec) -> None:
        for index in range(self._engine.count()):
            if self._engine.itemData(index) == spec:
                self._engine.setCurrentIndex(index)

    def _fill_engines(self) -> None:
        """Offer the engines that can score as they are; the first of them is the default one."""
        self._using_others = {info.id for info in list_engines() if info.uses_others}
        for info in list_engines():
            if info.ready:
                # Before the name: behind it, it would be cut off where the name is long.
                is_active = info.version is not None and info.version.active and MARK not in info.id
                title = f"Active: {info.version.title}" if is_active and info.version is not None else info.title
                self._add_engine(title, EngineSpec(info.id), info.measured)

    def _add_engine(self, title: str, spec: EngineSpec, measured: str, origin: str = "") -> None:
        """Offer an engine; the list says how well it did, the closed picker shows its title alone.

        ``origin`` says where a file of weights comes from, whose card may claim anything.
        """
        index = self._engine.count()
        says = ", as its card says" if origin == Origin.UNKNOWN else ""
        said = (
            f"{title}: {measured}, which it never saw in training{says}" if measured else f"{title}: not measured here"
        )
        said += f". Weights: {origin}" if origin else ""
        self._engine.addItem(title, spec)
        self._engine.setItemData(index, said, Qt.ItemDataRole.ToolTipRole)
        self._engine.setItemData(index, measured, _MEASURED_ROLE)
        self._explain_engine()
        view = self._engine.view()
        view.setMinimumWidth(view.sizeHintForColumn(0) + 2 * view.frameWidth())

    def _explain_engine(self) -> None:
        self._engine.setToolTip(self._engine.currentData(Qt.ItemDataRole.ToolTipRole) or "")

    def _explain_channel(self) -> None:
        recording, label = self._recording, self.channel
        if recording is None or label is None:
            self._channel.setToolTip("No EEG channel was recognised: choose the channel to score")
            return
        channel = recording.channel(label)
        proposed = " (proposed from its name)" if label == propose_scoring_channel(recording) else ""
        warning = "" if channel.role is Role.EEG else f". It looks like {channel.role}, not EEG"
        self._channel.setToolTip(f"The model is given {label} at {channel.rate_hz:g} Hz{proposed}{warning}")

    def _offer_others(self) -> None:
        """EOG and EMG are offered where the engine can use them and the night has them; the user agrees by ticking."""
        others = []
        if self._recording is not None and self.spec.id in self._using_others:
            others = [c for c in (propose_eog(self._recording), propose_emg(self._recording)) if c is not None]
        self._with_others.setVisible(bool(others))
        self._with_others.setText(f"+ {', '.join(others)}".replace("&", "&&"))
        self._with_others.setToolTip(f"Give the engine {' and '.join(others)} as well")


class _MeasuredDelegate(QStyledItemDelegate):
    """Writes behind an engine's name, in the open list alone, how well it did."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        if measured := index.data(_MEASURED_ROLE):
            option.text = f"{option.text}   {measured}"


def _picker(name: str, least_characters: int, parent: QWidget) -> QComboBox:
    picker = QComboBox(parent)
    picker.setAccessibleName(name)
    picker.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    picker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    # Narrower than its text where the window is: else the tool bar has no room for the bar and hides it, Score and all.
    picker.setMinimumWidth(least_characters * picker.fontMetrics().averageCharWidth())
    return picker
