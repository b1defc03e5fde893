"""Epochs alike: neighbours within a night and across many, and the map."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from sleepviewer.analysis.lookalikes import EmbeddedNight, LookAlike, Verdict, embed, kinship, umap_is_there
from sleepviewer.archive import build_archive, make_meta, write_archive
from sleepviewer.cli import main
from sleepviewer.errors import AlignmentError, AnalysisError, ChannelError
from sleepviewer.recording import open_recording
from sleepviewer.scoring.family_engine import FamilyEngine
from sleepviewer.scoring.features import archive_features, recording_features
from sleepviewer.simulation import simulate_night
from sleepviewer.stages import Stage


def nights(n: int = 30) -> list[EmbeddedNight]:
    """Two nights in which features follow the truth, the second without features in its first epoch."""
    made = []
    for seed in (0, 1):
        random = np.random.default_rng(seed)
        truth = random.integers(0, 5, n).astype(np.int8)
        features = (np.eye(5)[truth] * 10 + random.normal(scale=0.3, size=(n, 5))).astype(np.float32)
        if seed:
            features[0] = np.nan
        predicted = truth.copy()
        predicted[:3] = (truth[:3] + 1) % 5
        made.append(EmbeddedNight(f"night{seed}", features, truth, predicted))
    return made


def test_neighbours_are_of_the_same_kind_and_nearest_first() -> None:
    one, two = nights()
    found = embed([one, two])
    alike = found.alike("night0", 5, count=6)
    assert len(alike) == 6
    assert {a.truth for a in alike} == {one.truth[5]}
    assert [a.distance for a in alike] == sorted(a.distance for a in alike)
    assert ("night0", 5) not in {(a.night, a.epoch) for a in alike}
    assert {a.night for a in found.alike("night0", 5, within="night1")} == {"night1"}
    assert found.alike("night0", 5, within="nowhere") == ()
    assert any(a.is_error for a in found.alike("night0", 5, count=58))
    assert found.wrong.sum() == 5


def test_neighbours_equal_those_counted_out() -> None:
    found = embed(nights())
    point = found.find("night1", 7)
    distances = np.linalg.norm(found.points - found.points[point], axis=1)
    distances[point] = np.inf
    nearest = int(distances.argmin())
    first = found.alike("night1", 7, count=1)[0]
    assert (first.night, first.epoch) == (found.nights[found.night[nearest]], found.epoch[nearest])
    assert first.distance == pytest.approx(float(distances[nearest]), rel=1e-4)


def test_an_epoch_without_features_and_arrays_that_do_not_fit_are_told() -> None:
    found = embed(nights())
    with pytest.raises(AlignmentError, match="Epoch 1 of night1 has no features"):
        found.alike("night1", 0)
    with pytest.raises(AlignmentError, match="no features"):
        found.alike("night9", 0)
    one, two = nights()
    with pytest.raises(AlignmentError, match="different models"):
        embed([one, EmbeddedNight("x", two.features[:, :3], two.truth, two.predicted)])
    with pytest.raises(AlignmentError, match="29 and 30 stages"):
        embed([EmbeddedNight("x", two.features, two.truth[1:], two.predicted)])


def test_the_map_is_the_same_each_time_and_keeps_kinds_apart() -> None:
    found = embed(nights())
    plane = found.map()
    assert plane.shape == (len(found), 2)
    np.testing.assert_array_equal(plane, embed(nights()).map())
    middle = np.stack([plane[found.truth == stage].mean(axis=0) for stage in range(5)])
    spread = max(plane[found.truth == stage].std() for stage in range(5))
    assert np.linalg.norm(middle[0] - middle[1]) > spread / 2


def test_the_map_is_the_plane_of_most_variance() -> None:
    """Checked against scikit-learn's PCA, whose axes may point the other way."""
    from sklearn.decomposition import PCA

    found = embed(nights())
    theirs = PCA(n_components=2, svd_solver="full").fit_transform(found.points.astype(np.float64))
    np.testing.assert_allclose(np.abs(found.map()), np.abs(theirs), atol=1e-4)


def test_features_of_other_weights_are_refused() -> None:
    one, two = nights()
    with pytest.raises(AlignmentError, match="different models"):
        embed([replace(one, weights_sha256="a"), replace(two, weights_sha256="b")])
    assert len(embed([replace(one, weights_sha256="a"), two])) == 59


