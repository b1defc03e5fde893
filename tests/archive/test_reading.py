"""Archives of others, damaged ones and hostile ones."""

from __future__ import annotations

import json
import pickle
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sleepviewer.archive import read_any_track, read_archive
from sleepviewer.errors import AlignmentError, ArchiveError
from sleepviewer.hypnogram import align, to_hypnogram

START = datetime(2002, 1, 1, 23)
N, SAMPLES, WHOLE = 4, 300, 6
LABELS = np.array([0, 2, 3, 4])


def native(**changes: Any) -> dict[str, Any]:
    """The arrays of an archive, some of them replaced (None = left out)."""
    arrays: dict[str, Any] = {
        "x": np.zeros((N, SAMPLES, 1), np.float32),
        "y": LABELS.astype(np.int32),
        "fs": np.float64(10),
        "ch_label": np.str_("C3-A2"),
        "epoch_index": np.array([0, 1, 3, 4], np.int32),
        "y_expert": np.zeros(N, np.int8),
        "y_model": np.zeros(N, np.int8),
        "proba": np.full((N, 5), 0.2, np.float32),
        "edited": np.zeros(N, bool),
        "meta": np.str_(json.dumps({"format": "sleepviewer-archive", "version": 1})),
        "night_expert": np.zeros(WHOLE, np.int8),
        "night_proba": np.full((WHOLE, 5), np.nan, np.float32),
        "night_corrected": np.full(WHOLE, -2, np.int8),
        "night_flagged": np.zeros(WHOLE, bool),
        **changes,
    }
    return {key: array for key, array in arrays.items() if array is not None}


def attnsleep(**changes: Any) -> dict[str, Any]:
    """The arrays that AttnSleep's preparation saves, its headers as pickled dictionaries."""
    headers = np.array({"local_subject_id": "X"}, dtype=object)
    arrays = {
        "x": np.ones((N, 3000, 1), np.float32),
        "y": LABELS.astype(np.int32),
        "fs": 100.0,
        "ch_label": "EEG Fpz-Cz",
        "header_raw": headers,
        "header_annotation": headers,
    }
    return {**arrays, **changes}


def saved(path: Path, arrays: dict[str, Any]) -> Path:
    np.savez(path, **arrays)
    return path


def test_a_whole_archive_is_read(tmp_path: Path) -> None:
    assert len(read_archive(saved(tmp_path / "a.npz", native()))) == N


def test_attnsleeps_archives_are_read_without_touching_their_pickles(tmp_path: Path) -> None:
    archive = read_archive(saved(tmp_path / "SC4001E0.npz", attnsleep()))
    assert archive.y.tolist() == LABELS.tolist()
    assert archive.x.shape == (N, 3000, 1)
    assert (archive.fs, archive.ch_label) == (100.0, "EEG Fpz-Cz")
    assert archive.epoch_index.tolist() == list(range(N))
    assert set(archive.y_model) == {-1}
    assert np.isnan(archive.proba).all()
    assert "does not tell its epochs' places" in archive.notes[0]


@pytest.mark.parametrize("shape", [(N, 3000), (N, 1, 3000)])
def test_attnsleeps_other_shapes_are_read_too(tmp_path: Path, shape: tuple[int, ...]) -> None:
    x = np.arange(N * 3000, dtype=np.float64).reshape(shape)
    archive = read_archive(saved(tmp_path / "a.npz", attnsleep(x=x, y=LABELS.astype(np.int64))))
    assert archive.x.shape == (N, 3000, 1)
    assert archive.x[1, :3, 0].tolist() == [3000, 3001, 3002]


def test_the_labels_of_an_attnsleep_archive_are_a_track(tmp_path: Path) -> None:
    track = read_any_track(saved(tmp_path / "a.npz", attnsleep()))
    assert to_hypnogram(track).stages.tolist() == LABELS.tolist()
    assert track.start is None
    assert track.notes


def test_an_attnsleep_archive_is_laid_on_a_recording_of_as_many_epochs(tmp_path: Path) -> None:
    track = read_any_track(saved(tmp_path / "a.npz", attnsleep()))
    for start in (None, START):
        assert align(track, start=start, n_epochs=N, name="night.edf").stages.tolist() == LABELS.tolist()


@pytest.mark.parametrize("n_epochs", [N - 1, N + 1, 20 * N])
def test_an_attnsleep_archive_of_a_part_of_the_night_is_refused(tmp_path: Path, n_epochs: int) -> None:
    track = read_any_track(saved(tmp_path / "a.npz", attnsleep()))
    with pytest.raises(AlignmentError) as caught:
        align(track, start=START, n_epochs=n_epochs, name="night.edf")
    assert str(caught.value) == (
        f"a.npz does not tell where in the night its {N} epochs lie, and night.edf has {n_epochs}; choose the "
        "hypnogram of the whole night."
    )


