"""The Python interface: what a notebook asks for is what the program itself would say, aligned and told."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import sleepviewer as sv
from helpers.night_files import MODEL, START, TRUTH, N, write_night, write_review, write_stages
from helpers.places import ROOT
from helpers.review_values import prediction_of
from sleepviewer.analysis.agreement import agreement
from sleepviewer.errors import (
    AlignmentError,
    ChannelError,
    EngineError,
    HypnogramError,
    OutputError,
    RecordingError,
)
from sleepviewer.hypnogram import Hypnogram
from sleepviewer.stages import Stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_night(tmp_path / "night.edf")
    write_stages(tmp_path / "night-Hypnogram.edf", TRUTH)
    return tmp_path


def test_the_names_come_when_they_are_asked_for_and_not_before() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, sleepviewer as sv; before = [m for m in sys.modules if m.startswith('sleepviewer.')];"
            "print(sv.__version__, before, 'numpy' in sys.modules, set(sv._API) <= set(dir(sv)));"
            "[getattr(sv, name) for name in sv._API];"
            "heavy = ('PySide6', 'torch', 'mne', 'yasa', 'matplotlib', 'pandas', 'scipy.signal');"
            "print([name for name in heavy if name in sys.modules])",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = f"{sv.__version__} ['sleepviewer._version'] False True\n[]\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, told, "")


def test_what_editors_are_told_is_what_there_is() -> None:
    told = ast.parse((ROOT / "sleepviewer" / "__init__.pyi").read_text(encoding="utf-8"))
    names = {alias.asname for node in told.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert names == set(sv._API)
    assert all(callable(getattr(sv, name)) and getattr(sv, name).__doc__ for name in names)
    with pytest.raises(AttributeError, match="no attribute 'scor'"):
        _ = sv.scor


def test_a_night_is_opened_with_the_hypnogram_beside_it(folder: Path) -> None:
    with sv.open(folder / "night.edf") as night:
        assert night.truth is not None
        assert night.truth.stages.tolist() == TRUTH
        assert (night.start, night.n_epochs, night.channel) == (START, N, "EEG C4")
        assert night.read("EEG C4", 30, 60).shape == (3000,)
    with sv.open(str(folder / "night.edf"), look_beside=False) as night:
        assert night.truth is None
    with pytest.raises(RecordingError, match="No such file"):
        sv.open(folder / "nights.edf")


def test_a_found_hypnogram_that_does_not_fit_is_a_note_and_a_named_one_an_error(folder: Path) -> None:
    other = write_stages(folder / "night-Hypnogram.edf", TRUTH, START + timedelta(days=2))
    with sv.open(folder / "night.edf") as night:
        assert night.truth is None
        assert "was found by its name but not used" in night.notes[-1]
    with pytest.raises(AlignmentError):
        sv.open(folder / "night.edf", truth=other)


def test_units_are_told_as_a_mapping(folder: Path) -> None:
    with sv.open(folder / "night.edf", units={"EEG C4": "mV"}) as night:
        told = night.read("EEG C4", 0, 1)
    with sv.open(folder / "night.edf") as night:
        np.testing.assert_allclose(told, night.read("EEG C4", 0, 1) * 1000, rtol=1e-5)


def test_scoring_gives_what_the_engine_gives(tmp_path: Path) -> None:
    from sleepviewer.recording import open_recording
    from sleepviewer.scoring.base import ChannelChoice
    from sleepviewer.scoring.registry import EngineSpec, make_engine

    path = sv.simulate(tmp_path / "night.edf", hours=0.5)
    told: list[float] = []
    with sv.open(path) as night:
        scored = sv.score(night, engine="attnsleep", progress=lambda share, _: told.append(share))
    with open_recording(path) as recording:
        wanted = make_engine(EngineSpec("attnsleep")).score(recording, ChannelChoice("EEG Fpz-Cz"))
        again = sv.score(recording, engine="attnsleep", channel="EEG Fpz-Cz")
    np.testing.assert_array_equal(scored.proba, wanted.proba)
    np.testing.assert_array_equal(again.proba, wanted.proba)
    assert told[-1] == 1
    assert (scored.start, scored.hypnogram.source) == (night.start, "night.edf")
    with pytest.raises(EngineError, match="There is no engine called “usleep”"):
        sv.score(path, engine="usleep")
    with pytest.raises(ChannelError, match="no channel “Cz”"):
        sv.score(path, engine="attnsleep", channel="Cz")


def test_a_recording_without_an_eeg_asks_for_a_channel(tmp_path: Path) -> None:
    path = write_night(tmp_path / "night.edf", label="Thermistor")
    with pytest.raises(ChannelError, match=r"name one with channel="):
        sv.score(path)


@pytest.mark.parametrize(
    "kind", ["scoring", "hypnogram", "prediction", "array", "list", "words", "path", "csv", "archive"]
)
def test_anything_with_stages_can_be_compared(folder: Path, kind: str) -> None:
    stages = np.array(MODEL, dtype=np.int8)
    hypnogram = Hypnogram(stages, START, "model")
    write_stages(folder / "model.csv", MODEL)
    other = {
        "scoring": lambda: sv.read_hypnogram(folder / "model.csv"),
        "hypnogram": lambda: hypnogram,
        "prediction": lambda: prediction_of(MODEL),
        "array": lambda: stages.astype(np.int64),
        "list": lambda: list(MODEL),
        "words": lambda: [Stage(s).label for s in MODEL],
        "path": lambda: write_stages(folder / "model.edf", MODEL),
        "csv": lambda: str(folder / "model.csv"),
        "archive": lambda: write_review(folder / "night.edf", folder / "model.npz"),
    }[kind]()
    with sv.open(folder / "night.edf") as night:
        found = sv.compare(night.truth, other)
    wanted = agreement(np.array(TRUTH), stages)
    assert (found.kappa, found.accuracy, found.macro_f1) == (wanted.kappa, wanted.accuracy, wanted.macro_f1)
    clockless = kind in ("prediction", "array", "list", "words")
    assert any("gives no start time" in note for note in found.notes) == clockless
    assert (found.details.proba is not None) == (kind == "prediction")


def test_comparing_lays_by_the_clock_and_tells() -> None:
    first = Hypnogram(np.array(TRUTH, dtype=np.int8), START, "first.edf")
    second = Hypnogram(np.array(TRUTH[4:], dtype=np.int8), START + timedelta(minutes=2), "second.edf")
    found = sv.compare(first, second)
    assert (found.accuracy, found.agreement.epochs) == (1.0, N - 5)
    assert found.second.stages.tolist() == [-1] * 4 + TRUTH[4:]
    assert any("second.edf starts" in note for note in found.notes)
    with pytest.raises(AlignmentError):
        sv.compare(first, Hypnogram(second.stages, START + timedelta(days=1), "tomorrow.edf"))


def test_probabilities_are_dropped_where_the_clock_moves_them() -> None:
    from sleepviewer.api import Scoring

    truth = Hypnogram(np.array(TRUTH, dtype=np.int8), START, "first.edf")
    model = prediction_of(MODEL)
    here = Scoring(Hypnogram(model.stages, START, "night.edf"), model)
    later = Scoring(Hypnogram(model.stages, START + timedelta(seconds=30), "night.edf"), model)
    assert sv.compare(truth, here).details.proba is not None
    assert sv.compare(truth, later).details.proba is None


@pytest.mark.parametrize("odd", [[0, 7], [0.5, 1.0], ["N2", "N7"], [[0, 1], [1, 0]]])
def test_what_is_no_stage_is_refused_with_a_sentence(odd: object) -> None:
    with pytest.raises(HypnogramError, match=r"[.]$"):
        sv.compare(TRUTH, odd)


def test_a_night_or_nothing_is_no_scoring(folder: Path) -> None:
    with sv.open(folder / "night.edf") as night, pytest.raises(TypeError, match=r"night\.truth"):
        sv.compare(night, TRUTH)
    with pytest.raises(TypeError, match="None"):
        sv.compare(None, TRUTH)


def test_statistics_of_several_stand_side_by_side(folder: Path) -> None:
    table = sv.statistics(folder / "night-Hypnogram.edf", MODEL, MODEL, lights_off=5)
    names = list(table.columns)
    assert len(names) == len(table) == 3
    assert table[names[1]].tst_min == table[names[2]].tst_min == 4.5
    assert table.frame().loc["trt_min", names[0]] == 7.5


@pytest.mark.parametrize("ending", ["npz", "edf", "csv", "txt"])
def test_what_is_exported_reads_back(folder: Path, ending: str) -> None:
    out = folder / f"labels.{ending}"
    with sv.open(folder / "night.edf") as night:
        line = sv.export(night, MODEL, out)
        assert sv.read_hypnogram(out, night).stages.tolist() == MODEL
        with pytest.raises(OutputError, match="is there already"):
            sv.export(night, TRUTH, out)
        with pytest.raises(OutputError):
            sv.export(night, MODEL, folder / "night.edf", overwrite=True)
        with pytest.raises(OutputError):
            sv.export(night, MODEL, folder / "night-Hypnogram.edf", overwrite=True)
    assert (line["file"], line["epochs"]) == (out.name, len(MODEL))
    assert sv.export(folder / "night.edf", MODEL, folder / "x.npz", format="attnsleep")["channel"] == "EEG C4"
    with pytest.raises(OutputError, match="is no format"):
        sv.export(folder / "night.edf", MODEL, folder / "y.npz", format="mat")


def test_a_model_keeps_its_probabilities_in_an_archive(folder: Path) -> None:
    model = prediction_of(MODEL)
    with sv.open(folder / "night.edf") as night:
        sv.export(night, model, folder / "labels.npz")
    review = sv.read_review(folder / "labels.npz")
    assert review.model is not None
    assert review.expert is not None
    np.testing.assert_array_equal(review.model.proba, model.proba)
    assert review.labels.stages.tolist() == MODEL
    assert review.expert.stages.tolist() == TRUTH


def test_a_review_tells_what_was_corrected(folder: Path) -> None:
    path = write_review(folder / "night.edf", edits={3: Stage.N1, 7: Stage.N3})
    review = sv.read_review(path)
    assert np.flatnonzero(review.corrected).tolist() == [3, 7]
    assert review.labels.stages[[3, 7]].tolist() == [Stage.N1, Stage.N3]
    assert not review.flagged.any()
    assert "2 corrected" in repr(review)


def test_everything_shows_itself_in_a_notebook(folder: Path) -> None:
    from matplotlib.figure import Figure

    model = prediction_of(MODEL)
    review = sv.read_review(write_review(folder / "night.edf"))
    with sv.open(folder / "night.edf") as night:
        found = sv.compare(night.truth, model)
        values = [night, night.truth, found.second, found, review, sv.statistics(TRUTH)]
        for value in values:
            page = value._repr_html_()
            assert "<table>" in page
            assert page.count("<div") == page.count("</div>")
        figures = [night.plot(found.second), found.plot(), review.plot(), found.second.plot(), night.truth.plot()]
    assert [len(figure.get_axes()) for figure in figures[:1]] == [4]
    for figure in figures:
        assert isinstance(figure, Figure)
        assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


def test_words_of_files_are_escaped_in_a_notebook() -> None:
    shown = sv.compare(Hypnogram(np.zeros(3, np.int8), None, "<img src=x>"), [0, 1, 0])._repr_html_()
    assert "<img" not in shown
    assert "&lt;img" in shown


def test_tables_have_a_row_for_each_epoch(folder: Path) -> None:
    with sv.open(folder / "night.edf") as night:
        frame = sv.compare(night.truth, prediction_of(MODEL)).second.frame()
        assert night.truth is not None
        assert list(night.truth.frame().columns) == ["epoch", "clock", "stage"]
    assert len(frame) == N
    assert frame["stage"].tolist() == [Stage(s).label for s in MODEL]
    assert frame.loc[0, "clock"] == START
    assert frame.loc[0, "p_W"] == pytest.approx(prediction_of(MODEL).proba[0, 0])


def test_only_scorings_of_the_night_are_drawn_on_it(folder: Path) -> None:
    short = sv.read_hypnogram(write_stages(folder / "short.csv", TRUTH[:9]))
    with sv.open(folder / "night.edf") as night, pytest.raises(AlignmentError, match="has 9 epochs"):
        night.plot(short)
