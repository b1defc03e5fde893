"""What the window is composed of beside the night page."""

from __future__ import annotations

from collections.abc import Callable

from sleepviewer.app.batch.feature import BatchPart
from sleepviewer.app.compare.consensus_feature import AdjudicationPart
from sleepviewer.app.compare.disagreements_feature import DisagreementsPart
from sleepviewer.app.compare.models_feature import RivalsPart
from sleepviewer.app.compare.scorers_feature import ScorersPart
from sleepviewer.app.events.feature import EventsPart
from sleepviewer.app.explain.attribution_feature import ExplainPart
from sleepviewer.app.explain.similar_epochs_feature import MapPart
from sleepviewer.app.feature import Part, Services
from sleepviewer.app.files.file_watch_feature import FilePart
from sleepviewer.app.files.folder_export_feature import ExportPart
from sleepviewer.app.files.pictures_feature import PicturesPart
from sleepviewer.app.files.safety_feature import SafetyPart
from sleepviewer.app.keys.feature import KeysPart
from sleepviewer.app.night.feature import NightPart
from sleepviewer.app.retraining.feature import RetrainingPart
from sleepviewer.app.review.feature import ReviewPart
from sleepviewer.app.review.history_feature import HistoryPart
from sleepviewer.app.scoring.models_feature import ModelsPart
from sleepviewer.app.shell.appearance_feature import AppearancePart
from sleepviewer.app.traces.feature import TracesPart
from sleepviewer.app.traces.montage_feature import MontagePart

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
