"""Suspect labels: planted faults are found, the paper's worked matrix comes out, and seen labels are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.places import DATA
from sleepviewer.analysis.provenance import (
    OUT_OF_FOLD,
    Provenance,
    Seen,
    TrainingRecord,
    card_records,
    check_may_judge,
    identity_of,
    provenance,
)
from sleepviewer.analysis.suspects import (
    Pruning,
    Thresholds,
    confident_joint,
    confident_stages,
    find_suspects,
    noise_joint,
    suspect_counts,
)
from sleepviewer.errors import AlignmentError, SeenLabelsError
from sleepviewer.models.card import ModelCard, NamedRecordings
from sleepviewer.models.family import all_names
from sleepviewer.models.shipped import peek_card, shipped_weights
from sleepviewer.stages import N_STAGES

SIMULATED = DATA / "simulated_nights.npz"
"""True stages of the simulated nights of seeds 0 and 1, and what attnsleep+context says of them (Fpz-Cz), float16."""

WEIGHTS = "ab" * 32
META = {
    "recording": {"name": "SC4001E0-PSG.edf", "sha256": "12" * 32},
    "dataset": {"name": "sleep-edf-20", "night": "SC4001E0", "subject": "00"},
    "model": {"engine": "attnsleep", "weights_sha256": WEIGHTS},
}


@pytest.mark.parametrize("night", [0, 1])
@pytest.mark.parametrize("seed", range(4))
def test_thirty_swapped_labels_of_a_simulated_night_are_among_the_most_suspect(night: int, seed: int) -> None:
    with np.load(SIMULATED) as arrays:
        truth, proba = arrays[f"truth_{night}"], arrays[f"proba_{night}"].astype(np.float32)
    random = np.random.default_rng(seed)
    swapped = random.choice(len(truth), 30, replace=False)
    labels = truth.copy()
    labels[swapped] = (labels[swapped] + random.integers(1, N_STAGES, 30)) % N_STAGES
    found = find_suspects(labels, proba, provenance=OUT_OF_FOLD, most=45)
    assert len({suspect.epoch for suspect in found} & set(swapped.tolist())) >= 24
    assert [suspect.rank for suspect in found] == list(range(1, len(found) + 1))
    assert all(a.p_label <= b.p_label for a, b in zip(found, found[1:], strict=False))  # noqa: RUF007


def small() -> tuple[np.ndarray, np.ndarray]:
    """Six epochs by hand: labelled W W W N2 N2 N2, of which the third is surely N2."""
    labels = np.array([0, 0, 0, 2, 2, 2], np.int8)
    of_w = np.array([0.9, 0.8, 0.1, 0.2, 0.1, 0.3], np.float32)
    proba = np.zeros((6, 5), np.float32)
    proba[:, 0], proba[:, 2] = of_w, 1 - of_w
    return labels, proba


def test_the_formulas_by_hand() -> None:
    labels, proba = small()
    thresholds = Thresholds.empty()
    thresholds.add(labels, proba)
    np.testing.assert_allclose(thresholds.values[[0, 2]], [0.6, 0.8], rtol=1e-6)
    assert np.isinf(thresholds.values[[1, 3, 4]]).all()
    assert confident_stages(proba, thresholds.values).tolist() == [0, 0, 2, 2, 2, -1]
    joint = confident_joint(labels, proba, thresholds.values)
    assert joint[0, [0, 2]].tolist() == [2, 1]
    assert joint[2, [0, 2]].tolist() == [0, 2]
    shares = noise_joint(joint, thresholds.counts)
    np.testing.assert_allclose(shares[0, [0, 2]], [2 / 6, 1 / 6])
    np.testing.assert_allclose(shares[2, [0, 2]], [0, 3 / 6])
    assert suspect_counts(joint, thresholds.counts).tolist() == [1, 0, 0, 0, 0]


@pytest.mark.parametrize("pruning", Pruning)
def test_every_pruning_finds_the_one_by_hand(pruning: Pruning) -> None:
    labels, proba = small()
    (suspect,) = find_suspects(labels, proba, pruning=pruning)
    assert (suspect.epoch, suspect.label, suspect.suggested) == (2, 0, 2)
    assert suspect.margin == pytest.approx(0.8)


def test_thresholds_gathered_night_by_night_are_those_of_all() -> None:
    labels, proba = small()
    parts = Thresholds.empty()
    parts.add(labels[:2], proba[:2])
    parts.add(labels[2:], proba[2:])
    whole = Thresholds.empty()
    whole.add(labels, proba)
    np.testing.assert_allclose(parts.values, whole.values)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-1, 4), max_size=40), st.integers(0, 9), st.sampled_from(Pruning))
def test_no_input_is_too_odd(values: list[int], seed: int, pruning: Pruning) -> None:
    labels = np.array(values, dtype=np.int8)
    random = np.random.default_rng(seed)
    proba = random.dirichlet(np.ones(5), len(labels)).astype(np.float32).reshape(-1, 5)
    proba[random.random(len(labels)) < 0.2] = np.nan
    found = find_suspects(labels, proba, pruning=pruning)
    usable = (labels >= 0) & np.isfinite(proba).all(axis=1)
    assert len({s.epoch for s in found}) == len(found)
    assert all(usable[s.epoch] and s.label == labels[s.epoch] != s.suggested for s in found)


def test_lengths_that_do_not_fit_are_told() -> None:
    with pytest.raises(AlignmentError, match="2 labels, but probabilities of 3"):
        find_suspects(np.zeros(2, np.int8), np.zeros((3, 5), np.float32))


def record(**more: object) -> TrainingRecord:
    return TrainingRecord(WEIGHTS, "runs/one", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "known",
    [
        record(nights=frozenset({"SC4001E0"})),
        record(recordings=frozenset({"12" * 32})),
        record(dataset="sleep-edf-20", subjects=frozenset({"00"})),
        record(nights=frozenset({"SC4001E0-PSG"})),
    ],
)
def test_a_model_that_is_known_to_have_learned_the_labels_is_refused(known: TrainingRecord) -> None:
    found = provenance(META, "anything", [known])
    assert found.seen is Seen.TRAINED
    with pytest.raises(SeenLabelsError, match=r"was trained on .*out-of-fold"):
        find_suspects(np.zeros(1, np.int8), np.ones((1, 5), np.float32) / 5, provenance=found)


def test_what_is_not_known_is_said_to_be_unknown_and_not_refused() -> None:
    other = TrainingRecord("cd" * 32, "runs/two", nights=frozenset({"SC4001E0"}))
    for found in (
        provenance(META, "SC4001E0", []),
        provenance(META, "SC4001E0", [other]),
        provenance(META, "SC4001E0", [record(nights=frozenset({"SC4011E0"}))]),
        provenance(META, "SC4001E0", [record(dataset="another", subjects=frozenset({"00"}))]),
        provenance({}, "SC4001E0", []),
    ):
        assert found.seen is Seen.UNKNOWN
        check_may_judge(found)
    assert "runs/one" in provenance(META, "SC4001E0", [record(nights=frozenset({"SC4011E0"}))]).reason


def test_held_out_is_known_from_records_and_cards_and_gives_way_to_trained() -> None:
    held = record(held_out_nights=frozenset({"SC4001E0"}))
    assert provenance(META, "x", [held]).seen is Seen.HELD_OUT
    card = ModelCard("m", 100, 3000, measured={"SC4001E0 kappa": 0.8, "held-out subjects ece": 0.1})
    assert provenance(META, "x", card_records(card, WEIGHTS, "a card")).seen is Seen.HELD_OUT
    assert provenance(META, "x", [held, record(nights=frozenset({"SC4001E0"}))]).seen is Seen.TRAINED
    assert Provenance(Seen.HELD_OUT, "").seen == "held out"
    assert identity_of("x", META).names == {"SC4001", "SC4001E0", "SC4001E0-PSG"}


@pytest.mark.parametrize(
    ("named", "seen"),
    [
        (NamedRecordings("sleep-edf", "training", subjects=("00",)), Seen.TRAINED),
        (NamedRecordings("", "training", nights=("SC4001",)), Seen.TRAINED),
        (NamedRecordings(sha256=("12" * 32,)), Seen.TRAINED),
        (NamedRecordings("sleep-edf", "training", subjects=("01",), nights=("SC4011",), sha256=("34" * 32,)), None),
    ],
)
def test_a_card_names_what_its_model_learned_from_and_what_it_never_saw(
    named: NamedRecordings, seen: Seen | None
) -> None:
    meta = {key: value for key, value in META.items() if key != "dataset"}
    card = ModelCard("m", 100, 3000, trained_on_recordings=(named,))
    found = provenance(meta, "x", card_records(card, WEIGHTS, "a card"))
    assert found.seen is (seen or Seen.UNKNOWN)
    assert "a card" in found.reason
    if named.use and seen:
        assert found.reason.endswith("(a card: training).")
    held = ModelCard("m", 100, 3000, held_out_recordings=(named,))
    assert provenance(meta, "x", card_records(held, WEIGHTS, "a card")).seen is (
        Seen.HELD_OUT if seen else Seen.UNKNOWN
    )


@pytest.mark.parametrize("member", all_names())
def test_shipped_cards_name_their_recordings(member: str) -> None:
    path = shipped_weights(member)
    assert path is not None
    card = peek_card(path)
    assert card is not None
    records = card_records(card, WEIGHTS, "card")

    def seen(name: str, sha256: str = "") -> Seen:
        meta = {"model": META["model"], "recording": {"name": name, "sha256": sha256}}
        return provenance(meta, "archive", records).seen

    assert seen("SC4001E0-PSG.edf") is seen("SC4031E0-PSG.edf") is seen("ucddb002.rec") is Seen.TRAINED
    assert seen("ucddb018.edf") is Seen.HELD_OUT
    assert seen("SC4211E0-PSG.edf") is (Seen.TRAINED if "context" in member else Seen.UNKNOWN)
    assert seen("patient.edf") is Seen.UNKNOWN
    (night,) = card.held_out_recordings
    assert seen("renamed.edf", night.sha256[0]) is Seen.HELD_OUT