def test_our_own_archives_know_their_epochs_places(tmp_path: Path) -> None:
    track = read_any_track(saved(tmp_path / "a.npz", native()))
    assert len(align(track, start=track.start, n_epochs=20 * N, name="night.edf")) == 20 * N


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (native(y=None), "no array “y”"),
        (native(x=None), "no array “x”"),
        (native(night_proba=None), "no array “night_proba”"),
        (native(y=np.arange(3, dtype=np.int32)), "“x” is float32 [4, 300, 1]"),
        (native(y=LABELS.astype(np.int64)), "“y” is int64"),
        (native(y=np.array([0, 1, 2, 5], np.int32)), "“y” holds values outside 0 … 4"),
        (native(y=np.array([0, 1, 2, -1], np.int32)), "“y” holds values outside 0 … 4"),
        (native(y=np.zeros((N, 1), np.int32)), "should have the shape"),
        (native(x=np.zeros((N, SAMPLES), np.float32)), "should have the shape"),
        (native(x=np.full((N, SAMPLES, 1), np.nan, np.float32)), "values that are no numbers"),
        (native(epoch_index=np.array([0, 1, 3, 6], np.int32)), "“epoch_index” holds values outside 0 … 5"),
        (native(epoch_index=np.array([0, 3, 1, 4], np.int32)), "“epoch_index” does not rise"),
        (native(epoch_index=np.array([0, 1, 1, 4], np.int32)), "“epoch_index” does not rise"),
        (native(proba=np.full((N, 5), 2, np.float32)), "“proba” holds values outside"),
        (native(night_corrected=np.full(WHOLE, -3, np.int8)), "“night_corrected” holds values outside -2"),
        (native(night_flagged=np.zeros(WHOLE + 1, bool)), "“night_flagged” is bool [7]"),
        (native(fs=np.float64(0)), "sampling rate is 0"),
        (native(fs=np.array([1.0, 2.0])), "“fs” should hold one value"),
        (native(fs=np.str_("fast")), "“fs” is no number"),
        (native(meta=np.str_("{")), "“meta” is no JSON"),
        (native(meta=np.str_("[1]")), "does not say that it is a SleepViewer archive"),
        (native(meta=np.str_('{"format": "sleepviewer-archive", "version": 9}')), "version 9"),
        (native(meta=np.array({"a": 1}, dtype=object)), "“meta” holds pickled objects"),
        (attnsleep(x=np.array([{}] * N, dtype=object)), "“x” holds pickled objects"),
        (attnsleep(y=np.array([0, 1, 2, 9])), "“y” holds values outside"),
        (attnsleep(y=np.array([0.5, 1, 2, 3])), "both should be numbers, “y” whole ones"),
    ],
)
def test_what_is_wrong_with_an_archive_is_told(tmp_path: Path, arrays: dict[str, Any], words: str) -> None:
    path = saved(tmp_path / "a.npz", arrays)
    with pytest.raises(ArchiveError) as caught:
        read_archive(path)
    assert str(caught.value).startswith("a.npz is no usable archive: ")
    assert words in str(caught.value)


class Trap:
    """Something that tells when it is unpickled."""

    sprung = False

    def __reduce__(self) -> tuple[Any, ...]:
        return (spring, ())


def spring() -> None:
    Trap.sprung = True


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    trap = np.array(Trap(), dtype=object)
    for number, arrays in enumerate([native(meta=trap), native(x=trap), attnsleep(header_raw=trap), attnsleep(y=trap)]):
        with suppress(ArchiveError):
            read_archive(saved(tmp_path / f"{number}.npz", arrays))
    bare = tmp_path / "bare.npz"
    bare.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ArchiveError, match="no npz file"):
        read_archive(bare)
    assert not Trap.sprung


@pytest.mark.parametrize("raw", [b"", b"PK", b"PK\x03\x04", b"W\nN1\n", b"\x93NUMPY\x01\x00"])
def test_a_file_that_is_no_npz_is_told(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(raw)
    with pytest.raises(ArchiveError, match=r"a\.npz"):
        read_archive(path)
    with pytest.raises(ArchiveError, match=r"a\.npz"):
        read_any_track(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="can't be read"):
        read_archive(tmp_path / "nowhere.npz")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), keep=st.floats(0.5, 1) | st.just(1.0))
def test_no_damage_fails_without_a_sentence(tmp_path: Path, place: float, byte: int, keep: float) -> None:
    path = saved(tmp_path / "a.npz", native(x=np.zeros((N, 1, 1), np.float32)))
    raw = bytearray(path.read_bytes())
    raw[int(place * len(raw))] = byte
    path.write_bytes(raw[: int(keep * len(raw))])
    with suppress(ArchiveError):
        read_archive(path)
