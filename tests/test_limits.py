"""No file takes more memory or time than what it holds: sizes are looked at before memory is taken."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from helpers.edf_files import patch, ramp, write_edf
from sleepviewer.archive.archive import read_archive
from sleepviewer.errors import ArchiveError, HypnogramError, RecordingError
from sleepviewer.hypnogram import read_track
from sleepviewer.recording import open_recording


def npz(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in members.items():
            file.writestr(f"{name}.npy", raw)
    return path


def npy(shape: tuple[int, ...], raw: bytes = b"") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue() + raw


def test_an_array_that_claims_more_than_it_holds_is_refused_unread(tmp_path: Path) -> None:
    path = npz(tmp_path / "a.npz", x=npy((10**12, 3000, 1)), y=npy((1,), b"\0" * 4))
    with pytest.raises(ArchiveError, match="“x” claims to be larger than it is"):
        read_archive(path)


def test_an_archive_that_unpacks_to_many_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    """A zip bomb: its directory says what it would become."""
    path = npz(tmp_path / "a.npz", x=npy((1,), b"\0" * 4), y=npy((1,), b"\0" * 4))
    raw = bytearray(path.read_bytes())
    at = raw.rfind(b"PK\x01\x02")
    raw[at + 24 : at + 28] = (4_200_000_000).to_bytes(4, "little")
    first = raw.find(b"PK\x01\x02")
    raw[first + 24 : first + 28] = (4_200_000_000).to_bytes(4, "little")
    path.write_bytes(bytes(raw))
    with pytest.raises(ArchiveError, match=r"would unpack to 8\.4 GB"):
        read_archive(path)


@pytest.mark.parametrize("name", ["night.txt", "night.csv", "night.json", "night.xml", "night.annot"])
def test_a_hypnogram_of_gigabytes_is_refused_unread(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(b"<?xml version='1.0'?>" if name.endswith("xml") else b"W\n")
        file.truncate(8 << 30)
    with pytest.raises(HypnogramError, match="larger than 64 MB"):
        read_track(path)


def test_a_header_that_claims_more_samples_than_the_file_has_is_refused(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(3000))])
    patch(path, 256 + 216, b"900000  ")  # samples of the only signal in a record
    with pytest.raises(RecordingError, match="ends before its first data record"):
        open_recording(path)


def test_a_recording_of_more_than_4_gb_opens_and_reads_at_its_end(tmp_path: Path) -> None:
    """90 channels at 512 Hz for 13 hours, all but the last record a hole in the file."""
    labels = [f"EEG {n}" for n in range(90)]
    path = write_edf(tmp_path / "a.edf", [(label, 512, "uV", ramp(512)) for label in labels])
    header, record = 256 * 91, path.read_bytes()[256 * 91 :]
    n_records = 47_000
    with path.open("r+b") as file:
        file.seek(236)
        file.write(str(n_records).encode().ljust(8))
        file.seek(header)
        file.write(b"\0" * len(record))
        file.seek(header + len(record) * (n_records - 1))
        file.write(record)
    assert path.stat().st_size > 4 << 30
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with open_recording(path) as night:
        assert (len(night.channels), night.n_epochs) == (90, n_records // 30)
        np.testing.assert_allclose(night.read("EEG 89", n_records - 1, n_records), ramp(512), atol=1e-3)
        assert (night.read("EEG 0", 0, 1) == night.read("EEG 0", 1000, 1001)).all()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_48_hours_open(tmp_path: Path) -> None:
    seconds = 48 * 3600
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 10, "uV", ramp(10 * seconds) % 100)], record_s=30)
    with open_recording(path) as night:
        assert night.n_epochs == 48 * 120
        assert len(night.read("EEG C4", seconds - 30, seconds)) == 300


def test_no_pickle_in_an_archive_is_run(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from sleepviewer.archive.archive import read_archive
from sleepviewer.errors import ArchiveError
try:
    read_archive(Path(sys.argv[1]))
except ArchiveError as error:
    print(error)
"""

    class Bomb:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "ran",))

    np.savez(tmp_path / "a.npz", x=np.array([Bomb()], dtype=object), y=np.array([0]))
    run = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "a.npz"], capture_output=True, text=True, check=True, timeout=60
    )
    assert "holds pickled objects" in run.stdout
    assert not (tmp_path / "ran").exists()


def test_a_review_that_names_a_path_outside_its_folder_reads_nothing_there(tmp_path: Path) -> None:
    from sleepviewer.reports.nights import _beside

    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "secret.edf").write_bytes(b"x")
    for name in ("../secret.edf", str(tmp_path / "secret.edf"), json.dumps("..")):
        found = _beside(inner / "night.npz", name)
        assert found is None or found.parent == inner
