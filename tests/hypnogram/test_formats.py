"""Other programs' files, each told by what is in it; the layouts follow their makers' public descriptions."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, time
from pathlib import Path

import edfio
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.hypnogram_files import (
    DREAMS,
    ELAN,
    EMBLA,
    LUNA,
    NSRR,
    REMLOGIC,
    SCORING_HERO,
    SLEEPWARE,
    SOMNOMEDICS,
    TEXTS,
    VISBRAIN,
)
from sleepviewer.errors import AmbiguousHypnogramError, HypnogramError
from sleepviewer.hypnogram import StageTrack, align, format_ids, read_track, to_hypnogram
from sleepviewer.hypnogram.formats import FORMATS, head_of, recognised


def read(folder: Path, text: str, name: str = "night.dat") -> StageTrack:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_track(path)


def stages(track: StageTrack) -> list[int]:
    return to_hypnogram(track).stages.tolist()


@pytest.mark.parametrize(
    ("text", "format_id", "expected"),
    [
        (NSRR.format(clock="09.03.21 22.28.37"), "nsrr", [0, 0, 2, 3, 3, 4, -1]),
        (REMLOGIC, "remlogic", [0, 1, 2, 3, 4, -1]),
        (EMBLA, "remlogic-xml", [0, 3]),
        (SLEEPWARE, "sleepware", [0, 0, 1, 3, 3, 3, 3, 3, -1, -1]),
        (SOMNOMEDICS, "somnomedics", [0, 1, 3, 4, -1]),
        (LUNA, "luna", [0, 0, 2, 3, 3, 4, -1]),
        (DREAMS, "dreams", [0, 2, 3, 4]),
        (ELAN, "elan", [0, 0, 2, 4]),
        (VISBRAIN, "visbrain", [0, 0, 1, 3, 4]),
        (json.dumps(SCORING_HERO), "json", [0, 2, -1, 4]),
        (json.dumps([0, 1, 2, 3, 4]), "json", [0, 1, 2, 3, 4]),
        ("0 0\n0 0\n1 0\n2 1\n3 0\n5 0\n", "csv", [0, 0, 1, 2, 3, 4]),
        ("W\nN2\nUNS\nART\nR\n", "text", [0, 2, -1, -1, 4]),
    ],
)
def test_a_file_is_known_by_what_is_in_it(tmp_path: Path, text: str, format_id: str, expected: list[int]) -> None:
    for name in ("night.dat", "night.txt", "night.hyp"):
        track = read(tmp_path, text, name)
        assert recognised(head_of(tmp_path / name)).id == format_id
        assert stages(track) == expected, name


def test_asked_for_by_name_a_format_is_read_as_that(tmp_path: Path) -> None:
    path = tmp_path / "night.txt"
    path.write_text("W\nN1\n", encoding="utf-8")
    assert stages(read_track(path, "text")) == [0, 1]
    with pytest.raises(HypnogramError, match=r"no line “epoch_list”|seconds, which"):
        read_track(path, "elan")
    with pytest.raises(HypnogramError, match="is no format of hypnograms"):
        read_track(path, "word")
    assert {known.id for known in FORMATS} < set(format_ids())


# -- clocks


def test_nsrr_has_a_date_or_a_time_of_day(tmp_path: Path) -> None:
    assert read(tmp_path, NSRR.format(clock="09.03.21 22.28.37")).start == datetime(2021, 3, 9, 22, 28, 37)
    track = read(tmp_path, NSRR.format(clock="00.00.00 22.28.37"))
    assert (track.start, track.start_time) == (None, time(22, 28, 37))
    assert any("only its time of day counts" in note for note in track.notes)
    track = read(tmp_path, NSRR.format(clock="00.00.00 00.00.00"))
    assert (track.start, track.start_time) == (None, None)


def test_remlogic_passes_midnight_and_has_a_time_of_day(tmp_path: Path) -> None:
    track = read(tmp_path, REMLOGIC)
    assert track.start_time == time(23, 59)
    assert track.duration_s == 180


@pytest.mark.parametrize("row", ["W 23.59.00 SLEEP-S0 30 ROC-LOC", "W\t23:59:00.000\tSLEEP-S0\t30"])
def test_remlogics_columns_may_be_fewer_and_times_written_otherwise(tmp_path: Path, row: str) -> None:
    head = "Sleep Stage Time [hh.mm.ss] Event Duration[s] Location\n"
    track = read(tmp_path, f"{head}{row}\n")
    assert stages(track) == [0]
    assert track.start_time == time(23, 59)


def test_emblas_xml_has_its_own_clock(tmp_path: Path) -> None:
    assert read(tmp_path, EMBLA).start == datetime(2021, 3, 9, 23, 59, 30)


def test_sleepware_gives_what_a_person_has_set_and_its_clock(tmp_path: Path) -> None:
    track = read(tmp_path, SLEEPWARE)
    assert track.start == datetime(2020, 5, 6, 22, 58, 32)
    with pytest.raises(HypnogramError, match="no stage that a person has set"):
        read(tmp_path, SLEEPWARE.replace("UserStaging", "OtherStaging"))


def test_a_sleep_profile_begins_on_the_day_of_its_recording(tmp_path: Path) -> None:
    assert read(tmp_path, SOMNOMEDICS).start == datetime(2009, 3, 11, 23, 59)
    later = SOMNOMEDICS.replace("23:59:00,000; Wach\n23:59:30,000; N1\n", "")
    assert read(tmp_path, later).start == datetime(2009, 3, 12, 0, 0)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("W\t.\t.\t23:59:30\t00:00:30\t.\nN2\t.\t.\t00:00:30\t00:01:00\t.", [0, 0, 2]),
        ("W\t.\t.\te:1\te:2\t.\nN2\t.\t.\te:3\te:3\t.", [0, 0, 2]),
        ("W\t.\t.\t+00:00:00\t+60\t.\nN2\t.\t.\t+00:01:00\t+30\t.", [0, 0, 2]),
        ("W\t.\t0\t60\nN2\t.\t60\t90", [0, 0, 2]),
        ("W\t.\t.\t0\t...\t.\nN2\t.\t.\t60\t...\t.", [0, 0, 2]),
    ],
)
def test_lunas_times_may_be_written_in_every_way(tmp_path: Path, rows: str, expected: list[int]) -> None:
    track = read(tmp_path, f"class\tinstance\tchannel\tstart\tstop\tmeta\n{rows}\n", "night.annot")
    assert stages(track) == expected


def test_lunas_clock_times_are_the_tracks_time_of_day(tmp_path: Path) -> None:
    head = "class\tinstance\tchannel\tstart\tstop\tmeta\n"
    track = read(tmp_path, f"{head}W\t.\t.\t23:59:30\t00:00:30\t.\n")
    assert track.start_time == time(23, 59, 30)
    with pytest.raises(HypnogramError, match="some starts as clock times"):
        read(tmp_path, f"{head}W\t.\t.\t23:59:30\t00:00:00\t.\nN1\t.\t.\t30\t60\t.\n")


# -- epochs of other lengths


@pytest.mark.parametrize("step", [5, 10, 20])
def test_epochs_of_other_lengths_become_the_stage_that_covers_most(tmp_path: Path, step: int) -> None:
    seconds = ["W"] * 60 + ["N1"] * 20 + ["N2"] * 40 + ["R"] * 60
    lines = [seconds[i] for i in range(0, len(seconds), step)]
    track = read(tmp_path, f"# epoch: {step} s\n" + "\n".join(lines))
    assert stages(track) == [0, 0, 1, 2, 4, 4]
    assert any(f"epochs of {step} s" in note for note in track.notes)


def test_an_epoch_length_that_is_none_is_told(tmp_path: Path) -> None:
    track = read(tmp_path, "# epoch: often\nW\nW\n")
    assert stages(track) == [0, 0]
    assert any("“often” is no length" in note for note in track.notes)


@pytest.mark.parametrize("step", [20, 10, 5])
def test_stages_that_fit_only_with_another_length_are_not_guessed(tmp_path: Path, step: int) -> None:
    track = read(tmp_path, "W\n" * (40 * 30 // step))
    with pytest.raises(AmbiguousHypnogramError, match=f"epoch: {step} s"):
        align(track, start=datetime(2002, 1, 1, 23), n_epochs=40, name="night.edf")


# -- what a person has to say


def test_a_night_that_begins_with_5_and_has_no_0_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "night.txt"
    path.write_text("5\n5\n1\n2\n4\n", encoding="utf-8")
    with pytest.raises(AmbiguousHypnogramError, match="whether 5 is REM sleep") as caught:
        read_track(path)
    readings = {choice: stages(read_track(path, choice)) for choice in caught.value.choices}
    assert readings == {"r-and-k": [4, 4, 1, 2, 3], "five-is-wake": [0, 0, 1, 2, 4]}


def test_numbers_can_be_said_to_be_r_and_k_where_no_5_occurs(tmp_path: Path) -> None:
    path = tmp_path / "night.csv"
    path.write_text("epoch,stage\n0,0\n1,3\n2,4\n", encoding="utf-8")
    assert stages(read_track(path)) == [0, 3, 4]
    assert stages(read_track(path, "r-and-k")) == [0, 3, 3]


# -- a signal


def test_a_hypnogram_signal_in_an_edf_file(tmp_path: Path) -> None:
    numbers = np.array([0, 1, 2, 4, 5, 6, 9], dtype=np.float64)
    signal = edfio.EdfSignal(numbers, 1 / 30, label="Hypnogram", physical_range=(0, 9), digital_range=(0, 9))
    edf = edfio.Edf([signal], recording=edfio.Recording(startdate=datetime(2002, 1, 1).date()), starttime=time(23))
    edf.write(tmp_path / "night.hyp")
    track = read_track(tmp_path / "night.hyp")
    assert stages(track) == [0, 1, 2, 3, 4, -1, -1]
    assert track.start == datetime(2002, 1, 1, 23)


# -- trouble


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (NSRR.replace("Stage 2 sleep|2", "Stage 7 sleep|7"), "“Stage 7 sleep|7” among its stages"),
        (NSRR.replace("<Start>60.0", "<Start>soon"), "“soon”, which is no number of seconds"),
        (REMLOGIC.replace("SLEEP-S4", "SLEEP-S8"), "SLEEP-S8 is no sleep stage"),
        (REMLOGIC.replace("00:00:30", "later"), "no time of day"),
        (REMLOGIC.partition("W\t")[0], "lists no event SLEEP-"),
        (EMBLA.replace("2021-03-10T00:00:30.000000", "?"), "no start and stop"),
        (SLEEPWARE.replace('"NonREM3"', '"Trance"'), "the stage “Trance”"),
        (SOMNOMEDICS.replace("Rate: 30 s", ""), "at what rate"),
        (SOMNOMEDICS.replace("; N4", "; Traum"), "“Traum” is no sleep stage"),
        (DREAMS + "\n7", "“7” is no stage of the DREAMS"),
        ("[hypnogram]\n", "holds no sleep stage under its name"),
        (ELAN.replace("\n5\n", "\n8\n"), "“8” is no stage of an Elan"),
        (ELAN.replace("time_base 20", "time_base 0"), "seconds, which can't be"),
        (VISBRAIN.replace("N3\t120", "N3\t80"), "ends before the one above it"),
        (VISBRAIN.replace("N3\t", "N9\t"), "no stage and the second of its end"),
        (LUNA.replace("R\t.\t.\t150", "R\t.\t.\tlater"), "“later” is no time"),
        ("class\tinstance\tchannel\tstart\tstop\n", "no annotation of a sleep stage"),
        ('{"stages": []}', "empty list of stages"),
        ('{"stages": ["W"], "epoch_s": 0}', "which can't be"),
        ('{"nothing": 1}', "of a kind that holds no hypnogram"),
        ("[" * 5000, "damaged or no JSON"),
        ('[[{"start": 0, "end": 0, "stage": "N1"}]]', "no stage with a start and a later end"),
        ('[[{"start": 0, "end": 30, "stage": null}]]', "no epoch has a stage yet"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(HypnogramError) as caught:
        read(tmp_path, text)
    assert sentence in str(caught.value)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_makes_a_reader_fail_without_a_sentence(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from(TEXTS)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(("byte", "cut", "double"))):
            case "byte":
                raw[place] = data.draw(st.integers(0, 255))
            case "cut":
                del raw[place : place + data.draw(st.integers(1, 30))]
                raw = raw or bytearray(b"0")
            case "double":
                raw[place:place] = raw[place : place + 40]
    path = tmp_path / "wild.dat"
    path.write_bytes(bytes(raw))
    with suppress(HypnogramError):
        to_hypnogram(read_track(path))
