"""What the neighbours say: the sequence network over a night, and the plain smoother."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sleepviewer.models.context import CONTEXT_EPOCHS, SUMMARY_WIDTH, ContextModel, TransitionSmoother, summarise
from sleepviewer.stages import Stage


def summaries(n: int, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    features, logits = torch.randn(n, 30, 80), torch.randn(n, 5)
    return summarise(features, logits)


@pytest.fixture
def trained() -> ContextModel:
    """A context that says something: its head is not zero any more."""
    torch.manual_seed(1)
    model = ContextModel()
    torch.nn.init.normal_(model.head.weight, std=0.3)
    return model.eval()


@pytest.mark.parametrize("width", [16, 80, 100])
def test_a_summary_does_not_depend_on_the_features_length(width: int) -> None:
    found = summarise(torch.randn(3, 30, width), torch.randn(3, 5))
    assert found.shape == (3, SUMMARY_WIDTH)
    torch.testing.assert_close(found[:, -5:].exp().sum(dim=1), torch.ones(3))


@pytest.mark.parametrize("length", [1, 7, CONTEXT_EPOCHS, CONTEXT_EPOCHS + 1, 1000])
def test_a_new_context_says_what_the_epoch_model_says(length: int) -> None:
    night = summaries(length)
    torch.testing.assert_close(ContextModel().eval().night(night), night[:, -5:])


def test_a_night_without_epochs_is_an_answer_too(trained: ContextModel) -> None:
    assert trained.night(summaries(3)[:0]).shape == (0, 5)


def test_a_short_night_is_read_at_once(trained: ContextModel) -> None:
    night = summaries(37)
    with torch.inference_mode():
        torch.testing.assert_close(trained.night(night), trained(night.unsqueeze(0))[0])


def test_a_long_night_is_read_in_windows_that_overlap(trained: ContextModel) -> None:
    """An epoch in the middle of a window is read as in that window alone; between two, as a mean of both."""
    night = summaries(2 * CONTEXT_EPOCHS)
    half = CONTEXT_EPOCHS // 2
    with torch.inference_mode():
        found = trained.night(night)
        first, second = (trained(night[None, i : i + CONTEXT_EPOCHS])[0] for i in (0, half))
    torch.testing.assert_close(found[: half - 1], first[: half - 1])
    a, b = first[half + 30], second[30]
    weight = 31 / (31 + half - 30)
    torch.testing.assert_close(found[half + 30], (1 - weight) * a + weight * b)


@pytest.mark.parametrize("length", [CONTEXT_EPOCHS + 1, 333, 1000])
def test_no_epoch_of_a_long_night_is_left_out(trained: ContextModel, length: int) -> None:
    found = trained.night(summaries(length))
    assert found.shape == (length, 5)
    assert bool(torch.isfinite(found).all())


def test_neighbours_before_and_after_are_heard(trained: ContextModel) -> None:
    night = summaries(50)
    for far in (0, 49):
        changed = night.clone()
        changed[far] += 1
        assert not torch.equal(trained.night(changed)[25], trained.night(night)[25])


def test_every_parameter_learns() -> None:
    torch.manual_seed(0)
    model = ContextModel()
    torch.nn.init.normal_(model.head.weight)
    model(torch.randn(2, 20, SUMMARY_WIDTH)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


# -- the smoother


def hypnogram() -> np.ndarray:
    return np.repeat(np.array([0, 1, 2, 3, 2, 4, 2, 0], dtype=np.int8), 20)


@pytest.fixture
def smoother() -> TransitionSmoother:
    return TransitionSmoother.fit([hypnogram()])


def proba_of(stages: np.ndarray, sure: float = 0.8) -> np.ndarray:
    rows = np.full((len(stages), 5), (1 - sure) / 4, dtype=np.float32)
    rows[np.arange(len(stages)), stages] = sure
    return rows


def test_transitions_and_shares_are_probabilities(smoother: TransitionSmoother) -> None:
    np.testing.assert_allclose(smoother.transitions.sum(axis=1), 1)
    assert smoother.share.sum() == pytest.approx(1)
    assert (smoother.transitions > 0).all()


def test_unscored_epochs_are_no_transitions() -> None:
    night = np.array([0, Stage.UNKNOWN, 3], dtype=np.int8)
    counted = TransitionSmoother.fit([night])
    np.testing.assert_allclose(counted.transitions, 0.2)


def test_posteriors_are_probabilities_and_unscored_epochs_stay_so(smoother: TransitionSmoother) -> None:
    rows = proba_of(hypnogram())
    rows[[0, 33, 34, 159]] = np.nan
    smooth = smoother.smooth(rows)
    assert smooth.dtype == np.float32
    assert np.flatnonzero(np.isnan(smooth).any(axis=1)).tolist() == [0, 33, 34, 159]
    assert np.isnan(smooth[33]).all()
    np.testing.assert_allclose(smooth[np.isfinite(smooth).all(axis=1)].sum(axis=1), 1, atol=1e-6)


def test_a_flicker_of_one_epoch_goes_and_bouts_stay(smoother: TransitionSmoother) -> None:
    stages = hypnogram()
    flickering = stages.copy()
    flickering[70] = 0  # one epoch of wake within N3
    assert (smoother.smooth(proba_of(flickering, 0.6)).argmax(axis=1) == stages).all()


def test_what_lies_on_both_sides_of_a_gap_is_joined(smoother: TransitionSmoother) -> None:
    rows = proba_of(hypnogram())
    rows[65:75] = np.nan
    assert (smoother.smooth(rows)[60:65].argmax(axis=1) == 3).all()
    assert np.isnan(smoother.smooth(np.full((4, 5), np.nan, dtype=np.float32))).all()


# -- gaps


def with_gap(night: torch.Tensor, start: int, stop: int) -> torch.Tensor:
    gapped = night.clone()
    gapped[start:stop] = torch.nan
    return gapped


def test_a_gap_keeps_its_length(trained: ContextModel) -> None:
    """What lies behind a gap is not read as if it followed at once."""
    torch.nn.init.normal_(trained.gap)
    night = summaries(60)
    gapped = trained.night(with_gap(night, 20, 40))
    closed = trained.night(torch.cat((night[:20], night[40:])))
    assert bool(torch.isfinite(gapped).all())
    assert not torch.allclose(gapped[19], closed[19])
    assert not torch.allclose(gapped[40], closed[20])


def test_what_was_in_a_gap_does_not_matter(trained: ContextModel) -> None:
    night, other = summaries(60), summaries(60)
    other[20:40] = 7.0
    torch.testing.assert_close(trained.night(with_gap(night, 20, 40)), trained.night(with_gap(other, 20, 40)))


def test_a_new_context_with_gaps_says_what_the_epoch_model_says() -> None:
    night = with_gap(summaries(50), 10, 12)
    there = ~night.isnan().any(dim=1)
    torch.testing.assert_close(ContextModel().eval().night(night)[there], night[there][:, -5:])


def test_gaps_give_no_gradient_that_is_no_number() -> None:
    model = ContextModel()
    torch.nn.init.normal_(model.head.weight)
    night = with_gap(summaries(30), 5, 9).unsqueeze(0)
    labels = torch.full((1, 30), 2)
    labels[0, 5:9] = -1
    torch.nn.functional.cross_entropy(model(night).flatten(0, 1), labels.flatten(), ignore_index=-1).backward()
    for parameter in model.parameters():
        assert parameter.grad is not None
        assert bool(torch.isfinite(parameter.grad).all())
    assert bool(model.gap.grad.abs().sum() > 0)


def test_the_distance_is_that_of_the_nights_mean() -> None:
    model = ContextModel().eval()
    night = summaries(40)
    model.norm.running_mean.copy_(night.mean(dim=0))
    model.norm.running_var.copy_(night.var(dim=0))
    assert model.distance(night) == pytest.approx(0, abs=1e-5)
    assert model.distance(night + 2 * night.std(dim=0)) == pytest.approx(2, rel=1e-4)
    assert model.distance(with_gap(night, 0, 40)) == 0
