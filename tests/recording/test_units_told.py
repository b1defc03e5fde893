"""Units that a file leaves open: what is asked, what is told, and what comes out of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.edf_files import Signal, write_edf
from helpers.scoring_fakes import FakeChannel, FakeRecording, eeg
from sleepviewer.errors import ChannelError
from sleepviewer.recording import Role, ToldUnit, open_recording, with_told_units
from sleepviewer.recording.units_told import (
    AS_IT_IS,
    VOLTAGES,
    RecordingAsTold,
    parse_told,
    told_from_json,
    told_to_json,
    unit_questions,
)

SECONDS, RATE = 360, 100
SCALES = {"µV": 1.0, "mV": 1e3, "V": 1e6, "nV": 1e-3}


def write_night(path: Path, unit: str, *, spread: float = 20.0, label: str = "EEG C4") -> Path:
    values = np.random.default_rng(1).normal(0, spread, RATE * SECONDS)
    bound = 10.0 ** np.ceil(np.log10(np.abs(values).max()))
    return write_edf(path, [Signal(label, RATE, unit, values, physical=(-bound, bound))])


@pytest.mark.parametrize("told", VOLTAGES)
@pytest.mark.parametrize("in_file", ["", "uV", "mV", "V", "MV"])
def test_the_plain_numbers_are_taken_in_the_told_unit_whatever_the_file_says(
    tmp_path: Path, in_file: str, told: str
) -> None:
    path = write_night(tmp_path / "a.edf", in_file)
    numbers = open_recording(write_night(tmp_path / "plain.edf", "")).read("EEG C4", 5, 15)
    recording = open_recording(path, [ToldUnit("EEG C4", told)])
    channel = recording.channel("EEG C4")
    assert (channel.unit, channel.role, channel.file_unit) == ("µV", Role.EEG, in_file)
    read = recording.read("EEG C4", 5, 15)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, numbers * SCALES[told], rtol=1e-5)
    assert recording.notes[-1].startswith(f"“EEG C4” was taken as {told}, as was said; the file ")


def test_a_channel_left_as_it_is_is_the_files_and_is_not_asked_about_again(tmp_path: Path) -> None:
    plain = open_recording(write_night(tmp_path / "a.edf", ""))
    left = with_told_units(plain, [ToldUnit("EEG C4", AS_IT_IS)])
    np.testing.assert_array_equal(left.read("EEG C4", 0, 10), plain.read("EEG C4", 0, 10))
    assert left.channels == plain.channels
    assert "left as it is, as was said" in left.notes[-1]
    assert unit_questions(plain)
    assert not unit_questions(left)


def test_telling_anew_takes_the_place_of_what_was_told_and_nothing_takes_it_back(tmp_path: Path) -> None:
    plain = open_recording(write_night(tmp_path / "a.edf", ""))
    first = with_told_units(plain, [ToldUnit("EEG C4", "V"), ToldUnit("EEG C4", "mV")])
    assert first.told_units == (ToldUnit("EEG C4", "mV"),)
    second = with_told_units(first, [ToldUnit("EEG C4", "µV")])
    np.testing.assert_allclose(second.read("EEG C4", 0, 10), plain.read("EEG C4", 0, 10))
    assert with_told_units(second, ()) is plain


def test_everything_else_is_the_files(tmp_path: Path) -> None:
    plain = open_recording(write_night(tmp_path / "a.edf", ""))
    told = with_told_units(plain, [ToldUnit("EEG C4", "mV")])
    assert isinstance(told, RecordingAsTold)
    for name in ("path", "format_name", "start", "duration_s", "gaps", "simulated", "stamp", "name", "n_epochs"):
        assert getattr(told, name) == getattr(plain, name), name
    assert told.annotations() == plain.annotations()
    (tmp_path / "a.edf").write_bytes(b"another")
    with pytest.raises(Exception, match="changed"):
        told.check_unchanged()


@pytest.mark.parametrize(
    ("unit", "about"),
    [(ToldUnit("EEG O1", "mV"), "no channel “EEG O1”"), (ToldUnit("EEG C4", "kg"), "“kg” is no unit")],
)
def test_what_can_not_be_told_is_refused(tmp_path: Path, unit: ToldUnit, about: str) -> None:
    with pytest.raises(ChannelError, match=about):
        open_recording(write_night(tmp_path / "a.edf", ""), [unit])


def test_what_is_measured_in_something_else_is_no_voltage(tmp_path: Path) -> None:
    path = write_night(tmp_path / "a.edf", "%", label="SaO2")
    with pytest.raises(ChannelError, match="in %, which is no voltage"):
        open_recording(path, [ToldUnit("SaO2", "mV")])


# -- what is asked


@pytest.mark.parametrize(
    ("unit", "spread", "said"),
    [
        ("", 20.0, "gives no unit for “EEG C4”; its amplitude would fit µV"),
        ("", 0.02, "gives no unit for “EEG C4”; its amplitude would fit mV"),
        ("", 2e-5, "gives no unit for “EEG C4”; its amplitude would fit V"),
        ("V", 20.0, "gives V for “EEG C4”, but as such its amplitude is no EEG's; its amplitude would fit µV"),
        ("uV", 0.02, "gives uV for “EEG C4”, but as such its amplitude is no EEG's; its amplitude would fit mV"),
    ],
)
def test_a_missing_or_unlikely_unit_is_asked_about(tmp_path: Path, unit: str, spread: float, said: str) -> None:
    (question,) = unit_questions(open_recording(write_night(tmp_path / "a.edf", unit, spread=spread)))
    assert said in question.sentence
    told = open_recording(tmp_path / "a.edf", [ToldUnit("EEG C4", question.fitting[0])])
    assert not unit_questions(told)
    assert 1 < np.subtract(*np.quantile(told.read("EEG C4", 0, 60), (0.75, 0.25))) < 2000


@pytest.mark.parametrize(("unit", "label"), [("uV", "EEG C4"), ("", "SaO2"), ("mmHg", "Pleth"), ("%", "SaO2")])
def test_what_is_certain_or_no_eeg_is_not_asked_about(tmp_path: Path, unit: str, label: str) -> None:
    assert not unit_questions(open_recording(write_night(tmp_path / "a.edf", unit, label=label)))


def test_channels_that_are_alike_are_asked_about_together() -> None:
    names = [f"EEG {place}" for place in ("C3", "C4", "O1", "O2")]
    recording = FakeRecording({name: FakeChannel(eeg(12, microvolts=0.02), unit="") for name in names})
    (question,) = unit_questions(recording)
    assert question.labels == tuple(names)
    assert question.sentence == (
        "The file gives no unit for “EEG C3”, “EEG C4” and 2 more; their amplitude would fit mV."
    )
    assert question.choices == ("µV", "mV", "V")
    (one,) = unit_questions(recording, ["EEG O1"])
    assert one.labels == ("EEG O1",)


def test_a_flat_channel_without_a_unit_is_asked_about_without_a_guess() -> None:
    recording = FakeRecording({"EEG C4": FakeChannel(np.zeros(36_000, np.float32), unit="")})
    (question,) = unit_questions(recording)
    assert question.fitting == ()
    assert "fits an EEG in no unit" in question.sentence


# -- in words and in JSON


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("EEG C4=mV", ToldUnit("EEG C4", "mV")),
        ("EEG C4=uV", ToldUnit("EEG C4", "µV")),
        ("a=b=V", ToldUnit("a=b", "V")),
        ("EEG C4=as-is", ToldUnit("EEG C4", AS_IT_IS)),
    ],
)
def test_a_told_unit_in_words(text: str, told: ToldUnit) -> None:
    assert parse_told(text) == told


@pytest.mark.parametrize("text", ["EEG C4", "EEG C4=", "=mV", "EEG C4=MV", "EEG C4=kg", ""])
def test_words_that_tell_no_unit_are_refused(text: str) -> None:
    with pytest.raises(ChannelError, match="tells no unit"):
        parse_told(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["EEG C4", "EEG O1", ""]) | st.text(max_size=4), inner, max_size=3)
    ),
)


@given(JSON)
def test_damaged_memory_tells_nothing_that_can_not_be(values: object) -> None:
    recording = FakeRecording({"EEG C4": FakeChannel(eeg(2), unit="")})
    told = told_from_json(recording, values)
    with_told_units(recording, told)
    assert told_from_json(recording, told_to_json(told)) == told
