"""A published cross-validation from nothing, against a server on this machine: fetch, prepare, train, report."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from helpers.sleep_edf_nights import Server, serving
from helpers.tiny_training import left_behind, outcome
from sleepviewer.cli import main
from sleepviewer.simulation import simulate_night

NIGHTS = ("SC4001", "SC4011", "SC4021")
FILES = tuple(f"{night}{ending}" for night in NIGHTS for ending in ("E0-PSG.edf", "EC-Hypnogram.edf"))


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("remote")
    for seed, night in enumerate(NIGHTS):
        simulate_night(folder / f"{night}E0-PSG.edf", seed=seed, hours=0.75)
    lines = [f"{hashlib.sha1((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in FILES]
    (folder / "SHA1SUMS").write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.fixture
def server(nights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with serving(nights) as server:
        yield server


def reproduce(server: Server, folder: Path, *others: str) -> Result:
    settings = ["--subjects", "0-2", "--folds", "3", "--passes", "1", "--batch-size", "16", *others]
    source = ["--base-url", server.url, "--checksums", str(server.folder / "SHA1SUMS")]
    return CliRunner().invoke(main, ["reproduce", "sleep-edf-20", "--dir", str(folder), *settings, *source])


def test_one_command_fetches_prepares_trains_and_reports(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    first = reproduce(server, folder)
    assert first.exit_code == 0, first.stderr
    told = first.stderr.splitlines()
    assert [line[:7] for line in told if " of 4: " in line] == [f"{stage} of 4:" for stage in (1, 2, 3, 4)]
    assert any("from the first pass to the last " in line for line in told)
    run = folder / "runs" / "attnsleep"
    assert first.stdout == (run / "report" / "report.txt").read_text(encoding="utf-8")
    assert "sleep-edf-20" in first.stdout
    assert left_behind(folder) == []
    before = outcome(run)
    server.asked.clear()
    again = reproduce(server, folder)
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert not server.asked
    assert outcome(run) == before


def test_a_wrong_checksum_is_told_and_no_half_file_stays(server: Server, tmp_path: Path) -> None:
    server.falsified.add(FILES[2])
    result = reproduce(server, tmp_path)
    assert result.exit_code == 1
    assert f"sleepviewer: {FILES[2]} from 127.0.0.1" in result.stderr.splitlines()[-1]
    assert "has another checksum than the published one" in result.stderr.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted(FILES[:2])


def test_a_broken_connection_is_told_and_the_same_command_goes_on(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sleepviewer.training.cross_validate._run", lambda *_: None)
    server.breaks[FILES[2]] = 3
    result = reproduce(server, tmp_path)
    assert result.exit_code == 1
    assert "the connection to 127.0.0.1" in result.stderr.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == sorted(FILES[:2])
    server.asked.clear()
    again = reproduce(server, tmp_path)
    assert set(server.asked) == set(FILES[2:])
    assert "2 of 4: preparing 3 nights" in again.stderr
    assert again.stderr.splitlines()[-1].startswith("sleepviewer: No fold of")


def test_subjects_and_nights_of_other_sets_are_refused(server: Server, tmp_path: Path) -> None:
    result = reproduce(server, tmp_path, "--subjects", "3,20")
    assert result.stderr == "sleepviewer: Sleep-EDF-20 has subjects 0 to 19, not 20.\n"
    (tmp_path / "recordings").mkdir()
    simulate_night(tmp_path / "recordings" / "SC4101E0-PSG.edf", seed=9, hours=0.75)
    result = reproduce(server, tmp_path)
    assert result.stderr.splitlines()[-1].endswith(
        "also holds SC4101E0, which was not asked for; choose another folder."
    )
