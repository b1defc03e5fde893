"""Plain text and tables as hypnograms."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path

import pytest

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram import StageTrack, align, read_track, to_hypnogram

ALL = [0, 1, 2, 3, 4, -1]


def read(tmp_path: Path, text: str | bytes, name: str = "h.txt") -> StageTrack:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_track(path)


def stages(track: StageTrack) -> list[int]:
    return to_hypnogram(track).stages.tolist()


@pytest.mark.parametrize(
    "lines",
    [
        "W N1 N2 N3 R ?",
        "w s1 s2 s4 rem mt",
        "Wake NREM1 NREM2 NREM3 REM unscored",
        "0 1 2 3 4 -1",
        "0.0 1.0 2.0 3.0 4.0 -1",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_one_stage_a_line_in_letters_words_or_numbers(tmp_path: Path, lines: str, newline: str) -> None:
    assert stages(read(tmp_path, newline.join(lines.split()) + newline)) == ALL


def test_a_five_means_r_and_k_and_a_note_says_so(tmp_path: Path) -> None:
    track = read(tmp_path, "0\n1\n2\n3\n4\n5\n9\n")
    assert stages(track) == [0, 1, 2, 3, 3, 4, -1]
    assert "3 and 4 N3, 5 REM" in track.notes[0]


def test_without_a_five_four_is_rem_and_a_note_says_so(tmp_path: Path) -> None:
    track = read(tmp_path, "0\n4\n")
    assert stages(track) == [0, 4]
    assert "3 N3, 4 REM" in track.notes[0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("W 1 2 3 4 4 R R", [0, 1, 2, 3, 3, 3, 4, 4]),
        ("0 1 2 3 4 rem", [0, 1, 2, 3, 3, 4]),
        ("wake 1 2 4", [0, 1, 2, 3]),
    ],
)
@pytest.mark.parametrize("name", ["h.txt", "h.csv"])
def test_beside_letters_for_wake_or_rem_four_is_deep_sleep_and_a_note_says_so(
    tmp_path: Path, words: str, expected: list[int], name: str
) -> None:
    track = read(tmp_path, "\n".join(words.split()), name)
    assert stages(track) == expected
    assert any("3 and 4 N3, because letters stand for wake or REM" in note for note in track.notes)


@pytest.mark.parametrize(
    ("text", "name", "count"),
    [
        ("0\n4\n4\n", "h.txt", "2 epochs were read as “4 = REM”"),
        ("0\n4\n?\n", "h.txt", "1 epoch was read as “4 = REM”"),
        ("onset,duration,stage\n0,30,0\n30,300,4\n", "h.csv", "10 epochs were read as “4 = REM”"),
        ("0\n1\n3\n", "h.txt", None),
    ],
)
def test_a_four_without_a_five_or_letters_is_rem_and_the_note_counts_the_epochs(
    tmp_path: Path, text: str, name: str, count: str | None
) -> None:
    track = read(tmp_path, text, name)
    if count is None:
        assert "4 = REM" not in track.notes[0]
    else:
        assert stages(track)[1] == 4
        assert f"{count}, and a file of R&K stages (4 = deep sleep) would need a 5 or letters." in track.notes[0]


def test_letters_need_no_note(tmp_path: Path) -> None:
    assert read(tmp_path, "W\nN2\n").notes == ()


@pytest.mark.parametrize("word", ["N5", "7", "2.5", "1e999", "sleep"])
def test_an_unknown_word_is_named_with_file_and_line(tmp_path: Path, word: str) -> None:
    with pytest.raises(HypnogramError, match=rf"h\.txt, line 3: “{word}”"):
        read(tmp_path, f"# a comment\nW\n{word}\nW\n")


def test_comments_give_start_and_scorer(tmp_path: Path) -> None:
    track = read(tmp_path, "# start: 2002-01-01T23:00:00\n# scorer: Jane: Doe\nW\n# in between\nN1\n")
    assert track.start == datetime(2002, 1, 1, 23)
    assert track.scorer == "Jane: Doe"
    assert stages(track) == [0, 1]


def test_a_start_that_is_no_time_is_told(tmp_path: Path) -> None:
    track = read(tmp_path, "# start: yesterday\nW\n")
    assert track.start is None
    assert "“yesterday” is no date and time" in track.notes[0]


def test_an_empty_line_in_between_is_an_epoch_and_told(tmp_path: Path) -> None:
    track = read(tmp_path, "\n\nW\n\nN1\n\n\n")
    assert stages(track) == [0, -1, 1]
    assert "1 empty places" in track.notes[0]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n"])
@pytest.mark.parametrize("name", ["h.txt", "h.csv"])
def test_a_file_without_stages_is_an_error(tmp_path: Path, text: str, name: str) -> None:
    with pytest.raises(HypnogramError, match="holds no sleep stage"):
        read(tmp_path, text, name)


def test_a_binary_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HypnogramError, match="no text file"):
        read(tmp_path, b"\x89PNG\r\n\x00\x00")


def test_a_file_named_edf_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HypnogramError, match="no EDF"):
        read(tmp_path, "W\nN1\n", "h.edf")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings_of_other_programs_are_read(tmp_path: Path, encoding: str) -> None:
    track = read(tmp_path, "# scorer: Jürgen\nW\nN1\n".encode(encoding))
    assert stages(track) == [0, 1]
    if encoding != "utf-16":
        assert track.scorer == "Jürgen"


# -- tables


@pytest.mark.parametrize(
    "table",
    [
        "epoch,stage\n0,W\n1,N1\n3,R\n",
        "Stage;Epoch\nW;0\nN1;1\nR;3\n",
        "stage\tonset\nW\t0\nN1\t30\n?\t60\nR\t90\n",
        "onset_s,duration_s,stage\n0,30,W\n90,30,R\n30,30,N1\n",
        "Start (s),Duration [sec],Sleep stage,remark\n0,30,W,a\n30,30,N1,b\n90,30,REM,c\n",
        "start,stage\n2002-01-01T23:59:00,W\n2002-01-01T23:59:30,N1\n2002-01-02T00:00:00,?\n2002-01-02T00:00:30,R\n",
        "time,stage\n23:59:00,W\n23:59:30,N1\n00:00:00,?\n00:00:30,R\n",
        "# scored by hand\nstage\nW\nN1\n?\nR\n",
        "stage,remark\nW,\nN1,\n,\nR,\n",
        "W\nN1\n?\nR\n",
        "0,W\n1,N1\n2,?\n3,R\n",
        "0,W\n30,N1\n60,?\n90,R\n",
        "onset;duration;stage\n0,0;30,0;W\n30,0;30,0;N1\n90,0;30,0;R\n",
    ],
)
def test_columns_are_known_by_name_in_any_order(tmp_path: Path, table: str) -> None:
    assert stages(read(tmp_path, table, "h.csv")) == [0, 1, -1, 4]


def test_tables_are_known_by_their_first_line_too(tmp_path: Path) -> None:
    assert stages(read(tmp_path, "epoch,stage\n0,W\n1,N1\n")) == [0, 1]
    assert stages(read(tmp_path, "0 W\n1 N1\n")) == [0, 1]


def test_clock_and_seconds_together_give_the_start_of_second_0(tmp_path: Path) -> None:
    track = read(tmp_path, "onset,start,stage\n60,2002-01-01T23:01:00,W\n90,2002-01-01T23:01:30,N1\n", "h.csv")
    assert track.start == datetime(2002, 1, 1, 23)
    assert stages(track) == [-1, -1, 0, 1]


def test_epochs_counted_from_one_are_told(tmp_path: Path) -> None:
    track = read(tmp_path, "epoch,stage\n1,W\n2,N1\n", "h.csv")
    assert stages(track) == [0, 1]
    assert "counts its epochs from 1" in track.notes[0]


@pytest.mark.parametrize(
    "table",
    [
        "time,stage\n22:30:00,W\n22:30:30,N1\n",
        "22:30:00,W\n22:30:30,N1\n",
        "onset,clock,stage\n0,22:30:00,W\n30,22:30:30,N1\n",
        "epoch,stage\n0,W\n1,N1\n# start: 22:30:00\n",
    ],
)
def test_of_times_of_day_without_a_date_the_time_is_kept(tmp_path: Path, table: str) -> None:
    track = read(tmp_path, table, "h.csv")
    assert (track.start, track.start_time) == (None, time(22, 30))
    assert stages(track) == [0, 1]
    laid = align(track, start=datetime(2002, 1, 1, 22), n_epochs=100, name="night.edf")
    assert laid.stages.tolist() == [-1] * 60 + [0, 1] + [-1] * 38


def test_seconds_beside_times_of_day_give_the_time_of_second_0(tmp_path: Path) -> None:
    track = read(tmp_path, "onset,time,stage\n60,00:00:30,W\n", "h.csv")
    assert track.start_time == time(23, 59, 30)


def test_times_that_count_from_zero_are_no_times_of_day_and_told(tmp_path: Path) -> None:
    track = read(tmp_path, "time,stage\n00:00:00,W\n00:00:30,N1\n", "h.csv")
    assert (track.start, track.start_time) == (None, None)
    assert stages(track) == [0, 1]
    assert "taken for times since its start" in track.notes[0]


@pytest.mark.parametrize("day", ["2024-10-27T", ""])
@pytest.mark.parametrize("header", ["clock,stage", "Start Time,stage", "START_TIME,Stage", None])
def test_with_time_zones_the_end_of_summer_time_keeps_the_order(tmp_path: Path, day: str, header: str | None) -> None:
    rows = [(f"{day}02:59:30+02:00", "W"), (f"{day}02:00:00+01:00", "N1"), (f"{day}02:00:30+01:00", "N2")]
    separator = " " if header is None else ","
    lines = [*([] if header is None else [header]), *(separator.join(row) for row in rows)]
    track = read(tmp_path, "\n".join(lines), "h.csv")
    assert stages(track) == [0, 1, 2]
    assert (track.start, track.start_time) == (
        (datetime(2024, 10, 27, 2, 59, 30), None) if day else (None, time(2, 59, 30))
    )


@pytest.mark.parametrize("day", ["2024-03-31T", ""])
def test_with_time_zones_the_beginning_of_summer_time_is_no_gap(tmp_path: Path, day: str) -> None:
    track = read(tmp_path, f"clock,stage\n{day}01:59:30+01:00,W\n{day}03:00:00+02:00,N1\n", "h.csv")
    assert stages(track) == [0, 1]


def test_times_of_day_with_a_time_zone_may_pass_midnight(tmp_path: Path) -> None:
    table = "clock,stage\n23:59:30+02:00,W\n00:00:00+02:00,N1\n01:59:30+02:00,N2\n02:00:00+02:00,R\n"
    assert [round(bout.onset_s) for bout in read(tmp_path, table, "h.csv").bouts] == [0, 30, 7200, 7230]


@pytest.mark.parametrize("day", ["2024-10-27T", ""])
def test_time_zones_in_some_rows_only_are_left_off(tmp_path: Path, day: str) -> None:
    track = read(tmp_path, f"clock,stage\n{day}22:00:00+02:00,W\n{day}22:00:30,N1\n", "h.csv")
    assert stages(track) == [0, 1]


@pytest.mark.parametrize(
    ("onset", "clock"),
    [
        ("1.7e12", "2020-01-01T00:00:00"),
        ("1.7e12", "22:00:00"),
        ("30", "0001-01-01T00:00:00"),
        ("-30", "9999-12-31T23:59:59+01:00"),
        ("1e300", "2020-01-01T00:00:00"),
    ],
)
def test_a_start_outside_the_calendar_is_refused_in_a_sentence(tmp_path: Path, onset: str, clock: str) -> None:
    with pytest.raises(HypnogramError, match=r"h\.csv, line 2: .* outside the calendar; correct"):
        read(tmp_path, f"onset,stage,clock\n{onset},W,{clock}\n", "h.csv")


def test_a_text_files_start_may_be_a_time_of_day(tmp_path: Path) -> None:
    assert read(tmp_path, "# start: 22:30\nW\n").start_time == time(22, 30)


def test_bouts_without_durations_last_until_the_next_row_and_that_is_told(tmp_path: Path) -> None:
    track = read(tmp_path, "onset,stage\n0,W\n90,N2\n", "h.csv")
    assert stages(track) == [0, 0, 0, 2]
    assert "no durations" in track.notes[0]


def test_a_duration_of_0_lasts_until_the_next_row_and_that_is_told(tmp_path: Path) -> None:
    track = read(tmp_path, "onset,duration,stage\n0,30,W\n30,0,N1\n120,30,N2\n150,0,R\n", "h.csv")
    assert stages(track) == [0, 1, 1, 1, 2, 4]
    assert "2 stages have a duration of 0 s" in track.notes[0]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("epoch,stage\n0,W\n1,N9\n", "line 3: “N9”"),
        ("onset,stage\n0,W\nsoon,N1\n", "line 3: “soon” is no number"),
        ("onset,stage\n0,W\ninf,N1\n", "line 3: “inf” is no number"),
        ("onset,duration,stage\n0,-30,W\n", "line 2: the duration -30"),
        ("start,stage\n2002-01-01T23:00:00,W\nlater,N1\n", "line 3: “later” is no date"),
        ("time,stage\n23:00:00,W\n25:00:00,N1\n", "line 3: “25:00:00” is no time of day"),
        ("onset,sleep\n0,W\n", "no column “stage”"),
        ("onset_ms,stage\n0,W\n", "“onset_ms” in “ms”"),
        ("duration (min),stage\n0,W\n", "“duration (min)” in “min”"),
        ("0,30,W\n", "3 columns and no header"),
        ("epoch,stage\n", "only a header"),
        ("onset,stage\n0,W\n1e12,N1\n", "more than 115 days"),
    ],
)
def test_what_a_table_gets_wrong_is_named(tmp_path: Path, table: str, words: str) -> None:
    with pytest.raises(HypnogramError) as caught:
        read(tmp_path, table, "h.csv")
    assert "h.csv" in str(caught.value)
    assert words in str(caught.value)