def test_stages_change_and_the_points_stay() -> None:
    one, two = nights()
    found = embed([one, two])
    right = found.with_stages("night1", two.truth, two.truth)
    assert right.wrong.sum() == 3
    assert right.points is found.points
    assert found.wrong.sum() == 5
    assert found.with_stages("night9", two.truth, two.truth) is found


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), max_size=12))
def test_an_error_is_a_kind_where_its_look_alikes_are_errors(stages: list[tuple[int, int]]) -> None:
    alike = [LookAlike("n", i, 1.0, Stage(a), Stage(b)) for i, (a, b) in enumerate(stages)]
    found = kinship(alike, Stage.N2, Stage.N3)
    scored = [(a, b) for a, b in stages if a >= 0 and b >= 0]
    assert found.judged == len(scored)
    assert found.wrong == sum(a != b for a, b in scored)
    assert found.same == scored.count((2, 3))
    if not scored:
        assert found.verdict is Verdict.NOTHING
        assert math.isnan(found.share)
    elif found.share >= 0.5:
        assert found.verdict is Verdict.KIND
    else:
        assert found.verdict is (Verdict.STRAY if found.share <= 1 / 6 else Verdict.MIXED)


def test_maps_that_can_not_be_drawn_are_told() -> None:
    found = embed(nights())
    with pytest.raises(AnalysisError, match="no map by"):
        found.map("tsne")
    if not umap_is_there():
        with pytest.raises(AnalysisError, match="UMAP is not installed"):
            found.map("umap")
    with pytest.raises(AnalysisError, match="three epochs"):
        embed([]).map()


def test_features_of_a_recording_and_of_its_archive(tmp_path: Path) -> None:
    """An archive of the whole night gives what the recording gives."""
    night = simulate_night(tmp_path, hours=0.3)
    engine = FamilyEngine("attnsleep")
    with open_recording(night.psg_path) as recording:
        ours = recording_features(engine, recording, "EEG Fpz-Cz")
        archive = build_archive(recording, "EEG Fpz-Cz", night.stages, meta=make_meta(recording))
        without = build_archive(recording, None, night.stages, meta=make_meta(recording))
    theirs = archive_features(engine, archive)
    assert ours.values.shape == (len(night.stages), 65)
    assert ours.seen.all()
    np.testing.assert_allclose(theirs.values, ours.values, atol=1e-4)
    assert ours.weights_sha256 == theirs.weights_sha256
    np.testing.assert_allclose(np.exp(ours.values[:, -5:]).sum(axis=1), 1, rtol=1e-4)
    with pytest.raises(ChannelError, match="without a signal"):
        archive_features(engine, without)


def test_the_command_lists_epochs_alike_across_a_folder(tmp_path: Path) -> None:
    for seed in (0, 1):
        night = simulate_night(tmp_path, seed=seed, hours=0.2)
        with open_recording(night.psg_path) as recording:
            meta = make_meta(recording, base="truth")
            archive = build_archive(recording, "EEG Fpz-Cz", night.stages, meta=meta, expert=night.stages)
        write_archive(tmp_path / f"n{seed}.npz", archive)
    (tmp_path / "broken.npz").write_bytes(b"no")

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, ["alike", str(tmp_path / "n0.npz"), *words])

    done = run("--epoch", "3", "--among", str(tmp_path), "--count", "30", "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)["alike"]
    assert {row["night"] for row in found} == {"n0", "n1"}
    assert {"night": "n0", "epoch": 3} not in [{key: row[key] for key in ("night", "epoch")} for row in found]
    assert "broken.npz" in done.stderr
    assert "so none is number 99" in run("--epoch", "99").stderr
    assert run("--epoch", "1", "--engine", "yasa").exit_code == 2
    assert "distance" in run("--epoch", "1").stdout
    missing = CliRunner().invoke(main, ["alike", str(tmp_path / "no.npz"), "--epoch", "1", "--among", str(tmp_path)])
    assert missing.exit_code == 1
    assert "no.npz can't be read" in missing.stderr
    nowhere = run("--epoch", "1", "--among", str(tmp_path / "nowhere"))
    assert nowhere.exit_code == 1
    assert "nowhere is not a folder" in nowhere.stderr
