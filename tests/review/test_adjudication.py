"""Several scorers' labels on the way to one, and the command that makes a consensus."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from helpers.night_files import TRUTH, write_night, write_review, write_stages
from helpers.review_values import document_of
from sleepviewer.cli import main
from sleepviewer.errors import AlignmentError, ReviewError
from sleepviewer.hypnogram import Hypnogram, read_track, to_hypnogram, write_hypnogram
from sleepviewer.review.adjudication import BY_CERTAINTY, Rater, adjudicate, load_raters, most_say
from sleepviewer.stages import Stage


def rater(name: str, stages: list[int], sure: list[float] | None = None) -> Rater:
    certainty = None if sure is None else np.array(sure, dtype=np.float32)
    return Rater(name, np.array(stages, dtype=np.int8), certainty)


A, B, C = rater("A", [0, 1, 2, 3, -1, -1]), rater("B", [0, 1, 3, -1, 4, -1]), rater("C", [0, 2, 1, 3, 4, -1])


def test_what_all_score_alike_is_agreed_and_what_some_score_otherwise_is_open() -> None:
    found = adjudicate([A, B])
    assert found.agreed.tolist() == [0, 1]
    assert found.stages.tolist() == [0, 1, -1, -1, -1, -1]
    assert found.open_epochs.tolist() == [2, 3, 4]
    assert found.title == "consensus of A and B"
    assert adjudicate([A, B, C]).title == "consensus of A, B and C"
    assert adjudicate([A, B, C]).agreed.tolist() == [0]


STAGES = st.lists(st.integers(-1, 4), min_size=8, max_size=8)


@given(st.lists(STAGES, min_size=2, max_size=4))
def test_agreed_and_open_are_all_that_anybody_scores(columns: list[list[int]]) -> None:
    found = adjudicate([rater(str(place), stages) for place, stages in enumerate(columns)])
    for epoch in range(8):
        said = {stages[epoch] for stages in columns}
        assert (epoch in found.agreed) == (len(said) == 1 and said != {-1})
        assert (epoch in found.open_epochs) == (len(said) > 1)


def test_the_agreed_epochs_are_one_edit_that_says_who() -> None:
    document, found = document_of(6), adjudicate([A, B])
    document.judge({r.name: r.stages for r in found.raters})
    edit = found.take_agreed(document)
    assert edit is not None
    assert edit.text == "consensus of A and B, epochs 1–2"
    assert edit.agree == ("A", "B")
    assert found.take_agreed(document) is None
    decided = document.set_stage([2], Stage.N3)
    assert decided is not None
    assert decided.agree == ("B",)
    assert found.decided(document) == 1


def test_the_figures_are_those_of_pairs_and_of_all() -> None:
    found = adjudicate([A, B, C])
    assert "κ A – B" in found.figures
    assert "Fleiss' κ of all 3: " in found.figures
    assert "Fleiss" not in adjudicate([A, B]).figures


def test_one_scorer_makes_no_consensus() -> None:
    with pytest.raises(AlignmentError, match="second"):
        adjudicate([A])
    with pytest.raises(AlignmentError, match="second"):
        most_say([A])


def test_ties_are_left_open_or_decided_by_certainty_or_by_one() -> None:
    one, two = rater("one", [0, 1], [0.9, 0.4]), rater("two", [1, 2], [0.5, 0.8])
    assert most_say([one, two]).stages.tolist() == [-1, -1]
    assert most_say([one, two], BY_CERTAINTY).stages.tolist() == [0, 2]
    assert most_say([one, two], "two").stages.tolist() == [1, 2]
    with pytest.raises(ReviewError, match=r"“three”.*one, two"):
        most_say([one, two], "three")


# -- the command


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = []
    for name, stages in (("ann", [0, 1, 2, 3]), ("bob", [0, 1, 3, 4]), ("cy", [0, 2, 2, 1])):
        paths.append(tmp_path / f"{name}.csv")
        write_hypnogram(Hypnogram(np.array(stages, dtype=np.int8), None, "night", name), paths[-1])
    return paths


def test_the_command_writes_what_most_say(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    result = CliRunner().invoke(main, ["consensus", *map(str, files), "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["unanimous"], told["tied"], told["left_open"]) == (1, 1, 1)
    assert len(told["kappa"]) == 3
    assert to_hypnogram(read_track(out)).stages.tolist() == [0, 1, 2, -1]


def test_a_models_own_archive_bears_the_models_name_and_knows_how_sure_it_is(tmp_path: Path) -> None:
    night = write_night(tmp_path / "night.edf")
    own, reviewed = (
        load_raters([write_review(night, tmp_path / name, edits=edits), write_stages(tmp_path / "ann.csv", TRUTH)])
        for name, edits in (("own.npz", {}), ("reviewed.npz", {3: Stage.REM}))
    )
    model, person = own.raters[0], reviewed.raters[0]
    assert (model.name, person.name) == ("fake", "Ada")
    assert model.certainty is not None
    assert person.certainty is not None
    assert model.certainty[3] == pytest.approx(0.9)
    assert (person.certainty[3], person.stages[3]) == (1, Stage.REM)


@pytest.mark.parametrize("ties", ["2", "bob"])
def test_the_command_has_a_scorer_decide_ties(files: list[Path], tmp_path: Path, ties: str) -> None:
    names = [r.name for r in load_raters(files).raters]
    out = tmp_path / "out.csv"
    chosen = names[1] if ties == "bob" else ties
    result = CliRunner().invoke(main, ["consensus", *map(str, files), "--out", str(out), "--ties", chosen])
    assert result.exit_code == 0, result.output
    assert "Fleiss' κ of all 3" in result.stdout
    assert to_hypnogram(read_track(out)).stages.tolist() == [0, 1, 2, 4]


def test_the_command_names_who_there_is(files: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    result = CliRunner().invoke(main, ["consensus", *map(str, files), "--out", str(out), "--ties", "zoe"])
    assert result.exit_code == 1
    assert "zoe" in result.stderr
    assert not out.exists()


def test_the_command_writes_over_nothing_unasked(files: list[Path]) -> None:
    result = CliRunner().invoke(main, ["consensus", *map(str, files), "--out", str(files[0]), "--overwrite"])
    assert result.exit_code == 1
    assert "one of the files to read" in result.stderr
