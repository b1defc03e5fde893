"""What can be trained on: SleepViewer's archives, AttnSleep's own files, a file of segments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.tiny_training import EPOCHS, RATE_HZ, SAMPLES, signal, stages, write_data, write_night
from sleepviewer.errors import ArchiveError, TrainingError
from sleepviewer.models.normalisation import Normalisation
from sleepviewer.models.shape import InputShape
from sleepviewer.training.data import fingerprint, load_training_set, stage_counts


class Bomb:
    """Goes off when somebody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def bomb(path: Path) -> np.ndarray:
    return np.array([Bomb(path)], dtype=object)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_data(tmp_path / "sleep-edf-20", subjects=2)


def test_nights_and_subjects_are_known_by_their_names(folder: Path) -> None:
    data = load_training_set(folder)
    assert (data.name, data.shape) == ("sleep-edf-20", InputShape(RATE_HZ, SAMPLES))
    assert [(night.name, night.subject) for night in data.nights] == [
        ("SC4001E0", "00"),
        ("SC4002E0", "00"),
        ("SC4011E0", "01"),
        ("SC4012E0", "01"),
    ]
    assert (data.subjects, data.n_epochs) == (("00", "01"), 4 * EPOCHS)
    assert stage_counts(data.nights).sum() == 4 * EPOCHS
    assert (data.nights[0].x.shape, data.nights[0].x.dtype) == ((EPOCHS, SAMPLES), np.float32)
    assert data.nights[0].epoch_index.tolist() == list(range(EPOCHS))
    assert [night.name for night in data.of(["01"])] == ["SC4011E0", "SC4012E0"]


