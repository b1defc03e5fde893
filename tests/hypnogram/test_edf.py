"""EDF+ annotations as hypnograms: Sleep-EDF's files, odd files, and our own."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, datetime, time
from pathlib import Path

import edfio
import numpy as np
import pytest

from sleepviewer.errors import HypnogramError, OutputError
from sleepviewer.hypnogram import Hypnogram, align, read_edf, to_hypnogram, write_edf
from sleepviewer.recording import open_recording
from sleepviewer.stages import Stage

START = datetime(2002, 1, 1, 23, 0)
NIGHT = START.date()
Entry = tuple[float, float | None, str]


def edf_file(path: Path, entries: list[Entry], *, startdate: date | None = NIGHT, technician: str = "X") -> Path:
    edf = edfio.Edf(
        [],
        recording=edfio.Recording(startdate=startdate, investigator_technician_code=technician),
        starttime=time(23, 0),
        annotations=[edfio.EdfAnnotation(*entry) for entry in entries],
    )
    edf.write(path)
    return path


def stages(path: Path) -> list[int]:
    return to_hypnogram(read_edf(path)).stages.tolist()


def test_the_real_nights_stages_are_the_published_counts(real_truth: Path) -> None:
    track = read_edf(real_truth)
    counts = Counter(to_hypnogram(track).stages.tolist())
    assert counts == {Stage.W: 328, Stage.N1: 58, Stage.N2: 280, Stage.N3: 137, Stage.REM: 19}
    assert track.start == START
    assert track.notes == ()


def test_every_sleep_edf_file_has_the_seconds_of_its_annotations(shared: Path) -> None:
    names = {"W": Stage.W, "1": Stage.N1, "2": Stage.N2, "3": Stage.N3, "4": Stage.N3, "R": Stage.REM}
    expected: dict[str, Counter[int]] = {}
    with (shared / "data" / "hypnograms" / "sleep_edf_78_annotations.csv").open() as file:
        for row in csv.DictReader(file):
            stage = names.get(row["annotation"].removeprefix("Sleep stage "), Stage.UNKNOWN)
            expected.setdefault(row["night"][:6], Counter())[int(stage)] += float(row["duration_s"])
    paths = sorted((shared / "data" / "hypnograms").glob("*-Hypnogram.edf"))
    assert len(paths) == 20
    for path in paths:
        track = read_edf(path)
        seconds: Counter[int] = Counter()
        for bout in track.bouts:
            seconds[bout.stage] += bout.duration_s
        assert seconds == expected[path.name[:6]], path.name
        assert track.start is not None
        assert track.start.year == 1989


def test_r_and_k_becomes_aasm_and_movement_unknown(tmp_path: Path) -> None:
    words = ["W", "1", "2", "3", "4", "R", "?"]
    entries: list[Entry] = [(30.0 * i, 30.0, f"Sleep stage {word}") for i, word in enumerate(words)]
    path = edf_file(tmp_path / "h.edf", [*entries, (210.0, 30.0, "Movement time"), (240.0, 45.0, "Sleep stage 2")])
    assert stages(path) == [0, 1, 2, 3, 3, 4, -1, -1, 2, 2]


def test_other_annotations_are_passed_over(tmp_path: Path) -> None:
    path = edf_file(
        tmp_path / "h.edf",
        [(0.0, None, "Lights off"), (0.0, 60.0, "Sleep stage N2"), (10.0, 3.0, "Arousal"), (30.0, 5.0, "Movement")],
    )
    assert stages(path) == [2, 2]


def test_stages_in_other_words_are_read_where_there_are_no_standard_ones(tmp_path: Path) -> None:
    path = edf_file(
        tmp_path / "h.edf", [(0.0, 60.0, "N2"), (10.0, 3.0, "Arousal"), (60.0, 30.0, "REM"), (65, 5, "art")]
    )
    assert stages(path) == [2, 2, 4]


def test_an_unknown_sleep_stage_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = edf_file(tmp_path / "h.edf", [(0.0, 30.0, "Sleep stage W"), (30.0, 30.0, "Sleep stage 7")])
    with pytest.raises(HypnogramError, match=r"h\.edf holds “Sleep stage 7” at 30 s"):
        read_edf(path)


def test_a_file_without_stages_is_an_error(tmp_path: Path, real_night: Path) -> None:
    with pytest.raises(HypnogramError, match="no annotation that is a sleep stage"):
        read_edf(edf_file(tmp_path / "h.edf", [(0.0, None, "Lights off")]))
    with pytest.raises(HypnogramError, match="no annotation that is a sleep stage"):
        read_edf(real_night)


def test_of_an_anonymised_date_the_time_of_day_is_kept_with_a_note(tmp_path: Path) -> None:
    track = read_edf(edf_file(tmp_path / "h.edf", [(0.0, 90.0, "Sleep stage W")], startdate=None))
    assert (track.start, track.start_time) == (None, time(23))
    assert "no valid start date (anonymised?), so only its time of day counts" in track.notes[0]
    laid = align(track, start=datetime(2002, 1, 1, 22, 30), n_epochs=100, name="night.edf")
    assert np.flatnonzero(laid.stages == Stage.W).tolist() == [60, 61, 62]


def test_of_a_date_that_cannot_be_the_time_of_day_is_kept_with_a_note(tmp_path: Path) -> None:
    path = edf_file(tmp_path / "h.edf", [(0.0, 30.0, "Sleep stage W")])
    raw = path.read_bytes().replace(b"01-JAN-2002", b"99-JAN-2002").replace(b"01.01.02", b"99.99.99")
    path.write_bytes(raw)
    track = read_edf(path)
    assert (track.start, track.start_time) == (None, time(23))
    assert any("no valid start date" in note for note in track.notes)


def test_a_year_beyond_every_calendar_is_no_date(tmp_path: Path) -> None:
    path = edf_file(tmp_path / "h.edf", [(0.0, 30.0, "Sleep stage W")])
    raw = path.read_bytes()
    year = raw.index(b"Startdate ") + len(b"Startdate DD-MMM-")
    path.write_bytes(raw[:year] + b"99999999999" + raw[year + 11 :])
    assert read_edf(path).start is None


@pytest.mark.parametrize("clock", [b"00.00.00", b"99.99.99"])
def test_neither_date_nor_time_is_no_clock_and_told(tmp_path: Path, clock: bytes) -> None:
    path = edf_file(tmp_path / "h.edf", [(0.0, 30.0, "Sleep stage W")], startdate=None)
    path.write_bytes(path.read_bytes().replace(b"23.00.00", clock))
    track = read_edf(path)
    assert (track.start, track.start_time) == (None, None)
    assert "its clock is not used" in track.notes[0]


def test_an_anonymised_recording_and_its_anonymised_hypnogram_meet_by_time_of_day(tmp_path: Path) -> None:
    night = edfio.Edf(
        [edfio.EdfSignal(np.sin(np.arange(100 * 30 * 10)), 10, label="EEG", physical_dimension="uV")],
        recording=edfio.Recording(startdate=None),
        starttime=time(22, 30),
    )
    night.write(tmp_path / "night.edf")
    recording = open_recording(tmp_path / "night.edf")
    track = read_edf(edf_file(tmp_path / "h.edf", [(0.0, 90.0, "Sleep stage 2")], startdate=None))
    laid = align(track, start=recording.start, n_epochs=recording.n_epochs, name=recording.name)
    assert np.flatnonzero(laid.stages == Stage.N2).tolist() == [60, 61, 62]


def test_stages_without_duration_last_until_the_next(tmp_path: Path) -> None:
    track = read_edf(edf_file(tmp_path / "h.edf", [(0.0, None, "Sleep stage W"), (90.0, None, "Sleep stage 1")]))
    assert to_hypnogram(track).stages.tolist() == [0, 0, 0, 1]
    assert "2 stages have no duration" in track.notes[0]


def test_stages_of_0_s_last_until_the_next_and_that_is_told(tmp_path: Path) -> None:
    entries: list[Entry] = [(30.0 * i, 30.0 if i % 2 else 0.0, f"Sleep stage {i % 3 + 1}") for i in range(200)]
    track = read_edf(edf_file(tmp_path / "h.edf", [*entries, (6000.0, 0.0, "Sleep stage R")]))
    assert to_hypnogram(track).stages.tolist() == [i % 3 + 1 for i in range(200)] + [4]
    assert track.notes == (
        "h.edf: 101 stages have no duration, or one of 0 s; each was taken to last until the next stage, the last for "
        "30 s.",
    )


def test_of_stages_without_duration_at_one_time_none_vanishes_in_silence(tmp_path: Path) -> None:
    entries: list[Entry] = [(0.0, None, "Sleep stage 1"), (0.0, 0.0, "Sleep stage 2"), (60.0, 30.0, "Sleep stage W")]
    track = read_edf(edf_file(tmp_path / "h.edf", entries))
    assert to_hypnogram(track).stages[2] == Stage.W
    assert any("two stages claim the same time for 60 s" in note for note in track.notes)


def test_words_passed_over_that_look_like_stages_are_named_and_counted(tmp_path: Path) -> None:
    words = ["N2", "SLEEP-S2", "SLEEP-S2", "Stage5", "Lights off", "Arousal", "Apnea", "Movement", "S-3", "Snoring 2"]
    path = edf_file(tmp_path / "h.edf", [(30.0 * i, 30.0, word) for i, word in enumerate(words)])
    assert read_edf(path).notes == (
        "h.edf: 4 annotations that look like stages were passed over, because of their words: “SLEEP-S2” (2), "
        "“Stage5” (1), “S-3” (1).",
    )


def test_other_words_for_stages_beside_the_standard_ones_are_named(tmp_path: Path) -> None:
    path = edf_file(tmp_path / "h.edf", [(0.0, 30.0, "Sleep stage W"), (30.0, 30.0, "N2"), (60.0, 3.0, "Movement")])
    assert read_edf(path).notes == (
        "h.edf: 1 annotation that looks like a stage was passed over, because of its word: “N2” (1).",
    )


def test_the_notes_of_a_track_are_its_hypnograms_too(tmp_path: Path) -> None:
    track = read_edf(edf_file(tmp_path / "h.edf", [(0.0, 30.0, "N2"), (30.0, 30.0, "Stage5")]))
    assert len(track.notes) == 1
    assert track.notes[0] in to_hypnogram(track).notes


def test_overlapping_stages_are_told(tmp_path: Path) -> None:
    track = read_edf(edf_file(tmp_path / "h.edf", [(0.0, 120.0, "Sleep stage W"), (30.0, 60.0, "Sleep stage 1")]))
    assert to_hypnogram(track).stages.tolist() == [0, 1, 1, 0]
    assert "two stages claim the same time for 60 s" in track.notes[0]


def test_the_technician_is_the_scorer(tmp_path: Path) -> None:
    track = read_edf(edf_file(tmp_path / "h.edf", [(0.0, 30.0, "Sleep stage W")], technician="Jane_Doe"))
    assert track.scorer == "Jane Doe"


@pytest.mark.parametrize("keep", [0, 5, 100, 256, 300, 600])
def test_a_file_cut_short_is_an_error_or_still_has_its_stages(tmp_path: Path, keep: int) -> None:
    path = edf_file(tmp_path / "h.edf", [(30.0 * i, 30.0, "Sleep stage W") for i in range(60)])
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(HypnogramError, match=r"h\.edf"):
        read_edf(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HypnogramError, match=r"nowhere\.edf can't be read"):
        read_edf(tmp_path / "nowhere.edf")


def test_what_is_written_uses_the_words_of_sleep_edf(tmp_path: Path) -> None:
    path = tmp_path / "out.edf"
    write_edf(Hypnogram(np.array([0, 0, 1, 2, 3, 4, -1]), START, "test", "Jane Doe"), path)
    edf = edfio.read_edf(path)
    assert edf.reserved == "EDF+C"
    assert edf.startdatetime == START
    assert edf.recording.investigator_technician_code == "Jane_Doe"
    assert [(a.onset, a.duration, a.text) for a in edf.annotations] == [
        (0, 60, "Sleep stage W"),
        (60, 30, "Sleep stage 1"),
        (90, 30, "Sleep stage 2"),
        (120, 30, "Sleep stage 3"),
        (150, 30, "Sleep stage R"),
        (180, 30, "Sleep stage ?"),
    ]
    assert "SIMULATED" not in edf.local_recording_identification


def test_mne_reads_what_is_written(tmp_path: Path) -> None:
    import mne

    path = tmp_path / "out.edf"
    write_edf(Hypnogram(np.array([0, 0, 1, 4]), START, "test", "李"), path)
    annotations = mne.read_annotations(path)
    assert [d for d in annotations.description if d.startswith("Sleep")] == [
        "Sleep stage W",
        "Sleep stage 1",
        "Sleep stage R",
    ]


def test_a_simulated_night_says_so_in_the_header(tmp_path: Path) -> None:
    path = tmp_path / "out.edf"
    write_edf(Hypnogram(np.array([0]), START, "test"), path, simulated=True)
    assert b"SIMULATED" in path.read_bytes()[:256]


def test_a_date_that_edf_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no dates in 1970"):
        write_edf(Hypnogram(np.array([0]), datetime(1970, 1, 1), "test"), tmp_path / "out.edf")
    assert list(tmp_path.iterdir()) == []


def test_a_hypnogram_without_epochs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no epoch"):
        write_edf(Hypnogram(np.empty(0), START, "test"), tmp_path / "out.edf")
