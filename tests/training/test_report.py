"""The report holds what was computed from the run, whole and escaped, and refuses runs that it can't trust."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score

from helpers.run_folders import Night, make_nights, write_prediction, write_run
from sleepviewer.analysis.calibration import brier_score, expected_calibration_error, softmax
from sleepviewer.analysis.intervals import METRICS, STAGE_F1
from sleepviewer.cli import main
from sleepviewer.errors import OutputError, RunError, SleepViewerError
from sleepviewer.stages import SCORED_STAGES
from sleepviewer.training.charts import Line, line_chart, range_of
from sleepviewer.training.published import PUBLISHED, published_dataset
from sleepviewer.training.report import REPORT_FILES, write_report
from sleepviewer.training.report_text import difference, duration, figure
from sleepviewer.training.results import collect_results
from sleepviewer.training.runs import Protocol, load_predictions, read_run

DRAWS = 50


@pytest.fixture
def nights() -> list[Night]:
    return make_nights()


@pytest.fixture
def run(tmp_path: Path, nights: list[Night]) -> Path:
    return write_run(tmp_path / "run", nights)


def report(folders: list[Path], out: Path, **options: Any) -> str:
    return write_report(folders, out, draws=DRAWS, **options)


def csv_rows(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((out / "report.csv").read_text(encoding="utf-8"))))


def pooled(nights: list[Night], protocol: str) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([n.truth for n in nights]), np.concatenate([n.logits[protocol] for n in nights])


class Page(HTMLParser):
    """Collects tags and texts, and fails where tags do not close each other."""

    VOID = ("meta", "rect", "path", "polyline", "circle")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.VOID
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


# -- what is in it


def test_figures_of_both_protocols_equal_scikit_learn(run: Path, nights: list[Night], tmp_path: Path) -> None:
    text = report([run], tmp_path / "out")
    rows = {row["protocol"]: row for row in csv_rows(tmp_path / "out") if row["kind"] == "run"}
    assert set(rows) == {"honest", "published"}
    for protocol, row in rows.items():
        truth, logits = pooled(nights, protocol)
        predicted = logits.argmax(axis=1)
        f1 = f1_score(truth, predicted, average=None)
        expected = dict(zip(STAGE_F1, f1, strict=True)) | {
            "accuracy": (truth == predicted).mean(),
            "macro_f1": f1.mean(),
            "kappa": cohen_kappa_score(truth, predicted),
        }
        line = next(line for line in text.splitlines() if "(run)" in line and f" {protocol} " in line)
        for metric, value in expected.items():
            assert float(row[metric]) == pytest.approx(value)
            assert float(row[f"{metric}_low"]) <= value <= float(row[f"{metric}_high"])
            assert figure(metric, value) in line.split()
        assert row["epochs"] == str(len(truth))
        assert "5.0 min" in line


def test_the_bias_is_published_minus_honest_with_a_paired_interval(
    run: Path, nights: list[Night], tmp_path: Path
) -> None:
    report([run], tmp_path)
    row = next(row for row in csv_rows(tmp_path) if row["kind"] == "bias")
    accuracy = {}
    for protocol in ("honest", "published"):
        truth, logits = pooled(nights, protocol)
        accuracy[protocol] = (logits.argmax(axis=1) == truth).mean()
    assert float(row["accuracy"]) == pytest.approx(accuracy["published"] - accuracy["honest"])
    assert 0 < float(row["accuracy_low"]) < float(row["accuracy"]) < float(row["accuracy_high"])


def test_calibration_is_of_the_honest_protocol_before_and_after_the_temperature(
    run: Path, nights: list[Night], tmp_path: Path
) -> None:
    text = report([run], tmp_path)
    row = next(row for row in csv_rows(tmp_path) if row["kind"] == "run" and row["protocol"] == "honest")
    truth, logits = pooled(nights, "honest")
    assert float(row["ece_raw"]) == pytest.approx(expected_calibration_error(softmax(logits), truth))
    assert float(row["ece"]) == pytest.approx(expected_calibration_error(softmax(logits, 1.5), truth), abs=1e-6)
    assert float(row["brier"]) == pytest.approx(brier_score(softmax(logits, 1.5), truth), abs=1e-6)
    assert "temperature a fold: 1.50 to 1.50" in text
    assert f"{100 * float(row['ece_raw']):.1f} %, then {100 * float(row['ece']):.1f} %" in text


def test_each_fold_is_cooled_by_its_own_temperature(run: Path, nights: list[Night]) -> None:
    path = run / "folds" / "fold_01" / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"temperature": 4.0}))
    result = collect_results([run], draws=2).runs[0]
    proba = np.concatenate([softmax(n.logits["honest"], 4.0 if n.fold == 1 else 1.5) for n in nights])
    truth = pooled(nights, "honest")[0]
    assert result.calibrated.brier == pytest.approx(brier_score(proba, truth), abs=1e-6)


def test_whether_published_counting_changes_the_class_weights_is_said(tmp_path: Path, nights: list[Night]) -> None:
    same = report([write_run(tmp_path / "same", nights)], tmp_path)
    assert "published counting gives the same in all 3 folds" in same
    other = report([write_run(tmp_path / "other", nights, other_weights=(1, 2))], tmp_path)
    assert "gives others in 2 of 3 folds (fold 1: 0.30 0.72" in other


def test_runs_on_the_same_folds_are_compared_in_pairs(tmp_path: Path, nights: list[Night]) -> None:
    better = make_nights(accuracy=0.9)
    runs = [write_run(tmp_path / "a", nights), write_run(tmp_path / "b", better, model="attnsleep+context")]
    report(runs, tmp_path)
    rows = {row["protocol"]: row for row in csv_rows(tmp_path) if row["kind"] == "difference"}
    assert set(rows) == {"honest", "published"}
    accuracies = [
        (logits.argmax(axis=1) == truth).mean() for truth, logits in (pooled(n, "honest") for n in (nights, better))
    ]
    assert float(rows["honest"]["accuracy"]) == pytest.approx(accuracies[1] - accuracies[0])
    assert rows["honest"]["name"] == "attnsleep+context, batch 128 (b) - attnsleep, batch 128 (a)"


def test_runs_that_can_not_be_compared_say_why(tmp_path: Path, nights: list[Night]) -> None:
    runs = [
        write_run(tmp_path / "a", nights),
        write_run(tmp_path / "folds", make_nights(folds=2)),
        write_run(tmp_path / "data", nights, dataset="simulated"),
        write_run(tmp_path / "truth", make_nights(seed=1)),
    ]
    results = collect_results(runs, draws=2)
    assert results.differences == ()
    reasons = "\n".join(results.not_compared)
    assert "(a) and attnsleep, batch 128 (folds): Their folds do not test the same subjects" in reasons
    assert "different data sets, sleep-edf-20 and simulated" in reasons
    assert "(a) and attnsleep, batch 128 (truth): The two can't be compared: of SC40" in reasons
    assert "different truths" in reasons


def test_reported_figures_stand_beside_runs_on_their_data_set_alone(tmp_path: Path, nights: list[Night]) -> None:
    known = report([write_run(tmp_path / "known", nights, dataset="Sleep EDF 20")], tmp_path)
    assert "SleePyCo" in known
    assert "84.23" in known
    assert "Sleep-EDF-20 as published 42308: the reported figures are of another selection" in known.replace("\n", " ")
    unknown = report([write_run(tmp_path / "unknown", nights, dataset="sleep-edf-20-5s")], tmp_path)
    assert "SleePyCo" not in unknown
    assert "no reported figures belong to the data set “sleep-edf-20-5s”" in unknown


def test_models_that_see_less_than_30_s_stand_beside_no_reported_figure(tmp_path: Path, nights: list[Night]) -> None:
    text = report([write_run(tmp_path / "run", nights, epoch_s=5)], tmp_path)
    assert "SleePyCo" not in text
    assert "its model sees 5 s of each epoch" in text


def test_a_stage_that_no_one_has_gets_a_dash(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", make_nights(stages=(0, 1, 2, 4), accuracy=0.95, gain=0.0))
    text = report([run], tmp_path)
    row = next(row for row in csv_rows(tmp_path) if row["kind"] == "run")
    assert row["f1_N3"] == ""
    assert float(row["macro_f1"]) > 0.9
    line = next(line for line in text.splitlines() if " honest " in line)
    assert "–" in line.split()
    assert "–" in Page(tmp_path / "report.html").texts


def test_one_subject_alone_has_figures_without_intervals(tmp_path: Path) -> None:
    text = report([write_run(tmp_path / "run", make_nights(subjects=1, folds=1))], tmp_path)
    assert "95 % from" not in text


# -- how it is written


def test_the_page_is_well_formed_and_needs_nothing_from_outside(run: Path, tmp_path: Path) -> None:
    report([run], tmp_path)
    page = Page(tmp_path / "report.html")
    assert page.tags.count("svg") == 5
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    source = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "http:" not in source
    assert "https:" not in source
    assert "url(" not in source
    assert not {"src", "href", "xlink:href"} & {name for name, _ in page.attributes}
    assert "nan" not in " ".join(value or "" for _, value in page.attributes)


def test_the_page_shows_counts_and_percent_of_the_confusion(run: Path, nights: list[Night], tmp_path: Path) -> None:
    report([run], tmp_path)
    texts = Page(tmp_path / "report.html").texts
    truth, logits = pooled(nights, "honest")
    matrix = confusion_matrix(truth, logits.argmax(axis=1))
    place = texts.index("honest: epochs, and percent of the expert's stage")
    cells = texts[place : place + 80]
    assert str(matrix[1, 2]) in cells
    assert f"{100 * matrix[1, 2] / matrix[1].sum():.1f} %" in cells


def test_names_are_escaped_wherever_they_go(tmp_path: Path, nights: list[Night]) -> None:
    name = '<script>alert(1)</script>|&"'
    report([write_run(tmp_path / "run", nights, model=name, dataset=name)], tmp_path)
    page = Page(tmp_path / "report.html")
    assert "script" not in page.tags
    assert any(name in text for text in page.texts)
    markdown = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "<script>" not in markdown
    table = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert {line.replace(r"\|", "").count("|") for line in table[:3]} == {14}
    assert csv_rows(tmp_path)[0]["dataset"] == name


def test_hostile_words_stay_words_in_every_place_that_takes_some(tmp_path: Path, nights: list[Night]) -> None:
    hostile = """</td></style><script>alert(1)</script><img src=x onerror=alert(1)>' onclick="alert(1)"""
    named = [replace(night, subject=f"{night.subject}{hostile}") for night in nights]
    run = write_run(tmp_path / hostile.replace("/", "_"), named, model=hostile, dataset=hostile)
    (run / "environment.json").write_text(json.dumps({hostile: hostile, "torch": [hostile]}), encoding="utf-8")
    with (run / "config.toml").open("a", encoding="utf-8") as config:
        config.write(f"{json.dumps(hostile)} = {json.dumps(hostile)}\n")
    report([run], tmp_path / "out")
    page = Page(tmp_path / "out" / "report.html")
    assert not {"script", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert page.texts.count(hostile) >= 4  # the data set, the environment's name and word, the configuration's
    assert page.tags.count("style") == 1


def test_the_report_is_the_same_each_time(run: Path, tmp_path: Path) -> None:
    report([run], tmp_path / "a")
    report([run], tmp_path / "b")
    for name in REPORT_FILES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_folder_that_can_not_be_made_is_told(run: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't be made"):
        report([run], tmp_path / "file" / "out")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (45, "45 s"), (60, "1.0 min"), (312, "5.2 min"), (5040, "1.4 h")]
)
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_differences_carry_their_sign_and_nothing_has_none() -> None:
    assert difference("accuracy", 0.0123) == "+1.2"
    assert difference("accuracy", -0.0123) == "−1.2"
    assert difference("accuracy", -0.00001) == "0.0"
    assert difference("kappa", -0.0123) == "−0.012"
    assert difference("kappa", math.nan) == "–"


