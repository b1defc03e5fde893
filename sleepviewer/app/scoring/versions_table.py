"""The table of models and versions: one row each, by member; damaged files are among them and say so."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHeaderView, QWidget

from sleepviewer.app.shell.row_table import Index, RowModel, RowTable
from sleepviewer.errors import VersionError
from sleepviewer.models.family import all_names, title_of
from sleepviewer.models.origin import Origin
from sleepviewer.models.versions import DamagedVersion, FigureRow, ModelVersion, ModelVersions
from sleepviewer.review.contenders import engine_title
from sleepviewer.scoring.registry import DEFAULT_MEMBER


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version, or a damaged file (then ``version`` is None), and what stands in its row.

    ``name`` is what :class:`ModelVersions` knows it by, ``about`` all that there is to say of it.
    """

    name: str
    title: str
    cells: tuple[str, ...]
    about: str
    version: ModelVersion | None = None


def rows_of(versions: ModelVersions) -> tuple[VersionRow, ...]:
    """Return a row for every model that can score, shipped and the user's, and for every damaged file."""
    own = versions.versions()
    rows: list[VersionRow] = []
    for member in sorted(all_names(), key=lambda name: name != DEFAULT_MEMBER):
        of_it = [version for version in own if version.member == member]
        with suppress(VersionError):  # no weights of it come with the program
            rows.append(_row(versions.shipped(member), alone=not of_it))
        rows += [_row(version) for version in of_it]
    return (*rows, *(_damaged(entry) for entry in versions.damaged()))


def _row(version: ModelVersion, *, alone: bool = False) -> VersionRow:
    """``alone``: there is no other version that could be active in its place."""
    verdict = version.card.lineage.get("verdict")
    corrected, others = _kappas(verdict, "corrected"), _kappas(verdict, "others")
    if not others:
        others = version.card.headline
    state = "● active" if version.active and not alone else "✕ refused" if version.refused else ""
    nights = ", ".join(version.nights)
    parent = _parent(version).removeprefix(f"{title_of(version.member)} · ")
    cells = (version.title, state, _day(version.made), parent, nights or "–", corrected or "–", others or "–")
    return VersionRow(version.name, version.title, cells, _about(version, corrected, others), version)


def _damaged(entry: DamagedVersion) -> VersionRow:
    name = entry.path.name.removesuffix(".safetensors")
    return VersionRow(name, name, (name, "⚠ damaged", "", "", "", "", ""), f"⚠ {entry.reason}")


def _about(version: ModelVersion, corrected: str, others: str) -> str:
    """All that its card tells, in a few lines."""
    origin = Origin.SHIPPED if version.number == 0 else Origin.OWN
    lines = [f"{version.title} ({version.name}), {origin}."]
    if version.note:
        lines.append(f"Note: {version.note}")
    if version.card.trained_on:
        lines.append(f"Trained on {version.card.trained_on.rstrip('.')}.")
    nights = version.card.lineage.get("nights", ())
    told = [f"{n.get('name')} ({n.get('reviewed_epochs')} reviewed epochs)" for n in nights if isinstance(n, dict)]
    if told:
        lines.append(f"Made from {_parent(version)}; learned from {', '.join(told)}.")
    earlier = version.card.lineage.get("earlier_nights", ())
    if names := [str(n.get("name")) for n in earlier if isinstance(n, dict)]:
        lines.append(f"Its ancestors learned from {', '.join(names)}.")
    if corrected:
        lines.append(f"κ before → after: {corrected} on held-out corrected epochs, {others} on other subjects.")
    if version.refused:
        lines.append(f"✕ Refused, so it can't be activated. {version.refused}")
    return "\n".join(lines)


def _kappas(verdict: object, which: str) -> str:
    """Return ``0.793 → 0.894`` of one of a verdict's comparisons; nothing where there is none."""
    try:
        both = verdict[which]  # type: ignore[index]
        values = (both["before"]["kappa"], both["after"]["kappa"])
    except (TypeError, LookupError):
        return ""
    return " → ".join("–" if value is None else f"{value:.3f}" for value in values)


def _parent(version: ModelVersion) -> str:
    return engine_title(version.parent) if version.parent else "–"


def _day(made: str) -> str:
    """Return the local day and time of an ISO time; as it stands where it is none."""
    try:
        when = datetime.fromisoformat(made)
    except ValueError:
        return made or "–"
    return f"{when.astimezone() if when.tzinfo else when:%Y-%m-%d %H:%M}"


class VersionsModel(RowModel):
    """Rows as they are given."""

    HEADERS = ("Model", "State", "Made", "From", "Learned from", "κ, corrected nights", "κ, others")

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[VersionRow, ...] = ()

    def show_rows(self, rows: Sequence[VersionRow]) -> None:
        """Show these rows."""
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def n_rows(self) -> int:
        return len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.cells[index.column()]
        return row.about if role == Qt.ItemDataRole.ToolTipRole else None


class VersionsTable(RowTable):
    """All models and versions."""

    chosen = Signal()
    """Another row is selected."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Models and versions", parent)
        self.versions = VersionsModel()
        self.setModel(self.versions)
        self.setShowGrid(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(4, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.selectionModel().selectionChanged.connect(lambda *_: self.chosen.emit())

    @property
    def current(self) -> VersionRow | None:
        """The selected row."""
        rows = self.selectionModel().selectedRows()
        return self.versions.rows[rows[0].row()] if rows else None

    def show_rows(self, rows: Sequence[VersionRow]) -> None:
        """Show these rows; what was selected stays so, else the first that is active among others is."""
        before = None if self.current is None else self.current.name
        self.versions.show_rows(rows)
        active = next((i for i, row in enumerate(rows) if row.cells[1].startswith("●")), 0)
        self.selectRow(next((i for i, row in enumerate(rows) if row.name == before), active))


class FiguresTable(RowTable):
    """The figures of two versions beside each other."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Figures of two versions", parent)
        self._figures = _FiguresModel()
        self.setModel(self._figures)
        self.setShowGrid(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def show_figures(self, rows: Sequence[FigureRow], first: str, second: str) -> None:
        """Show figures under the names of both versions."""
        self._figures.show_figures(rows, first, second)
        height = len(rows) * self.verticalHeader().defaultSectionSize() + self.horizontalHeader().sizeHint().height()
        self.setFixedHeight(min(height + 6, 200))


class _FiguresModel(RowModel):
    HEADERS = ("Figure", "First", "Second", "Change")

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[FigureRow, ...] = ()
        self._names = ("First", "Second")

    def show_figures(self, rows: Sequence[FigureRow], first: str, second: str) -> None:
        self.beginResetModel()
        self._rows, self._names = tuple(rows), (first, second)
        self.endResetModel()

    def n_rows(self) -> int:
        return len(self._rows)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return ("Figure", *self._names, "Change")[section]
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole and not section:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column():
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        row = self._rows[index.row()]
        name = row.figure.replace("_", " ").replace("kappa", "κ").replace("f1", "F1")
        change = "–" if row.change is None else f"{row.change:+.3f}".replace("-", "−")
        return (name, *("–" if v is None else f"{v:.3f}" for v in (row.first, row.second)), change)[index.column()]
