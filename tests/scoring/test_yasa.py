"""YASA scores a night as its authors meant it, and says what it can't."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.scoring_fakes import CancelAfter, FakeChannel, FakeRecording, eeg
from sleepviewer.analysis.agreement import agreement
from sleepviewer.errors import ChannelError, EngineError, ScoringCancelled
from sleepviewer.files import sha256_of
from sleepviewer.hypnogram import align, read_track
from sleepviewer.recording import open_recording
from sleepviewer.scoring.base import ChannelChoice, Prediction, Progress
from sleepviewer.scoring.yasa_engine import YasaEngine

N = 24
EEG = ChannelChoice("EEG")


@pytest.fixture(scope="module")
def night() -> FakeRecording:
    return FakeRecording(
        {
            "EEG": FakeChannel(eeg(N, 128.0), 128.0),
            "EOG": FakeChannel(eeg(N, 100.0, seed=1), 100.0),
            "EMG": FakeChannel(eeg(N, 256.0, seed=2, microvolts=5), 256.0),
            "slow": FakeChannel(eeg(N, 1.0), 1.0),
        }
    )


@pytest.fixture(scope="module")
def plain(night: FakeRecording) -> Prediction:
    return YasaEngine().score(night, EEG)


@pytest.mark.real_data
def test_agrees_with_the_expert_on_a_real_night(real_night: Path, real_truth: Path) -> None:
    with open_recording(real_night) as recording:
        prediction = YasaEngine().score(recording, ChannelChoice("EEG C4-A1"))
        truth = align(
            read_track(real_truth), start=recording.start, n_epochs=recording.n_epochs, name=recording.name
        ).stages
    assert len(prediction) == 822
    assert agreement(truth, prediction.stages).kappa >= 0.78


def test_every_epoch_gets_five_probabilities(plain: Prediction) -> None:
    assert plain.proba.shape == (N, 5)
    np.testing.assert_allclose(plain.proba.sum(axis=1), 1, atol=1e-5)
    assert plain.notes == ()


def test_the_scoring_says_where_it_comes_from(plain: Prediction) -> None:
    import yasa

    shipped = Path(yasa.__file__).parent / "classifiers" / "clf_eeg_lgb_0.5.0.joblib"
    assert plain.engine == "yasa"
    assert plain.engine_version == yasa.__version__
    assert plain.weights_sha256 == sha256_of(shipped)
    assert plain.channels == ("EEG",)
    assert plain.seconds > 0


def test_equals_the_library_called_by_hand(night: FakeRecording, plain: Prediction) -> None:
    import mne
    import yasa

    samples = night.read("EEG", 0, N * 30)
    raw = mne.io.RawArray(samples[None] * 1e-6, mne.create_info(["C4"], 128.0, "eeg"), verbose="ERROR")
    with pytest.warns(match="unpickle"):  # the classifier was stored with an older scikit-learn
        table = yasa.SleepStaging(raw, eeg_name="C4").predict().proba
    by_hand = table[["WAKE", "N1", "N2", "N3", "REM"]].to_numpy()
    np.testing.assert_allclose(plain.proba, by_hand, atol=1e-5)


@pytest.mark.parametrize(
    "channels",
    [
        ChannelChoice("EEG"),
        ChannelChoice("EEG", "EOG"),
        ChannelChoice("EEG", None, "EMG"),
        ChannelChoice("EEG", "EOG", "EMG"),
    ],
)
def test_reads_the_chosen_channels_alone(night: FakeRecording, channels: ChannelChoice) -> None:
    night.read_labels.clear()
    prediction = YasaEngine().score(night, channels)
    assert set(night.read_labels) == set(channels.labels)
    assert prediction.channels == channels.labels
    assert prediction.scored.all()


def test_more_channels_change_the_weights_and_the_scoring(night: FakeRecording, plain: Prediction) -> None:
    both = YasaEngine().score(night, ChannelChoice("EEG", "EOG"))
    assert both.weights_sha256 != plain.weights_sha256
    assert not np.allclose(both.proba, plain.proba)


def test_gaps_stay_unscored_and_leave_the_rest_as_it_was() -> None:
    whole = eeg(60)
    gapped = whole.copy()
    gapped[20 * 3000 + 500 : 22 * 3000 - 100] = np.nan
    reference = YasaEngine().score(FakeRecording({"EEG": FakeChannel(whole)}), EEG)
    prediction = YasaEngine().score(FakeRecording({"EEG": FakeChannel(gapped)}), EEG)
    assert np.flatnonzero(~prediction.scored).tolist() == [20, 21]
    assert any("2 of 60" in note for note in prediction.notes)
    far = np.r_[0:10, 32:60]
    assert np.median(np.abs(prediction.proba[far] - reference.proba[far])) < 0.02


def test_a_gap_in_any_chosen_channel_leaves_the_epoch_unscored() -> None:
    eog = eeg(N, seed=1)
    eog[3000:3100] = np.nan
    recording = FakeRecording({"EEG": FakeChannel(eeg(N)), "EOG": FakeChannel(eog)})
    prediction = YasaEngine().score(recording, ChannelChoice("EEG", "EOG"))
    assert np.flatnonzero(~prediction.scored).tolist() == [1]


def test_volts_called_microvolts_are_told() -> None:
    samples = eeg(N, microvolts=2e-5)
    samples *= np.linspace(0.2, 1.8, len(samples), dtype=np.float32)  # in any unit an EEG waxes and wanes
    prediction = YasaEngine().score(FakeRecording({"EEG": FakeChannel(samples)}), EEG)
    assert any("implausibly small" in note for note in prediction.notes)


@pytest.mark.parametrize("rate_hz", [81.0, 128.1, 200.0])
def test_odd_rates_give_every_epoch_a_row(rate_hz: float) -> None:
    prediction = YasaEngine().score(FakeRecording({"EEG": FakeChannel(eeg(N, rate_hz), rate_hz)}), EEG)
    assert len(prediction) == N
    assert prediction.scored[:-1].all()


def test_less_than_five_minutes_are_refused() -> None:
    with pytest.raises(EngineError, match=r"fake\.edf lasts 4\.5 minutes"):
        YasaEngine().score(FakeRecording({"EEG": FakeChannel(eeg(9))}), EEG)


def test_unfit_channels_are_refused(night: FakeRecording) -> None:
    flat = FakeRecording({"EEG": FakeChannel(np.zeros(N * 3000, dtype=np.float32))})
    with pytest.raises(ChannelError, match="no usable signal"):
        YasaEngine().score(flat, EEG)
    with pytest.raises(ChannelError, match=r"“slow”.* 1 samples a second; as EEG"):
        YasaEngine().score(night, ChannelChoice("slow"))
    with pytest.raises(ChannelError, match=r"as EMG YASA needs at least 50.*or none"):
        YasaEngine().score(night, ChannelChoice("EEG", None, "slow"))
    with pytest.raises(ChannelError, match="has no channel “C9”"):
        YasaEngine().score(night, ChannelChoice("C9"))


def test_tells_each_step_and_at_last_everything(night: FakeRecording) -> None:
    told: list[Progress] = []
    prediction = YasaEngine().score(night, EEG, told.append)
    assert [progress.message for progress in told] == ["reading", "features", "staging", "done"]
    assert [progress.fraction for progress in told] == sorted(progress.fraction for progress in told)
    np.testing.assert_array_equal(told[-1].proba, prediction.proba)


@pytest.mark.parametrize("looks", range(4))
def test_stops_between_any_two_steps(night: FakeRecording, looks: int) -> None:
    with pytest.raises(ScoringCancelled):
        YasaEngine().score(night, EEG, cancel=CancelAfter(looks))