def test_a_chart_breaks_its_lines_where_there_is_no_number() -> None:
    x = np.arange(5.0)
    chart = line_chart([Line("a", x, np.array([0, 1, math.nan, 1, 0]), 0)], "x", "y", (0, 4), range_of([x]))
    assert chart.count("<polyline") == 3  # two pieces and the legend
    assert "nan" not in chart
    assert range_of([np.array([math.nan])]) == (0, 1)
    low, high = range_of([np.ones(3)])
    assert low < 1 < high


# -- runs that are refused


def test_an_unfinished_run_is_refused_or_named(tmp_path: Path, nights: list[Night]) -> None:
    run = write_run(tmp_path / "run", nights, unfinished=(0, 2))
    with pytest.raises(RunError, match=r"not finished: folds 0, 2 of 3 not done"):
        report([run], tmp_path)
    text = report([run], tmp_path, allow_unfinished=True)
    assert "only 1 of 3 folds are finished, so its figures are of 480 of 1440 epochs" in text


def test_two_runs_are_compared_over_the_folds_that_both_have(tmp_path: Path, nights: list[Night]) -> None:
    runs = [write_run(tmp_path / "a", nights), write_run(tmp_path / "b", nights, unfinished=(1,))]
    text = report(runs, tmp_path, allow_unfinished=True)
    assert "honest, 2 of 3 folds" in text


