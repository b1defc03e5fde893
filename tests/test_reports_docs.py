"""The commands of the page on reports work as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT


@pytest.mark.real_data
def test_every_command_of_the_page_works(
    real_night: Path, real_truth: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
    lines = [line for block in re.findall(r"^```\n(.*?)^```$", text, re.M | re.S) for line in block.splitlines()]
    assert len(lines) == 8
    shutil.copyfile(real_night, tmp_path / "night1.edf")
    shutil.copyfile(real_truth, tmp_path / "night1-Hypnogram.edf")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))))
    for line in lines:
        program, *words = shlex.split(line)
        command = [sys.executable, "-m", program, *words] if program == "sleepviewer" else [program, *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=150, check=False)
        assert done.returncode == 0, f"{line}: {done.stderr}"
    for name in ("night1.pdf", "night1-letter.pdf", "night1.html", "recording.pdf", "analysis/index.html"):
        assert (tmp_path / name).stat().st_size > 10_000
    for picture in re.findall(r"\]\((images/.*?)\)", text):
        assert (ROOT / "docs" / picture).is_file()
