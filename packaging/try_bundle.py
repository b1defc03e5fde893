"""Use a Linux bundle where no Python is: unpack it in an empty system, start it, score the demo, save, export.

    debootstrap --variant=minbase --include=LIBRARIES bookworm /tmp/root    # as root; packaging/README.md names them
    python packaging/try_bundle.py /tmp/root dist/SleepViewer-….tar.gz build/tried

Runs as root, drives the real window under Xvfb with xdotool, and keeps pictures of it in the last folder. Prints one
line of JSON; ends with 1 where something did not come as it should.
"""

from __future__ import annotations

import json
import os
import shlex
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

_DISPLAY: Final = ":93"
_SIZE: Final = (1366, 768)
_COLOURS_OF_A_WINDOW: Final = 40
_PROGRAM: Final = "/root/.local/bin/sleepviewer"
_TARGET_S: Final = 3.0
_TARGET_MB: Final = 900.0


def main() -> None:
    """Try all of it, and say what came."""
    root, archive, pictures = (Path(arg).resolve() for arg in sys.argv[1:4])
    pictures.mkdir(parents=True, exist_ok=True)
    tried = Tried(root)
    tried.run("rm -rf /opt/sleepviewer /root && mkdir -p /root /opt")
    subprocess.run(["tar", "-xzf", archive, "-C", root / "opt"], check=True)
    told: dict[str, object] = {
        "archive_mb": round(archive.stat().st_size / 1e6, 1),
        "bundle_mb": round(float(tried.run("du -sb /opt/sleepviewer").split()[0]) / 1e6, 1),
        "python_there": tried.run("command -v python python3 python3.11 || true"),
        "installed": tried.run("/opt/sleepviewer/install.sh"),
        "version": tried.run(f"{_PROGRAM} --version"),
        "opens_edf": tried.run("cd /root && XDG_DATA_HOME=/root/.local/share xdg-mime query default application/x-edf"),
        "demo": tried.run(f"cd /root && {_PROGRAM} demo"),
    }
    night = tried.run("find /root/.cache/SleepViewer -name simulated.edf")
    tried.run(f"cp {night} /root/night.edf")
    told["check"] = tried.run(f"{_PROGRAM} check /root/night.edf").splitlines()[-1]
    told["scored"] = tried.run(f"{_PROGRAM} score /root/night.edf --engine yasa --out /root/yasa.npz").splitlines()[0]
    tried.run("mkdir /root/many && cp /root/night.edf /root/many/a.edf && cp /root/night.edf /root/many/b.edf")
    told["batch"] = tried.run(f"{_PROGRAM} score /root/many --out /root/scored --jobs 2 2>&1").splitlines()[-1]
    told["explained"] = tried.run(f"{_PROGRAM} explain /root/night.edf --epoch 200").splitlines()[0]
    told["report"] = tried.run(f"{_PROGRAM} report /root/yasa.npz --out /root/night.pdf && ls -s /root/night.pdf")
    starts = [tried.time_to_window(f"{_PROGRAM} /root/night.edf") for _ in range(6)]
    told |= tried.work(pictures)
    tried.run(f"{_PROGRAM} export /root/night.edf --labels /root/night.npz --out /root/train.npz")
    with np.load(root / "root" / "train.npz", allow_pickle=False) as archive:
        told["exported"] = {name: list(archive[name].shape) for name in ("x", "y")}
    told["start_s_first"], told["start_s_warm"] = starts[0], statistics.median(starts[1:])
    told["met"] = (
        not told["python_there"] and told["start_s_warm"] < _TARGET_S and float(str(told["bundle_mb"])) < _TARGET_MB
    )
    print(json.dumps(told))
    sys.exit(0 if told["met"] else 1)


