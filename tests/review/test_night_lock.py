"""The lock: one window edits a night, whatever became of those before it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from helpers.journal_values import folders_in, write_night
from sleepviewer.recording import open_recording
from sleepviewer.review.night_lock import STALE_S, Holder, Lock, NightLock, living_holder, lock_path, read_holder
from sleepviewer.review.processes import start_of, this_machine
from sleepviewer.review.state_folder import RecordingFacts, StateFolders


@pytest.fixture
def folders(tmp_path: Path) -> StateFolders:
    return folders_in(tmp_path)


@pytest.fixture
def facts(tmp_path: Path) -> RecordingFacts:
    with open_recording(write_night(tmp_path / "night.edf")) as recording:
        return RecordingFacts.of(recording)


def write_holder(path: Path, holder: Holder, *, age_s: float = 0.0) -> None:
    import json

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(holder)))
    os.utime(path, (time.time() - age_s, time.time() - age_s))


def other_machine() -> Holder:
    return replace(Holder.of_this_process(), user="alice", host="lab-3", machine="lab-3 another boot")


def test_the_second_is_told_who_has_it_until_it_is_given_back(facts: RecordingFacts, folders: StateFolders) -> None:
    first, second = NightLock(facts, "me", folders), NightLock(facts, "me", folders)
    assert first.acquire() is None
    holder = second.acquire()
    assert holder is not None
    assert holder.pid == os.getpid()
    assert f"process {os.getpid()}" in holder.text
    first.release()
    assert second.acquire() is None
    second.release()
    assert living_holder(lock_path(facts, "me", folders)) is None


def test_another_scorer_may_edit_the_same_night(facts: RecordingFacts, folders: StateFolders) -> None:
    first, second = NightLock(facts, "me", folders), NightLock(facts, "you", folders)
    assert first.acquire() is None
    assert second.acquire() is None
    for lock in (first, second):
        lock.release()


def test_nothing_is_left_beside_the_recording(facts: RecordingFacts, folders: StateFolders) -> None:
    lock = NightLock(facts, "me", folders)
    beside = Path(facts.path).parent
    assert lock.acquire() is None
    assert [path.name for path in beside.glob(".*lock")] == [".night.edf.me.sleepviewer-lock"]
    lock.release()
    assert not list(beside.glob(".*lock"))


def test_the_lock_of_a_process_that_was_killed_is_taken_over_and_told(
    facts: RecordingFacts, folders: StateFolders
) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    holder = replace(Holder.of_this_process(), pid=child.pid, started=start_of(child.pid) or "")
    write_holder(lock_path(facts, "me", folders), holder)
    lock = NightLock(facts, "me", folders)
    assert lock.acquire() == holder
    child.kill()
    child.wait()
    assert lock.acquire() is None
    assert lock.taken_over == holder
    lock.release()


def test_a_zombie_holds_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    deadline = time.monotonic() + 10
    while start_of(child.pid) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert start_of(child.pid) is None
    child.wait()


def test_another_process_with_the_same_number_holds_nothing(facts: RecordingFacts, folders: StateFolders) -> None:
    write_holder(lock_path(facts, "me", folders), replace(Holder.of_this_process(), started="long ago"))
    lock = NightLock(facts, "me", folders)
    assert lock.acquire() is None
    lock.release()


@pytest.mark.parametrize(("age_s", "is_gone"), [(STALE_S - 30, False), (STALE_S + 30, True)])
def test_another_machine_is_gone_once_it_has_not_touched_its_lock_for_two_minutes(
    facts: RecordingFacts, folders: StateFolders, age_s: float, is_gone: bool
) -> None:
    beside = Path(facts.path).with_name(".night.edf.me.sleepviewer-lock")
    write_holder(beside, other_machine(), age_s=age_s)
    lock = NightLock(facts, "me", folders)
    holder = lock.acquire()
    assert (holder is None) == is_gone
    if holder is not None:
        assert holder.text.startswith("alice on lab-3")
        assert living_holder(lock_path(facts, "me", folders)) is None  # the other lock was given back
    lock.release()


def test_a_touch_keeps_a_lock_young(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = Lock(path, other_machine())
    assert lock.acquire() is None
    os.utime(path, (1, 1))
    assert living_holder(path) is None
    assert lock.beat()
    assert living_holder(path) is not None


def test_whose_lock_was_taken_over_knows_it(facts: RecordingFacts, folders: StateFolders) -> None:
    lock = NightLock(facts, "me", folders)
    assert lock.acquire() is None
    write_holder(lock_path(facts, "me", folders), other_machine())
    lock.beat()
    assert lock.is_lost
    lock.release()
    assert read_holder(lock_path(facts, "me", folders)) is not None  # not ours to take away


def test_a_lock_that_somebody_tidied_away_is_made_again(facts: RecordingFacts, folders: StateFolders) -> None:
    lock = NightLock(facts, "me", folders)
    assert lock.acquire() is None
    lock_path(facts, "me", folders).unlink()
    lock.beat()
    assert not lock.is_lost
    assert living_holder(lock_path(facts, "me", folders)) is not None
    lock.release()


def test_of_many_who_take_a_stale_lock_over_one_gets_it(tmp_path: Path) -> None:
    for attempt in range(20):
        path = tmp_path / f"lock{attempt}"
        write_holder(path, other_machine(), age_s=STALE_S + 60)
        start = threading.Barrier(6)
        locks = [Lock(path, Holder.of_this_process()) for _ in range(6)]
        got: list[Lock] = []

        def take(lock: Lock, start: threading.Barrier = start, got: list[Lock] = got) -> None:
            start.wait()
            if lock.acquire() is None:
                got.append(lock)

        threads = [threading.Thread(target=take, args=(lock,)) for lock in locks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 1
        assert got[0].beat()


def test_a_damaged_lock_counts_while_it_is_young(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("{")
    lock = Lock(path, Holder.of_this_process())
    assert lock.acquire() is not None
    os.utime(path, (1, 1))
    assert lock.acquire() is None


def test_where_no_lock_can_be_made_the_night_can_be_edited(facts: RecordingFacts, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    nowhere = replace(facts, path=str(tmp_path / "file" / "night.edf"))
    lock = NightLock(nowhere, "me", folders_in(tmp_path / "file"))
    assert lock.acquire() is None
    lock.release()


def test_this_machine_is_named_and_this_process_has_started() -> None:
    assert this_machine()
    assert start_of(os.getpid())
    assert start_of(2**22 + 1) is None