def test_a_data_set_is_named_by_its_folder_also_from_within(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert load_training_set(Path()).name == "sleep-edf-20"


def test_a_manifest_tells_the_subjects(folder: Path) -> None:
    lines = [
        {"file": f"SC40{name}E0.npz", "subject": name[0] + "x", "night": name} for name in ("01", "02", "11", "12")
    ]
    lines.append({"night": "SC4021E0", "failed": "it was not there"})
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert load_training_set(folder).subjects == ("0x", "1x")
    (folder / "manifest.jsonl").write_text('{"file": "SC4001E0.npz"}\n')
    with pytest.raises(TrainingError, match=r"manifest.jsonl can't be read .*; prepare the data set again\.$"):
        load_training_set(folder)


def test_the_original_preparation_is_taken_as_it_is_and_its_pickles_stay_untouched(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = stages(rng)
    x = rng.normal(size=(EPOCHS, 3000, 1)).astype(np.float32)
    went_off = tmp_path / "unpickled"
    headers = {name: bomb(went_off) for name in ("header_raw", "header_annotation")}
    write_night(tmp_path, 0, 1, y, x=x, fs=100.0, **headers)
    night = load_training_set(tmp_path).nights[0]
    np.testing.assert_array_equal(night.x, x[:, :, 0])
    np.testing.assert_array_equal(night.y, y)
    assert not went_off.exists()


def test_pickled_labels_are_refused_unopened(tmp_path: Path) -> None:
    went_off = tmp_path / "unpickled"
    write_night(tmp_path, 0, 1, fs=100.0, **{"x": bomb(went_off)})
    with pytest.raises(ArchiveError, match=r"^SC4001E0.npz .*“x” holds pickled objects, which are not read\.$"):
        load_training_set(tmp_path)
    assert not went_off.exists()


def test_each_night_is_scaled_by_itself(folder: Path) -> None:
    write_night(folder, 1, 2, x=1000 * signal(stages(np.random.default_rng(1)), np.random.default_rng(1))[:, :, None])
    data = load_training_set(folder, Normalisation.ROBUST_NIGHT)
    spreads = [float(np.subtract(*np.quantile(night.x, (0.75, 0.25)))) for night in data.nights]
    assert spreads == pytest.approx([1.349] * 4, rel=1e-4)


def test_other_data_have_another_fingerprint(folder: Path) -> None:
    first = load_training_set(folder)
    assert fingerprint(first) == fingerprint(load_training_set(folder))
    y = first.nights[3].y.astype(np.int32)
    write_night(folder, 1, 2, y[::-1].copy(), x=first.nights[3].x[:, :, None])
    relabelled = load_training_set(folder)
    assert stage_counts(first.nights).tolist() == stage_counts(relabelled.nights).tolist()
    assert fingerprint(first) != fingerprint(relabelled)


def test_a_file_of_segments_holds_all_its_nights(tmp_path: Path) -> None:
    arrays = segments()
    np.savez(tmp_path / "segments.npz", **arrays)
    data = load_training_set(tmp_path / "segments.npz")
    assert [(night.name, night.subject) for night in data.nights] == [("SC4071", "07"), ("SC4122", "12")]
    np.testing.assert_allclose(data.nights[1].x, arrays["x"][3:] * 0.5 + 2.0)
    assert data.nights[1].epoch_index.tolist() == [4, 9, 10]
    del arrays["uv_offset"]
    np.savez(tmp_path / "segments.npz", **arrays)
    with pytest.raises(TrainingError, match=r"^segments.npz is no file of segments: it has no array “uv_offset”\.$"):
        load_training_set(tmp_path / "segments.npz")


def test_segments_that_do_not_fit_each_other_are_told(tmp_path: Path) -> None:
    np.savez(tmp_path / "segments.npz", **(segments() | {"y": np.zeros(2, dtype=np.int8)}))
    with pytest.raises(TrainingError, match=r"^The arrays of segments.npz do not fit each other"):
        load_training_set(tmp_path / "segments.npz")
    np.savez(tmp_path / "segments.npz", **(segments() | {"y": np.array([0, 1, 2, 3, 5, 0])}))
    with pytest.raises(TrainingError, match=r"do not fit each other \(“y” holds values outside 0 … 4\)\.$"):
        load_training_set(tmp_path / "segments.npz")
    (tmp_path / "segments.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ArchiveError, match=r"^segments.npz is no usable npz"):
        load_training_set(tmp_path / "segments.npz")


def segments() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "x": rng.integers(-100, 100, (6, 50)).astype(np.int16),
        "y": np.array([0, 1, 2, 3, 4, 0], dtype=np.int8),
        "subject": np.array([7, 7, 7, 12, 12, 12]),
        "night": np.array([1, 1, 1, 2, 2, 2]),
        "epoch": np.array([0, 1, 2, 4, 9, 10]),
        "night_key": np.array([71, 122]),
        "uv_per_count": np.array([1.0, 0.5]),
        "uv_offset": np.array([0.0, 2.0]),
        "fs": np.array(10),
    }


def test_nights_of_other_shapes_or_rates_are_told(folder: Path) -> None:
    y = stages(np.random.default_rng(0))
    write_night(folder, 1, 2, y, x=np.ones((EPOCHS, SAMPLES + 1, 1), dtype=np.float32))
    with pytest.raises(TrainingError, match=rf"have epochs of {SAMPLES} and {SAMPLES + 1} samples\.$"):
        load_training_set(folder)
    write_night(folder, 1, 2, y, fs=125.0)
    with pytest.raises(TrainingError, match=r"have different rates: 100 Hz, 125 Hz\.$"):
        load_training_set(folder)
    write_night(folder, 1, 2, y[:-1], x=np.ones((EPOCHS, SAMPLES, 1), dtype=np.float32))
    with pytest.raises(ArchiveError, match=r"^SC4012E0.npz is no usable archive: the array “x” is"):
        load_training_set(folder)


def test_a_rate_that_is_no_whole_number_is_told(tmp_path: Path) -> None:
    write_night(tmp_path, 0, 1, fs=99.5)
    with pytest.raises(TrainingError, match=r"99.5 samples a second; resample them to a whole number\.$"):
        load_training_set(tmp_path)


def test_a_damaged_archive_is_named(folder: Path) -> None:
    path = folder / "SC4011E0.npz"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ArchiveError, match=r"^SC4011E0.npz is no usable archive: it is damaged"):
        load_training_set(folder)


def test_what_holds_nothing_to_train_on_is_told(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"gone is not there; name a folder of npz archives or a file of segments"):
        load_training_set(tmp_path / "gone")
    with pytest.raises(TrainingError, match=r"holds no labelled epochs to train on\.$"):
        load_training_set(tmp_path)
