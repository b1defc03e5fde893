"""The tool bar's right half: which channel is scored, by which model, and the button that starts it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QWidget,
)

from sleepviewer.app.shell.model_events import model_shelf
from sleepviewer.app.shell.settings import Settings
from sleepviewer.models.family import title_of
from sleepviewer.models.origin import Origin, origin_of_file
from sleepviewer.models.shipped import member_of, peek_card
from sleepviewer.models.versions import MARK
from sleepviewer.recording import Recording, propose_scoring_channel
from sleepviewer.recording.base import Role
from sleepviewer.scoring.base import ChannelChoice
from sleepviewer.scoring.channels import choose_channels
from sleepviewer.scoring.registry import EngineSpec, list_engines

_MEASURED_ROLE: Final = Qt.ItemDataRole.UserRole + 1
_PICKER_CHARACTERS: Final = 48
_WITH_OTHERS: Final = "scoring/with_eog_emg"


class ScoringBar(QWidget):
    """Channel and engine pickers. The channel is proposed from the names, shown, and changed here."""

    score_requested = Signal()
    channel_chosen = Signal(str)
    """The user has chosen a channel; one that was only proposed is no choice."""

    def __init__(self, settings: Settings | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings or Settings(remember=False)
        self.score_unusable = False
        """Whether epochs with an unusable signal are to be scored as well."""
        self._recording: Recording | None = None
        self._files: list[Path] = []
        self._channel = _picker("Channel to score", 16, self)
        self._with_others = _ElidedCheckBox(self)
        self._with_others.setChecked(self._settings.get_json(_WITH_OTHERS, True))
        self._with_others.toggled.connect(lambda on: self._settings.set_json(_WITH_OTHERS, on))
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
        return choose_channels(self._recording, self.spec, self.channel, eeg_only=not self._with_others.isChecked())

    @property
    def spec(self) -> EngineSpec:
        """The chosen engine."""
        spec = self._engine.currentData()
        assert isinstance(spec, EngineSpec)
        return replace(spec, score_unusable=self.score_unusable)

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
        chosen = self._engine.currentData()
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
        """Show the EOG and EMG that the engine is given beside the EEG; clearing the box withholds them."""
        others: tuple[str, ...] = ()
        if self._recording is not None:
            others = choose_channels(self._recording, self.spec, "").labels
        self._with_others.setVisible(bool(others))
        self._with_others.show_text(f"+ {', '.join(others)}")
        self._with_others.setToolTip(f"Score with {' and '.join(others)} as well; clear to use the EEG alone")


class _ElidedCheckBox(QCheckBox):
    """A check box whose text is cut where the tool bar is narrow: else the bar has no room and Qt hides all of it."""

    _LEAST_CHARACTERS: Final = 5

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)

    def show_text(self, text: str) -> None:
        """Show a text, as much of it as there is room for."""
        self._whole = text
        self.setAccessibleName(text)
        self._fit()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(self._frame() + self.fontMetrics().horizontalAdvance(self._whole), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        least = self._frame() + self._LEAST_CHARACTERS * self.fontMetrics().averageCharWidth()
        return QSize(min(least, self.sizeHint().width()), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        room = max(self.width() - self._frame(), 0)
        text = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room)
        self.setText(text.replace("&", "&&"))

    def _frame(self) -> int:
        style = self.style()
        return (
            style.pixelMetric(QStyle.PixelMetric.PM_IndicatorWidth, None, self)
            + style.pixelMetric(QStyle.PixelMetric.PM_CheckBoxLabelSpacing, None, self)
            + 2 * style.pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, None, self)
        )


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