def test_a_run_without_a_finished_fold_is_refused(tmp_path: Path, nights: list[Night]) -> None:
    with pytest.raises(RunError, match="No fold of"):
        report([write_run(tmp_path / "run", nights, unfinished=(0, 1, 2))], tmp_path, allow_unfinished=True)


def test_a_foreign_folder_and_no_folder_are_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(RunError, match=r"not the folder of a cross-validation: it has no config\.toml"):
            report([folder], tmp_path / "out")
    with pytest.raises(RunError, match="no run to report on"):
        report([], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_named_twice_is_refused(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="named twice"):
        report([run, run / ".." / "run"], tmp_path)


def change_json(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def first_prediction(run: Path) -> Path:
    return min((run / "folds" / "fold_00" / "predictions" / "honest").glob("*.npz"))


def cut_short(run: Path) -> None:
    path = first_prediction(run)
    path.write_bytes(path.read_bytes()[:200])


def flip_bytes(run: Path) -> None:
    path = first_prediction(run)
    raw = bytearray(path.read_bytes())
    raw[200:260] = bytes(60)
    path.write_bytes(bytes(raw))


def pickled(run: Path) -> None:
    write_prediction(first_prediction(run), make_nights()[0], "honest", y_true=np.array([{}], dtype=object))


def diverged(run: Path) -> None:
    write_prediction(first_prediction(run), make_nights()[0], "honest", logits=np.full((120, 5), np.nan, np.float32))


def other_subject(run: Path) -> None:
    write_prediction(first_prediction(run), make_nights()[0], "honest", subject=np.array("77"))


def one_label_too_few(run: Path) -> None:
    write_prediction(first_prediction(run), make_nights()[0], "honest", y_true=np.zeros(119, np.int8))


def unscored_label(run: Path) -> None:
    write_prediction(first_prediction(run), make_nights()[0], "honest", y_true=np.full(120, -1, np.int8))


def other_epochs(run: Path) -> None:
    path = run / "folds" / "fold_00" / "predictions" / "honest" / "SC4001E0.npz"
    write_prediction(path, make_nights()[0], "honest", epoch_index=np.arange(120, dtype=np.int32))


def leaking(run: Path) -> None:
    folds = json.loads((run / "data.json").read_text())["folds"]
    folds[1]["train"].append(folds[1]["test"][0])
    change_json(run / "data.json", folds=folds)


def tested_twice(run: Path) -> None:
    folds = json.loads((run / "data.json").read_text())["folds"]
    folds[1]["train"].remove(folds[0]["test"][0])
    folds[1]["test"].append(folds[0]["test"][0])
    change_json(run / "data.json", folds=folds)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (cut_short, r"\.npz can't be read"),
        (flip_bytes, r"\.npz can't be read"),
        (pickled, r"\.npz can't be read: Object arrays"),
        (diverged, "training of fold 0 diverged"),
        (other_subject, "of subject 77, but data.json says 00"),
        (one_label_too_few, "arrays do not fit each other"),
        (unscored_label, "labels that are no stages"),
        (other_epochs, r"two protocols do not match.*different epochs"),
        (lambda run: first_prediction(run).unlink(), "lacks the predictions of SC4"),
        (lambda run: first_prediction(run).rename(first_prediction(run).with_stem("SC4999E0")), "lacks|holds"),
        (lambda run: first_prediction(run).with_stem("SC4999E0").write_bytes(b""), "holds SC4999E0, which fold 0"),
        (lambda run: (run / "data.json").write_text("{}"), "data.json .* has no 'folds'"),
        (lambda run: (run / "data.json").write_text("{"), r"data\.json can't be read"),
        (lambda run: (run / "config.toml").write_text("passes = 3"), "config.toml .* has no 'model'"),
        (lambda run: (run / "config.toml").write_text("= 3"), r"config\.toml can't be read"),
        (lambda run: (run / "folds" / "fold_01" / "metrics.jsonl").unlink(), r"metrics\.jsonl is missing"),
        (lambda run: (run / "folds" / "fold_01" / "metrics.jsonl").write_text('{"pass'), r"metrics\.jsonl can't"),
        (lambda run: change_json(run / "folds" / "fold_01" / "result.json", fold=2), "is of fold 2"),
        (lambda run: change_json(run / "folds" / "fold_01" / "result.json", temperature=0), "temperature of 0.0"),
        (lambda run: change_json(run / "folds" / "fold_01" / "result.json", class_weights=[1]), "1 class weights"),
        (leaking, "fold 1 tests subjects that it also learns from: 01"),
        (tested_twice, "subject 00 is tested in fold 0 and in 1"),
    ],
)
def test_a_damaged_run_is_refused_with_a_sentence(run: Path, tmp_path: Path, damage: Any, sentence: str) -> None:
    damage(run)
    with pytest.raises(RunError, match=sentence):
        report([run], tmp_path / "out")


