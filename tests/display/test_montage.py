"""Derivations are the differences that they are called, and what can't be subtracted is refused with a sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.montage_values import SECONDS, MadeRecording, recording_of
from sleepviewer.display.filters import RAW, Band
from sleepviewer.display.montage import (
    AS_RECORDED,
    Derivation,
    Montage,
    Trace,
    as_recorded,
    derived_channel,
    read_derivation,
    shown_channel,
    unfit,
)
from sleepviewer.display.montage_offers import AVERAGE, LINKED, OTHER_MASTOID, offers
from sleepviewer.errors import ChannelError
from sleepviewer.recording.base import Role

# -- derivations

samples = arrays(np.float32, SECONDS * 2, elements=st.floats(-1e4, 1e4, width=32) | st.just(float("nan")))


@given(st.lists(samples, min_size=2, max_size=6), st.floats(-20, 70), st.floats(0, 30))
def test_a_derivation_is_the_channel_less_the_mean_of_the_others(
    signals: list[np.ndarray], start: float, length: float
) -> None:
    names = [f"C{i}" for i in range(len(signals))]
    recording = MadeRecording(dict(zip(names, signals, strict=True)))
    derivation = Derivation(names[0], tuple(names[1:]))
    derived = read_derivation(recording, derivation, start, start + length)
    windows = [recording.read(name, start, start + length).astype(np.float64) for name in names]
    expected = windows[0] - np.mean(windows[1:], axis=0)
    assert derived.dtype == np.float32
    np.testing.assert_allclose(derived, expected, atol=0.02)


def test_what_all_electrodes_share_is_not_in_the_average_reference() -> None:
    names = ("F3", "F4", "C3", "C4", "O1", "O2")
    alone = recording_of(*names)
    hum = (500 * np.sin(np.arange(6000) / 3)).astype(np.float32)
    noisy = MadeRecording({name: alone.read(name, 0, SECONDS) + hum for name in names})
    for name in names:
        derivation = Derivation(name, names)
        clean = read_derivation(alone, derivation, 0, SECONDS)
        np.testing.assert_allclose(read_derivation(noisy, derivation, 0, SECONDS), clean, atol=1e-3)
    together = sum(read_derivation(alone, Derivation(name, names), 0, SECONDS) for name in names)
    np.testing.assert_allclose(together, 0, atol=1e-3)


def test_the_sides_of_a_difference_are_not_exchanged() -> None:
    recording = MadeRecording({"C3": np.full(6000, 60, np.float32), "M2": np.full(6000, 10, np.float32)})
    assert read_derivation(recording, Derivation("C3", ("M2",)), 0, 1).tolist() == [50.0] * 100
    assert read_derivation(recording, Derivation("M2", ("C3",)), 0, 1).tolist() == [-50.0] * 100


@pytest.mark.parametrize(
    ("minus", "label"),
    [((), "C3"), (("M2",), "C3 − M2"), (("M1", "M2"), "C3 − (M1 + M2)/2"), (tuple("abcdef"), "C3 − mean of 6")],
)
def test_a_derivation_is_called_what_it_is(minus: tuple[str, ...], label: str) -> None:
    assert Derivation("C3", minus).label == label
    assert Trace(Derivation("C3", minus), RAW).label == label


@pytest.mark.parametrize(
    ("derivation", "words"),
    [
        (Derivation("C3", ("M2", "slow")), ("C3 (100 Hz, µV)", "slow (50 Hz, µV)", "can't be subtracted")),
        (Derivation("C3", ("Flow",)), ("Flow (100 Hz, l/min)", "can't be subtracted")),
        (Derivation("C3", ("C3",)), ("less itself",)),
        (Derivation("C3", ("Cz", "Pz", "M2")), ("Cz, Pz", "does not have")),
        (Derivation("Cz"), ("Cz",)),
    ],
)
def test_what_can_not_be_subtracted_gets_a_sentence(derivation: Derivation, words: tuple[str, ...]) -> None:
    recording = recording_of("C3", "M2", "slow", "Flow", rates={"slow": 50}, units={"Flow": "l/min"})
    sentence = unfit(recording, derivation)
    assert sentence is not None
    assert all(word in sentence for word in words)
    assert sentence.endswith(".")
    with pytest.raises(ChannelError):
        derived_channel(recording, derivation)


def test_a_derivation_has_rate_unit_and_role_of_its_first_channel() -> None:
    recording = recording_of("C3", "M2", rates={"C3": 200, "M2": 200})
    channel = derived_channel(recording, Derivation("C3", ("M2",)))
    assert (channel.label, channel.rate_hz, channel.unit, channel.role) == ("C3 − M2", 200, "µV", Role.EEG)


def test_a_lane_may_have_a_role_of_its_own() -> None:
    recording = recording_of("X1")
    assert shown_channel(recording, Trace(Derivation("X1"), RAW)).role is Role.OTHER
    assert shown_channel(recording, Trace(Derivation("X1"), RAW, role=Role.EMG)).role is Role.EMG


# -- montages

LANES = Montage("m", tuple(Trace(Derivation(name), RAW) for name in "abcdef"))


def names_of(montage: Montage) -> str:
    return "".join(trace.derivation.plus for trace in montage.traces)


@pytest.mark.parametrize(
    ("places", "to", "order"),
    [
        ([0], 2, "bacdef"),
        ([0], 6, "bcdefa"),
        ([4, 1], 3, "acbedf"),
        ([2], 2, "abcdef"),
        ([5], 0, "fabcde"),
        ([], 3, "abcdef"),
    ],
)
def test_lanes_move_before_the_place_where_they_are_dropped(places: list[int], to: int, order: str) -> None:
    assert names_of(LANES.moved(places, to)) == order


@given(st.sets(st.integers(0, 5)), st.integers(0, 6))
def test_moving_keeps_every_lane_and_the_order_of_both_groups(places: set[int], to: int) -> None:
    moved = names_of(LANES.moved(places, to))
    assert sorted(moved) == list("abcdef")
    for group in (
        [c for i, c in enumerate("abcdef") if i in places],
        [c for i, c in enumerate("abcdef") if i not in places],
    ):
        assert [c for c in moved if c in group] == group
    assert names_of(LANES.without(places)) == "".join(c for i, c in enumerate("abcdef") if i not in places)


def test_lanes_that_fit_are_shown_with_the_bands_that_the_rate_holds() -> None:
    recording = recording_of("C3", "M2", "Chin")
    montage = Montage(
        "mine",
        (
            Trace(Derivation("O1", ("M2",)), Band(0.3, 35)),
            Trace(Derivation("Chin"), Band(10, 100, 50)),
            Trace(Derivation("C3", ("M2",)), Band(0.3, 35)),
        ),
    )
    fitting = montage.fitting(recording)
    assert [trace.label for trace in fitting.traces] == ["Chin", "C3 − M2"]
    assert [trace.band.text for trace in fitting.traces] == ["10–∞ Hz", "0.3–35 Hz"]
    assert montage.fits(recording) == (False, True, True)


def test_gains_changed_on_the_page_come_back_to_their_lanes() -> None:
    recording = recording_of("C3", "M2")
    montage = Montage("mine", tuple(Trace(Derivation(c), Band(0.3, 80)) for c in ("O1", "C3", "Cz", "M2")))
    shown = montage.fitting(recording)
    for i, half_height in ((0, 50.0), (1, 20.0)):
        trace = shown.traces[i]
        shown = shown.with_trace(i, Trace(trace.derivation, trace.band, half_height, height=2.0))
    back = montage.with_scales_of(shown, recording)
    assert [trace.half_height for trace in back.traces] == [None, 50.0, None, 20.0]
    assert [trace.height for trace in back.traces] == [1.0, 2.0, 1.0, 2.0]
    assert [trace.band for trace in back.traces] == [Band(0.3, 80)] * 4


# -- offers


def offered(*labels: str, **more: dict) -> dict[str, list[str]]:
    recording = recording_of(*labels, **more)
    for montage in offers(recording):
        assert all(montage.fits(recording))
        assert len(montage.traces) == len(labels)
    return {montage.name: [trace.label for trace in montage.shown] for montage in offers(recording)}


def test_electrodes_are_offered_against_the_other_mastoid() -> None:
    lanes = offered("F3", "C4", "Cz", "M1", "M2", "E1", "E2", "Chin1-Chin2", "ECG")
    assert list(lanes) == [AS_RECORDED, OTHER_MASTOID, LINKED]
    assert lanes[AS_RECORDED] == ["F3", "C4", "Cz", "M1", "M2", "E1", "E2", "Chin1-Chin2", "ECG"]
    assert lanes[OTHER_MASTOID] == [
        "F3 − M2",
        "C4 − M1",
        "Cz − (M1 + M2)/2",
        "E1 − M2",
        "E2 − M2",
        "Chin1-Chin2",
        "ECG",
    ]
    assert lanes[LINKED][:2] == ["F3 − (M1 + M2)/2", "C4 − (M1 + M2)/2"]


def test_the_average_reference_is_over_all_scalp_electrodes_and_no_mastoid() -> None:
    lanes = offered("EEG F3-Ref", "EEG F4-Ref", "EEG C3-Ref", "EEG C4-Ref", "EEG A1-Ref", "EEG A2-Ref", "LOC")
    assert lanes[AVERAGE][0] == "EEG F3-Ref − mean of 4"
    assert "LOC" in lanes[AVERAGE]
    assert lanes[OTHER_MASTOID][2:] == ["EEG C3-Ref − EEG A2-Ref", "EEG C4-Ref − EEG A1-Ref", "LOC"]


@pytest.mark.parametrize(
    "labels",
    [
        ("EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal", "EMG submental"),
        ("C3-M2", "C4-M1", "O1-M2", "E1-M2", "E2-M2"),
        ("EEG C4", "EOG left"),
        ("C3", "C4", "M1"),
        ("Flow",),
    ],
)
def test_nothing_is_offered_that_would_subtract_a_reference_twice(labels: tuple[str, ...]) -> None:
    assert list(offered(*labels)) == [AS_RECORDED]


def test_mastoids_of_another_rate_or_unit_are_no_reference() -> None:
    assert list(offered("C3", "C4", "M1", "M2", rates={"M1": 50})) == [AS_RECORDED]
    assert list(offered("C3", "C4", "M1", "M2", units={"M2": ""})) == [AS_RECORDED]


def test_as_recorded_is_every_channel_with_its_usual_band() -> None:
    montage = as_recorded(recording_of("C3", "Chin", rates={"Chin": 256}))
    assert [(t.label, t.band.text, t.role) for t in montage.traces] == [
        ("C3", "0.3–35 Hz", None),
        ("Chin", "10–100 Hz", None),
    ]
