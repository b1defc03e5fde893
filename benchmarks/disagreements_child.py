"""The measured process of disagreements.py: a window on a long simulated night, its list, and a clock."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
from common import median
from edfio import Edf, EdfSignal, Recording
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from turning import bring_up, wait_until_idle

from sleepviewer.analysis.shifts import Kind
from sleepviewer.app.compare.disagreements_feature import DisagreementsPart
from sleepviewer.app.compare.disagreements_table import EDITED, EPOCH
from sleepviewer.app.window import MainWindow
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import EPOCH_S, N_STAGES, Stage

RATE_HZ = 10


def main(folder: Path, disagreements: int, rounds: int) -> None:
    """Measure, and print the figures as the last line."""
    path = folder / "long.edf"
    n = disagreements * 5 // 4
    write(path, n)
    app = QApplication(["benchmark"])
    window = MainWindow()
    assert window.open_path(path)
    session = window.session
    assert session is not None
    random = np.random.default_rng(0)
    truth = np.repeat(random.integers(0, N_STAGES, n), random.integers(2, 30, n))[:n].astype(np.int8)
    wrong = np.zeros(n, dtype=bool)
    wrong[random.permutation(n)[:disagreements]] = True
    told = np.where(wrong, (truth + random.integers(1, N_STAGES, n)) % N_STAGES, truth)
    proba = random.random((n, N_STAGES)).astype(np.float32)
    proba[np.arange(n), told] += 1.5
    proba /= proba.sum(axis=1, keepdims=True)
    session.document.set_truth(Hypnogram(truth, None, "truth", "expert"))
    session.document.set_prediction(Prediction(proba, "simulated", "1", "", ("EEG",), 0.0))
    bring_up(window)
    (part,) = [part for part in window.parts if isinstance(part, DisagreementsPart)]

    def edit(epoch: int) -> object:
        return session.document.set_stage([epoch], Stage.N2 if truth[epoch] == Stage.N1 else Stage.N1)

    to_edit = random.permutation(n)[: 8 * rounds].tolist()
    edits_before = [timed(app, lambda e=e: edit(e)) for e in to_edit[::2]]
    turns = [timed(app, lambda: window.run_command("next_epoch")) for _ in range(60)]
    opened = timed(app, lambda: window.panels.show("disagreements"))
    wait_until_idle()
    panel, table = part.panel, part.panel.table
    assert len(panel.shown) == disagreements, len(panel.shown)
    bar = table.verticalScrollBar()
    scrolled = [
        timed(app, lambda place=place: bar.setValue(place))
        for place in random.integers(0, bar.maximum(), 20).tolist() * rounds
    ]
    orders = (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder)
    sorted_ = [
        timed(app, lambda column=column, order=order: table.sortByColumn(column, order))
        for _ in range(rounds)
        for column in range(EPOCH, EDITED + 1)
        for order in orders
    ]
    choices = {
        "pair": (int(Stage.N2), int(Stage.N1)),
        "kinds": frozenset(Kind) - {Kind.SHIFT},
        "confidence": (0.0, float(np.nextafter(0.5, 0))),
        "distance": (0, 1),
        "hour": (3, 3),
        "signal": "good",
        "edited": False,
    }
    filtered = [
        timed(app, lambda field=field, value=value: panel.boxes.choose(field, value))
        for _ in range(rounds)
        for field, choice in choices.items()
        for value in (choice, None)
    ]
    edits = [timed(app, lambda e=e: edit(e)) for e in to_edit[1::2]]
    turns_beside = [timed(app, lambda: window.run_command("next_epoch")) for _ in range(60)]
    figures: dict[str, float] = {"disagreements": disagreements, "opened_ms": opened}
    for name, times in (("scroll", scrolled), ("sort", sorted_), ("filter", filtered), ("edit", edits)):
        figures[f"{name}_median_ms"], figures[f"{name}_max_ms"] = median(times), max(times)
        if name != "edit":
            figures[f"{name}_slowest_ms"] = float(np.median(np.reshape(times, (rounds, -1)), axis=0).max())
    figures["edit_ratio"] = median(edits) / median(edits_before)
    figures["turn_ratio"] = median(turns_beside) / median(turns)
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))
    session.document.mark_saved()
    window.close()


def timed(app: QApplication, act: Callable[[], object]) -> float:
    """Do something, and return the milliseconds until all that it changes has been painted."""
    started = time.perf_counter()
    act()
    app.sendPostedEvents()
    app.processEvents()
    return 1000 * (time.perf_counter() - started)


def write(path: Path, n_epochs: int) -> None:
    """Write a recording of days: one channel of noise."""
    noise = 20 * np.random.default_rng(1).standard_normal(int(n_epochs * EPOCH_S) * RATE_HZ)
    signal = EdfSignal(
        np.clip(noise, -200, 200), RATE_HZ, label="EEG C4-M1", physical_dimension="uV", physical_range=(-200, 200)
    )
    start = datetime(2024, 1, 1, 22, 30)
    Edf([signal], recording=Recording(startdate=start.date()), starttime=start.time()).write(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
