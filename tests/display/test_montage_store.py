"""Montages are kept whole, and damage to what is kept costs a sentence, never more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.montage_values import recording_of
from sleepviewer.display.filters import LOWEST_HZ, RAW, Band
from sleepviewer.display.montage import AS_RECORDED, Derivation, Montage, Trace
from sleepviewer.display.montage_offers import OTHER_MASTOID
from sleepviewer.display.montage_store import (
    HEIGHTS,
    KEYS,
    LONGEST_NAME,
    OFFERED,
    SCALES,
    MontageBook,
    book_text,
    channels_of,
    checked_name,
    read_book,
    read_book_file,
    write_book,
)
from sleepviewer.errors import MontageError, OutputError
from sleepviewer.recording.base import Role

SLEEP = Montage("Sleep", (Trace(Derivation("C3", ("M2",)), Band(0.3, 35, 50)), Trace(Derivation("E1"), RAW)))
LEGS = Montage("Legs", (Trace(Derivation("LAT"), Band(10, 100), 50.0, "#d55e00", 2.0, False, Role.EMG),))

# -- writing and reading

labels = st.text(min_size=1, max_size=200)
corners = st.none() | st.floats(LOWEST_HZ, 1000)
bands = st.builds(Band, corners, corners, st.sampled_from([None, 50.0, 60.0])).filter(lambda band: not band.fault)
traces = st.builds(
    Trace,
    st.builds(Derivation, labels, st.lists(labels, max_size=4).map(tuple)),
    bands,
    st.none() | st.floats(*SCALES),
    st.none() | st.from_regex(r"#[0-9a-f]{6}", fullmatch=True),
    st.floats(*HEIGHTS),
    st.booleans(),
    st.none() | st.sampled_from(Role),
)
names = (
    st.text(min_size=1, max_size=LONGEST_NAME)
    .map(lambda n: " ".join(n.split()))
    .filter(lambda n: n and n not in OFFERED)
)
montages = st.builds(Montage, names, st.lists(traces, min_size=1, max_size=4).map(tuple))


@st.composite
def books(draw: st.DrawFn) -> MontageBook:
    book = MontageBook()
    for montage in draw(st.lists(montages, max_size=4)):
        book = book.with_saved(montage, draw(st.none() | st.sampled_from(KEYS)))
    for montage in draw(st.lists(montages, max_size=3)):
        book = book.with_last(tuple(sorted(draw(st.lists(labels, max_size=4)))), montage)
    return book


@settings(deadline=None)
@given(books())
def test_a_book_comes_back_as_it_was(book: MontageBook) -> None:
    assert read_book(book_text(book), "settings") == (book, ())


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.data())
def test_any_damage_is_a_sentence_and_the_other_montages_stay(data: st.DataObject) -> None:
    book = MontageBook().with_saved(SLEEP, 1).with_saved(LEGS, 2).with_last(("C3", "M2"), SLEEP)
    stored = json.loads(book_text(book))
    trace = stored["montages"][0]["traces"][0]
    spot = data.draw(st.sampled_from([stored["montages"][0], trace, stored["last"][0], stored["last"][0]["montage"]]))
    name = data.draw(st.sampled_from(sorted(spot)))
    spot[name] = data.draw(values)
    read, notes = read_book(json.dumps(stored), "settings")
    assert read.named("Legs") == LEGS
    assert read.name_at(2) == "Legs"
    assert all(note.endswith(".") and "settings" in note and "\n" not in note for note in notes if name != "name")
    assert all(not t.band.fault for m in read.saved for t in m.traces)
    read_book(book_text(read), "settings")


@settings(deadline=None)
@given(
    st.text()
    | values.map(json.dumps)
    | values.map(lambda v: json.dumps({"format": "SleepViewer montages", "version": 1, "montages": v}))
)
def test_anything_else_is_a_sentence(text: str) -> None:
    said = ["settings."]
    try:
        said += read_book(text, "settings")[1]
    except MontageError as error:
        said.append(str(error))
    assert all(sentence.startswith("settings") and sentence.endswith(".") for sentence in said)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "damaged"),
        ("[" * 100_000, "damaged"),
        ('{"format": "SleepViewer montages", "version": 1', "damaged"),
        ("{}", "no montages"),
        ('{"format": "SleepViewer montages"}', "version"),
        ('{"format": "SleepViewer montages", "version": 7, "montages": []}', "later SleepViewer"),
    ],
)
def test_what_holds_no_montages_says_so(text: str, words: str) -> None:
    with pytest.raises(MontageError, match=words):
        read_book(text, "x.json")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("high_pass_hz", 50, "must be below the low-pass"),
        ("high_pass_hz", -1, "out of range"),
        ("low_pass_hz", float("nan"), "out of range"),
        ("low_pass_hz", 10**400, "out of range"),
        ("notch_hz", 55, "50 or 60 Hz"),
        ("half_height", 0, "out of range"),
        ("height", True, "no number"),
        ("color", "red", "colour"),
        ("role", "EKG", "role"),
        ("visible", 1, "neither shown nor hidden"),
        ("plus", "", "channel"),
        ("minus", "M2", "list"),
    ],
)
def test_a_value_that_can_not_be_is_told(name: str, value: object, words: str) -> None:
    stored = json.loads(book_text(MontageBook().with_saved(SLEEP).with_saved(LEGS)))
    stored["montages"][0]["traces"][0][name] = value
    book, notes = read_book(json.dumps(stored), "mine.json")
    assert book.saved == (LEGS,)
    (note,) = notes
    assert note.startswith("mine.json: montage 1")
    assert words in note


# -- files


def test_a_file_holds_the_saved_montages_alone(tmp_path: Path) -> None:
    book = MontageBook().with_saved(SLEEP, 3).with_last(("C3",), LEGS)
    write_book(book, tmp_path / "lab.json")
    assert read_book_file(tmp_path / "lab.json") == (replace(book, last=()), ())


def test_files_that_can_not_be_read_or_written_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(MontageError, match="absent"):
        read_book_file(tmp_path / "absent.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00binary")
    with pytest.raises(MontageError, match=r"binary\.json .* no text"):
        read_book_file(tmp_path / "binary.json")
    (tmp_path / "large.json").write_bytes(b" " * 4_000_001)
    with pytest.raises(MontageError, match="too large"):
        read_book_file(tmp_path / "large.json")
    with pytest.raises(OutputError, match="nowhere"):
        write_book(MontageBook(), tmp_path / "nowhere" / "lab.json")


# -- the book


def test_saving_under_a_name_replaces_what_had_it() -> None:
    changed = replace(LEGS, name="Sleep")
    book = MontageBook().with_saved(SLEEP, 5).with_saved(LEGS).with_saved(changed)
    assert book.saved == (changed, LEGS)
    assert book.name_at(5) == "Sleep"


def test_a_key_calls_one_montage_and_a_montage_has_one_key() -> None:
    book = MontageBook().with_saved(SLEEP, 5).with_saved(LEGS, 5)
    assert (book.name_at(5), book.key_of("Sleep"), book.key_of("Legs")) == ("Legs", None, 5)
    book = book.with_saved(LEGS, 6)
    assert (book.name_at(5), book.name_at(6)) == (None, "Legs")
    assert book.without("Legs").name_at(6) is None


def test_what_the_program_offers_is_at_the_first_keys_until_something_is_saved_there() -> None:
    book = MontageBook().with_saved(SLEEP, 2)
    assert [book.name_at(key) for key in (1, 2, 3, 5)] == [AS_RECORDED, "Sleep", OFFERED[2], None]
    assert (book.key_of(AS_RECORDED), book.key_of(OTHER_MASTOID)) == (1, None)
    assert book.without("Sleep").name_at(2) == OTHER_MASTOID


def test_a_montage_is_renamed_with_its_key() -> None:
    book = MontageBook().with_saved(SLEEP, 4).with_saved(LEGS)
    assert book.renamed("Sleep", "  Sleep  lab ").name_at(4) == "Sleep lab"
    with pytest.raises(MontageError, match="Legs"):
        book.renamed("Sleep", "Legs")
    assert book.renamed("Sleep", "Sleep") == book


@pytest.mark.parametrize("name", ["", "  \n", "x" * 61, AS_RECORDED, OTHER_MASTOID])
def test_names_that_can_not_be_are_refused(name: str) -> None:
    with pytest.raises(MontageError):
        checked_name(name)


def test_the_last_montages_of_forty_sets_of_channels_are_remembered() -> None:
    book = MontageBook()
    for i in range(45):
        book = book.with_last((f"C{i}",), SLEEP)
    book = book.with_last(("C10",), LEGS)
    assert len(book.last) == 40
    assert book.last_of(("C4",)) is None
    assert book.last_of(("C10",)) == LEGS
    assert book.with_last(("C10",), None).last_of(("C10",)) is None


def test_a_set_of_channels_does_not_depend_on_their_order() -> None:
    assert channels_of(recording_of("C3", "ECG")) == channels_of(recording_of("ECG", "C3"))


def test_importing_loses_nothing_on_either_side() -> None:
    other = replace(LEGS, name="Sleep")
    mine = MontageBook().with_saved(SLEEP, 5)
    theirs = MontageBook().with_saved(other, 5).with_saved(LEGS, 6).with_saved(replace(LEGS, name="Third"), 5)
    book, named = mine.merged(theirs)
    assert named == ("Sleep (2)", "Legs", "Third")
    assert book.named("Sleep") == SLEEP
    assert book.named("Sleep (2)") == replace(other, name="Sleep (2)")
    assert [book.name_at(key) for key in (5, 6)] == ["Sleep", "Legs"]
    assert book.merged(mine) == (book, ("Sleep",))
