"""The structure of errors: what surrounds each, shifts told apart from confusions, clusters explained by the signal."""

from __future__ import annotations

import json
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.review_values import proba_of
from sleepviewer.analysis.diff import LEGEND, diff_text
from sleepviewer.analysis.errors import FAR, compare
from sleepviewer.analysis.groups import CRITERIA, Groups, clusters
from sleepviewer.analysis.shifts import Kind, error_runs
from sleepviewer.analysis.signs import measure_signs
from sleepviewer.errors import AlignmentError
from sleepviewer.stages import Stage

W, N1, N2, N3, R, U = 0, 1, 2, 3, 4, -1
RATE = 100.0


def night(*bouts: tuple[int, int]) -> np.ndarray:
    return np.concatenate([np.full(epochs, stage, np.int8) for stage, epochs in bouts])


TRUTH = night((W, 10), (N2, 30), (R, 12), (N2, 20), (W, 8))


def changed(stages: np.ndarray, start: int, stop: int, stage: int) -> np.ndarray:
    other = stages.copy()
    other[start:stop] = stage
    return other


def test_a_bout_shifted_by_two_epochs_is_a_shift_and_no_confusion() -> None:
    predicted = changed(changed(TRUTH, 40, 42, N2), 52, 54, R)
    found = compare(TRUTH, predicted)
    assert [(run.start, run.stop, run.kind, run.shift) for run in found.runs] == [
        (40, 42, Kind.SHIFT, 2),
        (52, 54, Kind.SHIFT, 2),
    ]
    rem = next(shift for shift in found.shifts if shift.stage is Stage.REM)
    assert (rem.start, rem.stop, rem.onset, rem.offset) == (40, 52, 2, 2)
    assert rem.text == "REM of epochs 41 to 52: begins 2 epochs later, ends 2 epochs later"
    groups = Groups()
    groups.add(found)
    assert all(tally.confusions == 0 for _, tally in groups.rows("pair"))
    assert dict(groups.rows("kind"))["shift"].errors == 4


def test_an_earlier_boundary_is_a_negative_shift() -> None:
    found = compare(TRUTH, changed(TRUTH, 37, 40, R))
    assert [(run.kind, run.shift) for run in found.runs] == [(Kind.SHIFT, -3)]
    assert [(shift.stage, shift.onset, shift.offset) for shift in found.shifts] == [(N2, 0, -3), (R, -3, 0)]


def test_a_boundary_moved_too_far_is_another_opinion() -> None:
    assert compare(TRUTH, changed(TRUTH, 40, 46, N2)).runs[0].kind is Kind.OTHER
    assert compare(TRUTH, changed(TRUTH, 40, 46, N2), max_shift=6).runs[0].kind is Kind.SHIFT


def test_missed_and_invented_bouts_are_no_shifts() -> None:
    assert compare(TRUTH, changed(TRUTH, 40, 52, N2)).runs[0].kind is Kind.MISSED
    assert compare(TRUTH, changed(TRUTH, 20, 22, N3)).runs[0].kind is Kind.INVENTED
    assert not compare(TRUTH, changed(TRUTH, 20, 22, N3)).shifts


def test_nothing_is_known_beyond_an_unscored_epoch() -> None:
    truth = changed(TRUTH, 39, 40, U)
    assert compare(truth, changed(truth, 40, 42, N2)).runs[0].kind is Kind.OTHER


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), max_size=40))
def test_runs_cover_exactly_the_disagreements(pairs: list[tuple[int, int]]) -> None:
    both = np.array(pairs, dtype=np.int8).reshape(-1, 2)
    found = compare(both[:, 0], both[:, 1])
    covered = [epoch for run in found.runs for epoch in range(run.start, run.stop)]
    assert covered == found.epochs.tolist()
    assert error_runs(both[:, 0], both[:, 1]) == found.runs
    assert sum(1 for _ in found.rows()) == len(covered)
    groups = Groups()
    groups.add(found)
    for criterion in CRITERIA:
        assert sum(tally.errors for _, tally in groups.rows(criterion)) == len(covered)
    assert diff_text(found).startswith(LEGEND)


def test_a_row_tells_all_around_it() -> None:
    predicted = changed(TRUTH, 15, 17, N3)
    proba = proba_of(predicted.tolist(), [0.7] * len(TRUTH))
    edited = np.zeros(len(TRUTH), bool)
    edited[15] = True
    found = compare(
        TRUTH, predicted, proba=proba, edited=edited, night="n", subject="s", start=datetime(2024, 1, 1, 23, 59)
    )
    row = found.row(15)
    assert row.clock == datetime(2024, 1, 2, 0, 6, 30)
    assert row.pair == "N2 → N3"
    assert row.doubt == pytest.approx(0.3)
    assert row.p_truth == pytest.approx(0.075)
    assert (row.distance, row.run_epochs, row.bout_epochs, row.hour, row.cycle) == (5, 2, 30, 0, 1)
    assert (row.truth_context, row.predicted_context) == ("2222222", "2223322")
    assert row.edited
    assert not row.at_boundary
    assert row.power is None
    assert row.signal == "unknown"
    values = json.loads(json.dumps(row.as_dict(), allow_nan=False))
    assert values["epoch"] == 16
    assert values["power_delta"] is None


