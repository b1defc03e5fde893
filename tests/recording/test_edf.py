"""What is read from EDF and BDF: rates, units, windows, clocks, labels."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.edf_files import START, Signal, patch, ramp, write_edf
from sleepviewer.errors import ChannelError, RecordingError
from sleepviewer.recording import Recording, Role, open_recording
from sleepviewer.recording import edf as edf_module


def tenths(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.float32)


def test_each_channel_has_its_own_rate(tmp_path: Path) -> None:
    data = {"EEG C4-M1": (256, ramp(2560)), "EOG E1-M2": (128, ramp(1280, 7)), "Temp": (1, ramp(10, 99))}
    path = write_edf(tmp_path / "a.edf", [(label, rate, "uV", x) for label, (rate, x) in data.items()])
    night = open_recording(path)
    assert night.format_name == "EDF"
    assert night.duration_s == 10.0
    assert night.start == START
    assert night.notes == ()
    assert night.gaps == ()
    for label, (rate, x) in data.items():
        channel = night.channel(label)
        assert (channel.rate_hz, channel.n_samples) == (rate, len(x))
        np.testing.assert_allclose(night.read(label, 0, 10), x, atol=2e-4)


@pytest.mark.parametrize("bdf", [False, True])
@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("uV", 1),
        ("\xb5V", 1),
        ("mV", 1e3),
        ("V", 1e6),
        ("nV", 1e-3),
        ("microV", 1),
        ("muV", 1),
        ("MV", None),
        ("DegC", None),
        ("%", None),
    ],
)
def test_voltages_come_out_in_microvolts_and_nothing_else_is_touched(
    tmp_path: Path, unit: str, factor: float | None, bdf: bool
) -> None:
    x = ramp(100)
    night = open_recording(write_edf(tmp_path / "a.edf", [("EEG C4", 100, unit, x)], bdf=bdf))
    channel = night.channels[0]
    assert channel.file_unit == unit
    assert channel.unit == ("µV" if factor else unit)
    got = night.read("EEG C4", 0, 1)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, x * (factor or 1), rtol=1e-6, atol=6e-4 * (factor or 1))


@pytest.mark.parametrize("raw", [b"\xb5V", b"\xc2\xb5V", b"\xce\xbcV"])
def test_both_mus_in_latin_1_and_utf_8_are_microvolts(tmp_path: Path, raw: bytes) -> None:
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 100, "", ramp(100))])
    patch(path, 256 + 96, raw)
    assert open_recording(path).channels[0].unit == "µV"


def test_an_empty_unit_is_not_taken_for_microvolts(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 100, "", ramp(100)), ("SaO2", 1, "", [90.0])])
    night = open_recording(path)
    assert [c.unit for c in night.channels] == ["", ""]
    assert not night.channels[0].is_voltage
    (note,) = night.notes
    assert "no unit for “EEG C4”" in note
    assert "SaO2" not in note


@pytest.mark.parametrize("fault", [{"physical": (5, 5)}, {"digital": (7, 7)}])
def test_a_channel_without_calibration_is_kept_in_raw_numbers(tmp_path: Path, fault: dict) -> None:
    signal = Signal("EEG C4", 100, "uV", np.arange(100) - 50)._replace(**fault)
    night = open_recording(write_edf(tmp_path / "a.edf", [signal, ("EEG C3", 100, "uV", ramp(100))]))
    assert (night.channels[0].unit, night.channels[0].file_unit) == ("", "uV")
    np.testing.assert_array_equal(night.read("EEG C4", 0, 1), np.arange(100) - 50)
    assert night.channels[1].is_voltage
    (note,) = night.notes
    assert "no calibration for “EEG C4”" in note


def test_a_physical_range_that_is_absurd_is_no_calibration(tmp_path: Path) -> None:
    signal = Signal("EEG C4", 100, "uV", np.arange(100), (-32768, 32767))
    night = open_recording(patch(write_edf(tmp_path / "a.edf", [signal]), 256 + 112, b"1e30    "))
    assert night.channels[0].unit == ""
    np.testing.assert_array_equal(night.read("EEG C4", 0, 1), np.arange(100))


def test_an_inverted_range_inverts(tmp_path: Path) -> None:
    signal = Signal("EEG C4", 100, "uV", ramp(100), (3276.7, -3276.8))
    night = open_recording(write_edf(tmp_path / "a.edf", [signal]))
    np.testing.assert_allclose(night.read("EEG C4", 0, 1), ramp(100), atol=2e-4)


def test_repeated_and_empty_labels_are_told_apart(tmp_path: Path) -> None:
    labels = ["EEG C4", "EEG C4", "EEG C4 (2)", "", "EEG C4"]
    channels = [(label, 10, "uV", ramp(10, 100 * k)) for k, label in enumerate(labels)]
    night = open_recording(write_edf(tmp_path / "a.edf", channels))
    assert [c.label for c in night.channels] == ["EEG C4", "EEG C4 (2)", "EEG C4 (2) (2)", "channel 4", "EEG C4 (3)"]
    assert [c.file_label for c in night.channels] == labels
    for k, channel in enumerate(night.channels):
        np.testing.assert_allclose(night.read(channel.label, 0, 1), ramp(10, 100 * k), atol=2e-4)
    assert any("EEG C4 (3)" in note for note in night.notes)


@pytest.mark.parametrize(("raw", "label"), [(b"Atmung B\xe4uch", "Atmung Bäuch"), (b"B\xc3\xa4uch", "Bäuch")])
def test_labels_beyond_ascii_are_decoded(tmp_path: Path, raw: bytes, label: str) -> None:
    path = patch(write_edf(tmp_path / "a.edf", [("x" * 16, 10, "uV", ramp(10))]), 256, raw.ljust(16))
    assert open_recording(path).channels[0].label == label


def test_a_window_is_nan_outside_the_recording_and_never_shifts(tmp_path: Path) -> None:
    night = open_recording(write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(1000))]))
    window = night.read("EEG C4", -2, 12)
    assert len(window) == 1400
    assert np.isnan(window[:200]).all()
    assert np.isnan(window[1200:]).all()
    np.testing.assert_allclose(window[200:1200], ramp(1000), atol=2e-4)
    assert np.isnan(night.read("EEG C4", 50, 51)).all()
    assert np.isnan(night.read("EEG C4", -9, -8)).all()
    assert night.read("EEG C4", 3, 3).shape == (0,)
    assert night.read("EEG C4", 4, 3).shape == (0,)


def test_an_unknown_label_names_the_labels_that_there_are(tmp_path: Path) -> None:
    night = open_recording(write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(100))]))
    with pytest.raises(ChannelError, match="no channel “C3”; its channels are: EEG C4"):
        night.read("C3", 0, 1)


# Rates and record durations: whole, fractional, records longer and shorter than a second.
_GRIDS = [(1.0, 256, 40), (30.0, 3000, 3), (0.25, 25, 160), (1.0, 1, 40), (0.78125, 100, 50), (3.0, 100, 13)]


@pytest.fixture(scope="module")
def grids(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Recording, np.ndarray]]:
    folder = tmp_path_factory.mktemp("grids")
    nights = []
    for k, (record_s, per_record, n) in enumerate(_GRIDS):
        x = ramp(per_record * n, 1000 * k)
        signal = ("EEG C4", per_record / record_s, "uV", x)
        other = ("Temp", 3 / record_s, "DegC", ramp(3 * n))
        path = write_edf(folder / f"{k}.edf", [other, signal], record_s=record_s, bdf=k % 2 == 1)
        nights.append((open_recording(path), x))
    return nights


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.integers(0, len(_GRIDS) - 1),
    start=st.floats(-20, 120, allow_nan=False),
    length=st.floats(0, 100, allow_nan=False),
)
def test_any_window_holds_the_samples_of_its_indices(
    grids: list[tuple[Recording, np.ndarray]], which: int, start: float, length: float
) -> None:
    night, x = grids[which]
    stop = start + length
    rate = night.channel("EEG C4").rate_hz
    first, last = round(start * rate), round(stop * rate)
    expected = np.full(last - first, np.nan)
    low, high = max(0, first), min(last, len(x))
    if low < high:
        expected[low - first : high - first] = x[low:high]
    np.testing.assert_allclose(night.read("EEG C4", start, stop), expected, atol=2e-4)


def test_a_long_window_is_read_in_blocks_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(10_000)), ("EMG", 200, "uV", ramp(20_000))])
    whole = open_recording(path).read("EEG C4", 0, 100)
    monkeypatch.setattr(edf_module, "_BLOCK_BYTES", 1800)
    monkeypatch.setattr(edf_module, "_KEPT_BLOCK_BYTES", 700)
    np.testing.assert_array_equal(open_recording(path).read("EEG C4", 0, 100), whole)
    np.testing.assert_allclose(whole, ramp(10_000), atol=2e-4)


def test_bdf_keeps_24_bits(tmp_path: Path) -> None:
    values = np.array([-8388608, -1, 0, 1, 65536, 8388607] + [5] * 94)
    signal = Signal("Status", 100, "", values, (-8388608, 8388607), (-8388608, 8388607))
    night = open_recording(write_edf(tmp_path / "a.bdf", [signal], bdf=True))
    assert night.format_name == "BDF"
    np.testing.assert_array_equal(night.read("Status", 0, 1), values)


def test_the_format_is_known_by_the_first_bytes_and_not_by_the_name(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "night.dat", [("EEG C4", 100, "uV", ramp(100))])
    assert open_recording(path).format_name == "EDF"
    assert open_recording(str(path)).name == "night.dat"


def test_a_start_within_a_second_is_kept(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(200))], onsets=[0.25, 1.25], kind="EDF+C")
    night = open_recording(path)
    assert night.format_name == "EDF+C"
    assert night.start == START.replace(microsecond=250_000)
    assert [c.label for c in night.channels] == ["EEG C4"]
    assert night.duration_s == 2.0


def test_a_date_of_the_last_century_is_read_as_one(tmp_path: Path) -> None:
    start = datetime(1989, 4, 24, 16, 13)
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(100))], start=start, recording="old machine")
    assert open_recording(path).start == start


@pytest.mark.parametrize(("offset", "raw", "what"), [(168, b"99.99.99", "date"), (176, b"--------", "time")])
def test_a_start_that_is_none_is_told(tmp_path: Path, offset: int, raw: bytes, what: str) -> None:
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(100))], recording="")
    night = open_recording(patch(path, offset, raw))
    assert night.start is None
    assert night.clock(5) is None
    (note,) = night.notes
    assert f"no valid start {what}" in note


def test_an_anonymous_date_keeps_the_time_of_day_and_is_told(tmp_path: Path) -> None:
    start = datetime(1985, 1, 1, 22, 30, 15)
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(100))], start=start, recording="Startdate X X X X")
    night = open_recording(path)
    assert night.start == start
    (note,) = night.notes
    assert "anonymous" in note


def test_of_two_dates_that_differ_the_full_one_is_used_and_told(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(100))], recording="Startdate 05-MAR-2021 X X X")
    night = open_recording(path)
    assert night.start == START.replace(day=5)
    assert "two start dates" in night.notes[0]


@pytest.mark.parametrize("where", [{"patient": "X X X Simulated_night"}, {"recording": "Startdate X X SIMULATED X"}])
def test_a_simulated_night_says_so(tmp_path: Path, where: dict) -> None:
    channels = [("EEG C4", 100, "uV", ramp(100))]
    assert open_recording(write_edf(tmp_path / "a.edf", channels, **where)).simulated
    assert not open_recording(write_edf(tmp_path / "b.edf", channels)).simulated


def test_epochs_are_rows_of_thirty_seconds(tmp_path: Path) -> None:
    night = open_recording(write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(10_000))]))
    assert night.n_epochs == 3
    epochs = night.read_epochs("EEG C4", 1)
    assert epochs.shape == (2, 3000)
    np.testing.assert_allclose(epochs.ravel(), ramp(10_000)[3000:9000], atol=2e-4)


def test_reading_agrees_with_mne_on_a_file_of_one_rate(tmp_path: Path) -> None:
    import mne

    rng = np.random.default_rng(1)
    signals = [
        Signal(label, 200, unit, rng.uniform(-90, 90, 4000), (-97.3, 101.9), (-2048, 2047))
        for label, unit in (("EEG C4", "uV"), ("EOG E1", "mV"), ("EEG C3", "uV"))
    ]
    path = write_edf(tmp_path / "a.edf", signals)
    raw = mne.io.read_raw_edf(path, preload=False, verbose="ERROR")
    night = open_recording(path)
    for index, channel in enumerate(night.channels):
        np.testing.assert_allclose(night.read(channel.label, 0, 20), raw.get_data()[index] * 1e6, rtol=1e-5, atol=1e-3)


def test_reading_agrees_with_edfio_on_real_recordings(shared: Path) -> None:
    import edfio

    for name in ("sleep_edf/SC4001E0_5min-PSG.edf", "odd/bdf_plus_c.bdf", "odd/mixed_rates.edf"):
        path = shared / "data" / name
        reference = edfio.read_bdf(path) if path.suffix == ".bdf" else edfio.read_edf(path, lazy_load_data=False)
        with open_recording(path) as night:
            for channel, signal in zip(night.channels, reference.signals, strict=True):
                factor = 1e6 if signal.physical_dimension == "V" else 1.0
                expected = tenths(signal.data * factor)
                np.testing.assert_allclose(night.read(channel.label, 0, night.duration_s), expected, rtol=1e-6)


def test_sleep_edf_opens_as_it_is(shared: Path) -> None:
    night = open_recording(shared / "data" / "sleep_edf" / "SC4001E0_5min-PSG.edf")
    assert night.start == datetime(1989, 4, 24, 16, 13)
    assert (night.duration_s, night.n_epochs) == (300.0, 10)
    assert [(c.label, c.rate_hz, c.unit, c.role) for c in night.channels] == [
        ("EEG Fpz-Cz", 100.0, "µV", Role.EEG),
        ("EEG Pz-Oz", 100.0, "µV", Role.EEG),
        ("EOG horizontal", 100.0, "µV", Role.EOG),
        ("Resp oro-nasal", 1.0, "", Role.RESPIRATION),
        ("EMG submental", 1.0, "µV", Role.EMG),
        ("Temp rectal", 1.0, "DegC", Role.OTHER),
        ("Event marker", 1.0, "", Role.OTHER),
    ]
    assert night.channel("EMG submental").prefilter == "HP:16Hz Rectification LP:0.7Hz"
    assert 34 < float(np.nanmean(night.read("Temp rectal", 0, 300))) < 40
    assert night.notes == ()


def test_the_real_night_opens_with_all_its_epochs(real_night: Path) -> None:
    night = open_recording(real_night)
    assert night.n_epochs == 822
    assert night.start == datetime(2002, 1, 1, 23, 0)
    epochs = night.read_epochs("EEG C4-A1")
    assert epochs.shape == (822, 3840)
    assert np.isfinite(epochs).all()
    assert 1 < float(epochs.std()) < 500


def test_a_file_that_goes_away_or_shrinks_is_an_error_and_no_crash(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(1000))])
    night = open_recording(path)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(RecordingError, match="has changed since it was opened"):
        night.read("EEG C4", 0, 10)
    path.unlink()
    with pytest.raises(RecordingError, match="can't be read any more"):
        night.read("EEG C4", 0, 10)


def test_opening_imports_none_of_the_heavy_libraries(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "a.edf", [("EEG C4", 100, "uV", ramp(100))])
    code = (
        "import sys; from sleepviewer.recording import open_recording;"
        f"open_recording({str(path)!r}).read('EEG C4', 0, 1);"
        "print([m for m in ('mne', 'scipy', 'pandas', 'torch', 'PySide6', 'yasa') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
