"""What channels are taken for, and which are proposed for scoring."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.edf_files import ramp, write_edf
from sleepviewer.recording import (
    Recording,
    Role,
    guess_role,
    open_recording,
    propose_emg,
    propose_eog,
    propose_scoring_channel,
)
from sleepviewer.recording.units import parse_unit

NAMES = {
    Role.EEG: [
        *("EEG Fpz-Cz", "EEG Pz-Oz", "EEG", "EEG(sec)", "EEG 2", "EEG1", "EEG3", "C4-M1", "C3-M2", "F4-M1", "O2-A1"),
        *("C4A1", "C3A2", "C3_M2", "C4:A1", "CZ-A1", "FP1-A2", "Fp2-F4", "F4-C4", "C4-P4", "EEG C3-CLE", "EEG C4-LER"),
        *("Fp1", "EEG F1-Ref", "Cz", "T3", "EEG A1-A2", "M1", "Oz", "EEG C4-A1", "eeg c4-a1", "EEG Fpz", "Fz-Cz"),
    ],
    Role.EOG: [
        *("EOG horizontal", "EOG(L)", "EOG(R)", "EOG-L", "E1-M2", "E2-M1", "E1", "EOG E1-M2", "LOC", "ROC", "LOC-A2"),
        *("ROC-LOC", "EOG1-A2", "EOG Left Horiz", "Lefteye", "RightEye", "HEOG", "VEOG", "EOGl", "L-EOG", "EEG EOG1"),
        *("E2:M2", "REOG", "PG1"),
    ],
    Role.EMG: [
        *("EMG submental", "EMG", "Chin1-Chin2", "Chin", "EMG Chin1", "LAT", "RAT", "Leg/L", "Leg", "EMG1-EMG2"),
        *("EMG Ant Tibial L", "DX1-DX2", "SX1-SX2", "L Leg", "R-LEG", "PLMl", "chin 1", "LLEG", "CHIN-EMG", "ChinL"),
    ],
    Role.ECG: ["ECG", "EKG", "ECG1-ECG2", "ECG II", "EKG1-EKG2", "ECG ECGI", "EEG EKG1", "ECGL", "EKG-R"],
    Role.RESPIRATION: [
        *("Resp oro-nasal", "THOR RES", "ABDO RES", "NEW AIR", "Flow", "Airflow", "Snore", "ABD", "CHEST", "Thor"),
        *("Abdo", "Therm", "Pres", "Sum", "ribcage", "Nasal Pressure", "Resp Belt Thor", "RIP Thorax", "CPAP", "MIC"),
        *("Effort THO", "Sound", "PTAF", "cflow", "ADDOME", "TORACE", "Thermistor"),
    ],
    Role.OTHER: [
        *("Temp rectal", "Event marker", "SaO2", "H.R.", "SpO2", "Pleth", "POSITION", "LIGHT", "OX stat", "OxStatus"),
        *("Pulse", "BodyPos", "Status", "Trigger", "DHR", "HR", "DC1", "STAT", "EtCO2", "EKG_Off", "squarewave"),
        *("3Hz +5/-5 V", "sine 8.5 Hz", "", "channel 3", "Battery", "Heart rate", "Pos"),
    ],
}


@pytest.mark.parametrize(("label", "role"), [(label, role) for role, labels in NAMES.items() for label in labels])
def test_names_are_taken_for_what_they_record(label: str, role: Role) -> None:
    assert guess_role(label, "") is role


def test_what_is_no_voltage_is_no_brain_wave() -> None:
    assert guess_role("O2", "uV") is Role.EEG
    assert guess_role("O2", "%") is Role.OTHER
    assert guess_role("Thor", "%") is Role.RESPIRATION


@pytest.mark.parametrize(
    ("text", "name", "scale"),
    [
        *((text, "µV", 1.0) for text in ("uV", "µV", "μV", "UV", "uv", " uV ", "microvolts", "uV\x00")),
        *((text, "µV", 1e3) for text in ("mV", "mv", "Millivolt")),
        ("V", "µV", 1e6),
        ("nV", "µV", 1e-3),
        *((text, text, 1.0) for text in ("", "MV", "%", "DegC", "mmHg", "BPM", "kV")),
    ],
)
def test_only_known_voltages_become_microvolts(text: str, name: str, scale: float) -> None:
    unit = parse_unit(text)
    assert (unit.name, unit.scale) == (name, scale)
    assert unit.is_voltage == (name == "µV")


def night(folder: Path, *channels: tuple[str, float] | tuple[str, float, str]) -> Recording:
    spec = [(c[0], c[1], c[2] if len(c) > 2 else "uV", ramp(round(c[1]))) for c in channels]
    return open_recording(write_edf(folder / "night.edf", spec))


@pytest.mark.parametrize(
    ("labels", "best"),
    [
        (["EEG Pz-Oz", "C4-M1", "EEG Fpz-Cz"], "EEG Fpz-Cz"),
        (["O2-M1", "F4-M1", "C3-M2", "C4-M1"], "C4-M1"),
        (["F4-A1", "C3-A2", "C4-P4"], "C3-A2"),
        (["C4-A2", "C3-A2"], "C3-A2"),
        (["F4-C4", "C4-P4", "O2-A1"], "C4-P4"),
        (["O2-A1", "F3-A2"], "F3-A2"),
        (["FT7-A1", "O2-A1", "Fp1-A2"], "Fp1-A2"),
        (["M1", "O2-A1"], "O2-A1"),
        (["EEG(sec)", "ECG", "EEG"], "EEG"),
        (["M1", "ECG"], "M1"),
        (["EOG(L)", "ECG"], None),
    ],
)
def test_the_best_derivation_is_proposed(tmp_path: Path, labels: list[str], best: str | None) -> None:
    assert propose_scoring_channel(night(tmp_path, *((label, 100.0) for label in labels))) == best


def test_channels_too_slow_or_not_in_microvolts_are_not_proposed(tmp_path: Path) -> None:
    slow = night(tmp_path, ("EEG Fpz-Cz", 1), ("EMG submental", 1), ("EOG horizontal", 1), ("C3-M2", 100))
    assert propose_scoring_channel(slow) == "C3-M2"
    assert propose_eog(slow) is None
    assert propose_emg(slow) is None
    bare = night(tmp_path, ("EEG Fpz-Cz", 100, ""), ("Chin", 100, ""))
    assert propose_scoring_channel(bare) is None
    assert propose_emg(bare) is None


def test_the_left_eye_and_the_chin_are_proposed_and_never_a_leg(tmp_path: Path) -> None:
    names = ["C4-M1", "E2-M1", "E1-M2", "LAT", "EMG2", "Chin1-Chin2", "ECG"]
    full = night(tmp_path, *((name, 200.0) for name in names))
    assert propose_eog(full) == "E1-M2"
    assert propose_emg(full) == "Chin1-Chin2"
    assert propose_emg(night(tmp_path, ("C4-M1", 100), ("LAT", 100), ("EMG Ant Tibial R", 100))) is None
    assert propose_emg(night(tmp_path, ("LAT", 100), ("EMG", 100))) == "EMG"
    assert propose_eog(night(tmp_path, ("EOG(R)", 50), ("EOG(L)", 50))) == "EOG(L)"


def test_of_two_channels_of_one_name_the_first_is_proposed_by_its_label(tmp_path: Path) -> None:
    assert propose_scoring_channel(night(tmp_path, ("C4-M1", 1), ("C4-M1", 100))) == "C4-M1 (2)"


def test_sleep_edf_is_proposed_without_its_one_hertz_channels(shared: Path) -> None:
    real = open_recording(shared / "data" / "sleep_edf" / "SC4001E0_5min-PSG.edf")
    assert propose_scoring_channel(real) == "EEG Fpz-Cz"
    assert propose_eog(real) == "EOG horizontal"
    assert propose_emg(real) is None
