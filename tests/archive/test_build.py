"""What an archive of a night holds, and where its epochs come from."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sleepviewer.archive import (
    NOT_CORRECTED,
    ScoringArchive,
    build_archive,
    make_meta,
    read_any_track,
    read_archive,
    trim_wake,
    write_archive,
)
from sleepviewer.errors import ArchiveError, ChannelError, HypnogramError, OutputError
from sleepviewer.hypnogram import Hypnogram, align, read_track, to_hypnogram, write_csv
from sleepviewer.recording.base import Channel, Recording, Role, Samples
from sleepviewer.stages import EPOCH_S

RATE = 10.0
N = 12
START = datetime(2002, 1, 1, 23, 0)


class MemoryRecording(Recording):
    """A night in memory: 12 epochs of a ramp in µV, epoch 5 with a gap, and a channel of degrees."""

    def __init__(self, path: Path, start: datetime | None = START) -> None:
        path.write_bytes(b"a night")
        self.path = path
        self.format_name = "memory"
        self.start = start
        self.duration_s = N * EPOCH_S + 12
        self.channels = (
            Channel("C3-A2", "C3-A2", RATE, int(RATE * self.duration_s), "µV", "uV", Role.EEG),
            Channel("Temp", "Temp", RATE, int(RATE * self.duration_s), "degC", "degC", Role.OTHER),
        )
        self.signal = np.arange(int(RATE * self.duration_s), dtype=np.float32)
        self.signal[int(5 * EPOCH_S * RATE) + 7] = np.nan

    def read(self, label: str, start_s: float, stop_s: float) -> Samples:
        self.channel(label)
        return self.signal[round(start_s * RATE) : round(stop_s * RATE)]


LABELS = np.array([0, 0, 1, 2, -1, 2, 3, 4, 4, 0, 0, 0], np.int8)
EXPERT = np.array([0, 0, 1, 2, -1, 2, 3, 4, 2, 0, 0, -1], np.int8)
CORRECTED = np.full(N, NOT_CORRECTED, np.int8)
CORRECTED[[4, 8, 11]] = [-1, 4, 0]
FLAGGED = np.arange(N) == 3


def probabilities() -> np.ndarray:
    proba = np.random.default_rng(3).dirichlet(np.ones(5), N).astype(np.float32)
    proba[10] = np.nan
    return proba


@pytest.fixture
def night(tmp_path: Path) -> MemoryRecording:
    return MemoryRecording(tmp_path / "night.edf")


def build(night: MemoryRecording, **options: float) -> ScoringArchive:
    meta = make_meta(
        night,
        scorer="Jane",
        base="truth",
        model={"engine": "yasa", "version": "0.8", "weights_sha256": "00", "channels": ["C3-A2"]},
        edits=[{"epoch": 8, "stage": 4}],
    )
    return build_archive(
        night,
        "C3-A2",
        LABELS,
        meta=meta,
        expert=EXPERT,
        proba=probabilities(),
        corrected=CORRECTED,
        flagged=FLAGGED,
        **options,
    )


def test_unknown_epochs_and_gaps_are_left_out_and_the_rest_keeps_its_place(night: MemoryRecording) -> None:
    archive = build(night)
    assert archive.epoch_index.tolist() == [0, 1, 2, 3, 6, 7, 8, 9, 10, 11]
    assert archive.y.tolist() == LABELS[archive.epoch_index].tolist()
    assert archive.x.shape == (10, 300, 1)
    assert archive.x[4, :, 0].tolist() == night.signal[1800:2100].tolist()
    assert archive.edited.tolist() == [e in (8, 11) for e in archive.epoch_index]
    assert archive.y_expert.tolist() == EXPERT[archive.epoch_index].tolist()
    best = probabilities().argmax(axis=1)
    assert archive.y_model.tolist() == [-1 if e == 10 else best[e] for e in archive.epoch_index]


def test_numpy_alone_reads_an_archive_without_pickle(night: MemoryRecording, tmp_path: Path) -> None:
    path = tmp_path / "night.npz"
    write_archive(path, build(night))
    with np.load(path, allow_pickle=False) as npz:
        arrays = {key: npz[key] for key in npz.files}
    assert {key: (array.dtype.str[1:], array.shape) for key, array in arrays.items() if array.shape} == {
        "x": ("f4", (10, 300, 1)),
        "y": ("i4", (10,)),
        "epoch_index": ("i4", (10,)),
        "y_expert": ("i1", (10,)),
        "y_model": ("i1", (10,)),
        "proba": ("f4", (10, 5)),
        "edited": ("b1", (10,)),
        "night_expert": ("i1", (N,)),
        "night_proba": ("f4", (N, 5)),
        "night_corrected": ("i1", (N,)),
        "night_flagged": ("b1", (N,)),
    }
    assert float(arrays["fs"]) == RATE
    assert str(arrays["ch_label"]) == "C3-A2"
    meta = json.loads(str(arrays["meta"]))
    assert (meta["format"], meta["version"], meta["unit"]) == ("sleepviewer-archive", 1, "µV")
    assert meta["software"].startswith("SleepViewer ")
    assert meta["recording"]["name"] == "night.edf"
    assert len(meta["recording"]["sha256"]) == 64
    assert (meta["recording"]["start"], meta["recording"]["n_epochs"]) == ("2002-01-01T23:00:00", N)
    assert meta["model"]["engine"] == "yasa"
    assert meta["edits"] == [{"epoch": 8, "stage": 4}]


def test_what_was_written_is_read(night: MemoryRecording, tmp_path: Path) -> None:
    path = tmp_path / "night.npz"
    archive = build(night)
    write_archive(path, archive)
    back = read_archive(path)
    for name in ("x", "y", "epoch_index", "proba", "edited", "night_expert", "night_proba", "night_corrected"):
        np.testing.assert_array_equal(getattr(back, name), getattr(archive, name))
    assert (back.night_flagged == FLAGGED).all()
    assert back.meta == archive.meta
    assert back.start == START
    assert back.notes == ()


def test_layers_that_are_not_there_are_nothing_known(night: MemoryRecording) -> None:
    archive = build_archive(night, "C3-A2", LABELS, meta=make_meta(night))
    assert set(archive.y_expert) == set(archive.y_model) == set(archive.night_expert) == {-1}
    assert np.isnan(archive.night_proba).all()
    assert set(archive.night_corrected) == {NOT_CORRECTED}
    assert not archive.edited.any()
    assert not archive.night_flagged.any()


def test_the_whole_nights_labels_come_back_also_where_there_is_no_signal(
    night: MemoryRecording, tmp_path: Path
) -> None:
    path = tmp_path / "night.npz"
    write_archive(path, build(night, trim_wake_min=0.5))
    track = read_any_track(path)
    assert to_hypnogram(track).stages.tolist() == LABELS.tolist()
    assert (track.start, track.scorer) == (START, "Jane")


def test_a_night_whose_base_is_the_model_comes_back(night: MemoryRecording, tmp_path: Path) -> None:
    proba = probabilities()
    labels = np.where(np.isnan(proba[:, 0]), -1, np.nan_to_num(proba).argmax(axis=1)).astype(np.int8)
    path = tmp_path / "night.npz"
    write_archive(path, build_archive(night, "C3-A2", labels, meta=make_meta(night, base="model"), proba=proba))
    assert read_archive(path).night_labels.tolist() == labels.tolist()


def test_any_track_is_a_hypnogram_file_too(tmp_path: Path) -> None:
    path = tmp_path / "night.csv"
    write_csv(Hypnogram(LABELS, START, "test"), path)
    assert to_hypnogram(read_any_track(path)).stages.tolist() == LABELS.tolist()
    with pytest.raises(HypnogramError, match="can't be read"):
        read_any_track(tmp_path / "nowhere.csv")


def test_a_channel_that_is_no_voltage_is_refused(night: MemoryRecording) -> None:
    with pytest.raises(ChannelError, match=r"“Temp” of night\.edf is in “degC”, not in µV"):
        build_archive(night, "Temp", LABELS, meta={})
    with pytest.raises(ChannelError, match="no channel “Fpz”"):
        build_archive(night, "Fpz", LABELS, meta={})


@pytest.mark.parametrize(
    "layers", [{"expert": EXPERT[1:]}, {"proba": np.zeros((N, 4))}, {"corrected": EXPERT[1:]}, {"flagged": FLAGGED[1:]}]
)
def test_layers_of_another_length_are_refused(night: MemoryRecording, layers: dict[str, np.ndarray]) -> None:
    with pytest.raises(ArchiveError, match="but the recording asks for"):
        build_archive(night, "C3-A2", LABELS, meta={}, **layers)  # type: ignore[arg-type]
    with pytest.raises(ArchiveError, match=r"“labels” is \[3\]"):
        build_archive(night, "C3-A2", LABELS[:3], meta={})


def test_values_that_are_no_stages_are_refused(night: MemoryRecording) -> None:
    with pytest.raises(ArchiveError, match="“y” holds values outside 0 … 4"):
        build_archive(night, "C3-A2", LABELS + 5, meta={})


def test_a_recording_that_has_gone_is_told(night: MemoryRecording) -> None:
    night.path.unlink()
    with pytest.raises(ArchiveError, match="can't be read any more"):
        make_meta(night)
    assert make_meta(night, recording_sha256="ab")["recording"]["sha256"] == "ab"


def test_a_folder_that_is_not_there_is_told(night: MemoryRecording, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_archive(tmp_path / "nowhere" / "night.npz", build(night))


# -- wake around the night


def test_wake_is_kept_for_so_many_minutes_around_sleep() -> None:
    labels = np.array([0] * 100 + [1, 2, 0, 4] + [0] * 100, np.int8)
    assert trim_wake(labels) == (40, 164)
    assert trim_wake(labels, 1) == (98, 106)
    assert trim_wake(labels, 1000) == (0, len(labels))


def test_unscored_epochs_do_not_count_as_wake() -> None:
    assert trim_wake(np.array([0, 0, -1, 0, 2, -1, 0, 0], np.int8), 1) == (1, 8)


@given(st.lists(st.sampled_from([-1, 0]), max_size=20))
def test_a_night_without_sleep_is_kept_whole(labels: list[int]) -> None:
    assert trim_wake(np.array(labels, np.int8)) == (0, len(labels))


def test_trimmed_sleep_edf_nights_are_the_published_ones(shared: Path) -> None:
    with np.load(shared / "data" / "sleep_edf" / "sleep_edf_20_first5s.npz") as published:
        y, subject, of_night = published["y"], published["subject"], published["night"]
    for path in sorted((shared / "data" / "hypnograms").glob("*-Hypnogram.edf")):
        stages = to_hypnogram(read_track(path)).stages
        first, stop = trim_wake(stages, 30)
        ours = stages[first:stop][stages[first:stop] >= 0]
        theirs = y[(subject == int(path.name[3:5])) & (of_night == int(path.name[5]))]
        assert ours.tolist() == theirs.tolist(), path.name


def test_the_truth_of_a_real_night_goes_into_an_archive_and_out(tmp_path: Path, real_truth: Path) -> None:
    night = MemoryRecording(tmp_path / "night.edf")
    truth = align(read_track(real_truth), start=night.start, n_epochs=night.n_epochs, name=night.name)
    archive = build_archive(night, "C3-A2", truth.stages, meta=make_meta(night, base="truth"), expert=truth.stages)
    assert archive.night_labels.tolist() == truth.stages.tolist()
