"""What the commands of the training say: the bar with the time left, the time to expect."""

from __future__ import annotations

import io

import pytest

from sleepviewer.cli.reproduce import _duration
from sleepviewer.cli.training import TrainingBar
from sleepviewer.training.cross_validate import RunStatus


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def row(loss: float, kappa: float | None) -> dict[str, object]:
    return {"pass": 3, "loss": loss, "validation": {"kappa": kappa}}


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (
            RunStatus(1, 4, {1: row(1.25, 0.5), 2: row(2.0, None)}, 6, 16),
            "fold 1: loss 1.250 κ 0.500, fold 2: loss 2.000",
        ),
        (RunStatus(0, 1, {0: row(1.25, 0.5)}, 6, 16), ", loss 1.250 κ 0.500"),
    ],
)
def test_a_bar_shows_passes_loss_kappa_and_the_time_left(
    status: RunStatus, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with TrainingBar() as bar:
        bar.tell(RunStatus(0, status.folds, {}, 2, 16))
        bar.tell(status)
    last = [line for line in terminal.getvalue().split("\r") if "6/16" in line][-1]
    assert ("1/4 folds: " if status.folds == 4 else "training: ") in last
    assert shown in last
    assert "<" in last, "time that has passed < time that is left"


def test_off_a_terminal_the_bar_stays_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingBar() as bar:
        bar.tell(RunStatus(0, 2, {}, 2, 16))
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "less than two minutes"), (100, "about 2 minutes"), (100_000, "about 28 hours"), (300_000, "about 3 days")],
)
def test_a_time_to_expect_is_said_in_its_unit(seconds: float, text: str) -> None:
    assert _duration(seconds) == text
