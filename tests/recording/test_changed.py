"""A recording that is changed, replaced or taken away while it is open is an error, and no other night's samples."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.edf_files import ramp, write_edf, write_edf_plus_d
from sleepviewer.errors import RecordingError
from sleepviewer.recording import FileStamp, open_recording


def write_night(path: Path, first: int = 0) -> Path:
    return write_edf(path, [("EEG C4", 100, "uV", ramp(6000, first))])


def rewrite(path: Path) -> None:
    """Another night of the same size under the same name, a second later."""
    before = path.stat()
    write_night(path, first=77)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))


def put_another_in_its_place(path: Path) -> None:
    """Another night of the same size, made earlier and moved here."""
    before = path.stat()
    other = write_night(path.with_suffix(".new"), first=77)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns - 10**9))
    other.replace(path)


def let_it_grow(path: Path) -> None:
    """A recorder that is still writing."""
    with path.open("ab") as file:
        file.write(b"\0" * 200)


def cut_it(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 2000)


@pytest.mark.parametrize("change", [rewrite, put_another_in_its_place, let_it_grow, cut_it])
def test_a_file_that_has_changed_is_not_read_on(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = write_night(tmp_path / "night.edf")
    with open_recording(path) as night:
        night.read("EEG C4", 0, 1)
        night.check_unchanged()
        change(path)
        with pytest.raises(RecordingError, match="has changed since it was opened; open it again"):
            night.read("EEG C4", 30, 60)
        with pytest.raises(RecordingError, match="has changed since it was opened; open it again"):
            night.check_unchanged()
    with open_recording(path) as again:
        again.check_unchanged()


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    path = write_night(tmp_path / "night.edf")
    night = open_recording(path)
    path.unlink()
    with pytest.raises(RecordingError, match="can't be read any more"):
        night.check_unchanged()


def test_a_file_with_gaps_is_watched_too(tmp_path: Path) -> None:
    path = write_edf_plus_d(tmp_path / "night.edf", [0, 10], [("EEG C4", 100, "uV", ramp(200))])
    night = open_recording(path)
    write_edf_plus_d(path, [0, 5], [("EEG C4", 100, "uV", ramp(200))], record_s=1.0, patient="Y Y Y Y")
    os.utime(path, ns=(0, 0))
    with pytest.raises(RecordingError, match="has changed"):
        night.read("EEG C4", 0, 11)


def test_a_recording_knows_its_file(tmp_path: Path) -> None:
    path = write_night(tmp_path / "night.edf")
    assert open_recording(path).stamp == FileStamp.of(path)