class Screen:
    """The picture of a virtual display, read from its memory."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory

    def pixels(self) -> np.ndarray:
        """Return what is shown, ``uint32 [height, width]``."""
        content = self._memory.read_bytes()
        header, width, height, stride, colours = (
            struct.unpack(">I", content[4 * i : 4 * i + 4])[0] for i in (0, 4, 5, 12, 19)
        )
        start = header + 12 * colours
        rows = np.frombuffer(content, np.uint8, stride * height, start).reshape(height, stride)
        return np.ascontiguousarray(rows[:, : 4 * width]).view(np.uint32) & 0xFFFFFF  # the fourth byte means nothing

    def painted(self) -> bool:
        """Whether a window with writing in it is shown; without one there is the pointer on a black ground."""
        pixels = self.pixels()
        return np.count_nonzero(pixels) > pixels.size / 2 and len(np.unique(pixels)) > _COLOURS_OF_A_WINDOW

    def save(self, path: Path) -> None:
        """Keep it as a picture."""
        pixels = self.pixels()
        channels = [(pixels >> shift & 255).astype(np.uint8) for shift in (16, 8, 0)]
        Image.fromarray(np.stack(channels, axis=2)).save(path)


class Tried:
    """Runs commands in the empty system."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def words(self, command: str) -> list[str]:
        """Return the command that runs another one there, with /proc and /dev and nothing else of this system."""
        root = shlex.quote(str(self._root))
        inside = (
            f"mount --bind /proc {root}/proc && mount --bind /dev {root}/dev && exec chroot {root} /usr/bin/env -i "
            f"HOME=/root PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 {{display}} /bin/sh -c {shlex.quote(command)}"
        )
        return ["unshare", "-m", "sh", "-c", inside]

    def run(self, command: str) -> str:
        """Run it without a display; return what it says. Ends the trial where it fails."""
        words = [word.replace("{display}", "") for word in self.words(command)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{command}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    @contextmanager
    def window(self, command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run it with the display; it ends with the block."""
        words = [word.replace("{display}", f"DISPLAY={_DISPLAY}") for word in self.words(f"exec {command}")]
        process = subprocess.Popen(words)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)

    def time_to_window(self, command: str) -> float:
        """Return the seconds from the start to the first picture of the window, on a display of its own."""
        with display() as screen:
            time.sleep(1)
            assert not screen.painted()
            started = time.perf_counter()
            with self.window(command):
                wait_for(screen.painted, "the window")
                return round(time.perf_counter() - started, 2)

    def work(self, pictures: Path) -> dict[str, object]:
        """Score the night in the window, correct an epoch, save; return what came of it."""
        saved = self._root / "root" / "night.npz"
        with display() as screen, self.window(f"{_PROGRAM} /root/night.edf"):
            wait_for(screen.painted, "the window")
            time.sleep(3)
            screen.save(pictures / "opened.png")
            key("s")
            started = time.perf_counter()
            wait_for(lambda: still(screen), "the scoring")
            scoring_s = round(time.perf_counter() - started, 1)
            screen.save(pictures / "scored.png")
            for name in ("d", "2", "ctrl+s"):
                key(name)
                time.sleep(0.5)
            wait_for(saved.is_file, "the saved review")
            time.sleep(1)
            screen.save(pictures / "saved.png")
        with np.load(saved, allow_pickle=False) as archive:
            return {
                "scored_within_s": scoring_s,
                "edits_saved": int(archive["edited"].sum()),
                "review": str(saved.name),
            }


def still(screen: Screen) -> bool:
    """Whether nothing has moved on the screen for three seconds."""
    before = screen.pixels()
    for _ in range(6):
        time.sleep(0.5)
        if not np.array_equal(before, screen.pixels()):
            return False
    return True


def key(name: str) -> None:
    """Press a key."""
    subprocess.run(["xdotool", "key", name], env={**os.environ, "DISPLAY": _DISPLAY}, check=True)


@contextmanager
def display() -> Iterator[Screen]:
    """Run a virtual display with a window manager until the block ends; the empty system reaches it by its number."""
    with tempfile.TemporaryDirectory() as folder:
        size = f"{_SIZE[0]}x{_SIZE[1]}x24"
        server = subprocess.Popen(["Xvfb", _DISPLAY, "-screen", "0", size, "-fbdir", folder, "-ac"])
        memory = Path(folder) / "Xvfb_screen0"
        socket = Path(f"/tmp/.X11-unix/X{_DISPLAY[1:]}")
        wait_for(lambda: socket.exists() and memory.exists(), "the display")
        manager = subprocess.Popen(["openbox"], env={**os.environ, "DISPLAY": _DISPLAY})
        try:
            yield Screen(memory)
        finally:
            manager.terminate()
            server.terminate()
            server.wait(10)


def wait_for(true: Callable[[], bool], what: str, limit_s: float = 120.0) -> None:
    """Wait until a function says so. Ends the trial where it does not."""
    until = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > until:
            sys.exit(f"waited {limit_s:g} s for {what} in vain")
        time.sleep(0.01)


if __name__ == "__main__":
    main()
