"""The window's part for montages: the panel of channels, the keys F1 to F12, and what comes back with a recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell.theme import THEMES, Theme
from sleepviewer.app.traces import montage_dialogs
from sleepviewer.app.traces.view import TraceView
from sleepviewer.display.montage import AS_RECORDED, Montage, as_recorded
from sleepviewer.display.montage_offers import offers
from sleepviewer.display.montage_store import (
    KEYS,
    OFFERED,
    MontageBook,
    book_text,
    channels_of,
    read_book,
    read_book_file,
    write_book,
)
from sleepviewer.errors import SleepViewerError
from sleepviewer.recording.base import Recording
from sleepviewer.user_folders import home_folder

if TYPE_CHECKING:
    from sleepviewer.app.traces.channel_panel import ChannelPanel

_SETTING = "montages/book"
_REMEMBER_AFTER_MS = 1000


class MontagePart(QObject):
    """Holds the montage that is wanted, of which the page shows the lanes that the recording has."""

    def __init__(self, services: Services) -> None:
        super().__init__(services.window)
        self._services = services
        traces = services.page.traces
        assert isinstance(traces, TraceView)
        self._traces = traces
        self._theme = next(iter(THEMES.values()))
        self._recording: Recording | None = None
        self._wanted = Montage("", ())
        self._offers: tuple[Montage, ...] = ()
        self._panel: ChannelPanel | None = None
        self._book, self._damage = self._kept()
        self._shell = _Shell(self._refresh)
        services.panels.add(
            "channels", "Channels", self._shell, Qt.DockWidgetArea.RightDockWidgetArea, shown=False, beside="review"
        )
        self._timer = QTimer(self, singleShot=True, interval=_REMEMBER_AFTER_MS)
        self._timer.timeout.connect(self._remember)
        self._traces.montage_changed.connect(self._follow_page)
        self._traces.lane_selected.connect(self._follow_lane)

    # -- being a part

    def commands(self) -> Commands:
        """Commands of the key table that it carries out, by name."""
        commands: dict[str, Callable[[], object]] = {
            "channel_panel": self.toggle_panel,
            "derivation_add": self.add_derivations,
            "montage_save": self.save,
            "montage_reset": self.reset,
            "montage_import": self.import_,
            "montage_export": self.export,
        }
        for key in KEYS:
            commands[f"montage_{key}"] = partial(self.choose_key, key)
            commands[f"montage_save_{key}"] = partial(self.save, key)
        return commands

    def enabled(self) -> Mapping[str, bool]:
        """Its commands that can't be called just now."""
        return {}

    def set_session(self, session: NightSession) -> None:
        """Show a recording as one with its channels was shown last."""
        self._remember_now()
        self._recording = session.night.recording
        self._offers = offers(self._recording)
        self._wanted = as_recorded(self._recording)
        last = self._book.last_of(channels_of(self._recording))
        if last is None or not last.fitting(self._recording).shown:
            self._refresh()
        else:
            self._show(last)
        self._name_actions()
        for sentence in self._damage:
            self._services.trouble(sentence)
        self._damage = ()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        if self._panel is not None:
            self._panel.set_theme(theme)

    def close(self) -> None:
        """Remember what is shown."""
        self._remember_now()

    # -- the montage

    @property
    def montage(self) -> Montage:
        """What is wanted, lanes that the recording does not have among it."""
        return self._wanted

    def choose_key(self, key: int) -> None:
        """Show the montage of a key."""
        name = self._book.name_at(key)
        if name is None:
            self._services.tell(f"No montage at F{key} yet; Shift+F{key} saves what is shown there")
        else:
            self.choose(name)

    def choose(self, name: str) -> None:
        """Show a montage by its name; what the recording does not have of it is told."""
        recording, montage = self._recording, self._named(name)
        if recording is None:
            return
        if montage is None:
            self._services.tell(f"“{name}” needs channels that this recording does not have")
            self._refresh()
            return
        fits = montage.fits(recording)
        absent = [trace.label for trace, there in zip(montage.traces, fits, strict=True) if not there]
        if not montage.fitting(recording).shown:
            self._services.trouble(f"{recording.name} has nothing of the montage “{name}”: {_listed(absent)}.")
            self._refresh()
            return
        self._show(montage)
        missing = f"; not in this recording: {_listed(absent)}" if absent else ""
        self._services.tell(f"Montage: {name}{missing}")

    def reset(self) -> None:
        """Show every channel as it was recorded."""
        self.choose(AS_RECORDED)

    def _named(self, name: str) -> Montage | None:
        return next((montage for montage in (*self._offers, *self._book.saved) if montage.name == name), None)

    def _show(self, montage: Montage) -> None:
        if self._recording is None:
            return
        self._wanted = montage
        self._traces.set_montage(montage.fitting(self._recording))
        self._refresh()
        self._timer.start()

    def _follow_page(self, shown: Montage) -> None:
        """Take over gains and heights that were changed on the page itself."""
        if self._recording is not None:
            self._wanted = self._wanted.with_scales_of(shown, self._recording)
            self._refresh()
            self._timer.start()

    # -- saving

    def save(self, key: int | None = None) -> None:
        """Save what is shown under a name that is asked for, and at a key where one is given."""
        if self._recording is None:
            return
        there = None if key is None else self._book.named(self._book.name_at(key) or "")
        own = self._wanted.name if self._wanted.name not in OFFERED else ""
        made = "My montage" if key is None else f"Montage {key}"
        question = "Name of the montage:"
        if there is not None:
            question = f"F{key} has “{there.name}”, which is replaced if you keep its name.\nName of the montage:"
        proposed = there.name if there is not None else own or self._book.free_name(made)
        title = "Save the montage" if key is None else f"Save the montage at F{key}"
        name = montage_dialogs.ask_name(self._services.window, title, question, proposed)
        if name is None:
            return
        montage = replace(self._wanted, name=" ".join(name.split()))
        if self._change_book(lambda book: book.with_saved(montage, key)):
            self._wanted = montage
            self._refresh()
            self._timer.start()
            at = "" if key is None else f" at F{key}"
            self._services.tell(f"Saved{at}: {montage.name}")

    def rename(self) -> None:
        """Give the saved montage that is shown another name."""
        old = self._wanted.name
        name = montage_dialogs.ask_name(self._services.window, "Rename the montage", "New name:", old)
        if name is not None and self._change_book(lambda book: book.renamed(old, name)):
            self._wanted = replace(self._wanted, name=" ".join(name.split()))
            self._refresh()
            self._timer.start()

    def delete(self) -> None:
        """Forget the saved montage that is shown; the page stays as it is."""
        name = self._wanted.name
        if self._book.named(name) is not None and montage_dialogs.ask_delete(self._services.window, name):
            self._change_book(lambda book: book.without(name))
            self._refresh()
            self._services.tell(f"Deleted: {name}")

    def import_(self) -> None:
        """Add the montages of a file to the saved ones."""
        path = montage_dialogs.ask_import_path(self._services.window, self._folder())
        if path is None:
            return
        try:
            book, notes = read_book_file(path)
        except SleepViewerError as error:
            self._services.trouble(str(error))
            return
        merged, names = self._book.merged(book)
        self._change_book(lambda _: merged)
        self._refresh()
        if notes:
            self._services.trouble(" ".join(notes))
        self._services.tell(f"Imported: {_listed(names)}" if names else f"{path.name} has no montages")

    def export(self) -> None:
        """Write the saved montages to a file; while there are none, the one that is shown."""
        book = self._book
        if not book.saved:
            book = book.with_saved(replace(self._wanted, name=book.free_name("My montage")))
        path = montage_dialogs.ask_export_path(self._services.window, self._folder() / "montages.json")
        if path is None:
            return
        try:
            write_book(book, path)
        except SleepViewerError as error:
            self._services.trouble(str(error))
        else:
            self._services.tell(f"Montages written to {path.absolute()}")

    def _folder(self) -> Path:
        return home_folder() if self._recording is None else self._recording.path.parent

    def _change_book(self, change: Callable[[MontageBook], MontageBook]) -> bool:
        """Change what is kept, at once; a name that can't be is told, and nothing changes."""
        try:
            self._book = change(self._book)
        except SleepViewerError as error:
            self._services.trouble(str(error))
            return False
        self._keep()
        self._name_actions()
        return True

    # -- remembering

    def _kept(self) -> tuple[MontageBook, tuple[str, ...]]:
        text = self._services.settings.get_json(_SETTING, "")
        if not text:
            return MontageBook(), ()
        try:
            book, notes = read_book(text, "The list of saved montages")
        except SleepViewerError as error:
            book, notes = MontageBook(), (str(error),)
        if notes:
            # What can't be read, perhaps only by this version, is not written over for good.
            self._services.settings.set_json(f"{_SETTING}_unread", text)
        return book, notes

    def _keep(self) -> None:
        self._services.settings.set_json(_SETTING, book_text(self._book))

    def _remember(self) -> None:
        """Remember what is shown for recordings with the same channels; as recorded needs no remembering."""
        if self._recording is None:
            return
        usual = as_recorded(self._recording)
        last = None if self._wanted == usual else self._wanted
        book = self._book.with_last(channels_of(self._recording), last)
        if book != self._book:
            self._book = book
            self._keep()

    def _remember_now(self) -> None:
        if self._timer.isActive():
            self._timer.stop()
            self._remember()

    # -- the panel

    def toggle_panel(self) -> None:
        """Show the panel and give it the keyboard; hide it where it has it."""
        dock = self._services.panels["channels"]
        focus = self._services.window.focusWidget()
        if dock.isVisible() and focus is not None and dock.isAncestorOf(focus):
            dock.hide()
            return
        self._services.panels.show("channels")
        if self._panel is not None:
            table = self._panel.table
            table.setFocus(Qt.FocusReason.ShortcutFocusReason)
            if not table.rows and table.model_.rowCount():
                table.select([0])

    def add_derivations(self) -> None:
        """Ask for derivations, and add them to the montage."""
        from sleepviewer.app.traces.derivation_dialog import ask_derivations

        recording = self._recording
        if recording is None:
            return
        self._services.panels.show("channels")
        self._build_panel()
        panel = self._panel
        assert panel is not None
        plus = tuple(self._wanted.traces[row].derivation.plus for row in panel.rows)
        panel.add(ask_derivations(self._services.window, recording, self._theme, plus))

    def _build_panel(self) -> None:
        """Make the panel when it is first seen: the first trace need not wait for it."""
        if self._panel is not None:
            return
        from sleepviewer.app.traces.channel_panel import ChannelPanel

        panel = self._panel = ChannelPanel(self._theme, self._shell)
        self._shell.fill(panel)
        panel.edited.connect(self._show)
        panel.chosen.connect(self.choose)
        panel.refused.connect(self._services.trouble)
        panel.lane_selected.connect(self._select_on_page)
        panel.derivation_asked.connect(self.add_derivations)
        panel.save_asked.connect(self.save)
        panel.rename_asked.connect(self.rename)
        panel.delete_asked.connect(self.delete)
        panel.reset_asked.connect(self.reset)
        panel.import_asked.connect(self.import_)
        panel.export_asked.connect(self.export)

    def _refresh(self) -> None:
        """Bring the panel up to date where it is seen; it is again when it comes to be seen."""
        if self._recording is None or not self._shell.isVisible():
            return
        self._build_panel()
        assert self._panel is not None
        from sleepviewer.app.traces.channel_panel import MontageChoice

        self._panel.show_montage(self._recording, self._wanted)
        choices = [(montage.name, False) for montage in self._offers] + [(m.name, True) for m in self._book.saved]
        self._panel.show_choices(
            [MontageChoice(name, self._book.key_of(name), saved) for name, saved in choices],
            self._wanted.name,
            changed=not _alike(self._named(self._wanted.name), self._wanted),
        )
        if not self._panel.rows:
            self._follow_lane(self._traces.selected_lane)

    def _rows_shown(self) -> list[int]:
        """Rows of the wanted montage that are on the page, from its top."""
        assert self._recording is not None
        fits = self._wanted.fits(self._recording)
        return [i for i, trace in enumerate(self._wanted.traces) if trace.visible and fits[i]]

    def _select_on_page(self, row: int | None) -> None:
        if self._recording is None:
            return
        shown = self._rows_shown()
        lane = shown.index(row) if row in shown else None
        if lane != self._traces.selected_lane:
            self._traces.select_lane(lane)

    def _follow_lane(self, lane: int | None) -> None:
        if self._panel is None or self._recording is None:
            return
        shown = self._rows_shown()
        if lane is not None and lane < len(shown):
            self._panel.select_rows([shown[lane]])

    def _name_actions(self) -> None:
        """Write into the menu which montage is at which key."""
        for key in KEYS:
            name = self._book.name_at(key)
            there = name is not None and self._named(name) is not None
            text = f"Montage {key}: {name}" if there else f"Montage {key}"
            self._services.actions[f"montage_{key}"].setText(text)


class _Shell(QWidget):
    """The place of a panel that is made when it is first seen, and brought up to date whenever it is."""

    def __init__(self, refresh: Callable[[], None]) -> None:
        super().__init__()
        self._refresh = refresh
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    def fill(self, panel: QWidget) -> None:
        """Put the panel into its place."""
        layout = self.layout()
        assert layout is not None
        layout.addWidget(panel)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._refresh()


def _alike(kept: Montage | None, shown: Montage) -> bool:
    """Whether a montage is shown as it was kept; gains that it leaves open may be any."""
    if kept is None or len(kept.traces) != len(shown.traces):
        return kept is None  # nothing that it could differ from
    return all(
        old == (replace(new, half_height=None) if old.half_height is None else new)
        for old, new in zip(kept.traces, shown.traces, strict=True)
    )


def _listed(names: Sequence[str], most: int = 5) -> str:
    text = ", ".join(names[:most])
    return text if len(names) <= most else f"{text} and {len(names) - most} more"