def test_a_run_is_read_as_it_was_written(run: Path, nights: list[Night]) -> None:
    read = read_run(run)
    assert (read.name, read.model, read.data.name) == ("run", "attnsleep", "sleep-edf-20")
    assert [fold.test for fold in read.data.folds] == [("00", "03"), ("01", "04"), ("02", "05")]
    assert read.results[1].picked == {Protocol.HONEST: 2, Protocol.PUBLISHED: 3}
    assert [record.number for record in read.results[1].curve] == [1, 2, 3]
    assert math.isnan(read.results[1].curve[0].test.kappa)
    loaded = load_predictions(read, Protocol.PUBLISHED)
    assert [night.night for night in loaded] == sorted(night.name for night in nights)
    assert (loaded[0].logits == nights[0].logits["published"]).all()
    assert (loaded[0].fold, loaded[0].epochs[0]) == (0, 10)


# -- what others reported


@pytest.mark.parametrize("name", ["Sleep-EDF-20", "sleep_edf_20", "SHHS", "sleepedf78"])
def test_published_data_sets_are_known_however_they_are_spelt(name: str) -> None:
    assert published_dataset(name) is not None


@pytest.mark.parametrize("name", ["", "sleep-edf", "sleep-edf-20-5s", "shhs-2", "simulated"])
def test_other_names_have_no_published_figures(name: str) -> None:
    assert published_dataset(name) is None


