"""Preparing simulated nights of Sleep-EDF and SHHS: archives, the manifest, and going on where it stopped."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import edfio
import numpy as np
import pytest
from click.testing import CliRunner

from helpers.sleep_edf_nights import NIGHTS, STAGES, copy_of, make_sleep_edf, scored_to
from sleepviewer.archive import NOT_CORRECTED, ScoringArchive, read_archive, write_archive
from sleepviewer.cli import main
from sleepviewer.datasets import prepare as preparation
from sleepviewer.datasets.manifest import read_manifest
from sleepviewer.datasets.prepare import Prepared, PrepareProgress, prepare_shhs, prepare_sleep_edf
from sleepviewer.datasets.selection import count_stages, select_epochs
from sleepviewer.errors import DatasetError, OutputError
from sleepviewer.files import sha256_of
from sleepviewer.hypnogram import align, read_track
from sleepviewer.recording import open_recording
from sleepviewer.stages import StageArray

FPZ_CZ = "EEG Fpz-Cz"
MANIFEST = "manifest.jsonl"


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_sleep_edf(tmp_path_factory.mktemp("sleep-edf"))


@pytest.fixture(scope="module")
def prepared_once(nights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared")
    prepare_sleep_edf(nights, out)
    return out


@pytest.fixture
def source(nights: Path, tmp_path: Path) -> Path:
    """The nights in a folder that may be changed."""
    return copy_of(nights, tmp_path / "source")


@pytest.fixture
def out(prepared_once: Path, tmp_path: Path) -> Path:
    """A prepared folder that may be changed."""
    return copy_of(prepared_once, tmp_path / "out")


def kept_untouched(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npz")}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# -- what is made


def test_every_night_is_an_archive_of_its_selected_epochs(nights: Path, prepared_once: Path) -> None:
    assert sorted(path.name for path in prepared_once.glob("*.npz")) == [f"{night}.npz" for night in NIGHTS]
    for night in NIGHTS:
        archive = read_archive(prepared_once / f"{night}.npz")
        with open_recording(nights / f"{night}-PSG.edf") as recording:
            track = read_track(nights / f"{night[:6]}EC-Hypnogram.edf")
            stages = align(track, start=recording.start, n_epochs=recording.n_epochs, name=recording.name).stages
            signal = recording.read_epochs(FPZ_CZ)
        kept = select_epochs(stages).kept
        np.testing.assert_array_equal(archive.epoch_index, np.flatnonzero(kept))
        np.testing.assert_array_equal(archive.y, stages[kept])
        np.testing.assert_array_equal(archive.x[:, :, 0], signal[kept])
        np.testing.assert_array_equal(archive.night_labels, stages)
        assert (archive.fs, archive.ch_label, archive.x.shape[1:]) == (100.0, FPZ_CZ, (3000, 1))


def test_wake_far_from_sleep_and_epochs_without_a_stage_are_left_out(prepared_once: Path) -> None:
    archive = read_archive(prepared_once / "SC4001E0.npz")
    # 3 unscored, 90 wake, 4 unscored, 11 wake, sleep … : 60 epochs of wake are the 11 and the 49 before the 4.
    assert archive.epoch_index[0] == 3 + 90 - 49
    assert archive.epoch_index[-1] == 3 + 90 + 4 + 11 + 50 + 60 - 1
    assert not set(range(93, 97)) & set(archive.epoch_index.tolist())
    assert not set(range(114 + 20, 114 + 22)) & set(archive.epoch_index.tolist())


def test_the_manifest_says_what_was_made_of_what(nights: Path, prepared_once: Path) -> None:
    written = [json.loads(line) for line in (prepared_once / MANIFEST).read_text(encoding="utf-8").splitlines()]
    assert [line["night"] for line in written] == list(NIGHTS)
    assert [(line["subject"], line["recording_night"]) for line in written] == [("00", 1), ("00", 2), ("01", 1)]
    line = written[0]
    kept = STAGES[select_epochs(STAGES).kept]
    assert line["stages"] == count_stages(kept)
    assert line["epochs"] == len(kept) == sum(line["stages"].values())
    assert line["dropped"] == {"unscored": 16, "wake_trimmed": 90 - 49 + 15, "gap": 0}
    assert line["epochs"] + sum(line["dropped"].values()) == len(STAGES)
    assert (line["file"], line["channel"], line["fs"]) == ("SC4001E0.npz", FPZ_CZ, 100.0)
    assert line["units"]["unit"] == "uV"
    assert line["units"]["plausible"]
    assert 1 < line["units"]["iqr_uv"] < 200
    assert line["source"] == {
        "recording": "SC4001E0-PSG.edf",
        "recording_sha256": sha256_of(nights / "SC4001E0-PSG.edf"),
        "hypnogram": "SC4001EC-Hypnogram.edf",
        "hypnogram_sha256": sha256_of(nights / "SC4001EC-Hypnogram.edf"),
    }


def test_archives_tell_where_they_come_from(nights: Path, prepared_once: Path) -> None:
    meta = read_archive(prepared_once / "SC4011E0.npz").meta
    assert meta["dataset"] == {
        "name": "sleep-edf",
        "night": "SC4011E0",
        "subject": "01",
        "recording_night": 1,
        "channel": FPZ_CZ,
    }
    assert meta["recording"]["sha256"] == sha256_of(nights / "SC4011E0-PSG.edf")
    assert meta["recording"]["simulated"]


def test_several_processes_make_the_same(nights: Path, prepared_once: Path, tmp_path: Path) -> None:
    told: list[PrepareProgress] = []
    prepared = prepare_sleep_edf(nights, tmp_path / "deep" / "two", jobs=2, progress=told.append)
    assert contents(tmp_path / "deep" / "two") == contents(prepared_once)
    assert prepared.made == NIGHTS
    assert [(p.done, p.total) for p in told] == [(1, 3), (2, 3), (3, 3)]
    assert {p.night for p in told} == set(NIGHTS)


def test_the_other_channel_is_taken_when_asked_for(nights: Path, tmp_path: Path) -> None:
    prepare_sleep_edf(nights, tmp_path / "pz", channel="EEG Pz-Oz")
    archive = read_archive(tmp_path / "pz" / "SC4001E0.npz")
    with open_recording(nights / "SC4001E0-PSG.edf") as recording:
        np.testing.assert_array_equal(archive.x[:, :, 0], recording.read_epochs("EEG Pz-Oz")[archive.epoch_index])


def test_values_that_are_hardly_microvolts_are_told(source: Path, tmp_path: Path) -> None:
    night = edfio.read_edf(source / "SC4001E0-PSG.edf")
    signal = night.get_signal(FPZ_CZ)
    tiny = edfio.EdfSignal(signal.data * 1e-3, 100, label=FPZ_CZ, physical_dimension="uV", physical_range=(-0.2, 0.2))
    write(edfio.Edf([tiny], recording=night.recording, starttime=night.starttime), source / "SC4001E0-PSG.edf")
    lines = prepare_sleep_edf(source, tmp_path / "out").lines
    assert not lines["SC4001E0"]["units"]["plausible"]
    assert "implausibly small for µV" in lines["SC4001E0"]["units"]["note"]
    assert lines["SC4002E0"]["units"]["plausible"]


def test_flat_epochs_are_kept_as_in_the_published_preparation(source: Path, tmp_path: Path) -> None:
    night = edfio.read_edf(source / "SC4001E0-PSG.edf")
    signal = night.get_signal(FPZ_CZ)
    data = signal.data.copy()
    data[130 * 3000 : 132 * 3000] = 0
    flat = edfio.EdfSignal(data, 100, label=FPZ_CZ, physical_dimension="uV", physical_range=(-192, 192))
    write(edfio.Edf([flat], recording=night.recording, starttime=night.starttime), source / "SC4001E0-PSG.edf")
    prepare_sleep_edf(source, tmp_path / "out")
    assert {130, 131} <= set(read_archive(tmp_path / "out" / "SC4001E0.npz").epoch_index.tolist())


def write(edf: edfio.Edf, path: Path) -> None:
    path.unlink(missing_ok=True)
    edf.write(path)


# -- going on


def test_nights_that_are_there_are_not_made_again(nights: Path, out: Path) -> None:
    before, manifest = kept_untouched(out), (out / MANIFEST).read_bytes()
    prepared = prepare_sleep_edf(nights, out)
    assert kept_untouched(out) == before
    assert (out / MANIFEST).read_bytes() == manifest
    assert (prepared.made, prepared.kept, prepared.failed) == ((), NIGHTS, ())
    assert prepared.epochs == sum(line["epochs"] for line in prepared.lines.values())


def remake_one(source: Path, out: Path, night: str = "SC4002E0") -> Prepared:
    """Prepare again and hold that this night alone was made."""
    before = kept_untouched(out)
    prepared = prepare_sleep_edf(source, out)
    changed = {name for name, time in kept_untouched(out).items() if before.get(name) != time}
    assert changed == {f"{night}.npz"}
    assert prepared.made == (night,)
    return prepared


def test_a_night_whose_archive_is_gone_is_made(nights: Path, out: Path) -> None:
    (out / "SC4002E0.npz").unlink()
    remake_one(nights, out)


def test_a_night_whose_archive_is_damaged_is_made(nights: Path, out: Path) -> None:
    whole = (out / "SC4002E0.npz").read_bytes()
    (out / "SC4002E0.npz").write_bytes(whole[: len(whole) // 2])
    remake_one(nights, out)
    assert (out / "SC4002E0.npz").read_bytes() == whole


def test_a_night_whose_hypnogram_has_changed_is_made(source: Path, out: Path) -> None:
    scored_to(source / "SC4002EC-Hypnogram.edf", STAGES)
    prepared = remake_one(source, out)
    assert prepared.lines["SC4002E0"]["stages"] == prepared.lines["SC4001E0"]["stages"]


def test_archives_that_the_manifest_had_no_time_to_name_are_made_again(nights: Path, out: Path) -> None:
    lines = (out / MANIFEST).read_text(encoding="utf-8").splitlines(keepends=True)
    (out / MANIFEST).write_text(lines[0] + lines[2], encoding="utf-8")
    remake_one(nights, out)
    assert (out / MANIFEST).read_text(encoding="utf-8") == "".join(lines)


def test_the_manifest_is_written_after_every_night(nights: Path, tmp_path: Path) -> None:
    there: list[int] = []
    prepare_sleep_edf(nights, tmp_path / "out", progress=lambda _: there.append(len(read_manifest(tmp_path / "out"))))
    assert there == [1, 2, 3]


def test_nights_of_an_earlier_preparation_stay_named(source: Path, out: Path) -> None:
    (source / "SC4001E0-PSG.edf").unlink()
    (out / "SC4011E0.npz").unlink()
    (source / "SC4011E0-PSG.edf").unlink()
    prepared = prepare_sleep_edf(source, out)
    assert list(prepared.lines) == list(read_manifest(out)) == ["SC4001E0", "SC4002E0"]


def corrected(path: Path) -> ScoringArchive:
    """Correct an archive's first two epochs by hand, as the window saves them."""
    archive = read_archive(path)
    arrays: dict[str, Any] = {name: getattr(archive, name) for name in archive.__dataclass_fields__}
    arrays["y"] = archive.y.copy()
    arrays["y"][:2] = 1
    arrays["night_corrected"] = archive.night_corrected.copy()
    arrays["night_corrected"][archive.epoch_index[:2]] = 1
    arrays["edited"] = arrays["night_corrected"][archive.epoch_index] != NOT_CORRECTED
    result = ScoringArchive(**arrays)
    write_archive(path, result)
    return result


