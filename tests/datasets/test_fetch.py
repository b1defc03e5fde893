"""Fetching Sleep-EDF over a loopback connection: whole files or none, and on from where it stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from helpers.sleep_edf_nights import FILES, Server, checksums, make_sleep_edf, serving
from sleepviewer.cli import main
from sleepviewer.datasets.sleep_edf import (
    SLEEP_EDF_20,
    SLEEP_EDF_78,
    Fetched,
    FetchProgress,
    SleepEdfName,
    fetch_sleep_edf,
    parse_subjects,
)
from sleepviewer.errors import DatasetError


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sleep_edf(tmp_path_factory.mktemp("sleep-edf"))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def server(nights: Path) -> Iterator[Server]:
    with serving(nights) as server:
        yield server


@pytest.fixture
def known(nights: Path, tmp_path: Path) -> Path:
    return checksums(nights, tmp_path / "SHA1SUMS")


def fetch(server: Server, folder: Path, known: Path, told: list[FetchProgress] | None = None) -> Fetched:
    progress = None if told is None else told.append
    return fetch_sleep_edf(folder, (0, 1), base_url=server.url, checksums=known, retries=0, progress=progress)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_all_nights_come_whole_in_pairs(server: Server, nights: Path, known: Path, tmp_path: Path) -> None:
    told: list[FetchProgress] = []
    fetched = fetch(server, tmp_path / "new" / "folder", known, told)
    assert names(fetched.folder) == sorted(FILES)
    for name in FILES:
        assert (fetched.folder / name).read_bytes() == (nights / name).read_bytes()
    assert [psg.name[:6] for psg, _ in fetched.nights] == ["SC4001", "SC4002", "SC4011"]
    assert all(hypnogram.name == f"{psg.name[:6]}EC-Hypnogram.edf" for psg, hypnogram in fetched.nights)
    size = sum((nights / name).stat().st_size for name in FILES)
    assert (fetched.files_fetched, fetched.bytes_fetched) == (6, size)
    assert (told[-1].nights_done, told[-1].nights, told[-1].bytes_done, told[-1].bytes_total) == (3, 3, size, size)
    assert [p.bytes_done for p in told] == sorted(p.bytes_done for p in told)
    assert all(p.bytes_done <= p.bytes_total for p in told)


def test_what_is_there_whole_is_not_fetched_again(server: Server, known: Path, tmp_path: Path) -> None:
    fetch(server, tmp_path / "here", known)
    server.asked.clear()
    again = fetch(server, tmp_path / "here", known)
    assert not server.asked
    assert (again.files_fetched, again.bytes_fetched, len(again.nights)) == (0, 0, 3)


def test_a_damaged_file_alone_is_fetched_again(server: Server, nights: Path, known: Path, tmp_path: Path) -> None:
    folder = fetch(server, tmp_path / "here", known).folder
    (folder / FILES[2]).write_bytes(b"half a file")
    server.asked.clear()
    assert fetch(server, folder, known).files_fetched == 1
    assert list(server.asked) == [FILES[2]]
    assert (folder / FILES[2]).read_bytes() == (nights / FILES[2]).read_bytes()


def test_another_checksum_is_told_and_nothing_of_the_file_stays(server: Server, known: Path, tmp_path: Path) -> None:
    server.falsified.add(FILES[2])
    with pytest.raises(DatasetError, match=rf"{FILES[2]} from 127.0.0.1:\d+ has another checksum than the published"):
        fetch(server, tmp_path / "here", known)
    assert names(tmp_path / "here") == sorted(FILES[:2])


def test_a_broken_connection_is_told_and_the_next_fetch_goes_on(server: Server, known: Path, tmp_path: Path) -> None:
    server.breaks[FILES[2]] = 1
    with pytest.raises(DatasetError, match=rf"{FILES[2]} can't be fetched: the connection to .* broke after"):
        fetch(server, tmp_path / "here", known)
    assert names(tmp_path / "here") == sorted(FILES[:2])
    server.asked.clear()
    assert fetch(server, tmp_path / "here", known).files_fetched == 4
    assert names(tmp_path / "here") == sorted(FILES)
    assert set(server.asked) == set(FILES[2:])


def test_a_file_that_does_not_come_is_asked_for_again(server: Server, known: Path, tmp_path: Path) -> None:
    server.breaks[FILES[0]] = 2
    told: list[FetchProgress] = []
    fetched = fetch_sleep_edf(
        tmp_path / "here", (0, 1), base_url=server.url, checksums=known, retries=2, progress=told.append
    )
    assert server.asked[FILES[0]] == 3
    assert told[-1].bytes_done == fetched.bytes_fetched == told[-1].bytes_total


def test_a_server_without_the_file_is_told(server: Server, nights: Path, known: Path, tmp_path: Path) -> None:
    with serving(tmp_path) as empty, pytest.raises(DatasetError, match=r"answers “404 Not Found”.*the same command"):
        fetch(empty, tmp_path / "here", known)
    with pytest.raises(DatasetError, match=r"there is no connection to 127.0.0.1:\d+; check the network"):
        fetch(empty, tmp_path / "here", known)
    assert names(tmp_path / "here") == []


def test_a_folder_that_cannot_be_is_told(server: Server, known: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=r"can't be kept in .*; choose another folder"):
        fetch(server, tmp_path / "file" / "folder", known)
    assert not server.asked


def test_a_full_disk_is_told(server: Server, known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pooch.core.shutil.move", full)
    with pytest.raises(DatasetError, match=r"PSG.edf can't be written: No space left on device"):
        fetch(server, tmp_path / "here", known)
    assert names(tmp_path / "here") == []


def test_checksums_may_be_sha256(server: Server, nights: Path, tmp_path: Path) -> None:
    known = checksums(nights, tmp_path / "SHA256SUMS.txt", "sha256")
    assert fetch(server, tmp_path / "here", known).files_fetched == 6


def test_subjects_that_the_checksums_do_not_name_are_told(server: Server, known: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="SHA1SUMS has no night of subject 2, 3"):
        fetch_sleep_edf(tmp_path / "here", (1, 2, 3), base_url=server.url, checksums=known)
    with pytest.raises(DatasetError, match="can't be read"):
        fetch_sleep_edf(tmp_path / "here", (1,), base_url=server.url, checksums=tmp_path / "gone")


def test_the_published_list_holds_39_and_153_nights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sleepviewer.datasets.sleep_edf._is_whole", lambda *_: True)
    twenty = fetch_sleep_edf(tmp_path, SLEEP_EDF_20).nights
    assert len(twenty) == 39
    assert {int(psg.name[3:5]) for psg, _ in twenty} == set(range(20))
    assert (len(SLEEP_EDF_78), len(fetch_sleep_edf(tmp_path, SLEEP_EDF_78).nights)) == (78, 153)


@pytest.mark.parametrize(
    ("text", "subjects"),
    [("0-19", SLEEP_EDF_20), ("0-82", SLEEP_EDF_78), ("5,3, 0", (0, 3, 5)), ("38-40,7", (7, 38, 40))],
)
def test_subjects_are_named_alone_or_as_ranges(text: str, subjects: tuple[int, ...]) -> None:
    assert parse_subjects(text) == subjects


@pytest.mark.parametrize("text", ["", "all", "3-", "-3", "39", "83", "0-83", "5-3", "1,,2", "1.5"])
def test_subjects_that_cannot_be_are_told(text: str) -> None:
    with pytest.raises(DatasetError, match=r"no list of subjects|has no subjects"):
        parse_subjects(text)


def test_names_tell_subject_and_night() -> None:
    assert SleepEdfName.of("SC4131E0-PSG.edf") == SleepEdfName("SC4131", "13", 1, True)
    assert SleepEdfName.of("SC4822GC-Hypnogram.edf") == SleepEdfName("SC4822", "82", 2, False)
    for other in ("ST7011J0-PSG.edf", "SC4131E0-PSG.npz", "night-PSG.edf", "SC4133E0-PSG.edf"):
        assert SleepEdfName.of(other) is None


def test_the_command_fetches_and_says_what_there_is(server: Server, known: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    environment = {"SLEEPVIEWER_SLEEP_EDF_URL": server.url, "SLEEPVIEWER_SLEEP_EDF_CHECKSUMS": str(known)}
    arguments = ["fetch", "sleep-edf", str(folder), "--subjects", "0-1"]
    first = CliRunner(env=environment).invoke(main, arguments)
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout.startswith(f"3 nights of 2 subjects in {folder}; 6 files")
    again = CliRunner(env=environment).invoke(main, [*arguments, "--json"])
    assert json.loads(again.stdout) == {"folder": str(folder), "nights": 3, "files_fetched": 0, "bytes_fetched": 0}


def test_the_command_tells_trouble_in_a_sentence(server: Server, known: Path, tmp_path: Path) -> None:
    server.falsified.update(FILES)
    arguments = ["fetch", "sleep-edf", str(tmp_path / "here"), "--subjects", "0", "--base-url", server.url]
    result = CliRunner().invoke(main, [*arguments, "--checksums", str(known)])
    assert result.exit_code == 1
    assert result.stderr.startswith("sleepviewer: SC4001E0-PSG.edf from 127.0.0.1")
    assert result.stderr.count("\n") == 1
