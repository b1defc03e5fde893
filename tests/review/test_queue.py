"""The queue of the review: what comes next, what was passed over, and how it follows the edits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.review_values import document_of, prediction_of, truth_of
from sleepviewer.analysis.agreement import confusion_of, figures_of
from sleepviewer.analysis.review_plan import Budget, BudgetKind, Reason
from sleepviewer.review.document import Document
from sleepviewer.review.edits import Edit, EditKind
from sleepviewer.review.pace import ASSUMED_PER_MINUTE, PAUSE_S, Pace, measure_pace
from sleepviewer.review.review_queue import ReviewQueue
from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import Stage

START = datetime(2024, 5, 1, 2, 0, tzinfo=UTC)


def queue_of(document: Document) -> ReviewQueue:
    queue = ReviewQueue(document)
    document.subscribe(queue.on_change)
    return queue


def apart(certainties: list[float], *, stage: int = 2) -> list[float]:
    """Certainties of epochs between sure ones, so that the neighbours of two never meet."""
    return [value for certainty in certainties for value in (certainty, 0.99)]


def doubtful(certainties: list[float]) -> tuple[Document, ReviewQueue]:
    """A night whose epochs 0, 2, 4… are as certain as is said, with sure ones between them."""
    values = apart(certainties)
    document = document_of(len(values), model=[2] * len(values), certainties=values)
    return document, queue_of(document)


def steps(queue: ReviewQueue, count: int) -> list[int | None]:
    return [queue.step(1) for _ in range(count)]


def test_it_goes_from_the_most_doubtful_epoch_to_the_surest() -> None:
    document, queue = doubtful([0.9, 0.4, 0.7, 0.5])
    assert steps(queue, 4) == [2, 6, 4, 0]
    assert set(steps(queue, 5)[:4]) == {1, 3, 5, 7}
    assert queue.step(1) is None
    assert sorted(queue.order.tolist()) == list(range(document.n_epochs))


def test_what_is_reviewed_drops_out_and_comes_back_when_it_is_undone() -> None:
    document, queue = doubtful([0.9, 0.4, 0.7, 0.5])
    assert queue.step(1) == 2
    document.set_stage([6], Stage.N1)
    assert 6 not in queue.order
    assert queue.step(1) == 4
    assert queue.step(-1) == 2
    document.set_stage([2], Stage.N2)
    assert queue.step(-1) is None
    assert queue.step(1) == 4
    document.undo()
    assert queue.step(-1) == 2


def test_picking_an_epoch_goes_on_from_there() -> None:
    _, queue = doubtful([0.9, 0.4, 0.7, 0.5])
    queue.go_to(4)
    assert queue.step(1) == 0
    queue.go_to(4)
    assert queue.step(-1) == 6
    queue.go_to(1000)
    assert queue.step(-1) == 2


def test_passed_over_epochs_come_again_once_it_begins_anew() -> None:
    document, queue = doubtful([0.4, 0.5])
    document.set_stage([1, 3], Stage.N2)
    assert steps(queue, 3) == [0, 2, None]
    queue.restart()
    assert queue.step(1) == 0


def test_after_an_edit_elsewhere_the_offered_epoch_still_waits() -> None:
    document, queue = doubtful([0.9, 0.4, 0.7, 0.5])
    assert queue.step(1) == 2
    document.set_stage([5], Stage.W)
    assert queue.resume() == 2
    document.set_stage([2], Stage.N2)
    assert queue.resume() == 4 or queue.resume() == 6


def test_a_correction_brings_its_neighbours_forward() -> None:
    certain = [0.7] * 20
    certain[3] = 0.5
    document = document_of(20, model=[2] * 20, certainties=certain)
    queue = queue_of(document)
    assert queue.step(1) == 3
    document.set_stage([3], Stage.REM)
    assert {queue.step(1), queue.step(1)} == {2, 4}


def test_a_run_is_finished_before_another_begins() -> None:
    certain = [0.99] * 40
    certain[9:14] = [0.6, 0.55, 0.5, 0.55, 0.6]
    certain[30] = 0.45
    model = [2] * 9 + [1, 2, 4, 2, 1] + [2] * 26
    document = document_of(40, model=model, certainties=certain)
    queue = queue_of(document)
    queue.keep_together(True)
    visited = []
    for _ in range(5):
        epoch = queue.step(1)
        assert epoch is not None
        document.accept_model([epoch])
        visited.append(epoch)
    run = [epoch for epoch in visited if 9 <= epoch < 14]
    assert run == sorted(run)
    places = [place for place, epoch in enumerate(visited) if 9 <= epoch < 14]
    assert len(run) >= 4
    assert places == list(range(places[0], places[0] + len(places)))


def test_without_a_scoring_there_is_nothing_to_review() -> None:
    document = document_of(3, model=[2, -1, 2], certainties=[0.5, 0, 0.4])
    queue = queue_of(document)
    assert sorted(queue.order.tolist()) == [0, 2]
    document.set_prediction(None)
    assert queue.plan is None
    assert queue.step(1) is None
    assert queue.order.tolist() == []


def test_a_new_scoring_begins_anew_and_another_engines_counts_as_a_second_opinion() -> None:
    document = document_of(6, model=[2] * 6, certainties=[0.8] * 6)
    queue = queue_of(document)
    assert queue.step(1) is not None
    assert queue.second is None
    same = prediction_of([2, 2, 2, 3, 2, 2], [0.9] * 6)
    document.set_prediction(same)
    assert queue.second is None, "the same engine once more is no second opinion"
    other = Prediction(prediction_of([2] * 6, [0.8] * 6).proba, "other", "1", "cd" * 32, ("EEG",), 0.5)
    document.set_prediction(other)
    assert queue.second is same
    assert queue.step(1) == 3
    assert queue.plan is not None
    assert queue.plan.reasons[3] & Reason.SECOND


def test_the_expert_counts_as_soon_as_there_is_one() -> None:
    document = document_of(8, model=[2] * 8, certainties=[0.8] * 8)
    queue = queue_of(document)
    assert queue.measured_kappa is None
    document.set_truth(truth_of([2, 2, 2, 2, 2, 3, 2, 0]))
    assert set(steps(queue, 2)) == {5, 7}
    document.set_stage([5], Stage.N3)
    expected = figures_of(confusion_of(np.array([2, 2, 2, 2, 2, 3, 2, 0], np.int8), queue.labels))
    assert queue.measured_kappa == pytest.approx(float(expected.kappa))


def test_expectation_progress_and_stop_follow_every_edit() -> None:
    document, queue = doubtful([0.5, 0.4, 0.7, 0.6])
    document.accept_model([1])
    queue.set_budget(Budget(BudgetKind.PERCENT, 50))
    assert queue.plan is not None
    before = queue.plan
    assert (queue.done, before.stop, before.reviewed) == (0, 3, 1)
    document.accept_model([int(before.order[0])])
    after = queue.plan
    assert after is not None
    assert (queue.done, after.stop, after.reviewed) == (1, 2, 2)
    assert after.expected_accuracy[0] == pytest.approx(before.expected_accuracy[1])
    document.undo()
    assert queue.plan is not None
    assert (queue.done, queue.plan.stop) == (0, 3)
    assert queue.plan.expected_accuracy == pytest.approx(before.expected_accuracy)


@given(st.lists(st.tuples(st.integers(0, 11), st.sampled_from([*range(5), "clear", "undo", "redo"])), max_size=25))
@settings(deadline=None, max_examples=40)
def test_a_plan_that_followed_the_edits_is_the_one_made_anew(edits: list[tuple[int, int | str]]) -> None:
    document = document_of(12, model=[0, 0, 1, 2, 2, 3, 3, 2, 4, 4, 2, -1], certainties=[0.9, 0.4, 0.6] * 4)
    queue = queue_of(document)
    for epoch, what in edits:
        if what == "undo":
            document.undo()
        elif what == "redo":
            document.redo()
        elif what == "clear":
            document.clear([epoch])
        else:
            document.set_stage([epoch], Stage(int(what)))
        followed, anew = queue.plan, ReviewQueue(document).plan
        assert followed is not None
        assert anew is not None
        assert followed.order.tolist() == anew.order.tolist()
        assert followed.expected_accuracy.tolist() == anew.expected_accuracy.tolist()
        assert not document.edited[followed.order].any()
        assert set(followed.order.tolist()) == {e for e in range(11) if not document.edited[e]}


# -- pace


def edit_at(seconds: float, *epochs: int, kind: EditKind = EditKind.STAGE) -> Edit:
    time = (START + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
    return Edit(kind, epochs, (-2,) * len(epochs), (2,) * len(epochs), time)


def test_the_pace_is_assumed_until_enough_is_measured() -> None:
    assert measure_pace([]) == Pace(ASSUMED_PER_MINUTE, False, 0)
    assert not measure_pace([edit_at(5 * i, i) for i in range(8)]).measured
    assert measure_pace([edit_at(5 * i, i) for i in range(9)]) == Pace(pytest.approx(12), True, 0)


def test_pauses_are_left_out() -> None:
    before = [edit_at(6 * i, i) for i in range(10)]
    after = [edit_at(4000 + 6 * i, 100 + i) for i in range(10)]
    pace = measure_pace([*before, *after])
    assert pace.per_minute == pytest.approx(10)
    assert measure_pace([edit_at((PAUSE_S + 1) * i, i) for i in range(20)]).measured is False


def test_setting_right_what_was_just_set_takes_time_and_gets_no_further() -> None:
    edits = [edit_at(10 * i, i // 2) for i in range(40)]
    assert measure_pace(edits).per_minute == pytest.approx(60 * 19 / 390)


def test_flags_and_unreadable_times_are_passed_over_and_a_range_is_one_step() -> None:
    edits = [edit_at(10 * i, i) for i in range(10)]
    odd = Edit(EditKind.STAGE, (90,), (-2,), (2,), "yesterday")
    extra = [edit_at(44, 3, kind=EditKind.FLAG), odd]
    assert measure_pace([*edits, *extra]) == measure_pace(edits)
    wide = [edit_at(10 * i, *range(50 * i, 50 * i + 50)) for i in range(10)]
    assert measure_pace(wide).per_minute == pytest.approx(6)


def test_minutes_are_counted_from_when_the_budget_was_set_without_pauses() -> None:
    edits = [edit_at(10 * i, i) for i in range(10)]
    since = START + timedelta(seconds=45)
    assert measure_pace(edits, since).minutes == pytest.approx(45 / 60)
    late = [*edits, edit_at(5000, 50), edit_at(5030, 51)]
    assert measure_pace(late, since).minutes == pytest.approx((45 + 30) / 60)


def test_minutes_of_a_budget_run_out_as_she_works() -> None:
    document, _ = doubtful([0.5] * 100)
    clock = [datetime.now(UTC) - timedelta(minutes=10)]
    queue = ReviewQueue(document, now=lambda: clock[0])
    document.subscribe(queue.on_change)
    queue.set_budget(Budget(BudgetKind.MINUTES, 2))
    assert queue.plan is not None
    assert queue.plan.stop == 2 * ASSUMED_PER_MINUTE
    first = clock[0]
    edits = [
        Edit(EditKind.STAGE, (2 * i,), (-2,), (2,), (first + timedelta(seconds=5 * i + 5)).isoformat())
        for i in range(12)
    ]
    corrected = np.full(document.n_epochs, -2, dtype=np.int8)
    corrected[:24:2] = 2
    document.restore(corrected, np.zeros(document.n_epochs, dtype=bool), edits)
    assert queue.pace.minutes == pytest.approx(1)
    assert queue.plan is not None
    assert queue.plan.stop == 12, "a minute is left, at twelve epochs a minute"
