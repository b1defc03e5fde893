"""A tiny Sleep-EDF of simulated nights under real names, and a server on this machine that gives it away."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np

from sleepviewer.hypnogram import Hypnogram, write_edf
from sleepviewer.simulation import DEFAULT_START, simulate_night
from sleepviewer.stages import StageArray

NIGHTS = ("SC4001E0", "SC4002E0", "SC4011E0")
FILES = tuple(f"{night[:6]}{ending}" for night in NIGHTS for ending in ("E0-PSG.edf", "EC-Hypnogram.edf"))
HOURS = 2.0

STAGES: StageArray = np.repeat(
    np.array([-1, 0, -1, 0, 1, 2, -1, 3, 4, 2, 0, -1], np.int8), [3, 90, 4, 11, 6, 20, 2, 10, 8, 4, 75, 7]
)
"""The first night's stages: 240 epochs with wake to trim and epochs without a stage in all places."""


def make_sleep_edf(folder: Path) -> Path:
    """Write three nights of two hours, the first with stages of known places."""
    for seed, night in enumerate(NIGHTS):
        simulated = simulate_night(folder / f"{night}-PSG.edf", seed=seed, hours=HOURS)
        if seed == 0:
            assert len(STAGES) == len(simulated.stages)
            scored_to(simulated.hypnogram_path, STAGES)
    return folder


def scored_to(path: Path, stages: StageArray, start: datetime = DEFAULT_START) -> None:
    write_edf(Hypnogram(stages, start, "test", "Jane"), path)


def copy_of(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to))


def checksums(folder: Path, to: Path, kind: str = "sha1") -> Path:
    """Write the list of checksums, as PhysioNet publishes it."""
    lines = [f"{hashlib.new(kind, (folder / name).read_bytes()).hexdigest()}  cassette/{name}\n" for name in FILES]
    to.write_text("".join(lines), encoding="utf-8")
    return to


class Server:
    """Gives away a folder's files; counts what is asked for, and breaks off or falsifies on request."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.asked: Counter[str] = Counter()
        self.breaks: Counter[str] = Counter()
        """How many more times a file's connection breaks in its middle."""
        self.falsified: set[str] = set()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name = handler.path.rpartition("/")[2]
        self.asked[name] += 1
        path = self.folder / name
        if not path.is_file():
            handler.send_error(404)
            return
        content = path.read_bytes()
        if name in self.falsified:
            content = b"X" + content[1:]
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if self.breaks[name] > 0:
            self.breaks[name] -= 1
            content = content[: len(content) // 2]
        handler.wfile.write(content)


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    server = Server(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}/cassette/"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