def test_corrections_by_hand_are_kept_and_counted(nights: Path, out: Path) -> None:
    archive = corrected(out / "SC4002E0.npz")
    before = kept_untouched(out)
    line = prepare_sleep_edf(nights, out).lines["SC4002E0"]
    assert kept_untouched(out) == before
    assert line["stages"] == read_manifest(out)["SC4002E0"]["stages"] == count_stages(archive.y)


def test_corrections_by_hand_are_never_written_over(source: Path, out: Path) -> None:
    corrected(out / "SC4002E0.npz")
    before = contents(out)["SC4002E0.npz"]
    scored_to(source / "SC4002EC-Hypnogram.edf", STAGES)
    prepared = prepare_sleep_edf(source, out)
    assert prepared.failed == ("SC4002E0",)
    assert "corrections made by hand and was not written over" in prepared.lines["SC4002E0"]["failed"]
    assert contents(out)["SC4002E0.npz"] == before


def test_a_file_of_somebody_else_is_not_written_over(nights: Path, tmp_path: Path) -> None:
    (tmp_path / "SC4001E0.npz").write_bytes(b"mine")
    np.savez(tmp_path / "SC4002E0.npz", x=np.zeros((2, 3000, 1), np.float32), y=np.zeros(2, np.int32), fs=100.0)
    prepared = prepare_sleep_edf(nights, tmp_path)
    assert prepared.failed == ("SC4001E0", "SC4002E0")
    assert all("move it away" in prepared.lines[night]["failed"] for night in prepared.failed)
    assert (tmp_path / "SC4001E0.npz").read_bytes() == b"mine"


