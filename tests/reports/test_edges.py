"""Two hypnograms that do not lie on each other as one would wish: right numbers or a sentence, by each command."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from helpers.night_archives import rows, run, write_night
from sleepviewer.hypnogram import Hypnogram, write_hypnogram

START = datetime(2024, 1, 1, 23, 0, 0)
A = [0, 0, 1, 2, 2, 3, 3, 4, 2, 0]
GAPS = [0, -1, 1, 2, -1, -1, 3, 4, 4, 0]


def write(path: Path, stages: list[int], late_s: float = 0) -> Path:
    write_hypnogram(Hypnogram(np.array(stages, np.int8), START + timedelta(seconds=late_s), path.name, "x"), path)
    return path


@pytest.mark.parametrize(
    ("b", "late_s", "truth", "predicted", "note"),
    [
        (A[:6], 0, A[:6], A[:6], "shorter"),
        ([*A, 2, 2, 2], 0, A, A, "longer"),
        ([2, *A[4:]], 90, A[3:], [2, *A[4:]], "starts 1 min 30 s later"),
        ([1, 1, *A], -60, A, A, "starts 1 min earlier"),
        (A, 10, A, A, "up to 10 s off the 30-second grid"),
        (GAPS, 0, [0, 1, 2, 3, 4, 2, 0], [0, 1, 2, 3, 4, 4, 0], ""),
        ([0, 0, 2, 2, 2, 3, 3, 3, 2, 0], 0, A, [0, 0, 2, 2, 2, 3, 3, 3, 2, 0], ""),
        ([3], 150, [3], [3], "starts 2 min 30 s later"),
    ],
)
def test_compare_counts_what_both_score(
    tmp_path: Path, b: list[int], late_s: float, truth: list[int], predicted: list[int], note: str
) -> None:
    first, second = write(tmp_path / "a.edf", A), write(tmp_path / "b.edf", b, late_s)
    done = run("compare", first, second, "--json")
    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["epochs"] == len(truth)
    assert result["accuracy"] == pytest.approx(np.mean(np.array(truth) == predicted))
    expected = None if len(set(truth) | set(predicted)) == 1 else pytest.approx(cohen_kappa_score(truth, predicted))
    assert result["kappa"] == expected
    assert note in " ".join(result["notes"])
    for place, label in enumerate(("W", "N1", "N2", "N3", "REM")):
        assert (result["f1"][label] is None) == (place not in {*truth, *predicted})
    assert run("compare", first, second).exit_code == run("compare", first, second, "--diff").exit_code == 0


@pytest.mark.parametrize(("b", "late_s"), [([2, 2], 3 * 86_400), ([-1, 2], -30), ([-1] * 10, 0)])
def test_nothing_in_common_is_a_sentence(tmp_path: Path, b: list[int], late_s: float) -> None:
    unscored = [-1, *A[1:]]
    first, second = write(tmp_path / "a.edf", unscored), write(tmp_path / "b.edf", b, late_s)
    done = run("compare", first, second, "--json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("sleepviewer: ")
    assert "Traceback" not in done.stderr


def test_analyse_and_report_take_what_both_score(tmp_path: Path) -> None:
    nights = tmp_path / "nights"
    nights.mkdir()
    cases = {
        "gaps": (A, GAPS),
        "absent": (A, [0, 0, 2, 2, 2, 3, 3, 3, 2, 0]),
        "one": ([2], [3]),
        "alike": ([2] * 5, [2] * 5),
    }
    for name, (truth, predicted) in cases.items():
        stages = [np.array(values, np.int8) for values in (truth, predicted)]
        write_night(nights / f"{name}.npz", truth=stages[0], predicted=stages[1])
    done = run("analyse", nights, "--out", tmp_path / "out", "--draws", 20, "--json")
    assert done.exit_code == 0, done.stderr
    assert "NaN" not in done.stdout
    table = {row["night"]: row for row in rows(tmp_path / "out" / "nights.csv")}
    for name, (truth, predicted) in cases.items():
        both = [(t, p) for t, p in zip(truth, predicted, strict=True) if t >= 0 and p >= 0]
        assert int(table[name]["epochs"]) == len(both)
        assert float(table[name]["accuracy"]) == pytest.approx(np.mean([t == p for t, p in both]), abs=1e-5)
        assert int(table[name]["errors"]) == sum(t != p for t, p in both)
        kappa = None if len(set(sum(both, ()))) == 1 else cohen_kappa_score(*zip(*both, strict=True))
        assert (
            table[name]["kappa"] == ""
            if kappa is None
            else float(table[name]["kappa"]) == pytest.approx(kappa, abs=1e-5)
        )
        assert run("report", nights / f"{name}.npz", "--out", tmp_path / f"{name}.html").exit_code == 0
        page = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert f">{float(table[name]['accuracy']):.3f}</td>" in page
        assert f"{table[name]['errors']} of {len(both)} epoch" in page
