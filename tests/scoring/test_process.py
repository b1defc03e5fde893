"""Scoring in a child process: it answers, stops, dies and ends without holding anybody up."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from helpers.places import DATA
from helpers.scoring_fakes import eeg, write_edf
from sleepviewer.errors import (
    ChannelError,
    CheckpointError,
    EngineError,
    RecordingError,
    ScoringCancelled,
    SleepViewerError,
)
from sleepviewer.recording import open_recording
from sleepviewer.scoring.base import CancelToken, ChannelChoice, Prediction, Progress
from sleepviewer.scoring.family_engine import FamilyEngine
from sleepviewer.scoring.process import ScoringProcess, ScoringRequest
from sleepviewer.scoring.registry import EngineSpec

WEIGHTS = DATA / "attnsleep_100hz.safetensors"
ATTNSLEEP = EngineSpec("attnsleep", WEIGHTS)
EEG = ChannelChoice("EEG")
on_linux = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks at processes in /proc")


PROMPT_S = 4.0
"""Far below what the engines take; on a quiet machine it is a tenth of it (a second is what users are promised)."""


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six minutes."""
    return write_edf(tmp_path_factory.mktemp("short") / "short.edf", {"EEG": (eeg(12), 100.0)})


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve hours, which take AttnSleep seconds."""
    return write_edf(tmp_path_factory.mktemp("long") / "long.edf", {"EEG": (eeg(1440), 100.0)})


@pytest.fixture(scope="module")
def process() -> Iterator[ScoringProcess]:
    with ScoringProcess() as process:
        process.warm_up(ATTNSLEEP)
        yield process


def wait_until_gone(pid: int, seconds: float = 5.0) -> bool:
    """Whether a process ends within so many seconds; one that nobody has collected yet counts as ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def seconds_until_cancelled(process: ScoringProcess, request: ScoringRequest, when: float | None) -> float:
    """Score, cancel after so many seconds (None: at the first probabilities), and time how long stopping takes."""
    token = CancelToken()
    asked: list[float] = []

    def cancel() -> None:
        asked.append(time.monotonic())
        token.cancel()

    def at_first_probabilities(progress: Progress) -> None:
        if progress.proba is not None and not asked:
            cancel()

    timer = threading.Timer(when or 60.0, cancel)
    timer.start()
    with pytest.raises(ScoringCancelled):
        process.score(request, at_first_probabilities if when is None else (lambda progress: None), token)
    timer.cancel()
    return time.monotonic() - asked[0]


def test_the_childs_scoring_is_the_engines(process: ScoringProcess, short: Path) -> None:
    told: list[Progress] = []
    prediction = process.score(ScoringRequest(short, ATTNSLEEP, EEG), told.append)
    with open_recording(short) as recording:
        here = FamilyEngine("attnsleep", WEIGHTS).score(recording, EEG)
    np.testing.assert_allclose(prediction.proba, here.proba, atol=5e-3)
    assert prediction.weights_sha256 == here.weights_sha256
    assert not prediction.proba.flags.writeable
    parts = [progress.proba for progress in told if progress.proba is not None]
    np.testing.assert_array_equal(np.concatenate(parts), prediction.proba)


def test_the_child_lives_on(process: ScoringProcess, short: Path) -> None:
    request = ScoringRequest(short, ATTNSLEEP, EEG)
    process.score(request)
    pid = process.pid
    process.score(request)
    assert process.pid == pid


@on_linux
def test_the_child_is_modest(process: ScoringProcess, short: Path) -> None:
    process.score(ScoringRequest(short, ATTNSLEEP, EEG))
    assert process.pid is not None
    ours, theirs = (os.getpriority(os.PRIO_PROCESS, pid) for pid in (0, process.pid))
    assert theirs == min(ours + 5, 19)


