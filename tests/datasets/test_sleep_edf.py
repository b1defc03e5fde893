"""Which hypnogram belongs to a recording, and what is told when a night can't be fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sleepviewer.datasets.sleep_edf import fetch_sleep_edf_night, find_truth
from sleepviewer.errors import RecordingError


def folder(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).touch()
    return path


@pytest.mark.parametrize(
    ("recording", "hypnogram"),
    [
        ("SC4001E0-PSG.edf", "SC4001EC-Hypnogram.edf"),
        ("ST7011J0-PSG.edf", "ST7011JP-Hypnogram.edf"),
        ("ucddb018.edf", "ucddb018-Hypnogram.edf"),
        ("night.edf", "night_hypnogram.csv"),
        ("night-PSG.edf", "night-Hypnogram.edf"),
        ("night_psg.bdf", "night_hypnogram.txt"),
        ("night-PSG.edf", "night-PSG_hypnogram.tsv"),
        ("a+b (1).edf", "a+b (1)_Hypnogram.EDF"),
        ("shhs1-200001.edf", "shhs1-200001-profusion.xml"),
    ],
)
def test_a_hypnogram_beside_its_recording_is_found(tmp_path: Path, recording: str, hypnogram: str) -> None:
    folder(tmp_path, recording, hypnogram, "SC4002EC-Hypnogram.edf", "other-Hypnogram.edf", "night2_hypnogram.csv")
    assert find_truth(tmp_path / recording) == tmp_path / hypnogram


def test_two_hypnograms_are_no_answer(tmp_path: Path) -> None:
    folder(tmp_path, "SC4001E0-PSG.edf", "SC4001EC-Hypnogram.edf", "SC4001EH-Hypnogram.edf")
    assert find_truth(tmp_path / "SC4001E0-PSG.edf") is None
    folder(tmp_path, "night.edf", "night-Hypnogram.edf", "night_hypnogram.csv")
    assert find_truth(tmp_path / "night.edf") is None


def test_no_hypnogram_is_no_answer(tmp_path: Path) -> None:
    folder(tmp_path, "night.edf", "night.npz", "night_hypnogram.pdf", "night-Hypnogram", "night-nsrr.xml")
    assert find_truth(tmp_path / "night.edf") is None
    assert find_truth(tmp_path / "nowhere" / "night.edf") is None


def test_the_real_nights_truth_is_found(real_night: Path, real_truth: Path) -> None:
    assert find_truth(real_night) == real_truth


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
