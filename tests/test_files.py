"""Files are written whole or not at all, and where a link leads."""

from __future__ import annotations

from pathlib import Path

import pytest

from sleepviewer.errors import OutputError
from sleepviewer.files import atomic_writer


def write(path: Path, raw: bytes) -> None:
    with atomic_writer(path) as file:
        file.write(raw)


def test_a_link_stays_one_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    real, link = tmp_path / "store" / "real.npz", tmp_path / "link.npz"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(Path("store") / "real.npz")
    write(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o640
    assert {file.name for file in tmp_path.rglob("*")} == {"store", "real.npz", "link.npz"}


def test_a_link_to_a_file_that_is_not_there_makes_it(tmp_path: Path) -> None:
    link = tmp_path / "link.npz"
    link.symlink_to("new.npz")
    write(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "new.npz").read_bytes() == b"new"


def test_a_link_into_a_folder_that_is_not_there_is_told_and_kept(tmp_path: Path) -> None:
    link = tmp_path / "link.npz"
    link.symlink_to(tmp_path / "nowhere" / "new.npz")
    with pytest.raises(OutputError, match=r"link\.npz can't be written"):
        write(link, b"new")
    assert link.is_symlink()


def fail_half_way(path: Path) -> None:
    with atomic_writer(path) as file:
        file.write(b"new")
        raise ValueError("half-way")


def test_after_a_failure_the_old_file_is_whole_and_nothing_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "night.npz"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="half-way"):
        fail_half_way(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