@on_linux
def test_yasa_runs_in_a_child_without_qt(short: Path) -> None:
    with ScoringProcess() as process:
        started = time.monotonic()
        process.warm_up(EngineSpec("yasa"))
        assert time.monotonic() - started < PROMPT_S
        prediction = process.score(ScoringRequest(short, EngineSpec("yasa"), EEG))
        assert prediction.scored.all()
        loaded = Path(f"/proc/{process.pid}/maps").read_text()
        assert "numpy" in loaded
        assert "Qt" not in loaded
        assert "libtorch" not in loaded


def test_new_weights_under_the_old_name_are_noticed(process: ScoringProcess, short: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    shutil.copy(WEIGHTS, path)
    request = ScoringRequest(short, EngineSpec("attnsleep", path), EEG)
    before = process.score(request)
    state = load_file(path)
    state["fc.bias"][3] += 1000
    save_file(state, path)
    after = process.score(request)
    assert before.weights_sha256 != after.weights_sha256
    assert (after.stages == 3).all()


def test_the_childs_errors_keep_their_type_and_sentence(process: ScoringProcess, short: Path, tmp_path: Path) -> None:
    pid = process.pid
    wrong: list[tuple[ScoringRequest, type[SleepViewerError], str]] = [
        (ScoringRequest(tmp_path / "absent.edf", ATTNSLEEP, EEG), RecordingError, "absent.edf"),
        (ScoringRequest(short, ATTNSLEEP, ChannelChoice("C9")), ChannelError, "has no channel “C9”"),
        (ScoringRequest(short, EngineSpec("attnsleep-msmp", WEIGHTS), EEG), CheckpointError, "not of attnsleep-msmp"),
        (ScoringRequest(short, EngineSpec("nobody"), EEG), EngineError, "no engine called “nobody”"),
    ]
    for request, kind, words in wrong:
        with pytest.raises(kind, match=words) as caught:
            process.score(request)
        assert type(caught.value) is kind
        assert "Traceback" in caught.value.__notes__[0]
    assert process.pid == pid


def test_a_file_that_took_the_place_of_the_open_recording_is_not_scored(
    process: ScoringProcess, short: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(short, tmp_path / "night.edf"))
    with open_recording(path) as recording:
        request = ScoringRequest(path, ATTNSLEEP, EEG, stamp=recording.stamp)
    assert len(process.score(request)) == 12
    write_edf(path, {"EEG": (eeg(12, seed=9), 100.0)})
    with pytest.raises(RecordingError, match=r"night\.edf has changed since it was opened; open it again\.$"):
        process.score(request)


def test_a_fault_in_an_engine_gives_a_sentence(process: ScoringProcess, short: Path) -> None:
    with pytest.raises(EngineError) as caught:
        process.score(ScoringRequest(short, ATTNSLEEP, None))  # type: ignore[arg-type]
    sentence = "Scoring with attnsleep failed: AttributeError: 'NoneType' object has no attribute 'eeg'."
    assert str(caught.value) == sentence
    assert "Traceback" in caught.value.__notes__[0]


def test_cancel_during_the_first_start_takes_less_than_a_second(short: Path) -> None:
    with ScoringProcess() as process:
        process.warm_up(EngineSpec("yasa"))
        assert seconds_until_cancelled(process, ScoringRequest(short, EngineSpec("yasa"), EEG), when=1.5) < PROMPT_S
        assert process.pid is not None  # another one, warming up for the next scoring


def test_cancel_between_batches_takes_less_than_a_second(process: ScoringProcess, long: Path, short: Path) -> None:
    assert seconds_until_cancelled(process, ScoringRequest(long, ATTNSLEEP, EEG), when=None) < PROMPT_S
    assert len(process.score(ScoringRequest(short, ATTNSLEEP, EEG))) == 12


def test_a_token_that_is_set_already_starts_nothing(short: Path) -> None:
    token = CancelToken()
    token.cancel()
    with ScoringProcess() as process:
        with pytest.raises(ScoringCancelled):
            process.score(ScoringRequest(short, ATTNSLEEP, EEG), cancel=token)
        assert process.pid is None


def test_a_fault_of_the_caller_stops_the_child(process: ScoringProcess, long: Path) -> None:
    def faulty(progress: Progress) -> None:
        if progress.proba is not None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        process.score(ScoringRequest(long, ATTNSLEEP, EEG), faulty)
    assert process.pid is None


@on_linux
def test_a_killed_child_gives_a_sentence(process: ScoringProcess, long: Path) -> None:
    def kill(progress: Progress) -> None:
        if progress.proba is not None and process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)

    with pytest.raises(EngineError, match=r"stopped unexpectedly \(it was ended by signal 9"):
        process.score(ScoringRequest(long, ATTNSLEEP, EEG), kill)
    assert process.pid is None


