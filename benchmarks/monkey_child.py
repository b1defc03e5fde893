"""The measured window of monkey.py."""

from __future__ import annotations

import gc
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog
from soak_child import rss_mb
from turning import bring_up
from watchdog import Watchdog

from sleepviewer.app.main import _application
from sleepviewer.app.shell import dialogs
from sleepviewer.app.shell.faults import FaultKeeper
from sleepviewer.app.shell.garbage import WindowCollector
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.shell.theme import LIGHT, apply_theme
from sleepviewer.app.window import MainWindow
from sleepviewer.display.timebase import TIMEBASES
from sleepviewer.logs import start_log
from sleepviewer.memory import give_free_memory_back
from sleepviewer.simulation import simulate_night

STALL_MS = 200.0
WARM_ACTIONS = 2_000
"""By then caches are full and everything was imported; the growth of memory counts from here."""
_SCORING_S = 60.0

# Commands that end the program, or only open a dialog; all others are called like any action.
LEFT_OUT = {
    "open", "open_truth", "open_demo", "add_scorer", "save", "save_as", "export", "quit", "save_picture", "settings",
    "palette", "help_keys", "about", "load_weights", "log_folder", "rows_arrange", "derivation_add", "montage_import",
    "montage_export", "montage_save", "copy_picture", "export_events", "suggest_events", "reopen", "score",
    "full_screen",
}  # fmt: skip


