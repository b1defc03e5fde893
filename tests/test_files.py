"""Files are written whole or not at all, and where a link leads."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from sleepviewer import files
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


# -- other people's files


@pytest.fixture
def somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies in the test's folder belongs to another user than the one who writes."""
    monkeypatch.setattr(files, "_user_id", lambda: os.getuid() + 1)


@pytest.mark.usefixtures("somebody_else")
@pytest.mark.parametrize("there", [True, False])
def test_a_link_of_somebody_else_is_not_followed(tmp_path: Path, *, there: bool) -> None:
    target, link = tmp_path / "theirs.npz", tmp_path / "link.npz"
    if there:
        target.write_bytes(b"old")
    link.symlink_to(target)
    with pytest.raises(OutputError, match=r"link\.npz was not written: it is a link.*of another user"):
        write(link, b"new")
    assert link.is_symlink()
    assert target.exists() == there
    assert not there or target.read_bytes() == b"old"


def test_ones_own_link_does_not_reach_somebody_elses_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, between, link = tmp_path / "theirs.npz", tmp_path / "between.npz", tmp_path / "link.npz"
    target.write_bytes(b"old")
    between.symlink_to("theirs.npz")
    link.symlink_to(between)
    mine = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        real = mine(path)
        if path.name != target.name:
            return real
        return os.stat_result((*real[:4], real.st_uid + 1, *real[5:]))

    monkeypatch.setattr(Path, "lstat", lstat)
    with pytest.raises(OutputError, match="leads to a file of another user"):
        write(link, b"new")
    assert target.read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"theirs.npz", "between.npz", "link.npz"}


@pytest.mark.usefixtures("somebody_else")
def test_a_file_in_ones_own_folder_is_replaced_whoever_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "night.npz"
    path.write_bytes(b"old")
    write(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_link_in_circles_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.npz").symlink_to("b.npz")
    (tmp_path / "b.npz").symlink_to("a.npz")
    with pytest.raises(OutputError, match=r"circles|can't be written"):
        write(tmp_path / "a.npz", b"new")


def test_while_it_is_written_nobody_else_can_read_it_and_then_the_umask_holds(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic_writer(tmp_path / "night.npz") as file:
            file.write(b"half")
            (part,) = tmp_path.iterdir()
            assert stat.S_IMODE(part.stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "night.npz").stat().st_mode) == 0o640
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_a_link_that_waits_under_the_temporary_name_is_not_written_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "theirs.txt"
    theirs.write_bytes(b"precious")
    (tmp_path / ".night.npz.guessed.part").symlink_to(theirs)
    monkeypatch.setattr(tempfile, "_get_candidate_names", lambda: iter(["guessed", "free"]))
    write(tmp_path / "night.npz", b"new")
    assert theirs.read_bytes() == b"precious"
    assert (tmp_path / "night.npz").read_bytes() == b"new"
