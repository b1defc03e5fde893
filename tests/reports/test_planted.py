"""What is planted into a night is found by the commands, and their figures are those of others' code."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import edfio
import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
)

from helpers.night_archives import rows, run, write_night
from helpers.places import DATA
from sleepviewer.archive import read_archive
from sleepviewer.archive.archive import write_archive
from sleepviewer.models.shipped import shipped_weights
from sleepviewer.reports.html import number
from sleepviewer.simulation import simulate_night
from sleepviewer.stages import N_STAGES

SIMULATED = DATA / "simulated_nights.npz"


def simulated(path: Path, labels: np.ndarray, night: int = 0) -> None:
    """Write what the default engine says of a simulated night, beside labels."""
    write_night(path, truth=labels, predicted=np.zeros(len(labels), np.int8), signal=False)
    archive = read_archive(path)
    with np.load(SIMULATED) as arrays:
        proba = arrays[f"proba_{night}"].astype(np.float32)
    write_archive(path, replace(archive, night_proba=proba / proba.sum(axis=1, keepdims=True)))


@pytest.mark.parametrize("seed", range(3))
def test_thirty_swapped_labels_lead_the_table_of_suspects(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    with np.load(SIMULATED) as arrays:
        labels = arrays["truth_0"].copy()
    swapped = random.choice(len(labels), 30, replace=False)
    labels[swapped] = (labels[swapped] + random.integers(1, N_STAGES, 30)) % N_STAGES
    simulated(tmp_path / "n.npz", labels)
    done = run("analyse", tmp_path / "n.npz", "--out", tmp_path / "out", "--draws", 10)
    assert done.exit_code == 0, done.stderr
    found = rows(tmp_path / "out" / "suspects.csv")[:45]
    assert [int(row["rank"]) for row in found] == list(range(1, 46))
    assert len({int(row["epoch"]) - 1 for row in found} & set(swapped.tolist())) >= 24
    assert run("report", tmp_path / "n.npz", "--out", tmp_path / "n.html").exit_code == 0
    page = (tmp_path / "n.html").read_text(encoding="utf-8")
    listed = page[page.index("Suspect labels") :].split("<tr>")[2:32]
    for row, line in zip(found, listed, strict=False):
        assert f">{row['epoch']}</td>" in line
        assert f">{number(float(row['p_label'])).shown}</td>" in line


def test_a_bout_of_a_scored_night_that_was_shifted_is_told_as_shifted(tmp_path: Path) -> None:
    with np.load(SIMULATED) as arrays:
        stages = arrays["proba_0"].argmax(axis=1).astype(np.int8)
    edges = np.flatnonzero(np.diff(stages)) + 1
    long = [(a, b) for a, b in pairwise(edges.tolist()) if b - a > 8 and len(set(stages[a - 5 : a])) == 1]
    start, stop = next((a, b) for a, b in long if len(set(stages[b : b + 5])) == 1)
    labels = stages.copy()
    labels[start - 2 : start], labels[stop - 2 : stop] = stages[start], stages[stop]
    simulated(tmp_path / "n.npz", labels)
    assert run("analyse", tmp_path / "n.npz", "--out", tmp_path / "out").exit_code == 0
    (shift,) = [r for r in rows(tmp_path / "out" / "shifts.csv") if r["onset_shift"] != "0" != r["offset_shift"]]
    assert (int(shift["first_epoch"]) - 1, int(shift["last_epoch"])) == (start - 2, stop - 2)
    assert (shift["onset_shift"], shift["offset_shift"]) == ("2", "2")
    errors = rows(tmp_path / "out" / "disagreements.csv")
    assert [row["kind"] for row in errors] == ["shift"] * 4
    assert run("report", tmp_path / "n.npz", "--out", tmp_path / "n.html").exit_code == 0
    sentence = f"of epochs {start - 1} to {stop - 2}: begins 2 epochs later, ends 2 epochs later"
    assert sentence in (tmp_path / "n.html").read_text(encoding="utf-8")


def test_twenty_minutes_of_artefact_are_scored_wrong_and_explained(tmp_path: Path) -> None:
    """From the signal on: what is scored all the same where the electrode is loose errs, and the report says why."""
    first, stop = 300, 340
    night = simulate_night(tmp_path, seed=0)
    edf = edfio.read_edf(night.psg_path)
    random = np.random.default_rng(0)
    for signal in edf.signals:
        if signal.label.startswith("EEG"):
            data, samples = signal.data.copy(), 30 * int(signal.sampling_frequency)
            noise = random.normal(scale=400, size=(stop - first) * samples)
            data[first * samples : stop * samples] = np.clip(noise, signal.physical_min, signal.physical_max)
            signal.update_data(data)
    edf.write(tmp_path / "loose.edf")
    truth = ("--truth", night.hypnogram_path)
    left = run("score", tmp_path / "loose.edf", *truth, "--out", tmp_path / "left.npz", "--json")
    assert any("clipped (epochs 301–340)" in note for note in json.loads(left.stdout)["notes"])
    engine = ("--engine", "attnsleep+context")
    scored = run("score", tmp_path / "loose.edf", *truth, "--score-unusable", *engine, "--out", tmp_path / "n.npz")
    assert scored.exit_code == 0
    assert run("analyse", tmp_path / "n.npz", "--out", tmp_path / "out").exit_code == 0
    flocks = rows(tmp_path / "out" / "clusters.csv")
    (explained,) = [row for row in flocks if row["explained_by_signal"] == "1"]
    assert abs(int(explained["first_epoch"]) - 1 - first) <= 8
    assert abs(int(explained["last_epoch"]) - stop) <= 8
    assert int(explained["errors"]) >= 30
    assert run("report", tmp_path / "n.npz", "--out", tmp_path / "n.html").exit_code == 0
    page = (tmp_path / "n.html").read_text(encoding="utf-8")
    assert "(simulated)" in page
    assert f"epochs {explained['first_epoch']} to {explained['last_epoch']}: {explained['errors']} errors" in page
    assert "explained by the signal" in page


# -- the real night, by two engines, against scikit-learn and the command that compares two files


@pytest.mark.real_data
@pytest.mark.parametrize("engine", ["yasa", "attnsleep+context"])
def test_the_reports_figures_are_those_of_compare_and_of_scikit_learn(
    real_copy: Path, real_truth: Path, tmp_path: Path, engine: str
) -> None:
    archive = tmp_path / "scored.npz"
    assert run("score", real_copy, "--engine", engine, "--out", archive).exit_code == 0
    compared = json.loads(run("compare", real_truth, archive, "--json").stdout)
    done = run("analyse", archive, "--out", tmp_path / "out", "--json")
    (model,) = json.loads(done.stdout)["models"]
    assert run("report", archive, "--out", tmp_path / "n.html").exit_code == 0
    page = (tmp_path / "n.html").read_text(encoding="utf-8")
    night = read_archive(archive)
    truth, predicted = night.night_expert, night.night_proba.argmax(axis=1)
    theirs = {
        "accuracy": accuracy_score(truth, predicted),
        "kappa": cohen_kappa_score(truth, predicted),
        "macro_f1": f1_score(truth, predicted, average="macro"),
    }
    for name, value in theirs.items():
        assert compared[name] == pytest.approx(value)
        assert model["agreement"][name] == pytest.approx(value)
    assert compared["confusion"] == model["agreement"]["confusion"] == confusion_matrix(truth, predicted).tolist()
    by_stage = np.transpose(
        [score(truth, predicted, average=None) for score in (precision_score, recall_score, f1_score)]
    )
    cells = [cell for line in by_stage.tolist() for cell in line]
    others = [balanced_accuracy_score(truth, predicted), matthews_corrcoef(truth, predicted)]
    others += [cohen_kappa_score(*order, weights=power) for power in ("linear", "quadratic")
               for order in [[np.array([0, 2, 3, 4, 1])[stages] for stages in (truth, predicted)]]]  # fmt: skip
    for value in [*theirs.values(), *cells, *others]:
        assert f">{number(float(value)).shown}</td>" in page
    for count in np.ravel(compared["confusion"]).tolist():
        assert f">{count}</td>" in page
    seen = "never saw this recording" if engine != "yasa" else "It is not known whether yasa"
    assert seen in page


@pytest.mark.parametrize("name", ["SC4001E0-PSG.edf", "ucddb002.edf"])
def test_a_night_that_the_shipped_model_was_trained_on_is_not_ranked(tmp_path: Path, name: str) -> None:
    from sleepviewer.files import sha256_of

    weights = shipped_weights("attnsleep+context")
    assert weights is not None
    model = {"engine": "attnsleep+context", "version": "0", "weights_sha256": sha256_of(weights), "channels": ["EEG"]}
    recording = {"name": name, "sha256": "00" * 32, "start": "2024-01-01T22:30:00", "n_epochs": 240}
    write_night(tmp_path / "n.npz", meta={"model": model, "recording": recording})
    write_night(tmp_path / "o.npz", meta={"model": model, "recording": recording | {"name": "ucddb018.edf"}})
    done = run("analyse", tmp_path, "--out", tmp_path / "out", "--json")
    assert json.loads(done.stdout)["models"][0]["labels_seen"] == {"held out": 1, "trained on": 1}
    assert {row["night"] for row in rows(tmp_path / "out" / "suspects.csv")} == {"o"}
    for night, words in (("n", "Not ranked: a model agrees with labels"), ("o", "never saw the night ucddb018")):
        assert run("report", tmp_path / f"{night}.npz", "--out", tmp_path / f"{night}.html").exit_code == 0
        assert words in (tmp_path / f"{night}.html").read_text(encoding="utf-8")
