"""Every format gives back what was written, and no input makes a reader fail without a sentence."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sleepviewer.errors import HypnogramError, OutputError
from sleepviewer.hypnogram import Hypnogram, read_track, to_hypnogram, write_hypnogram
from sleepviewer.hypnogram.formats import written_endings
from sleepviewer.hypnogram.words import one_line

FORMATS = [ending.removeprefix(".") for ending in written_endings()]
IN_ONE_FOLDER = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("suffix", FORMATS)
@IN_ONE_FOLDER
@given(
    stages=st.lists(st.integers(-1, 4), min_size=1, max_size=50),
    start=st.none() | st.datetimes(datetime(1985, 1, 1), datetime(2084, 12, 31)),
    scorer=st.text(max_size=60),
)
def test_every_format_gives_back_stages_start_and_scorer(
    tmp_path: Path, suffix: str, stages: list[int], start: datetime | None, scorer: str
) -> None:
    path = tmp_path / f"night.{suffix}"
    write_hypnogram(Hypnogram(np.array(stages, np.int8), start, "test", scorer), path)
    back = to_hypnogram(read_track(path))
    assert back.stages.tolist() == stages
    assert back.start == start
    assert back.scorer == one_line(scorer)
    assert all("no valid start date" in note or "numbers were read" in note for note in back.notes)


@pytest.mark.parametrize("suffix", FORMATS)
def test_simulated_nights_say_so_in_every_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"night.{suffix}"
    hypnogram = Hypnogram(np.array([0, 2]), datetime(2002, 1, 1, 23), "test", "J")
    write_hypnogram(hypnogram, path)
    assert b"simulated" not in path.read_bytes().lower()
    write_hypnogram(hypnogram, path, simulated=True)
    assert b"simulated" in path.read_bytes().lower()
    assert to_hypnogram(read_track(path)).stages.tolist() == [0, 2]


def test_the_real_nights_truth_survives_every_format(tmp_path: Path, real_truth: Path) -> None:
    truth = to_hypnogram(read_track(real_truth))
    for suffix in FORMATS:
        path = tmp_path / f"night.{suffix}"
        write_hypnogram(truth, path)
        back = to_hypnogram(read_track(path))
        assert (back.stages == truth.stages).all()
        assert back.start == truth.start


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"unsupported extension; use \.edf, \.json, .* or \.yasa\.txt"):
        write_hypnogram(Hypnogram(np.array([0]), None, "test"), tmp_path / "night.docx")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't be written"):
        write_hypnogram(Hypnogram(np.array([0]), None, "test"), tmp_path / "nowhere" / "night.txt")


@pytest.mark.parametrize("suffix", FORMATS)
@IN_ONE_FOLDER
@given(raw=st.binary(max_size=200) | st.text("0123456789,;:\t\n WNRstage#-.eonsdurati", max_size=200).map(str.encode))
def test_no_input_fails_without_a_sentence(tmp_path: Path, suffix: str, raw: bytes) -> None:
    path = tmp_path / f"wild.{suffix}"
    path.write_bytes(raw)
    with suppress(HypnogramError):
        to_hypnogram(read_track(path))


@IN_ONE_FOLDER
@given(place=st.integers(0, 800), byte=st.integers(0, 255))
def test_no_damaged_byte_of_an_edf_file_fails_without_a_sentence(tmp_path: Path, place: int, byte: int) -> None:
    path = tmp_path / "wild.edf"
    write_hypnogram(Hypnogram(np.arange(-1, 5), datetime(2002, 1, 1, 23), "test", "J"), path)
    raw = bytearray(path.read_bytes())
    raw[place % len(raw)] = byte
    path.write_bytes(raw)
    with suppress(HypnogramError):
        to_hypnogram(read_track(path))
