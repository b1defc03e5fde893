"""Epochs joined from segments, and changed as another recording would have changed them."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from sleepviewer.stages import Stage
from sleepviewer.training.augmentation import Augmentation
from sleepviewer.training.data import LabelledNight
from sleepviewer.training.pseudo_epochs import Joining, draw_rows, join_epochs, prepare_night

RATE = 100
NONE = Augmentation(polarity=0, gain=0, filter_db=0, noise=0, stretch=0, artefacts=0, loud=0)
JOINING = Joining(impurity=0)


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def epochs(n: int = 6) -> np.ndarray:
    return rng().standard_normal((n, 3000)).astype(np.float32)


def segmented(stages: list[int], hz: dict[int, float]) -> LabelledNight:
    """A night of 5-s segments: a sine of its stage's frequency in each, with an offset of its own."""
    t = np.arange(5 * RATE) / RATE
    x = [50 * np.sin(2 * np.pi * hz[stage] * t) + 20 * i for i, stage in enumerate(stages)]
    y = np.array(stages, dtype=np.int8)
    return LabelledNight("n", "s", np.array(x, dtype=np.float32), y, np.arange(len(y)))


# -- augmentation


def test_no_strength_changes_nothing() -> None:
    np.testing.assert_allclose(NONE.apply(epochs(), RATE, rng()), epochs(), atol=1e-5)


def test_the_given_epochs_stay_as_they_are_and_the_same_seed_gives_the_same() -> None:
    given = epochs()
    first, again = (Augmentation().apply(given, RATE, rng()) for _ in range(2))
    np.testing.assert_array_equal(given, epochs())
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert not np.allclose(first, given)


def test_each_epoch_is_changed_by_itself() -> None:
    same = np.repeat(epochs(1), 4, axis=0)
    changed = Augmentation().apply(same, RATE, rng())
    assert len({row.tobytes() for row in changed}) == 4


@pytest.mark.parametrize(
    ("strength", "holds"),
    [
        ({"polarity": 1.0}, lambda x, y: np.allclose(y, -x, atol=1e-5)),
        ({"gain": 0.5}, lambda x, y: np.allclose(np.ptp(y / x, axis=1), 0, atol=1e-2) and not np.allclose(y, x)),
        ({"noise": 0.5}, lambda x, y: ((y - x).std(axis=1) <= 0.51 * x.std(axis=1)).all() and not np.allclose(y, x)),
        ({"artefacts": 1.0}, lambda x, y: ((y != x).mean(axis=1) <= 500 / 3000).all() and (y != x).any(axis=1).all()),
    ],
)
def test_each_change_is_what_it_says(strength: dict[str, float], holds: object) -> None:
    off = asdict(NONE)
    x = epochs()
    x = np.where(np.abs(x) < 0.05, 0.05, x).astype(np.float32)
    changed = Augmentation(**off | strength).apply(x, RATE, rng())
    changed = np.where(np.abs(changed - x) < 1e-5, x, changed)  # what a transform there and back rounds
    assert callable(holds)
    assert holds(x, changed)


def test_stretching_moves_a_sine_by_at_most_what_is_allowed() -> None:
    sine = np.sin(2 * np.pi * 10 * np.arange(3000) / RATE, dtype=np.float32)[None].repeat(20, axis=0)
    changed = replace(NONE, stretch=0.05).apply(sine, RATE, rng())
    peaks = np.abs(np.fft.rfft(changed)).argmax(axis=1) / 30
    assert (np.abs(peaks - 10) <= 0.55).all()
    assert peaks.std() > 0.05


# -- joining


def test_an_epoch_holds_its_own_segment_and_others_of_its_stage_without_steps() -> None:
    night = segmented([int(Stage.N2)] * 6 + [int(Stage.W)] * 6, {int(Stage.N2): 4.0, int(Stage.W): 10.0})
    prepared = prepare_night(night, JOINING)
    joined = join_epochs(prepared, np.arange(12), JOINING, rng())
    assert joined.shape == (12, 3000)
    peaks = np.abs(np.fft.rfft(joined)).argmax(axis=1) / 30
    np.testing.assert_allclose(peaks, [4.0] * 6 + [10.0] * 6, atol=0.05)
    # A step of the 20 µV between two segments' offsets would stand out of the sine's own 3 µV a sample.
    sine_steps = 2 * np.pi * 10 / RATE * 50 / prepared.spread
    assert np.abs(np.diff(joined, axis=1)).max() < 1.5 * sine_steps


def test_impurity_brings_neighbours_of_another_stage() -> None:
    stages = [int(Stage.N2), int(Stage.W)] * 6
    night = segmented(stages, {int(Stage.N2): 4.0, int(Stage.W): 10.0})
    pure = join_epochs(prepare_night(night, JOINING), np.arange(12), JOINING, rng())
    mixed = join_epochs(prepare_night(night, JOINING), np.arange(12), Joining(impurity=1.0), rng())

    def share(x: np.ndarray, hz: float) -> np.ndarray:
        power = np.abs(np.fft.rfft(x)) ** 2
        at = np.fft.rfftfreq(x.shape[1], 1 / RATE)
        return np.asarray(power[:, np.abs(at - hz) < 1].sum(axis=1) / power.sum(axis=1))

    assert (share(pure[::2], 10) < 0.05).all()
    assert (share(mixed[2::2], 10) > 0.2).all()  # the first epoch has but one neighbour


def test_a_night_is_scaled_as_a_whole_so_that_stages_keep_their_sizes() -> None:
    night = segmented([int(Stage.N2)] * 12, {int(Stage.N2): 4.0})
    doubled = LabelledNight("n", "s", night.x * 2, night.y, night.epoch_index)
    one, two = (join_epochs(prepare_night(n, JOINING), np.arange(12), JOINING, rng()) for n in (night, doubled))
    np.testing.assert_allclose(one, two, atol=1e-3)


def test_stages_are_drawn_in_their_shares_and_from_all_nights() -> None:
    hz = {int(stage): 5.0 for stage in Stage if stage >= 0}
    nights = [prepare_night(segmented([0, 1, 2, 3, 4] * 6, hz), JOINING) for _ in range(3)]
    nights.append(prepare_night(segmented([2] * 12, hz), JOINING))  # a night without the other stages
    share = np.array([0.4, 0.1, 0.2, 0.2, 0.1])
    drawn = draw_rows(nights, 1000, share, rng())
    assert [i for i, _ in drawn] == [0, 1, 2, 3]
    y = np.concatenate([nights[i].night.y[rows] for i, rows in drawn])
    np.testing.assert_array_equal(np.bincount(y, minlength=5), 1000 * share)
    assert set(nights[3].night.y[drawn[3][1]]) == {2}
