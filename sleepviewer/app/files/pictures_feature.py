"""Pictures of the open night: saved to a file, or copied to the clipboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sleepviewer.app.feature import Commands, Services
from sleepviewer.app.session import NightSession
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.theme import Theme, theme_named
from sleepviewer.errors import SleepViewerError

if TYPE_CHECKING:
    from sleepviewer.app.files.pictures import Paint, PictureSetup

# What paints is imported when a picture is first asked for: the window starts without it.

_KEY = "pictures/setup"
_THEME_KEY = "pictures/theme"


class PicturesPart:
    """Asks how a picture should be, and makes it; the last answers are remembered."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._session: NightSession | None = None
        self._theme: Theme | None = None

    def commands(self) -> Commands:
        """Commands of the key table that it carries out, by name."""
        return {"save_picture": self._ask_and_save, "copy_picture": self.copy}

    def enabled(self) -> Mapping[str, bool]:
        """Both need a night alone."""
        return {}

    def set_session(self, session: NightSession) -> None:
        """Follow another night."""
        self._session = session

    def set_theme(self, theme: Theme) -> None:
        """Know in which colours the window is."""
        self._theme = theme

    def close(self) -> None:
        """Setups were kept when they were chosen."""

    # -- setups

    @property
    def setup(self) -> PictureSetup:
        """How the last picture was set up."""
        from sleepviewer.app.files.pictures import PictureSetup, What

        kept, usual = self._services.settings.get_json(_KEY, {}), PictureSetup()
        sizes = {}
        for name, least, most in (("width", 320, 8000), ("height", 200, 8000), ("dpi", 48, 1200)):
            value = kept.get(name)
            sizes[name] = value if isinstance(value, int) and least <= value <= most else getattr(usual, name)
        what = kept.get("what")
        return PictureSetup(What(what) if what in set(What) else usual.what, **sizes)

    def keep(self, setup: PictureSetup, theme: str) -> None:
        """Remember a setup and a theme (``window``, ``light``, ``dark``) for the next picture."""
        value = {"what": str(setup.what), "width": setup.width, "height": setup.height, "dpi": setup.dpi}
        self._services.settings.set_json(_KEY, value)
        self._services.settings.set_json(_THEME_KEY, theme)

    @property
    def theme(self) -> str:
        """The theme of the last picture; ``window`` for the window's own."""
        name = self._services.settings.get_json(_THEME_KEY, "window")
        return name if name in ("window", "light", "dark") else "window"

    # -- pictures

    def _ask_and_save(self) -> None:
        if self._session is None:
            return
        from sleepviewer.app.files.picture_dialog import PictureDialog

        dialog = PictureDialog(self.setup, self.theme, self._services.window)
        answer = dialog.exec()
        if answer == PictureDialog.DialogCode.Rejected:
            return
        self.keep(dialog.setup, dialog.theme)
        if dialog.copy_asked:
            self.copy()
            return
        recording = self._session.night.recording
        proposed = recording.path.parent / f"{recording.path.stem}-{self._session.epoch + 1}.png"
        path = dialogs.ask_picture_path(self._services.window, proposed)
        if path is not None:
            self.save(path)

    def save(self, path: Path) -> bool:
        """Save a picture as the last one was set up."""
        from sleepviewer.app.files.pictures import save_picture

        if self._session is None:
            return False
        try:
            with self._painting() as (paint, caption):
                save_picture(path, paint, self.setup, caption)
        except SleepViewerError as error:
            self._services.tell("")
            self._services.trouble(f"No picture: {error}")
            return False
        self._services.tell(f"Picture saved to {path.absolute()}")
        return True

    def copy(self) -> None:
        """Copy a picture to the clipboard as the last one was set up: pixels, and SVG for programs that take it."""
        from PySide6.QtCore import QMimeData
        from PySide6.QtGui import QGuiApplication

        from sleepviewer.app.files.pictures import image_of, svg_of

        if self._session is None:
            return
        setup = self.setup
        if setup.too_large:
            self._services.trouble("No picture: it has too many pixels for the clipboard; take fewer dots an inch.")
            return
        content = QMimeData()
        with self._painting() as (paint, caption):
            content.setImageData(image_of(paint, setup))
            content.setData("image/svg+xml", svg_of(paint, setup, caption))
        content.setText(caption)
        QGuiApplication.clipboard().setMimeData(content)
        self._services.tell("The picture is on the clipboard")

    @contextmanager
    def _painting(self) -> Iterator[tuple[Paint, str]]:
        """Hold the picture's theme while it is painted; gives what paints, and the caption."""
        from sleepviewer.app.files.pictures import What, caption_of, in_theme, painter_of, window_painter

        services, setup = self._services, self.setup
        assert self._session is not None
        caption = caption_of(self._session, services.page, setup.what)
        if setup.what is What.WINDOW:
            yield window_painter(services.window), caption
            return
        stages = services.settings.stage_colors
        shown = self._theme or theme_named(services.settings.theme, stages)
        theme = shown if self.theme == "window" else theme_named(self.theme, stages)
        with in_theme(services.page, theme, shown):
            yield painter_of(setup.what, services.page, caption, theme), caption
