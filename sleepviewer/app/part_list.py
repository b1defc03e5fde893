"""What the window is composed of beside the night page."""

from __future__ import annotations

from collections.abc import Callable

from sleepviewer.app.adjudication_part import AdjudicationPart
from sleepviewer.app.appearance_part import AppearancePart
from sleepviewer.app.batch_part import BatchPart
from sleepviewer.app.disagreements_part import DisagreementsPart
from sleepviewer.app.events_part import EventsPart
from sleepviewer.app.explain_part import ExplainPart
from sleepviewer.app.export_part import ExportPart
from sleepviewer.app.file_part import FilePart
from sleepviewer.app.history_part import HistoryPart
from sleepviewer.app.keys_part import KeysPart
from sleepviewer.app.map_part import MapPart
from sleepviewer.app.models_part import ModelsPart
from sleepviewer.app.montage_part import MontagePart
from sleepviewer.app.night_part import NightPart
from sleepviewer.app.parts import Part, Services
from sleepviewer.app.pictures_part import PicturesPart
from sleepviewer.app.retraining_part import RetrainingPart
from sleepviewer.app.review_part import ReviewPart
from sleepviewer.app.rivals_part import RivalsPart
from sleepviewer.app.safety_part import SafetyPart
from sleepviewer.app.scorers_part import ScorersPart
from sleepviewer.app.traces_part import TracesPart

PARTS: tuple[Callable[[Services], Part], ...] = (
    AppearancePart,
    KeysPart,
    PicturesPart,
    ExportPart,
    BatchPart,
    TracesPart,
    MontagePart,
    NightPart,
    EventsPart,
    ReviewPart,
    DisagreementsPart,
    ExplainPart,
    RivalsPart,
    MapPart,
    RetrainingPart,
    ModelsPart,
    HistoryPart,
    AdjudicationPart,
    SafetyPart,
    ScorersPart,
    FilePart,
)
"""In the order of their panels."""
