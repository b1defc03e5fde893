"""The pages of HTML in a browser: no errors, no requests, tables that sort, strings that stay strings."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from helpers.night_archives import N, run, write_night
from helpers.places import ROOT

TOOL = ROOT / "tools" / "check_reports.py"
HOSTILE = "<img src=x onerror=alert(1)><script>document.title='was here'</script>\"'>"


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_reports", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(*pages: Path) -> tuple[int, list[dict[str, object]]]:
    done = subprocess.run(
        [sys.executable, TOOL, *pages, "--json"], capture_output=True, text=True, timeout=150, check=False
    )
    if done.returncode == tool().NO_BROWSER:
        pytest.skip(done.stderr.strip())
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_pages_with_hostile_strings_fetch_nothing_run_nothing_and_sort(tmp_path: Path) -> None:
    folder = tmp_path / "nights"
    folder.mkdir()
    name = HOSTILE.replace("/", "∕")
    meta = {
        "scorer": HOSTILE,
        "truth": {"source": HOSTILE, "scorer": HOSTILE},
        "model": {"engine": HOSTILE, "version": HOSTILE, "weights_sha256": "ab" * 32, "channels": [HOSTILE]},
        "recording": {"name": HOSTILE, "sha256": "00" * 32, "start": "2024-01-01T22:30:00", "n_epochs": N},
        "dataset": {"name": HOSTILE, "subject": HOSTILE, "night": HOSTILE},
    }
    for seed in range(2):
        write_night(folder / f"{name}{seed}.npz", seed, meta=meta, artefact=(40, 80))
    (folder / f"{name}broken.npz").write_bytes(b"no zip")
    assert run("analyse", folder, "--out", tmp_path / "out", "--draws", 10).exit_code == 0
    assert run("report", folder / f"{name}0.npz", "--out", tmp_path / "n.html").exit_code == 0
    code, results = check(tmp_path / "out" / "index.html", tmp_path / "n.html")
    assert len(results) == 8
    for found in results:
        assert (found["wrong"], found["console"], found["requests"]) == ([], [], [])
    assert code == 0
    assert results[0]["tables"] >= 15
    assert results[0]["buttons"] > 50


@pytest.mark.parametrize(
    ("spoil", "where", "words"),
    [
        ("<img src='https://example.org/x.png'>", "wrong", "an element <img>"),
        ("<script>fetch('https://example.org/')</script>", "wrong", "2 scripts"),
        ("<p onclick='x()'>", "wrong", "an attribute onclick"),
        ("<div style='width: 5000px'>wide</div>", "wrong", "stick out"),
        ("<script src='https://example.org/x.js'></script>", "console", "Content Security Policy"),
    ],
)
def test_the_check_would_see_it(tmp_path: Path, spoil: str, where: str, words: str) -> None:
    write_night(tmp_path / "n.npz")
    assert run("report", tmp_path / "n.npz", "--out", tmp_path / "n.html").exit_code == 0
    page = (tmp_path / "n.html").read_text(encoding="utf-8")
    (tmp_path / "n.html").write_text(page.replace("<h2>", f"{spoil}<h2>", 1), encoding="utf-8")
    code, results = check(tmp_path / "n.html")
    assert code == 1
    assert words in str(results[0][where])


def test_a_request_is_told() -> None:
    page = Path("/reports/n.html")

    def asked(url: str) -> dict[str, object]:
        return {"method": "Network.requestWillBeSent", "params": {"request": {"url": url}}}

    events = [asked(page.as_uri()), asked("data:image/png;base64,AA"), asked("https://example.org/x")]
    own = {page.as_uri(), "data:image/png;base64,AA"}
    assert tool().told(events, own.__contains__)["requests"] == ["https://example.org/x"]
