"""The table of hypnogram formats: what it lists as read opens everywhere, what it lists as written comes back."""

from __future__ import annotations

import importlib.util
import json
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner, Result

import sleepviewer as sv
from helpers.hypnogram_files import (
    DREAMS,
    ELAN,
    EMBLA,
    LUNA,
    NSRR,
    PLAIN,
    PROFUSION,
    REMLOGIC,
    SCORING_HERO,
    SLEEPWARE,
    SOMNOMEDICS,
    TABLE,
    VISBRAIN,
)
from helpers.night_files import START, TRUTH, N, write_night, write_stages
from sleepviewer.app.shell import dialogs
from sleepviewer.archive.archive import read_archive
from sleepviewer.archive.tracks import all_formats, read_any_track
from sleepviewer.cli import main
from sleepviewer.errors import HypnogramError, OutputError
from sleepviewer.hypnogram import Hypnogram, StageTrack, bouts_of, format_ids, formats, read_track, to_hypnogram
from sleepviewer.hypnogram.formats import Export, HypnogramFormat, head_of, recognised, write_hypnogram
from sleepviewer.review.companions import find_reference, is_hypnogram_name
from sleepviewer.review.contenders import load_contender
from sleepviewer.review.exporting import Format, export_endings, export_formats, export_labels, format_of
from sleepviewer.review.opening import open_night

ROOT = Path(formats.__file__).resolve().parents[2]
TESTS = ROOT / "tests"
SAMPLES: dict[str, str] = {
    "nsrr": NSRR.format(clock="04.03.21 22.30.00"),
    "sleepware": SLEEPWARE.replace("2020-05-06T22:58:32", START.isoformat()),
    "remlogic-xml": EMBLA.replace("2021-03-09T23:59:30", "2021-03-04T22:30:00")
    .replace("2021-03-10T00:00:00", "2021-03-04T22:30:30")
    .replace("2021-03-10T00:00:30", "2021-03-04T22:31:00"),
    "profusion": PROFUSION,
    "json": json.dumps(SCORING_HERO),
    "remlogic": REMLOGIC.replace("23:59", "22:30").replace("00:00", "22:31").replace("00:01", "22:32"),
    "somnomedics": SOMNOMEDICS.replace("11.03.2009 23:59", "04.03.2021 22:30")
    .replace("23:59", "22:30")
    .replace("00:00:", "22:31:")
    .replace("00:01", "22:32"),
    "dreams": DREAMS,
    "elan": ELAN,
    "visbrain": VISBRAIN,
    "luna": LUNA,
    "csv": TABLE.replace("2002-01-01T23:00", "2021-03-04T22:30"),
    "text": PLAIN.replace("2002-01-01T23:00", "2021-03-04T22:30"),
}
"""A file of each format that is text, as its own program writes it; their clocks begin with the tests' night."""

READ = [(known.id, ending) for known in formats.FORMATS for ending in known.endings]
WRITTEN = [(export.id, ending) for known in formats.FORMATS for export in known.exports for ending in export.endings]


def row(format_id: str) -> HypnogramFormat:
    return next(known for known in all_formats() if known.id == format_id)


def write_sample(path: Path, format_id: str) -> Path:
    if format_id == "edf":
        raw = write_stages(path.with_name("made.edf"), [0, 1, 2, 3, 4, -1])
        return raw.rename(path)
    path.write_text(SAMPLES[format_id], encoding="utf-8")
    return path


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


# -- what is read


def test_every_row_has_a_sample() -> None:
    assert {"edf", *SAMPLES} == {known.id for known in formats.FORMATS}