@on_linux
def test_a_child_that_died_idle_is_replaced(process: ScoringProcess, short: Path) -> None:
    process.warm_up(ATTNSLEEP)
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_until_gone(pid)
    assert len(process.score(ScoringRequest(short, ATTNSLEEP, EEG))) == 12
    assert process.pid != pid


def test_closing_stops_a_scoring_at_once(long: Path) -> None:
    process = ScoringProcess()
    raised: list[BaseException] = []
    running = threading.Event()

    def score() -> Prediction | None:
        try:
            return process.score(ScoringRequest(long, ATTNSLEEP, EEG), lambda progress: running.set())
        except BaseException as error:
            raised.append(error)
            return None

    thread = threading.Thread(target=score)
    thread.start()
    assert running.wait(10)
    time.sleep(0.5)
    pid = process.pid
    started = time.monotonic()
    process.close()
    thread.join(5)
    assert time.monotonic() - started < PROMPT_S
    assert isinstance(raised[0], ScoringCancelled)
    assert pid is not None
    assert wait_until_gone(pid)
    process.close()
    process.warm_up(ATTNSLEEP)
    assert process.pid is None
    with pytest.raises(ScoringCancelled):
        process.score(ScoringRequest(long, ATTNSLEEP, EEG))


def run_code(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


START = (
    "import os, signal, sys, threading, time; from pathlib import Path;"
    "from sleepviewer.scoring.process import ScoringProcess, ScoringRequest;"
    "from sleepviewer.scoring.registry import EngineSpec; from sleepviewer.scoring.base import ChannelChoice;"
    "p = ScoringProcess(); p.warm_up(EngineSpec()); time.sleep(0.7); print(p.pid, flush=True);"
)


@on_linux
@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(1)", "sys.exit()"])
def test_no_child_outlives_its_parent(end: str) -> None:
    started = time.monotonic()
    done = run_code(START + end)
    assert time.monotonic() - started < 10
    assert done.stderr == ""
    assert wait_until_gone(int(done.stdout))


@on_linux
def test_a_program_ends_while_a_night_is_being_scored(long: Path) -> None:
    score = f"lambda: p.score(ScoringRequest(Path({str(long)!r}), EngineSpec(), ChannelChoice('EEG')))"
    started = time.monotonic()
    done = run_code(START + f"threading.Thread(target={score}, daemon=True).start(); time.sleep(0.3)")
    assert time.monotonic() - started < 10
    assert done.returncode == 0
    assert wait_until_gone(int(done.stdout))


def test_works_from_a_script(short: Path, tmp_path: Path) -> None:
    script = tmp_path / "program"
    request = (
        f"ScoringRequest(Path({str(short)!r}), EngineSpec('attnsleep', Path({str(WEIGHTS)!r})), ChannelChoice('EEG'))"
    )
    script.write_text(
        "from pathlib import Path\n"
        "from sleepviewer.scoring.base import ChannelChoice\n"
        "from sleepviewer.scoring.process import ScoringProcess, ScoringRequest\n"
        "from sleepviewer.scoring.registry import EngineSpec\n"
        "if __name__ == '__main__':\n"
        "    with ScoringProcess() as process:\n"
        f"        print(len(process.score({request})))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr) == ("12", "")