def test_reported_figures_fit_each_other() -> None:
    for dataset in PUBLISHED:
        shares = np.array(list(dataset.stages.values())) / dataset.n_epochs
        for row in dataset.rows:
            assert set(row.figures) <= set(METRICS)
            f1 = [row.value(name) for name in STAGE_F1]
            if None in f1:
                continue
            # reported to two digits at worst; accuracy is near the F1 weighted by support where stages are predicted
            # about as often as they occur
            assert row.value("macro_f1") == pytest.approx(np.mean(f1), abs=0.006), (dataset.name, row.model)
            assert row.value("accuracy") == pytest.approx(float(np.dot(shares, f1)), abs=0.02), (
                dataset.name,
                row.model,
            )
        assert list(dataset.stages) == [stage.label for stage in SCORED_STAGES]
    assert [dataset.n_epochs for dataset in PUBLISHED] == [42308, 195479, 324854]


# -- the command


def test_the_command_prints_the_text_and_writes_the_files(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(main, ["report", str(run), "--out", str(out), "--draws", str(DRAWS)])
    assert done.exit_code == 0
    assert done.stdout == (out / "report.txt").read_text(encoding="utf-8")
    assert {path.name for path in out.iterdir()} == set(REPORT_FILES)


def test_the_command_prints_one_json_object(run: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["report", str(run), "--out", str(tmp_path), "--draws", str(DRAWS), "--json"])
    values = json.loads(done.stdout)
    honest = values["runs"][0]["protocols"]["honest"]
    assert honest["epochs"] == 1440
    assert honest["figures"]["accuracy"]["low"] <= honest["figures"]["accuracy"]["value"]
    assert values["out"] == str(tmp_path)


def test_the_command_writes_over_an_earlier_report_only_when_asked(run: Path, tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text("mine")
    arguments = ["report", str(run), "--out", str(tmp_path), "--draws", str(DRAWS)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    assert "report.md is there already" in done.stderr
    assert (tmp_path / "report.md").read_text() == "mine"
    assert CliRunner().invoke(main, [*arguments, "--overwrite"]).exit_code == 0
    assert (tmp_path / "report.md").read_text() != "mine"


def test_trouble_is_one_sentence_and_writes_nothing(tmp_path: Path, nights: list[Night]) -> None:
    run = write_run(tmp_path / "run", nights, unfinished=(0,))
    done = CliRunner().invoke(main, ["report", str(run), "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert done.stderr.startswith("sleepviewer: ")
    assert done.stderr.count("\n") == 1
    assert "--allow-unfinished" in done.stderr
    assert not (tmp_path / "out").exists()
    assert issubclass(RunError, SleepViewerError)