@pytest.mark.parametrize(("format_id", "ending"), READ)
def test_what_is_listed_as_read_opens_through_every_door(tmp_path: Path, format_id: str, ending: str) -> None:
    night = write_night(tmp_path / "night.edf")
    path = write_sample(tmp_path / f"night-Hypnogram{ending}", format_id)
    assert recognised(head_of(path)).id == format_id
    # the window: its dialogs (reference, further scorer, second model), a dropped file, what is found beside
    patterns = dialogs.hypnogram_filter().partition("(")[2].partition(")")[0].split()
    assert f"*{ending}" in patterns
    assert is_hypnogram_name(path)
    opened = open_night(night)
    assert opened.truth_path == path == find_reference(night)
    assert opened.document.truth is not None
    stages = opened.document.truth.stages
    assert (stages >= 0).any()
    assert load_contender(opened.recording, path).stages.tolist() == stages.tolist()
    # Python
    with sv.open(night) as through_api:
        assert through_api.truth is not None
        assert through_api.truth.stages.tolist() == stages.tolist()
        assert sv.read_hypnogram(path, through_api).stages.tolist() == stages.tolist()
    # the command line
    done = run("compare", path, path, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["accuracy"] == 1
    assert run("compare", path, path, "--read-as", format_id).exit_code == 0
    assert json.loads(run("info", night, "--json").stdout)["truth_beside"] == str(path)


def test_archives_are_offered_where_hypnograms_are_and_not_found_beside() -> None:
    assert "*.npz" in dialogs.hypnogram_filter()
    assert not row("archive").companion_words
    assert not is_hypnogram_name(Path("night.npz"))


def test_endings_with_two_dots_count_before_those_with_one(tmp_path: Path) -> None:
    path = tmp_path / "night.yasa.txt"
    write_hypnogram(Hypnogram(np.array([0, 4, -1]), None, "x"), path)
    assert path.read_text(encoding="utf-8").splitlines()[-3:] == ["0", "4", "-2"]
    assert format_of(path) == "yasa"
    assert format_of(tmp_path / "night.TXT") == Format.TXT


def test_wisconsins_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "wsc-visit1-1-nsol.stg.txt"
    rows = ["Epoch\tUser-Defined Stage\tCAST-Defined Stage", *(f"{i}\t{s}\t0" for i, s in enumerate("0123457", 1))]
    path.write_text("\n".join(rows), encoding="utf-8")
    assert to_hypnogram(read_track(path)).stages.tolist() == [0, 1, 2, 3, 3, 4, -1]


@pytest.mark.parametrize("reading", ["nsrr", "sleepware", "remlogic-xml", "profusion"])
def test_any_xml_is_read_as_xml(tmp_path: Path, reading: str) -> None:
    path = write_sample(tmp_path / "night.dat", reading)
    assert read_track(path, "xml").bouts == read_track(path).bouts
    assert "xml" in format_ids()


# -- what is written

CASES = [[0, 1, 2, 3, 4], [-1, 0, 0, -1, 2, 2, -1], [-1, 3], [2] * 5 + [-1] * 4]


@pytest.mark.parametrize(("export_id", "ending"), WRITTEN)
@pytest.mark.parametrize("stages", CASES)
@pytest.mark.parametrize("start", [None, datetime(2021, 3, 4, 22, 30, 15)])
def test_what_is_listed_as_written_comes_back(
    tmp_path: Path, export_id: str, ending: str, stages: list[int], start: datetime | None
) -> None:
    path = tmp_path / f"night{ending}"
    write_hypnogram(Hypnogram(np.array(stages, np.int8), start, "x", "Ada"), path)
    back = to_hypnogram(read_any_track(path))
    assert (back.stages.tolist(), back.start, back.scorer) == (stages, start, "Ada")


@pytest.mark.parametrize(("export_id", "ending"), WRITTEN)
def test_every_door_writes_it(tmp_path: Path, export_id: str, ending: str) -> None:
    night = write_night(tmp_path / "night.edf")
    labels = write_stages(tmp_path / "expert.csv", TRUTH)
    by_window, by_command, by_api = (tmp_path / f"{door}{ending}" for door in ("window", "command", "api"))
    opened = open_night(night, truth_path=labels)
    line = export_labels(opened, by_window)
    assert line["options"]["format"] == export_id
    done = run("export", night, "--labels", labels, "--out", by_command, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["options"]["format"] == export_id
    sv.export(night, labels, by_api)
    assert sv.export(night, labels, by_api, format=export_id, overwrite=True)["options"]["format"] == export_id
    for path in (by_window, by_command, by_api):
        back = read_any_track(path)
        assert to_hypnogram(back).stages.tolist() == TRUTH
        assert back.start == START


def test_the_two_archives_are_written_and_read(tmp_path: Path) -> None:
    night = write_night(tmp_path / "night.edf")
    labels = write_stages(tmp_path / "expert.csv", TRUTH)
    for export in row("archive").exports:
        path = tmp_path / f"{export.id}{export.endings[0]}"
        assert run("export", night, "--labels", labels, "--out", path, "--format", export.id).exit_code == 0
        assert len(read_archive(path)) == N - 1  # the last epoch has no stage


def test_a_luna_file_is_what_lunas_description_says(tmp_path: Path) -> None:
    """Parsed here by Luna's description: six columns split by tabs, seconds from the start, # before the header."""
    path = write_stages(tmp_path / "night.annot", TRUTH)
    lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert lines[0] == ["class", "instance", "channel", "start", "stop", "meta"]
    words = {"W": 0, "N1": 1, "N2": 2, "N3": 3, "R": 4, "?": -1}
    stages: list[int] = []
    for word, instance, channel, start, stop, meta in lines[1:]:
        assert (instance, channel, meta) == (".", ".", ".")
        assert float(start) == 30 * len(stages)
        stages += [words[word]] * round((float(stop) - float(start)) / 30)
    assert stages == TRUTH


def test_a_json_file_is_one_object_with_a_word_for_every_epoch(tmp_path: Path) -> None:
    content = json.loads(write_stages(tmp_path / "night.json", TRUTH).read_text(encoding="utf-8"))
    words = {"W": 0, "N1": 1, "N2": 2, "N3": 3, "REM": 4, "?": -1}
    assert [words[word] for word in content["stages"]] == TRUTH
    assert datetime.fromisoformat(content["start"]) == START
    assert content["epoch_s"] == 30


def test_an_unsupported_extension_lists_those_of_the_table(tmp_path: Path) -> None:
    night = write_night(tmp_path / "night.edf")
    labels = write_stages(tmp_path / "expert.csv", TRUTH)
    out = tmp_path / "out.docx"
    with pytest.raises(OutputError) as refused:
        write_hypnogram(Hypnogram(np.array([0]), None, "x"), out)
    for ending in (ending for _, ending in WRITTEN):
        assert ending in str(refused.value)
    for args in (("score", night, "--out", out), ("consensus", labels, labels, "--out", out)):
        said = run(*args).stderr
        assert "unsupported extension; use " in said
        assert all(ending in said for _, ending in WRITTEN)
    with pytest.raises(OutputError, match=r"unsupported extension; use \.npz, \.edf"):
        sv.export(night, labels, out)


@pytest.mark.parametrize("command", ["export", "score", "recover", "consensus"])
def test_help_lists_what_is_written(command: str) -> None:
    text = " ".join(run(command, "--help").stdout.split())
    assert all(ending.removeprefix(".") in text for _, ending in WRITTEN)


# -- a new row


def read_toy(path: Path) -> StageTrack:
    words = path.read_text(encoding="utf-8").split()
    if words[:1] != ["toy"]:
        raise HypnogramError(f"{path.name} is no toy.")
    return StageTrack(bouts_of(np.array(words[1:], np.int8)), None, path.name)


def write_toy(hypnogram: Hypnogram, path: Path, *, simulated: bool = False) -> None:
    path.write_text(" ".join(["toy", *map(str, hypnogram.stages)]), encoding="utf-8")


TOY = HypnogramFormat(
    "toy",
    "Toy hypnogram",
    (".toy", ".toy.gz"),
    lambda head: head.first.startswith("toy "),
    read_toy,
    (Export("toy", "Toy hypnogram", (".toy",), "A hypnogram in toy numbers.", write_toy),),
    companion_words=("hypnogram", "toy-stages"),
    companion_endings=(".toy.gz",),
    known_by="the word toy",
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "FORMATS", (TOY, *formats.FORMATS))


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("name", ["night-Hypnogram.toy", "night-toy-stages.toy.gz", "night.toy.gz"])
def test_a_row_is_all_that_reading_a_new_format_needs(tmp_path: Path, name: str) -> None:
    night = write_night(tmp_path / "night.edf")
    path = tmp_path / name
    write_toy(Hypnogram(np.array(TRUTH, np.int8), None, "x"), path)
    assert "*.toy *.toy.gz" in dialogs.hypnogram_filter()
    assert is_hypnogram_name(path)
    assert "toy" in format_ids()
    opened = open_night(night)
    assert opened.truth_path == path
    assert opened.document.truth is not None
    assert opened.document.truth.stages.tolist() == TRUTH
    assert sv.read_hypnogram(path).stages.tolist() == TRUTH
    assert run("compare", path, path, "--read-as", "toy").exit_code == 0


@pytest.mark.usefixtures("toy")
def test_a_row_is_all_that_writing_a_new_format_needs(tmp_path: Path) -> None:
    night = write_night(tmp_path / "night.edf")
    labels = write_stages(tmp_path / "expert.csv", TRUTH)
    out = tmp_path / "out.toy"
    done = run("export", night, "--labels", labels, "--out", out)
    assert done.exit_code == 0, done.output
    assert out.read_text(encoding="utf-8") == " ".join(["toy", *map(str, TRUTH)])
    assert sv.export(night, labels, tmp_path / "api.toy", format="toy")["options"]["format"] == "toy"
    assert Format("toy") in export_formats()
    assert ".toy" in export_endings()
    assert run("consensus", labels, labels, "--out", tmp_path / "both.toy").exit_code == 0
    assert "toy" in run("export", "--help").stdout
    assert ".toy" in run("score", night, "--out", tmp_path / "out.docx").stderr
    refused = run("export", night, "--labels", labels, "--out", out, "--format", "play")
    assert (refused.exit_code, "toy" in refused.stderr) == (2, True)


@pytest.mark.usefixtures("toy")
def test_a_row_is_all_that_the_documentation_needs() -> None:
    page = tool().with_tables((ROOT / "docs" / "formats.md").read_text(encoding="utf-8"))
    assert "| Toy hypnogram | the word toy | `.toy`, `.toy.gz` | `.toy` |" in page


# -- the documentation


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_formats_page", ROOT / "tools" / "write_formats_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_documentation_has_the_tables_as_they_are() -> None:
    for page in tool().PAGES:
        text = page.read_text(encoding="utf-8")
        assert text == tool().with_tables(text), "run python tools/write_formats_page.py"
        assert "written by tools/write_formats_page.py -->" in text


def test_the_tests_that_a_row_names_are_there() -> None:
    names = {name for known in all_formats() for name in known.tests}
    assert not [name for name in names if not exists(name)]


def exists(name: str) -> bool:
    """Whether a test module is there, in its folder or as ``test_FOLDER_…``."""
    folder, _, module = name.partition("/")
    return (TESTS / name).exists() or (TESTS / f"test_{folder}_{module.removeprefix('test_')}").exists()


def test_no_export_of_a_longer_night_is_cut(tmp_path: Path) -> None:
    """Every bout boundary survives a whole night's length in every format that is written."""
    stages = np.random.default_rng(0).integers(-1, 5, 1200).astype(np.int8)
    hypnogram = Hypnogram(stages, START + timedelta(seconds=7), "x")
    for _, ending in WRITTEN:
        path = tmp_path / f"night{ending}"
        write_hypnogram(hypnogram, path)
        assert to_hypnogram(read_track(path)).stages.tolist() == stages.tolist(), ending
