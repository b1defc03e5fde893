"""Fetching a night of Sleep-EDF, and what is told when it can't be fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sleepviewer.datasets.sleep_edf import fetch_sleep_edf_night
from sleepviewer.errors import RecordingError


def stand_in(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[dict[str, Any]]:
    """Put something in the place of MNE's downloader, which returns ``answer`` or raises it."""
    import mne.datasets.sleep_physionet.age as age

    asked: list[dict[str, Any]] = []

    def fetch_data(**options: Any) -> Any:
        asked.append(options)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(age, "fetch_data", fetch_data)
    return asked


def test_a_fetched_night_is_a_pair_of_paths(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = stand_in(monkeypatch, [["a/SC4011E0-PSG.edf", "a/SC4011EH-Hypnogram.edf"]])
    psg, hypnogram = fetch_sleep_edf_night(1, 1, tmp_path / "new")
    assert (psg.name, hypnogram.name) == ("SC4011E0-PSG.edf", "SC4011EH-Hypnogram.edf")
    assert asked[0]["subjects"] == [1]
    assert asked[0]["recording"] == [1]
    assert asked[0]["path"] == str(tmp_path / "new")
    assert (tmp_path / "new").is_dir()


def test_a_network_fault_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(monkeypatch, ConnectionError("no route to host"))
    with pytest.raises(RecordingError, match=r"can't be fetched \(no route to host\); check the network"):
        fetch_sleep_edf_night(0, 1, tmp_path)


@pytest.mark.parametrize(("subject", "night"), [(39, 1), (13, 2), (36, 1)])
def test_a_night_that_sleep_edf_does_not_have_is_told(tmp_path: Path, subject: int, night: int) -> None:
    with pytest.raises(RecordingError, match=f"no night {night} of subject {subject}"):
        fetch_sleep_edf_night(subject, night, tmp_path)


@pytest.mark.parametrize(("subject", "night"), [(0, 3), (90, 1), (-1, 1)])
def test_numbers_that_cannot_be_are_told(tmp_path: Path, subject: int, night: int) -> None:
    with pytest.raises(RecordingError, match=f"not night {night} of {subject}"):
        fetch_sleep_edf_night(subject, night, tmp_path)
