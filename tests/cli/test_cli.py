"""The command line: one sentence for trouble, one JSON object where that is asked, and no half-written files."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sleepviewer
from helpers.faulty_files import NO_RECORDING
from helpers.night_files import MODEL, RATE, TRUTH, N, files, write_night, write_stages
from helpers.places import DATA
from helpers.real_scoring import ScoredNight
from helpers.review_values import proba_of
from sleepviewer.app.shell.settings import Settings
from sleepviewer.app.window import MainWindow
from sleepviewer.archive.archive import read_archive
from sleepviewer.cli import main
from sleepviewer.errors import EngineError
from sleepviewer.hypnogram import read_track, to_hypnogram
from sleepviewer.recording.base import Recording
from sleepviewer.review.opening import open_night
from sleepviewer.review.saving import save_review
from sleepviewer.scoring.base import ChannelChoice, Prediction, Progress
from sleepviewer.scoring.registry import engine_ids
from sleepviewer.stages import Stage

FIGURES = {"accuracy", "macro_f1", "kappa", "f1", "confusion", "epochs"}
COMMANDS = ("view", "score", "compare", "export", "info", "demo", "models")


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in this process, without a display."""
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")

    def call(*args: object) -> Outcome:
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args], prog_name="sleepviewer")
        captured = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture
def night(tmp_path: Path) -> Path:
    return write_night(tmp_path / "night.edf")


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    return write_stages(tmp_path / "expert.csv", TRUTH)