def test_another_channel_goes_into_another_folder(nights: Path, out: Path) -> None:
    before = contents(out)
    with pytest.raises(DatasetError, match=r"holds SC4001E0 of sleep-edf, channel “EEG Fpz-Cz”.*another folder"):
        prepare_sleep_edf(nights, out, channel="EEG Pz-Oz")
    assert contents(out) == before


# -- nights that fail


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_broken_night_does_not_stop_the_others(source: Path, tmp_path: Path, jobs: int) -> None:
    (source / "SC4002E0-PSG.edf").write_bytes(b"0       no EDF file")
    prepared = prepare_sleep_edf(source, tmp_path / "out", jobs=jobs)
    assert (prepared.made, prepared.failed) == (("SC4001E0", "SC4011E0"), ("SC4002E0",))
    lines = read_manifest(tmp_path / "out")
    assert list(lines) == list(NIGHTS)
    assert lines["SC4002E0"].keys() == {"night", "failed"}
    assert "SC4002E0-PSG.edf" in lines["SC4002E0"]["failed"]
    assert prepared.trouble().startswith("1 of 3 nights could not be prepared: SC4002E0: ")


def test_a_night_that_failed_is_made_once_it_is_whole(source: Path, nights: Path, out: Path) -> None:
    recording = source / "SC4002E0-PSG.edf"
    recording.write_bytes(recording.read_bytes()[:5000])
    prepare_sleep_edf(source, out)
    assert not (out / "SC4002E0.npz").exists()  # it was made of a recording that is no longer there
    shutil.copyfile(nights / recording.name, recording)
    remake_one(source, out)


