"""Reports on many nights and on one: what is written, that it adds up, and that a page needs nothing but itself."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

from helpers.night_archives import N, rows, run, write_night
from helpers.run_folders import make_nights, write_run
from sleepviewer.analysis.agreement import agreement
from sleepviewer.analysis.provenance import Seen
from sleepviewer.analysis.suspects import find_suspects
from sleepviewer.errors import AnalysisError, RunError
from sleepviewer.files import sha256_of
from sleepviewer.reports.analysis import TABLES, Top, analyse
from sleepviewer.reports.nights import find_sources
from sleepviewer.reports.pictures import png
from sleepviewer.training.records import training_records


class Page(HTMLParser):
    """Gathers what a page would fetch, and sees to it that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.fetched += [v for key in ("src", "href") if (v := values.get(key)) and not v.startswith(("#", "data:"))]
        if name not in ("meta", "br", "img", "link"):
            self.open.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.fetched += [v for k, v in attributes if k in ("src", "href") and v and not v.startswith(("#", "data:"))]

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name


def assert_stands_alone(text: str) -> None:
    page = Page(text)
    assert page.fetched == []
    assert page.open == []
    assert "default-src 'none'" in text
    assert not re.search(r"url\(|@import|https?://", text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    nights = tmp_path / "nights"
    nights.mkdir()
    return nights


def test_figures_are_scikit_learns_and_the_tables_add_up(folder: Path, tmp_path: Path) -> None:
    pairs = [write_night(folder / f"n{seed}.npz", seed) for seed in range(3)]
    done = run("analyse", folder, "--out", tmp_path / "out", "--draws", 50, "--json")
    assert done.exit_code == 0, done.stderr
    summary = json.loads(done.stdout)
    assert json.loads((tmp_path / "out" / "analysis.json").read_text()) == summary
    truth, predicted = (np.concatenate(column) for column in zip(*pairs, strict=True))
    (model,) = summary["models"]
    assert model["agreement"]["accuracy"] == pytest.approx(accuracy_score(truth, predicted))
    assert model["agreement"]["kappa"] == pytest.approx(cohen_kappa_score(truth, predicted))
    assert model["agreement"]["macro_f1"] == pytest.approx(f1_score(truth, predicted, average="macro"))
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {"index.html", "analysis.json", *(f"{t}.csv" for t in TABLES)}
    errors = rows(out / "disagreements.csv")
    assert len(errors) == (truth != predicted).sum() == model["errors"]
    assert sum(int(row["errors"]) for row in rows(out / "nights.csv")) == len(errors)
    for criterion in ("pair", "kind", "hour", "night", "signal"):
        groups = [row for row in rows(out / "groups.csv") if row["criterion"] == criterion]
        assert sum(int(row["errors"]) for row in groups) == len(errors)
    first = errors[0]
    assert first["command"] == f"sleepviewer view n0.edf --labels {folder / 'n0.npz'} --epoch {first['epoch']}"
    assert {row["scorer"] for row in rows(out / "statistics.csv")} == {"expert", "model"}
    assert_stands_alone((out / "index.html").read_text(encoding="utf-8"))


def test_suspects_of_many_nights_are_those_of_all_epochs_at_once(folder: Path, tmp_path: Path) -> None:
    pairs = [write_night(folder / f"n{seed}.npz", seed) for seed in range(3)]
    from sleepviewer.archive import read_archive

    proba = np.concatenate([read_archive(folder / f"n{seed}.npz").night_proba for seed in range(3)])
    expected = find_suspects(np.concatenate([truth for truth, _ in pairs]), proba)
    assert run("analyse", folder, "--out", tmp_path / "out").exit_code == 0
    found = rows(tmp_path / "out" / "suspects.csv")
    assert [int(row["night"][1:]) * N + int(row["epoch"]) - 1 for row in found] == [s.epoch for s in expected]


def test_a_bout_shifted_by_two_epochs_and_an_artefact_are_told(folder: Path, tmp_path: Path) -> None:
    truth = np.repeat(np.array([0, 2, 4, 2, 0], np.int8), [20, 100, 20, 80, 20])
    shifted = truth.copy()
    shifted[120:122], shifted[140:142] = 2, 4
    write_night(folder / "shift.npz", truth=truth, predicted=shifted)
    disturbed = truth.copy()
    disturbed[40:80] = 0
    write_night(folder / "artefact.npz", truth=truth, predicted=disturbed, artefact=(40, 80))
    assert run("analyse", folder, "--out", tmp_path / "out").exit_code == 0
    shifts = [row for row in rows(tmp_path / "out" / "shifts.csv") if row["stage"] == "REM"]
    assert [(r["night"], r["onset_shift"], r["offset_shift"]) for r in shifts] == [("shift", "2", "2")]
    kinds = {row["kind"] for row in rows(tmp_path / "out" / "disagreements.csv") if row["night"] == "shift"}
    assert kinds == {"shift"}
    (cluster,) = rows(tmp_path / "out" / "clusters.csv")
    assert (cluster["night"], cluster["first_epoch"], cluster["last_epoch"]) == ("artefact", "41", "80")
    assert cluster["explained_by_signal"] == "1"
    assert "explained by the signal" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_odd_nights_are_counted_or_told_and_never_stop_the_others(folder: Path, tmp_path: Path) -> None:
    write_night(folder / "good.npz")
    write_night(folder / "one.npz", truth=np.array([2], np.int8), predicted=np.array([2], np.int8))
    gaps = np.array([2, -1, 3, -1] * 5, np.int8)
    write_night(folder / "gaps.npz", truth=gaps, predicted=np.array([2, 2, -1, -1] * 5, np.int8))
    apart = np.array([2, -1] * 5, np.int8)
    write_night(folder / "apart.npz", truth=apart, predicted=np.array([-1, 2] * 5, np.int8), signal=False)
    write_night(folder / "unlabelled.npz", truth=np.full(5, -1, np.int8), predicted=np.zeros(5, np.int8))
    write_night(folder / "unscored.npz", truth=np.zeros(5, np.int8), predicted=np.full(5, -1, np.int8))
    (folder / "broken.npz").write_bytes(b"PK\x03\x04 nothing")
    done = run("analyse", folder, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["nights"] == 4
    left = " ".join(summary["left_out"])
    assert len(summary["left_out"]) == 3
    for text in ("unlabelled.npz holds no expert", "unscored.npz holds no model", "broken.npz is no usable archive"):
        assert text in left
    nights = {row["night"]: row for row in rows(tmp_path / "out" / "nights.csv")}
    assert nights["one"]["accuracy"] == "1"
    assert nights["one"]["kappa"] == ""
    assert nights["gaps"]["epochs"] == "5"
    assert nights["apart"]["epochs"] == ""


def test_a_folder_in_which_nothing_can_be_compared_epoch_by_epoch_has_a_report(folder: Path, tmp_path: Path) -> None:
    apart = np.array([2, -1] * 5, np.int8)
    write_night(folder / "n.npz", truth=apart, predicted=np.array([-1, 2] * 5, np.int8))
    done = run("analyse", folder, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert "no epoch that both score" in done.stdout
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "no epoch that both of them score" in text
    assert_stands_alone(text)
    assert run("report", folder / "n.npz", "--out", tmp_path / "n.html").exit_code == 0
    assert "nothing is compared" in (tmp_path / "n.html").read_text(encoding="utf-8")


def test_models_are_told_apart(folder: Path, tmp_path: Path) -> None:
    write_night(folder / "a.npz", 1)
    write_night(folder / "b.npz", 1, weights="cd" * 32)
    assert run("analyse", folder, "--out", tmp_path / "out").exit_code == 0
    assert len({row["model"] for row in rows(tmp_path / "out" / "confusion.csv")}) == 2


def test_names_are_escaped(folder: Path, tmp_path: Path) -> None:
    write_night(folder / "<script>alert(1)<&.npz")
    assert run("analyse", folder, "--out", tmp_path / "out").exit_code == 0
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert text.count("<script>") == 1
    done = run("report", folder / "<script>alert(1)<&.npz", "--out", tmp_path / "night.html")
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "night.html").read_text(encoding="utf-8").count("<script>") == 1


def test_a_cross_validation_is_out_of_fold_and_calibrated(tmp_path: Path) -> None:
    nights = make_nights()
    write_run(tmp_path / "run", nights)
    done = run("analyse", tmp_path / "run", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    summary = json.loads(done.stdout)
    truth = np.concatenate([night.truth for night in nights])
    predicted = np.concatenate([night.logits["honest"].argmax(axis=1) for night in nights]).astype(np.int8)
    assert summary["models"][0]["agreement"] == agreement(truth, predicted).as_full_dict()
    assert summary["models"][0]["subjects"] == 6
    assert summary["models"][0]["labels_seen"] == {"held out": 12}
    low, high = summary["models"][0]["intervals"]["kappa"]
    assert low < summary["models"][0]["agreement"]["kappa"] < high
    assert rows(tmp_path / "out" / "suspects.csv")


def test_labels_that_the_model_was_trained_on_are_not_ranked(folder: Path, tmp_path: Path) -> None:
    nights = make_nights()
    training = write_run(tmp_path / "run", nights)
    weights = training / "folds" / "fold_00" / "weights.safetensors"
    weights.write_bytes(b"weights")
    (record,) = training_records(training)
    learned, tested = min(record.nights), min(record.held_out_nights)
    for name in (learned, tested):
        write_night(folder / f"{name}.npz", weights=sha256_of(weights))
    done = run("analyse", folder, "--out", tmp_path / "out", "--trained", training, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["models"][0]["labels_seen"] == {str(Seen.TRAINED): 1, str(Seen.HELD_OUT): 1}
    assert {row["night"] for row in rows(tmp_path / "out" / "suspects.csv")} == {tested}
    assert f"Not ranked: {learned}" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    with pytest.raises(RunError, match=r"no data\.json"):
        training_records(folder)


def test_nothing_to_analyse_and_what_is_there_already_are_told(folder: Path, tmp_path: Path) -> None:
    assert "no archive (npz)" in run("analyse", folder, "--out", tmp_path / "out").stderr
    assert "is not there" in run("analyse", folder / "no", "--out", tmp_path / "out").stderr
    write_night(folder / "n.npz", truth=np.full(5, -1, np.int8), predicted=np.zeros(5, np.int8))
    done = run("analyse", folder, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "No night could be compared. n.npz holds no expert" in done.stderr
    assert not list((tmp_path / "out").glob("*"))
    write_night(folder / "n.npz")
    assert run("analyse", folder, "--out", tmp_path / "out").exit_code == 0
    assert "is there already" in run("analyse", folder, "--out", tmp_path / "out").stderr
    assert run("analyse", folder, "--out", tmp_path / "out", "--overwrite").exit_code == 0


def test_memory_does_not_grow_with_what_is_listed() -> None:
    top: Top[int] = Top(3)
    for number in range(1000):
        top.add(float(number % 7), number)
    assert top.items == [6, 13, 20]
    assert not top.wants(6.0)
    assert Top[int](0).items == []


def test_sources_are_read_one_at_a_time(folder: Path, tmp_path: Path) -> None:
    for seed in range(3):
        write_night(folder / f"n{seed}.npz", seed)
    sources = find_sources([folder])
    nights = sources.nights()
    assert next(nights).name == "n0"
    (folder / "n2.npz").unlink()
    assert [night.name for night in nights] == ["n1"]
    assert "n2.npz can't be read" in sources.left_out[0]
    with pytest.raises(AnalysisError, match="No night could be compared"):
        analyse(find_sources([folder / "n0.npz"]).__class__((folder / "gone.npz",), ()), tmp_path / "x")


def test_a_night_report_has_everything_and_stands_alone(folder: Path, tmp_path: Path) -> None:
    write_night(folder / "n.npz", meta={"lights": {"off": 10, "on": 230}, "truth": {"source": "e.edf", "scorer": "T"}})
    done = run("report", folder / "n.npz", "--out", tmp_path / "n.html")
    assert done.exit_code == 0, done.stderr
    text = (tmp_path / "n.html").read_text(encoding="utf-8")
    assert_stands_alone(text)
    for part in (
        "hypnodensity",
        "spectrogram",
        "lights off",
        "TRT, min",
        "110.0",
        "Cohen&#x27;s κ",
        "e.edf T",
        "tested 1",
    ):
        assert part in text
    assert "is there already" in run("report", folder / "n.npz", "--out", tmp_path / "n.html").stderr
    refused = run("report", folder / "n.npz", "--out", tmp_path / "n.doc").stderr
    assert "unsupported extension; use .pdf or .html" in refused
    assert run("report", folder / "n.npz", folder, "--out", tmp_path / "m.html").exit_code == 2


def test_a_night_without_a_model_or_a_signal_has_a_report_all_the_same(folder: Path, tmp_path: Path) -> None:
    write_night(folder / "n.npz", predicted=np.full(N, -1, np.int8), signal=False)
    assert run("report", folder / "n.npz", "--out", tmp_path / "n.html").exit_code == 0
    text = (tmp_path / "n.html").read_text(encoding="utf-8")
    assert_stands_alone(text)
    assert "nothing is compared" in text


def test_the_real_nights_recording_has_a_report(real_copy: Path, tmp_path: Path) -> None:
    done = run("report", real_copy, "--out", tmp_path / "n.html")
    assert done.exit_code == 0, done.stderr
    text = (tmp_path / "n.html").read_text(encoding="utf-8")
    assert_stands_alone(text)
    assert "411.0" in text  # minutes of TRT


def test_a_picture_is_a_png() -> None:
    import zlib

    pixels = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    data = png(pixels)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    body = zlib.decompress(data[data.index(b"IDAT") + 4 : data.index(b"IEND") - 8])
    assert body == b"\0" + pixels[0].tobytes() + b"\0" + pixels[1].tobytes()


def test_two_hypnograms_are_written_line_by_line(tmp_path: Path) -> None:
    for name, stages in (("a", "0 0 2 2 2 2 0 0"), ("b", "0 0 0 2 2 3 0 0")):
        (tmp_path / f"{name}.txt").write_text("\n".join(stages.split()) + "\n")
    done = run("compare", tmp_path / "a.txt", tmp_path / "b.txt", "--diff")
    assert done.exit_code == 0, done.stderr
    assert "A  WW2222WW\n" in done.stdout
    assert "B  WWW223WW\n" in done.stdout
    assert "  ~  x" in done.stdout or "  ~  +" in done.stdout
    assert "\x1b" not in done.stdout
    assert "A  " not in run("compare", tmp_path / "a.txt", tmp_path / "b.txt").stdout