class Monkey:
    """Does something, whatever it may be."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        app = _application()
        apply_theme(app, LIGHT)
        self.window = MainWindow(Settings(remember=False), LIGHT)
        self.nights = self._nights(folder)
        self.keeper = FaultKeeper(self.window, self.window.status_line.show_message, self.window.save_unsaved)
        self.collector = WindowCollector(self.window)
        self.closer = QTimer()
        self.closer.timeout.connect(_close_dialogs)
        self.closer.start(_CLOSE_AFTER_MS)
        self.window.open_path(self.nights[0])
        bring_up(self.window)
        skipped = ("montage_save_", "shift_all")
        self.commands = sorted(
            command
            for command in self.window.command_table()
            if command not in LEFT_OUT and not command.startswith(skipped)
        )
        self.doing: list[tuple[str, int, Callable[[], object]]] = [
            ("turn", 300, lambda: self._key(Qt.Key.Key_Right)),
            ("turn", 150, lambda: self._key(Qt.Key.Key_Left)),
            ("jump", 60, lambda: self._key(Qt.Key.Key_PageDown)),
            ("jump", 40, self._go_anywhere),
            ("stage", 250, lambda: self._key(self.random.choice([Qt.Key.Key_W, *_DIGITS, Qt.Key.Key_R]))),
            ("undo", 60, lambda: self.window.run_command("undo")),
            ("redo", 30, lambda: self.window.run_command("redo")),
            ("command", 160, self._command),
            ("timebase", 20, lambda: self.window.page.traces.set_timebase(self.random.choice(TIMEBASES))),
            ("mouse", 40, self._drag),
            ("panel", 10, self._panel),
            ("resize", 4, self._resize),
            ("open", 8, self._open),
            ("score", 2, lambda: self.window.score()),
        ]

    def act(self) -> str:
        """Do one thing; return what kind of thing it was."""
        name, _, do = self.random.choices(self.doing, [weight for _, weight, _ in self.doing])[0]
        do()
        self.counts[name] += 1
        _close_dialogs()
        return name

    def _nights(self, folder: Path) -> list[Path]:
        """Long nights, a simulated one with its truth, one that ends in the middle, and files that are none."""
        simulated = simulate_night(folder).psg_path
        whole = folder / "8h.edf"
        cut = folder / "cut.edf"
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
        (folder / "empty.edf").touch()
        (folder / "text.edf").write_text("not a recording " * 100)
        names = ("empty.edf", "text.edf", "missing.edf")
        return [whole, folder / "24h.edf", simulated, cut, whole, simulated, *(folder / name for name in names)]

    def _key(self, key: Qt.Key) -> None:
        QTest.keyClick(self.window, key)

    def _go_anywhere(self) -> None:
        if self.window.session is not None:
            self.window.session.go_to(self.random.randrange(self.window.session.document.n_epochs))

    def _command(self) -> None:
        command = self.random.choice(self.commands)
        self.counts[f"command {command}"] += 1
        self.window.actions_[command].trigger()

    def _drag(self) -> None:
        traces = self.window.page.traces
        places = [QPoint(self.random.randrange(traces.width()), self.random.randrange(traces.height())) for _ in "12"]
        QTest.mousePress(traces, Qt.MouseButton.LeftButton, pos=places[0])
        QTest.mouseMove(traces, places[1])
        QTest.mouseRelease(traces, Qt.MouseButton.LeftButton, pos=places[1])

    def _panel(self) -> None:
        panels = self.window.panels
        panels[self.random.choice(panels.names)].toggleViewAction().trigger()

    def _resize(self) -> None:
        self.window.resize(self.random.randrange(900, 1650), self.random.randrange(600, 900))

    def _open(self) -> None:
        self.window.open_path(self.random.choice(self.nights))


def _close_dialogs() -> None:
    """Answer every dialog with its Esc: one that a command opened waits in a loop of its own, so a timer calls this."""
    dialog = QApplication.activeModalWidget() or QApplication.activePopupWidget()
    if isinstance(dialog, QDialog):
        dialog.reject()
    elif dialog is not None:
        dialog.close()


_CLOSE_AFTER_MS = 30
_DIGITS = (Qt.Key.Key_0, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3)


def main() -> None:
    """Let it work, and print a line of JSON."""
    actions, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    dialogs.ask_about_unsaved = lambda *_: dialogs.Answer.DISCARD
    start_log()
    errors: list[str] = []
    monkey = Monkey(folder, seed)
    _note_errors(errors)
    watchdog = Watchdog(STALL_MS)
    stalls: list[dict[str, object]] = []
    warm_mb, warm_widgets, started = 0.0, 0, time.perf_counter()
    for number in range(actions):
        name = monkey.act()
        _let_qt_work()
        stalls += [{"action": number, "kind": name, **stall.as_dict()} for stall in watchdog.stalls]
        watchdog.stalls.clear()
        if number + 1 == min(WARM_ACTIONS, actions // 2):
            warm_mb, warm_widgets = _rest(monkey, watchdog), len(QApplication.allWidgets())
        if (number + 1) % 1000 == 0:
            print(number + 1, f"{rss_mb():.0f} MB", len(errors), "errors", len(stalls), "stalls", file=sys.stderr)
    end_mb = _rest(monkey, watchdog)
    own = [stall for stall in stalls if float(str(stall["own_ms"])) > STALL_MS]
    print(
        json.dumps(
            {
                "actions": actions,
                "exceptions": len(errors),
                "first_exceptions": errors[:5],
                "stalls_over_200_ms": len(own),
                "longest_stall_ms": max((float(str(stall["own_ms"])) for stall in own), default=0.0),
                "longest_stall_of_own_computing_ms": max((float(str(s["cpu_ms"])) for s in stalls), default=0.0),
                "stalls_with_waiting_for_a_core": len(stalls),
                "longest_with_waiting_for_a_core_ms": max((float(str(s["ms"])) for s in stalls), default=0.0),
                "stalls_by_kind": dict(Counter(str(stall["kind"]) for stall in own)),
                "worst": sorted(own, key=lambda stall: -float(str(stall["own_ms"])))[:12],
                "widgets_warm": warm_widgets,
                "widgets_at_end": len(QApplication.allWidgets()),
                "growth_mb": round(end_mb - warm_mb, 1),
                "rss_mb_warm": round(warm_mb, 1),
                "rss_mb_at_end": round(end_mb, 1),
                "seconds": round(time.perf_counter() - started),
                "kinds": {k: n for k, n in monkey.counts.items() if not k.startswith("command ")},
            }
        ),
        flush=True,
    )
    watchdog.stop()
    monkey.window.close()


def _let_qt_work() -> None:
    QApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
    QApplication.processEvents()
    # What is to be deleted later is so between two events of a program's own loop, which does not run here.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _note_errors(errors: list[str]) -> None:
    """Note what reaches the program's own hooks, and pass it on to them."""
    in_window, in_threads = sys.excepthook, threading.excepthook

    def note(kind: type[BaseException], error: BaseException, trace: object) -> None:
        errors.append(f"{kind.__name__}: {error}"[:300])
        in_window(kind, error, trace)  # type: ignore[arg-type]

    def note_in_thread(args: threading.ExceptHookArgs) -> None:
        errors.append(
            f"in {args.thread.name if args.thread else '?'}: {args.exc_type.__name__}: {args.exc_value}"[:300]
        )
        in_threads(args)

    sys.excepthook, threading.excepthook = note, note_in_thread


def _rest(monkey: Monkey, watchdog: Watchdog) -> float:
    """Come to rest on the same night and page, collect what is garbage, and return the resident memory in MB."""
    monkey.window.cancel_scoring()
    until = time.monotonic() + _SCORING_S
    while monkey.window.scoring and time.monotonic() < until:
        QTest.qWait(50)
    monkey.window.page.traces.set_timebase(60.0)
    monkey.window.resize(1600, 900)
    monkey.window.open_path(monkey.nights[0])
    QTest.qWait(3000)
    gc.collect()
    started = time.perf_counter()
    give_free_memory_back()  # as the program does every half minute
    print(f"giving memory back took {1000 * (time.perf_counter() - started):.1f} ms", file=sys.stderr)
    watchdog.beat()
    watchdog.stalls.clear()
    return rss_mb()


if __name__ == "__main__":
    main()
