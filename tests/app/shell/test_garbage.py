"""Python's garbage is collected between the window's events, and by no other thread."""

from __future__ import annotations

import gc
import threading
import weakref

from pytestqt.qtbot import QtBot

from sleepviewer.app.shell import garbage
from sleepviewer.app.shell.garbage import WindowCollector


class Cycle:
    """Something that only the collector can free; it notes in which thread that happened."""

    freed_in: list[str] = []  # noqa: RUF012

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        self.freed_in.append(threading.current_thread().name)


def test_cycles_are_freed_in_the_windows_thread_alone(qtbot: QtBot, monkeypatch) -> None:
    monkeypatch.setattr(garbage, "_EVERY_MS", 20)
    Cycle.freed_in.clear()
    collector = WindowCollector()
    try:
        assert not gc.isenabled()
        one = weakref.ref(Cycle())

        def allocate() -> None:
            kept = [[] for _ in range(50_000)]
            del kept

        thread = threading.Thread(target=allocate, name="other")
        thread.start()
        thread.join()
        assert one() is not None  # a thread that allocates much does not collect
        more = []

        def freed() -> bool:
            more.extend([] for _ in range(2000))
            return one() is None

        qtbot.waitUntil(freed, timeout=10_000)
        assert Cycle.freed_in == ["MainThread"]
    finally:
        collector.close()
    assert gc.isenabled()