def test_what_each_night_lacks_is_told(source: Path, tmp_path: Path) -> None:
    (source / "SC4001EC-Hypnogram.edf").unlink()
    shutil.copyfile(source / "SC4002EC-Hypnogram.edf", source / "SC4002EH-Hypnogram.edf")
    scored_to(source / "SC4011EC-Hypnogram.edf", np.zeros(240, np.int8))
    lines = prepare_sleep_edf(source, tmp_path / "out").lines
    needs = "{0}E0-PSG.edf needs one hypnogram, {0}…-Hypnogram.edf; {1}."
    both = "these are SC4002EC-Hypnogram.edf, SC4002EH-Hypnogram.edf"
    assert lines["SC4001E0"]["failed"] == needs.format("SC4001", "there is none")
    assert lines["SC4002E0"]["failed"] == needs.format("SC4002", both)
    assert "SC4011EC-Hypnogram.edf scores no sleep in SC4011E0-PSG.edf" in lines["SC4011E0"]["failed"]


def test_a_channel_that_is_absent_is_told_for_each_night(nights: Path, tmp_path: Path) -> None:
    prepared = prepare_sleep_edf(nights, tmp_path / "out", channel="EEG C4-A1")
    assert prepared.failed == NIGHTS
    assert "has no channel “EEG C4-A1”; its channels are: EEG Fpz-Cz" in prepared.lines["SC4001E0"]["failed"]