class FakeEngine:
    """Scores every night alike, or fails."""

    id = "yasa"
    title = "Fake"

    def __init__(self, failure: str = "") -> None:
        self.failure = failure
        self.asked: list[ChannelChoice] = []

    def warm_up(self) -> None: ...

    def score(self, recording: Recording, channels: ChannelChoice, progress: Any, cancel: Any = None) -> Prediction:
        self.asked.append(channels)
        for label in channels.labels:
            recording.channel(label)
        progress(Progress(0.5, "half"))
        if self.failure:
            raise EngineError(self.failure)
        stages = (MODEL * (recording.n_epochs // N + 1))[: recording.n_epochs]
        return Prediction(proba_of(stages), "fake", "1", "ab" * 32, channels.labels, 0.25)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    monkeypatch.setattr("sleepviewer.scoring.registry.make_engine", lambda spec: fake)
    return fake


def check_trouble(outcome: Outcome, *words: str) -> None:
    """Exit code 1, nothing on stdout, one sentence on stderr that says what it is about."""
    assert outcome.code == 1, outcome
    assert outcome.out == ""
    (line,) = [line for line in outcome.err.splitlines() if not line.startswith("note: ")]
    assert line.startswith("sleepviewer: ")
    assert line.endswith((".", ")"))
    for word in words:
        assert word in line


# -- what it says of itself


def test_version(run: Run) -> None:
    assert run("--version") == Outcome(0, f"sleepviewer, version {sleepviewer.__version__}\n", "")


def test_help_shows_every_command_and_examples(run: Run) -> None:
    outcome = run("--help")
    assert outcome.code == 0
    assert all(f"  {command} " in outcome.out for command in COMMANDS)
    assert "sleepviewer score night.edf --truth expert.edf --out scored.npz" in outcome.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run: Run, command: str) -> None:
    outcome = run(command, "-h")
    assert outcome.code == 0
    assert outcome.out.startswith(f"Usage: sleepviewer {command}")
    assert outcome.err == ""


@pytest.mark.parametrize(
    "args",
    [
        ["score", "night.edf"],
        ["score", "--out", "x.npz"],
        ["score", "night.edf", "--out", "x.npz", "--engine", "nobody"],
        ["score", "night.edf", "--out", "x.npz", "--engine", "yasa", "--weights", "w.safetensors"],
        ["score", "night.edf", "--out", "x.npz", "--nonsense"],
        ["compare", "a.edf"],
        ["export", "night.edf", "--out", "x.npz"],
        ["export", "night.edf", "--labels", "a.csv", "--out", "x.npz", "--trim-wake", "-3"],
        ["export", "night.edf", "--labels", "a.csv", "--out", "x.csv", "--trim-wake", "30"],
        ["info"],
        ["view", "--screenshot", "x.png"],
        ["view", "night.edf", "--screenshot", "x.png", "--size", "big"],
        ["view", "night.edf", "--screenshot", "x.png", "--size", "10x10"],
        ["view", "night.edf", "--epoch", "0"],
        ["night.edf", "other.edf"],
        ["--nonsense"],
        ["night.edf", "--theme", "blue"],
        ["demo", "--seed", "-1"],
    ],
)
def test_wrong_use_exits_with_2_and_writes_nothing(
    run: Run, args: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = run(*args)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Error: " in outcome.err
    assert files(tmp_path) == {}


@pytest.mark.parametrize("args", [[], ["night.edf"], ["view", "night.edf"], ["--theme", "dark", "night.edf"]])
def test_without_a_display_the_window_is_a_sentence(run: Run, args: list[str]) -> None:
    check_trouble(run(*args), "no display", "--screenshot")


# -- faults


@pytest.mark.parametrize("fault", NO_RECORDING)
@pytest.mark.parametrize("command", ["view", "score", "export", "info", "compare"])
def test_what_is_no_recording_is_a_sentence_and_nothing_is_written(
    run: Run, engine: FakeEngine, tmp_path: Path, truth: Path, command: str, fault: Callable[[Path], Path]
) -> None:
    path, out = fault(tmp_path), tmp_path / "out"
    before = files(tmp_path)
    more = {
        "view": ["--screenshot", f"{out}.png"],
        "score": ["--out", f"{out}.npz"],
        "export": ["--labels", truth, "--out", f"{out}.npz"],
        "info": ["--json"],
        "compare": [truth],
    }[command]
    check_trouble(run(command, path, *more), path.name)
    assert files(tmp_path) == before
    assert engine.asked == []


def test_named_files_that_do_not_fit_are_sentences(
    run: Run, engine: FakeEngine, night: Path, truth: Path, tmp_path: Path
) -> None:
    other = write_stages(tmp_path / "other.csv", [2] * 10, datetime(2022, 1, 1, 23))
    words = tmp_path / "words.txt"
    words.write_text("W\nasleep?\n")
    unscored = write_stages(tmp_path / "unscored.csv", [-1] * N)
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, weights=np.zeros(3))
    out, picture = tmp_path / "out.npz", tmp_path / "out.png"
    before = files(tmp_path)
    for args, about in (
        (["score", night, "--truth", other, "--out", out], "other.csv"),
        (["score", night, "--truth", words, "--out", out], "asleep?"),
        (["score", night, "--truth", unscored, "--out", out], "epoch"),
        (["score", night, "--truth", tmp_path / "absent.csv", "--out", out], "absent.csv"),
        (["score", night, "--channel", "C9", "--out", out], "has no channel “C9”"),
        (["score", night, "--eog", "C9", "--out", out], "has no channel “C9”"),
        (["export", night, "--labels", other, "--out", out], "other.csv"),
        (["export", night, "--labels", foreign, "--out", out], "foreign.npz"),
        (["export", night, "--labels", truth, "--channel", "C9", "--out", out], "has no channel “C9”"),
        (["compare", truth, words], "words.txt"),
        (["compare", truth, other], "other.csv"),
        (["compare", truth, unscored], "can't be compared"),
        (["view", night, "--truth", other, "--screenshot", picture], "other.csv"),
        (["view", night, "--labels", foreign, "--screenshot", picture], "foreign.npz"),
        (["view", night, "--epoch", N + 1, "--screenshot", picture], f"has {N} epochs"),
    ):
        check_trouble(run(*args), about)
        assert files(tmp_path) == before, args


OUTS = ["absent/out.npz", "folder", "night.edf", "link.edf"]


@pytest.mark.parametrize(
    ("command", "name"),
    [(command, name) for command in ("score", "export", "view") for name in OUTS]
    + [("score", "expert.csv"), ("export", "expert.csv"), ("score", "out.doc"), ("export", "out.doc")],
)
def test_what_can_not_be_written_is_refused_before_the_work(
    run: Run, engine: FakeEngine, night: Path, truth: Path, tmp_path: Path, command: str, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.edf").symlink_to(night)
    before = files(tmp_path)
    option = "--screenshot" if command == "view" else "--out"
    labels = ["--labels", truth] if command == "export" else ["--truth", truth]
    check_trouble(run(command, night, *labels, option, tmp_path / name), Path(name).name)
    assert engine.asked == []
    assert files(tmp_path) == before


def test_an_engine_that_fails_is_a_sentence(run: Run, engine: FakeEngine, night: Path, tmp_path: Path) -> None:
    engine.failure = "The night is too short to be scored."
    before = files(tmp_path)
    check_trouble(run("score", night, "--out", tmp_path / "out.npz", "--json"), "too short")
    assert files(tmp_path) == before


@pytest.mark.parametrize("weights", [[], ["--weights", "absent.safetensors"]])
def test_an_engine_without_weights_is_a_sentence(
    run: Run, night: Path, tmp_path: Path, weights: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sleepviewer.scoring.family_engine.shipped_weights", lambda name: None)
    check_trouble(run("score", night, "--engine", "attnsleep", *weights, "--out", tmp_path / "out.npz"), "weights")
    assert not (tmp_path / "out.npz").exists()


def test_weights_alone_say_which_model_scores(run: Run, night: Path, tmp_path: Path) -> None:
    published = DATA / "attnsleep_100hz.safetensors"
    outcome = run("score", night, "--weights", published, "--out", tmp_path / "out.csv", "--json")
    assert json.loads(outcome.out)["engine"] == "attnsleep"


def test_weights_of_another_model_than_asked_for_are_refused(run: Run, night: Path, tmp_path: Path) -> None:
    published = DATA / "attnsleep_100hz.safetensors"
    for engine in ("attnsleep+context", "attnsleep-msmp"):
        out = tmp_path / "out.csv"
        check_trouble(run("score", night, "--engine", engine, "--weights", published, "--out", out), "not of", engine)
        assert not out.exists()


def test_models_lists_every_engine_with_its_size_and_cost(run: Run) -> None:
    outcome = run("models", "--json")
    rows = {row["name"]: row for row in json.loads(outcome.out)}
    assert outcome.code == 0
    assert tuple(rows) == engine_ids()
    wanted = {"name", "title", "rate_hz", "epoch_s", "parameters", "macs", "weights", "active", "origin", "card"}
    assert all(row.keys() == wanted for row in rows.values())
    published = rows["attnsleep"]
    assert (published["rate_hz"], published["epoch_s"], published["parameters"]) == (100, 30, 522_805)
    assert 63e6 < published["macs"] < 64e6
    assert all((row["weights"] is None) == (row["card"] is None) for row in rows.values())
    assert all(
        row["origin"] == "comes with SleepViewer" for row in rows.values() if row["parameters"] and row["weights"]
    )
    yasa = rows["yasa"]
    assert (yasa["parameters"], yasa["macs"]) == (None, None)
    assert "LightGBM" in yasa["card"]["notes"]


def test_the_table_of_models_has_a_line_for_each(run: Run) -> None:
    outcome = run("models")
    assert outcome.code == 0
    assert [line.split()[0] for line in outcome.out.splitlines()[1 : len(engine_ids()) + 1]] == list(engine_ids())
    assert "ucddb018 κ 0.81" in outcome.out


def test_without_an_eeg_channel_it_names_those_that_there_are(run: Run, engine: FakeEngine, tmp_path: Path) -> None:
    legs = write_night(tmp_path / "legs.edf", label="Leg")
    check_trouble(run("score", legs, "--out", tmp_path / "out.npz"), "--channel", "Leg, EOG left")
    assert run("score", legs, "--out", tmp_path / "out.npz", "--channel", "Leg").code == 0


# -- score


def test_score_writes_an_archive_and_says_how_well_it_agrees(
    run: Run, engine: FakeEngine, night: Path, truth: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scored.npz"
    outcome = run("score", night, "--truth", truth, "--out", out, "--json")
    assert outcome.code == 0
    result = json.loads(outcome.out)
    assert outcome.out.count("\n") == 1
    assert result.keys() >= FIGURES | {"engine", "channels", "n_epochs", "stages", "seconds", "out", "notes"}
    assert result["n_epochs"] == N
    assert result["epochs"] == N - 1
    assert np.trace(result["confusion"]) == round(result["accuracy"] * (N - 1))
    assert result["channels"] == ["EEG C4", "EOG left"]
    archive = read_archive(out)
    assert archive.y.tolist() == MODEL
    assert archive.night_expert.tolist() == TRUTH
    assert archive.meta["base"] == "model"


def test_score_finds_the_truth_beside_and_says_so(run: Run, engine: FakeEngine, night: Path, tmp_path: Path) -> None:
    write_stages(tmp_path / "night-Hypnogram.edf", TRUTH)
    outcome = run("score", night, "--out", tmp_path / "scored.csv")
    assert outcome.code == 0
    assert "κ" in outcome.out
    assert "fake 1 on EEG C4, EOG left: 20 epochs" in outcome.out

    assert "night-Hypnogram.edf, found beside the recording" in outcome.err


def test_the_eeg_alone_is_scored_where_that_is_asked_for(
    run: Run, engine: FakeEngine, night: Path, tmp_path: Path
) -> None:
    outcome = run("score", night, "--eeg-only", "--out", tmp_path / "scored.csv")
    assert outcome.code == 0
    assert engine.asked[-1].labels == ("EEG C4",)
    assert run("score", night, "--eeg-only", "--eog", "EOG left", "--out", tmp_path / "o.csv").code == 2


def test_score_without_a_truth_says_nothing_of_agreement(
    run: Run, engine: FakeEngine, night: Path, tmp_path: Path
) -> None:
    result = json.loads(run("score", night, "--out", tmp_path / "scored.txt", "--json").out)
    assert not result.keys() & FIGURES
    assert to_hypnogram(read_track(tmp_path / "scored.txt")).stages.tolist() == MODEL


def test_score_does_not_take_up_a_review_that_lies_beside(
    run: Run, engine: FakeEngine, night: Path, tmp_path: Path
) -> None:
    reviewed = open_night(night)
    reviewed.document.set_stage(range(N), Stage.N1)
    save_review(reviewed, night.with_suffix(".npz"))
    assert run("score", night, "--out", tmp_path / "scored.npz").code == 0
    assert read_archive(tmp_path / "scored.npz").y.tolist() == MODEL


def test_score_gives_the_engine_the_channels_that_are_named(
    run: Run, engine: FakeEngine, night: Path, tmp_path: Path
) -> None:
    run("score", night, "--out", tmp_path / "a.csv", "--channel", "EOG left", "--eog", "EOG left")
    assert engine.asked == [ChannelChoice("EOG left", "EOG left")]


# -- compare


def test_compare_prints_one_json_object(run: Run, tmp_path: Path, truth: Path) -> None:
    model = write_stages(tmp_path / "model.edf", MODEL)
    outcome = run("compare", truth, model, "--json")
    assert outcome.code == 0
    result = json.loads(outcome.out)
    assert outcome.out.count("\n") == 1
    assert result.keys() >= FIGURES
    assert np.array(result["confusion"]).sum() == result["epochs"] == N - 1
    assert set(result["f1"]) == {"W", "N1", "N2", "N3", "REM"}
    mine = run("compare", truth, model).out
    assert f"κ {result['kappa']:.3f}" in mine


def test_a_hypnogram_agrees_with_itself_by_clock_time(run: Run, tmp_path: Path, truth: Path) -> None:
    late = write_stages(tmp_path / "late.edf", TRUTH[6:], datetime(2021, 3, 4, 22, 33))
    result = json.loads(run("compare", truth, late, "--json").out)
    assert (result["kappa"], result["accuracy"], result["epochs"]) == (1.0, 1.0, N - 7)


def test_a_figure_that_is_not_defined_is_null(run: Run, tmp_path: Path) -> None:
    awake = write_stages(tmp_path / "awake.csv", [0] * 5)
    result = json.loads(run("compare", awake, awake, "--json").out)
    assert result["kappa"] is None
    assert result["f1"]["N3"] is None
    assert "κ –" in run("compare", awake, awake).out


# -- export


def test_export_makes_a_training_file_of_a_hypnogram(run: Run, night: Path, truth: Path, tmp_path: Path) -> None:
    assert run("export", night, "--labels", truth, "--out", tmp_path / "train.npz").code == 0
    archive = read_archive(tmp_path / "train.npz")
    assert archive.y.tolist() == TRUTH[:-1]
    assert (archive.ch_label, archive.fs) == ("EEG C4", RATE)
    assert run("export", night, "--labels", truth, "--out", tmp_path / "b.npz", "--channel", "EOG left").code == 0
    assert read_archive(tmp_path / "b.npz").ch_label == "EOG left"


def test_export_trims_the_wake_around_sleep(run: Run, night: Path, truth: Path, tmp_path: Path) -> None:
    run("export", night, "--labels", truth, "--out", tmp_path / "t.npz", "--trim-wake", "1")
    archive = read_archive(tmp_path / "t.npz")
    assert archive.epoch_index.tolist() == list(range(3, 16))
    assert archive.y.tolist() == TRUTH[3:16]


def test_export_takes_a_saved_review_with_its_corrections(run: Run, night: Path, truth: Path, tmp_path: Path) -> None:
    review = tmp_path / "review.npz"
    reviewed = open_night(night, truth_path=truth)
    reviewed.document.set_stage([0, 1], Stage.N1)
    save_review(reviewed, review)
    for ending in ("edf", "csv", "txt"):
        out = tmp_path / f"labels.{ending}"
        assert run("export", night, "--labels", review, "--out", out).code == 0
        assert to_hypnogram(read_track(out)).stages.tolist()[: N - 1] == [1, 1, *TRUTH[2:-1]]
    assert run("export", night, "--labels", review, "--out", tmp_path / "again.npz").code == 0
    again = read_archive(tmp_path / "again.npz")
    assert again.edited[:3].tolist() == [True, True, False]
    assert len(again.meta["edits"]) == 1


# -- info


def test_info_says_what_is_in_a_recording(run: Run, night: Path, tmp_path: Path) -> None:
    beside = write_stages(tmp_path / "night-Hypnogram.edf", TRUTH)
    facts = json.loads(run("info", night, "--json").out)
    assert facts["n_epochs"] == N
    assert [c["label"] for c in facts["channels"]] == ["EEG C4", "EOG left"]
    assert facts["proposed"]["eeg"] == "EEG C4"
    assert facts["truth_beside"] == str(beside)
    shown = run("info", night).out
    for words in ("EEG C4", "100 Hz", "µV", "20 epochs", "would be scored: EEG C4", "night-Hypnogram.edf"):
        assert words in shown


# -- pictures


def png_size(path: Path) -> tuple[int, int]:
    raw = path.read_bytes()
    assert raw.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", raw[16:24])
    return width, height


HEAVY = ("torch", "mne", "yasa", "scipy", "pandas", "sklearn", "matplotlib", "numba")


def run_code(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_a_window_is_painted_without_a_display_and_without_heavy_libraries(night: Path, tmp_path: Path) -> None:
    write_stages(tmp_path / "night-Hypnogram.edf", TRUTH)
    light, dark = tmp_path / "light.png", tmp_path / "dark.png"
    done = run_code(
        "import os, sys; os.environ.pop('DISPLAY', None); os.environ.pop('QT_QPA_PLATFORM', None);"
        "from sleepviewer.cli import main;"
        f"main(['view', {str(night)!r}, '--screenshot', {str(light)!r}, '--epoch', '7'], standalone_mode=False);"
        f"main([{str(night)!r}, '--screenshot', {str(dark)!r}, '--size', '900x700', '--theme', 'dark'],"
        " standalone_mode=False);"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
    assert png_size(light) == (1366, 768)
    assert png_size(dark) == (900, 700)


def test_importing_the_window_imports_nothing_heavy() -> None:
    done = run_code(f"import sys, sleepviewer.app.main; print([n for n in {HEAVY!r} if n in sys.modules])")
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_a_picture_neither_follows_nor_changes_where_the_window_was(run: Run, night: Path, tmp_path: Path) -> None:
    def paint() -> tuple[int, int]:
        assert run("view", night, "--screenshot", tmp_path / "a.png", "--overwrite").code == 0
        return png_size(tmp_path / "a.png")

    assert paint() == (1366, 768)
    assert Settings().geometry is None
    placed = MainWindow()
    placed.showMaximized()
    placed.close()
    before = Settings().geometry
    assert before is not None
    assert paint() == (1366, 768)
    assert Settings().geometry == before


def test_demo_without_a_display_prints_the_agreement_and_paints(
    run: Run, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sleepviewer.simulation.demo.DEMO_HOURS", 1.6)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    outcome = run("demo", "--out", tmp_path / "demo.png")
    assert outcome.code == 0
    assert "A simulated night" in outcome.out
    assert "κ" in outcome.out
    assert png_size(tmp_path / "demo.png") == (1366, 768)
    check_trouble(run("demo", "--out", tmp_path / "absent" / "demo.png"), "absent")


def test_demo_writes_over_its_own_picture_alone(
    run: Run, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sleepviewer.simulation.demo.DEMO_HOURS", 1.6)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    assert [run("demo").code, run("demo").code] == [0, 0]
    (tmp_path / "mine.png").write_bytes((tmp_path / "sleepviewer-demo.png").read_bytes())
    (tmp_path / "sleepviewer-demo.png").write_bytes(b"somebody else's")
    for name in ("sleepviewer-demo.png", "mine.png"):
        before = files(tmp_path)
        check_trouble(run("demo", "--out", name), "there already", "--overwrite")
        assert files(tmp_path) == before
        assert run("demo", "--out", name, "--overwrite").code == 0


def test_results_are_written_over_only_when_that_was_asked(
    run: Run, engine: FakeEngine, night: Path, tmp_path: Path
) -> None:
    scored, picture = tmp_path / "scored.npz", tmp_path / "picture.png"
    for args in (["score", night, "--out", scored], ["view", night, "--screenshot", picture]):
        assert run(*args).code == 0
        before = files(tmp_path)
        check_trouble(run(*args), "there already", "--overwrite")
        assert files(tmp_path) == before
        assert run(*args, "--overwrite").code == 0
    assert len(engine.asked) == 2


# -- the real night


@pytest.mark.real_data
def test_the_real_night_is_scored_well(scored_real: ScoredNight) -> None:
    assert scored_real.result["kappa"] >= 0.78
    assert scored_real.result["epochs"] == scored_real.result["n_epochs"] == 822


@pytest.mark.real_data
def test_comparing_the_two_files_gives_the_same_figures(run: Run, scored_real: ScoredNight, real_truth: Path) -> None:
    result = json.loads(run("compare", real_truth, scored_real.path, "--json").out)
    assert {key: result[key] for key in FIGURES} == {key: scored_real.result[key] for key in FIGURES}


@pytest.mark.real_data
def test_a_scored_night_is_painted_and_exported(
    run: Run, scored_real: ScoredNight, real_night: Path, tmp_path: Path
) -> None:
    picture, labels = tmp_path / "scored.png", tmp_path / "labels.edf"
    more = ["--screenshot", picture, "--epoch", 400, "--size", "1600x900"]
    assert run("view", real_night, "--labels", scored_real.path, *more).code == 0
    assert png_size(picture) == (1600, 900)
    assert run("export", real_night, "--labels", scored_real.path, "--out", labels).code == 0
    stages = to_hypnogram(read_track(labels)).stages
    counts = {stage.label: int((stages == stage).sum()) for stage in Stage if stage >= 0}
    assert counts == {k: v for k, v in scored_real.result["stages"].items() if k != "?"}


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sleepviewer", "info", str(tmp_path / "absent.edf")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("sleepviewer: ")
    assert done.stderr.count("\n") == 1
