from __future__ import annotations

from pathlib import Path

import pytest

from sleepviewer.errors import OutputError
from sleepviewer.recording import open_recording
from sleepviewer.review.companions import find_reference
from sleepviewer.simulation import demo
from sleepviewer.simulation.demo import demo_recording


@pytest.fixture(autouse=True)
def short_nights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "DEMO_HOURS", 0.1)


def test_the_demonstrations_night_is_simulated_and_has_its_truth_beside_it(tmp_path: Path) -> None:
    path = demo_recording(folder=tmp_path)
    with open_recording(path) as recording:
        assert recording.simulated
        assert recording.n_epochs == 12
    assert find_reference(path) == path.with_name("simulated-Hypnogram.edf")


def test_a_night_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    first = demo_recording(folder=tmp_path)
    stamp = first.stat().st_mtime_ns
    assert demo_recording(folder=tmp_path) == first
    assert first.stat().st_mtime_ns == stamp
    first.with_name("simulated-Hypnogram.edf").unlink()
    assert find_reference(demo_recording(folder=tmp_path)) is not None


def test_every_seed_has_a_night_of_its_own(tmp_path: Path) -> None:
    paths = {demo_recording(seed=seed, folder=tmp_path) for seed in (0, 1, 100)}
    assert len({path.read_bytes() for path in paths}) == 3


def test_a_folder_that_can_not_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="can't be made"):
        demo_recording(folder=tmp_path / "file")