def test_a_channel_at_another_rate_is_told(nights: Path, tmp_path: Path) -> None:
    prepared = prepare_sleep_edf(nights, tmp_path / "out", channel="EMG submental")
    assert "has 1 samples a second, and nights of this data set have 100" in prepared.lines["SC4001E0"]["failed"]


def test_a_fault_of_the_program_costs_one_night(nights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = preparation.read_track

    def read_track_or_stumble(path: Path) -> Any:
        if path.name.startswith("SC4002"):
            raise ZeroDivisionError("by nothing")
        return real(path)

    monkeypatch.setattr(preparation, "read_track", read_track_or_stumble)
    prepared = prepare_sleep_edf(nights, tmp_path / "out")
    assert prepared.made == ("SC4001E0", "SC4011E0")
    assert "ZeroDivisionError: by nothing" in prepared.lines["SC4002E0"]["failed"]


def test_a_folder_in_the_place_of_an_archive_costs_one_night(nights: Path, tmp_path: Path) -> None:
    (tmp_path / "SC4001E0.npz").mkdir()
    prepared = prepare_sleep_edf(nights, tmp_path)
    assert (prepared.made, prepared.failed) == (("SC4002E0", "SC4011E0"), ("SC4001E0",))


def test_what_a_killed_process_left_beside_an_archive_is_swept_away(nights: Path, tmp_path: Path) -> None:
    (tmp_path / ".SC4001E0.npz.abc.part").write_bytes(b"half")
    prepare_sleep_edf(nights, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [*(f"{night}.npz" for night in NIGHTS), MANIFEST]


def die(*_: Any) -> None:
    os._exit(9)


def test_a_process_that_is_killed_is_told(nights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "_prepare_night", die)
    with pytest.raises(DatasetError, match=r"was ended from outside \(is there enough memory\?\).*the same command"):
        prepare_sleep_edf(nights, tmp_path / "out", jobs=2)


def test_an_archive_that_cannot_be_written_stops_all(
    nights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _: ScoringArchive) -> None:
        raise OutputError(f"{path} can't be written: No space left on device.")

    monkeypatch.setattr(preparation, "write_archive", full)
    with pytest.raises(OutputError, match="No space left"):
        prepare_sleep_edf(nights, tmp_path / "out")
    assert read_manifest(tmp_path / "out") == {}


def test_folders_that_cannot_be_are_told(nights: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="can't be made"):
        prepare_sleep_edf(nights, tmp_path / "file" / "out")
    with pytest.raises(DatasetError, match="is no folder"):
        prepare_sleep_edf(tmp_path / "gone", tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"holds no recording of Sleep-EDF .* fetch it first"):
        prepare_sleep_edf(tmp_path / "empty", tmp_path / "out")


@pytest.mark.parametrize("text", ["no JSON\n", "[1]\n", '{"epochs": 3}\n'])
def test_a_manifest_that_is_none_is_told(nights: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"manifest.jsonl, line 1, is no night"):
        prepare_sleep_edf(nights, tmp_path)


def test_other_studies_in_the_folder_are_passed_over(source: Path, out: Path) -> None:
    (source / "telemetry").mkdir()
    shutil.copyfile(source / "SC4001E0-PSG.edf", source / "telemetry" / "ST7011J0-PSG.edf")
    (source / "cassette").mkdir()
    for path in source.glob("SC4002*"):
        path.rename(source / "cassette" / path.name)
    assert prepare_sleep_edf(source, out).kept == NIGHTS


# -- SHHS

SHHS_STAGES: StageArray = np.repeat(np.array([0, 1, 2, 3, 4, 0, -1], np.int8), [70, 5, 20, 10, 15, 5, 3])
_PROFUSION = {-1: 6, 0: 0, 1: 1, 2: 2, 3: 4, 4: 5}


def make_shhs(folder: Path, night: str, *, labels: tuple[str, ...] = ("EEG(sec)", "EEG"), rate: int = 125) -> None:
    """Write a recording of noise, each channel at ten times its place in µV, and its hypnogram."""
    (folder / "edfs").mkdir(exist_ok=True)
    (folder / "xml").mkdir(exist_ok=True)
    noise = np.random.default_rng(int(night[-6:])).normal(0, 1, len(SHHS_STAGES) * 30 * rate)
    signals = [
        edfio.EdfSignal(noise * 10 * place, rate, label=label, physical_dimension="uV", physical_range=(-200, 200))
        for place, label in enumerate(labels, 1)
    ]
    edfio.Edf(signals).write(folder / "edfs" / f"{night}.edf")
    body = "".join(f"<SleepStage>{_PROFUSION[int(stage)]}</SleepStage>" for stage in SHHS_STAGES)
    text = f"<CMPStudyConfig><EpochLength>30</EpochLength><SleepStages>{body}</SleepStages></CMPStudyConfig>"
    (folder / "xml" / f"{night}-profusion.xml").write_text(text, encoding="utf-8")


def shhs(folder: Path, **options: Any) -> Prepared:
    return prepare_shhs(folder / "edfs", folder / "xml", folder / "out", **options)


def test_nights_of_shhs_become_archives_of_their_selected_epochs(tmp_path: Path) -> None:
    for night in ("shhs1-200001", "shhs1-200077", "shhs2-200077"):
        make_shhs(tmp_path, night)
    prepared = shhs(tmp_path, jobs=2)
    assert [(line["night"], line["subject"], line["recording_night"]) for line in prepared.lines.values()] == [
        ("shhs1-200001", "200001", 1),
        ("shhs1-200077", "200077", 1),
        ("shhs2-200077", "200077", 2),
    ]
    archive = read_archive(tmp_path / "out" / "shhs1-200001.npz")
    assert archive.x.shape == (115, 3750, 1)
    assert archive.fs == 125.0
    np.testing.assert_array_equal(archive.y, SHHS_STAGES[10:125])
    line = prepared.lines["shhs1-200001"]
    assert line["dropped"] == {"unscored": 3, "wake_trimmed": 10, "gap": 0}
    assert line["source"]["hypnogram"] == "shhs1-200001-profusion.xml"
    assert any("3 epochs without a sleep stage" in note for note in line["notes"])
    assert shhs(tmp_path).kept == tuple(prepared.lines)


@pytest.mark.parametrize(
    ("labels", "channel", "label", "spread"),
    [
        (("EEG(sec)", "EEG"), "C4-A1", "EEG", 20),
        (("EEG(sec)", "EEG"), "C3-A2", "EEG(sec)", 10),
        (("EEG", "EEG2"), "c3-a2", "EEG2", 20),
        (("EEG sec", "EEG"), "C3-A2", "EEG sec", 10),
        (("EEG", "EEG 2"), "eeg2", "EEG 2", 20),
        (("C3-A2", "C4-A1"), "C4-A1", "C4-A1", 20),
    ],
)
def test_derivations_are_found_under_the_labels_that_shhs_gives_them(
    tmp_path: Path, labels: tuple[str, ...], channel: str, label: str, spread: float
) -> None:
    make_shhs(tmp_path, "shhs1-200001", labels=labels)
    line = shhs(tmp_path, channel=channel).lines["shhs1-200001"]
    assert (line["channel"], line["channel_label"]) == (channel, label)
    assert line["units"]["iqr_uv"] == pytest.approx(1.349 * spread, rel=0.02)
    assert read_archive(tmp_path / "out" / "shhs1-200001.npz").ch_label == label


def test_what_a_night_of_shhs_lacks_is_told(tmp_path: Path) -> None:
    make_shhs(tmp_path, "shhs1-200001", labels=("EEG(sec)",))
    make_shhs(tmp_path, "shhs1-200002", rate=128)
    make_shhs(tmp_path, "shhs1-200003")
    (tmp_path / "xml" / "shhs1-200003-profusion.xml").unlink()
    lines = shhs(tmp_path).lines
    assert "has no channel “C4-A1”; its channels are: EEG(sec)" in lines["shhs1-200001"]["failed"]
    assert "has 128 samples a second, and nights of this data set have 125" in lines["shhs1-200002"]["failed"]
    assert "shhs1-200003-profusion.xml is not in" in lines["shhs1-200003"]["failed"]


def test_a_list_limits_the_nights(tmp_path: Path) -> None:
    for night in ("shhs1-200001", "shhs1-200002"):
        make_shhs(tmp_path, night)
    (tmp_path / "list.txt").write_text("shhs1-200002.edf\n", encoding="utf-8")
    assert shhs(tmp_path, only=tmp_path / "list.txt").made == ("shhs1-200002",)
    (tmp_path / "list.txt").write_text("shhs1-200002\nshhs1-209999\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"has no shhs1-209999.edf; fetch it"):
        shhs(tmp_path, only=tmp_path / "list.txt")
    (tmp_path / "list.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="names no night"):
        shhs(tmp_path, only=tmp_path / "list.txt")
    with pytest.raises(DatasetError, match="holds no recording of SHHS"):
        prepare_shhs(tmp_path / "xml", tmp_path / "xml", tmp_path / "out")


# -- the command


def test_the_command_prepares_and_says_what_there_is(nights: Path, out: Path) -> None:
    result = CliRunner().invoke(main, ["prepare", "sleep-edf", str(nights), str(out), "--jobs", "1"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{out}: 3 nights, ")
    assert "0 made, 3 there already, 0 failed" in result.stdout
    result = CliRunner().invoke(main, ["prepare", "sleep-edf", str(nights), str(out), "--jobs", "1", "--json"])
    told = json.loads(result.stdout)
    assert (told["nights"], told["kept"], told["failed"]) == (3, list(NIGHTS), {})
    assert told["epochs"] == sum(told["stages"].values()) == sum(line["epochs"] for line in read_manifest(out).values())


def test_the_command_fails_in_a_sentence_when_a_night_failed(source: Path, out: Path) -> None:
    (source / "SC4002EC-Hypnogram.edf").unlink()
    result = CliRunner().invoke(main, ["prepare", "sleep-edf", str(source), str(out), "--jobs", "1"])
    assert result.exit_code == 1
    assert "2 nights, " in result.stdout
    assert "failed: SC4002E0: SC4002E0-PSG.edf needs one hypnogram" in result.stderr
    assert "sleepviewer: 1 of 3 nights could not be prepared: SC4002E0: SC4002E0-PSG.edf needs" in result.stderr


def test_the_command_prepares_shhs(tmp_path: Path) -> None:
    make_shhs(tmp_path, "shhs1-200001")
    folders = [str(tmp_path / name) for name in ("edfs", "xml", "out")]
    result = CliRunner().invoke(main, ["prepare", "shhs", *folders, "--channel", "C3-A2", "--jobs", "1"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert read_archive(tmp_path / "out" / "shhs1-200001.npz").ch_label == "EEG(sec)"
