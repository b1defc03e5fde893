"""Files that come with the program are found, in a checkout and in a wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from sleepviewer import packaged
from sleepviewer.errors import SleepViewerError


def test_a_checkout_keeps_its_resources_beside_the_package() -> None:
    path = packaged.resource("simulation", "sleep_edf_statistics.json")
    assert path.is_file()


def test_a_wheel_keeps_its_resources_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "sleepviewer"
    (package / "resources").mkdir(parents=True)
    (package / "resources" / "icon.svg").write_text("<svg/>")
    monkeypatch.setattr(packaged, "_PACKAGE", package)
    assert packaged.resource("icon.svg") == package / "resources" / "icon.svg"


def test_a_missing_resource_is_told_in_one_sentence() -> None:
    with pytest.raises(SleepViewerError, match=r"no/such\.file is missing; install SleepViewer again"):
        packaged.resource("no", "such.file")