def test_context_at_the_ends_of_the_night() -> None:
    found = compare(np.array([W, N1], np.int8), np.array([N1, N1], np.int8))
    assert found.row(0).truth_context == "···W1··"


def test_a_single_epoch_and_a_night_without_transitions() -> None:
    found = compare(np.array([N2], np.int8), np.array([N3], np.int8))
    row = found.row(0)
    assert row.distance == FAR
    assert row.as_dict()["distance"] is None
    assert found.agreement.accuracy == 0
    assert compare(np.array([U], np.int8), np.array([N3], np.int8)).agreement is None
    assert compare(np.empty(0, np.int8), np.empty(0, np.int8)).agreement is None


def test_layers_of_other_lengths_are_told() -> None:
    with pytest.raises(AlignmentError, match="80 epochs, but the prediction 79"):
        compare(TRUTH, TRUTH[:-1])
    with pytest.raises(AlignmentError, match="probabilities 3"):
        compare(TRUTH, TRUTH, proba=proba_of([0, 0, 0]))


def test_distances_count_from_the_nearest_boundary() -> None:
    assert compare(night((W, 3), (N2, 4)), night((W, 7))).distance.tolist() == [2, 1, 0, 0, 1, 2, 3]


def test_hours_count_from_lights_off() -> None:
    long = night((N2, 400))
    found = compare(long, long, lights_off=100)
    assert found.hour[[0, 99, 100, 219, 220, 399]].tolist() == [-1, -1, 0, 0, 1, 2]


def test_groups_add_up_over_nights_and_are_in_order() -> None:
    groups = Groups()
    for name in ("b", "a"):
        groups.add(compare(TRUTH, changed(TRUTH, 20, 30, N3), night=name, subject="s"))
    assert [(name, tally.epochs, tally.errors) for name, tally in groups.rows("night")] == [
        ("a", 80, 10),
        ("b", 80, 10),
    ]
    assert dict(groups.rows("subject"))["s"].errors == 20
    assert dict(groups.rows("pair"))["N2 → N3"].rate == pytest.approx(20 / 100)
    assert dict(groups.rows("bout"))["30 and more"].errors == 20
    assert [name for name, _ in groups.rows("place")] == ["at a boundary", "in the middle"]


def eeg(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(scale=20, size=(n, 3000)).cumsum(axis=1).astype(np.float32) * 0.05


def test_a_twenty_minute_artefact_is_a_cluster_explained_by_the_signal() -> None:
    truth = night((W, 20), (N2, 180))
    x = eeg(200)
    x[100:140] = np.clip(x[100:140] * 60, -400, 400)
    predicted = changed(truth, 101, 139, W)
    found = clusters(compare(truth, predicted, signs=measure_signs(x, RATE, n=200), night="n"))
    assert [(c.start, c.stop, c.errors) for c in found] == [(101, 139, 38)]
    assert found[0].by_signal
    assert found[0].pair == (N2, W)
    assert "explained by the signal" in found[0].text
    clean = clusters(compare(truth, predicted, signs=measure_signs(eeg(200), RATE, n=200)))
    assert len(clean) == 1
    assert not clean[0].by_signal
    assert not clusters(compare(truth, predicted))[0].by_signal
    assert clusters(compare(truth, truth)) == ()


def test_scattered_errors_are_no_cluster() -> None:
    predicted = TRUTH.copy()
    predicted[::9] = N1
    assert clusters(compare(TRUTH, predicted)) == ()


def test_the_diff_marks_and_colours_what_differs() -> None:
    predicted = changed(changed(TRUTH, 40, 42, N2), 20, 22, N3)
    found = compare(TRUTH, predicted, start=datetime(2024, 1, 1, 22))
    plain = diff_text(found)
    assert "\x1b" not in plain
    assert "22:00:00  epoch 1" in plain
    lines = plain.splitlines()
    marks = next(line for line in lines if "++" in line and "~~" in line)
    assert marks.index("++") == 10 + 20
    assert marks.index("~~") == 10 + 40
    assert "\x1b[1;33m" in diff_text(found, ansi=True)
    assert "epoch 61" not in diff_text(found, only_different=True)


def test_after_an_edit_only_what_is_edited_differs() -> None:
    truth, model = np.array([0, 0, 1, 2, 2, 3], np.int8), np.array([0, 1, 1, 2, 3, 3], np.int8)
    before = compare(truth, model)
    kinds = before.kind
    edited = np.array([False, True, False, False, False, False])
    after = before.with_edited(edited)
    assert after.kind is kinds, "what was worked out is not worked out again"
    fresh = compare(truth, model, edited=edited)
    assert [row.as_dict() for row in after.rows()] == [row.as_dict() for row in fresh.rows()]
    assert not before.edited.any()
