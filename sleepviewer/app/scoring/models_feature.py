"""Models and their versions: shown, activated, compared, taken back and thrown away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.model_events import model_shelf
from sleepviewer.app.shell.theme import Theme
from sleepviewer.errors import SleepViewerError
from sleepviewer.models.versions import MARK, ModelVersion, ModelVersions

if TYPE_CHECKING:
    from sleepviewer.app.scoring.models_dialog import ModelsDialog

# The dialog is imported when it is first asked for: the window starts without it.


class ModelsPart(QObject):
    """Between the window of models and the folder of versions; the tool bar hears of every change."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        self._session: NightSession | None = None
        self.dialog: ModelsDialog | None = None
        """The window of models once it was asked for."""
        model_shelf().changed.connect(self._refresh)

    # -- being a part

    def commands(self) -> Commands:
        """See :class:`Part`."""
        return {"models": self.show_dialog}

    def enabled(self) -> Mapping[str, bool]:
        """It needs no night."""
        return {}

    def set_session(self, session: NightSession) -> None:
        """See :class:`Part`."""
        self._session = session
        self._refresh()

    def set_theme(self, theme: Theme) -> None:
        """The dialog has the window's style."""

    def close(self) -> None:
        """See :class:`Part`."""
        if self.dialog is not None:
            self.dialog.close()

    # -- the dialog

    def show_dialog(self) -> None:
        """Show the versions as they are now, also those that another program made."""
        if self.dialog is None:
            from sleepviewer.app.scoring.models_dialog import ModelsDialog

            self.dialog = dialog = ModelsDialog(self._services.window)
            dialog.activate_requested.connect(self.activate)
            dialog.roll_back_requested.connect(self.roll_back)
            dialog.delete_requested.connect(self._ask_and_delete)
            dialog.score_requested.connect(self.score)
            dialog.compare_requested.connect(self.compare)
            dialog.retrain_requested.connect(lambda: self._services.actions["retrain"].trigger())
        self.dialog.show()
        model_shelf().changed.emit()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def _refresh(self) -> None:
        if self.dialog is None or not self.dialog.isVisible():
            return
        from sleepviewer.app.scoring.versions_table import rows_of

        self.dialog.show_versions(rows_of(ModelVersions()), night_open=self._session is not None)

    # -- what is done with a version

    def activate(self, name: str) -> None:
        """Have a version score where its member is asked for, and choose it in the tool bar."""
        self._change(lambda: ModelVersions().activate(name))

    def roll_back(self, member: str) -> None:
        """Go back from a member's active version to its parent."""
        self._change(lambda: ModelVersions().roll_back(member))

    def _change(self, change: Callable[[], ModelVersion]) -> None:
        try:
            active = change()
        except SleepViewerError as error:
            self._trouble(str(error))
            return
        model_shelf().use(active.member)
        self._services.tell(f"{active.title} is active: it scores wherever its model is asked for")

    def _ask_and_delete(self, name: str) -> None:
        assert self.dialog is not None
        text = f"“{name}” goes into the folder “trash” beside the versions, from where it can be taken back by hand."
        if dialogs.ask_whether(self.dialog, "Delete a version", text, "Delete", "Keep"):
            self.delete(name)

    def delete(self, name: str) -> None:
        """Move a version, or a damaged file, into the trash; where it was active, its parent scores in its place."""
        try:
            heir = ModelVersions().delete(name)
        except SleepViewerError as error:
            self._trouble(str(error))
            return
        model_shelf().changed.emit()
        member = name.partition(MARK)[0]
        now = "" if heir is None else f"; {heir.title} is active in its place"
        self._services.tell(f"{name} is in the trash{now}")
        if heir is not None:
            model_shelf().chosen.emit(member)

    def compare(self, first: str, second: str) -> None:
        """Show the figures of two versions' cards."""
        assert self.dialog is not None
        versions = ModelVersions()
        try:
            figures = versions.compare(first, second)
            titles = [versions.get(name).title for name in (first, second)]
        except SleepViewerError as error:
            self._trouble(str(error))
            return
        self.dialog.show_comparison(figures, *titles)

    def score(self, name: str) -> None:
        """Score the open night with a version, whichever is active."""
        model_shelf().chosen.emit(name)
        self._services.actions["score"].trigger()

    def _trouble(self, sentence: str) -> None:
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.show_trouble(sentence)
        else:
            self._services.trouble(sentence)
