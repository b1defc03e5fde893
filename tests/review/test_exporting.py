"""What an export of one night holds: the file's own microvolts, the labels that count, their places, and no more."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import edfio
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from helpers.night_files import MODEL, RATE, START, N, write_night
from helpers.places import ROOT
from helpers.review_values import prediction_of
from sleepviewer.archive.archive import read_archive
from sleepviewer.errors import ArchiveError, OutputError, ReviewInTheWayError
from sleepviewer.hypnogram import read_track, to_hypnogram
from sleepviewer.review.exporting import ExportOptions, Format, export_formats, export_labels, format_of
from sleepviewer.review.night import Night
from sleepviewer.review.opening import open_night
from sleepviewer.review.saving import save_path_of, save_review
from sleepviewer.simulation import simulate_night
from sleepviewer.stages import Stage

EDITS = {2: Stage.N1, 7: Stage.N2, 12: Stage.UNKNOWN}
LABELS = [EDITS.get(epoch, stage) for epoch, stage in enumerate(MODEL)]
ATTNSLEEP = ExportOptions(Format.ATTNSLEEP)
DOCS = ROOT / "docs" / "exporting.md"


@pytest.fixture
def night(tmp_path: Path) -> Night:
    """A scored night with three labels changed by hand; epoch 7 has the model's own stage, epoch 12 none."""
    opened = open_night(write_night(tmp_path / "night.edf"))
    opened.document.scorer = "Ada"
    opened.document.set_prediction(prediction_of(MODEL))
    for epoch, stage in EDITS.items():
        opened.document.set_stage([epoch], stage)
    return opened


class PlainLoader(Dataset):
    """Takes x and y as the original AttnSleep loader does, by numpy and torch alone: files stacked, channels first."""

    def __init__(self, paths: list[Path]) -> None:
        x, y = np.load(paths[0])["x"], np.load(paths[0])["y"]
        for path in paths[1:]:
            x, y = np.vstack((x, np.load(path)["x"])), np.append(y, np.load(path)["y"])
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y).long()
        if self.x.ndim == 3:
            if self.x.shape[1] != 1:
                self.x = self.x.permute(0, 2, 1)
        else:
            self.x = self.x.unsqueeze(1)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.x[place], self.y[place]


@pytest.mark.parametrize("kind", [Format.ATTNSLEEP, Format.ARCHIVE])
def test_a_plain_loader_trains_on_an_export(night: Night, tmp_path: Path, kind: Format) -> None:
    path = tmp_path / "train.npz"
    export_labels(night, path, options=ExportOptions(kind))
    loader = DataLoader(PlainLoader([path, path]), batch_size=19, shuffle=False)
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv1d(1, 4, 50, 25), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(4 * 119, 5)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(5):
        for x, y in loader:
            assert (x.shape, x.dtype) == ((N - 1, 1, 30 * RATE), torch.float32)
            loss = torch.nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_the_documented_loader_trains_without_sleepviewer(night: Night, tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    export_labels(night, tmp_path / "training" / "night.npz", options=ATTNSLEEP)
    first, second = (part.split("```")[0] for part in DOCS.read_text(encoding="utf-8").split("```python\n")[1:])
    end = "import sys; print(stages.tolist(), 'sleepviewer' in sys.modules)"
    code = f"{first}\n{second}\n{end}"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said, places = done.stdout.splitlines()
    assert said.startswith(f"{N - 1} epochs of 1 nights, loss ")
    assert places == f"{[int(stage) for stage in LABELS]} False"


def step_of(signal: edfio.EdfSignal) -> float:
    return (signal.physical_max - signal.physical_min) / (signal.digital_max - signal.digital_min)


def check_against_edf(recording: Path, tmp_path: Path) -> None:
    """All labelled epochs, at their places, are the file's own values to within a hundredth of its digital step."""
    opened = open_night(recording)
    assert opened.document.truth is not None
    path = tmp_path / "exported.npz"
    export_labels(opened, path, options=ATTNSLEEP)
    with np.load(path, allow_pickle=False) as npz:
        x, y, places, n_epochs = npz["x"], npz["y"], npz["epoch_index"], int(npz["n_epochs"])
        label, rate = str(npz["ch_label"]), float(npz["fs"])
    signal = edfio.read_edf(recording).get_signal(label)
    assert (signal.physical_dimension, rate) == ("uV", signal.sampling_frequency)
    theirs = signal.data[: n_epochs * round(30 * rate)].reshape(n_epochs, -1)
    assert (x.dtype, y.dtype) == (np.float32, np.int32)
    np.testing.assert_allclose(x[:, :, 0], theirs[places], rtol=0, atol=step_of(signal) / 100)
    # Laid out again, the night's labels are what they were, epoch by epoch.
    again = np.full(n_epochs, -1)
    again[places] = y
    np.testing.assert_array_equal(again, opened.document.labels)
    restored = read_archive(path)
    np.testing.assert_array_equal(restored.night_labels, opened.document.labels)
    np.testing.assert_array_equal(restored.epoch_index, places)


@pytest.mark.real_data
def test_a_real_night_is_exported_as_it_is_in_the_file(real_copy: Path, tmp_path: Path) -> None:
    check_against_edf(real_copy, tmp_path)


def test_a_simulated_night_is_exported_as_it_is_in_the_file(tmp_path: Path) -> None:
    check_against_edf(simulate_night(tmp_path, hours=0.5).psg_path, tmp_path)


# -- formats


def test_attnsleeps_format_names_nobody(night: Night, tmp_path: Path) -> None:
    export_labels(night, tmp_path / "train.npz", options=ATTNSLEEP)
    with np.load(tmp_path / "train.npz", allow_pickle=False) as npz:
        assert set(npz.files) == {"x", "y", "fs", "ch_label", "epoch_index", "n_epochs"}
    assert b"Ada" not in (tmp_path / "train.npz").read_bytes()


@pytest.mark.parametrize("kind", [kind for kind in export_formats() if not kind.has_signal])
def test_hypnograms_hold_the_labels_that_count(night: Night, tmp_path: Path, kind: Format) -> None:
    path = tmp_path / f"labels{kind.endings[0]}"
    line = export_labels(night, path)
    assert to_hypnogram(read_track(path)).stages.tolist() == LABELS
    assert (line["epochs"], line["edited"], line["channel"]) == (N - 1, 2, None)
    only = tmp_path / f"only{kind.endings[0]}"
    line = export_labels(night, only, options=ExportOptions(kind, only_edited=True))
    edited = to_hypnogram(read_track(only)).stages.tolist()
    assert [(place, stage) for place, stage in enumerate(edited) if stage >= 0] == [(2, 1), (7, 2)]
    assert (line["epochs"], line["edited"]) == (2, 2)


def test_the_formats_of_names() -> None:
    names = {"a.npz": "archive", "a.EDF": "edf", "a.csv": "csv", "a.tsv": "csv", "a.txt": "txt"}
    assert {name: str(format_of(Path(name))) for name in names} == names
    with pytest.raises(OutputError, match=r"unsupported extension; use \.npz, \.edf"):
        format_of(Path("a.doc"))


def test_only_edited_epochs_keep_their_places_and_the_layers(night: Night, tmp_path: Path) -> None:
    path = tmp_path / "train.npz"
    line = export_labels(night, path, options=ExportOptions(Format.ARCHIVE, only_edited=True))
    archive = read_archive(path)
    assert (archive.epoch_index.tolist(), archive.y.tolist(), archive.edited.all()) == ([2, 7], [1, 2], True)
    assert archive.night_labels.tolist() == LABELS
    assert archive.meta["export"] == {"format": "archive", "only_edited": True, "trim_wake_min": None}
    assert (line["epochs"], line["edited"]) == (2, 2)
    # Trimmed besides: the wake at epoch 2 is N1 now, so sleep begins there.
    line = export_labels(night, tmp_path / "b.npz", options=ExportOptions(Format.ATTNSLEEP, trim_wake_min=0.5))
    assert read_archive(tmp_path / "b.npz").epoch_index.tolist() == [1, *range(2, 12), *range(13, 16)]
    assert line["epochs"] == 14


def test_nothing_edited_is_a_sentence_and_no_file(tmp_path: Path) -> None:
    opened = open_night(write_night(tmp_path / "night.edf"))
    opened.document.set_prediction(prediction_of(MODEL))
    for kind in export_formats():
        path = tmp_path / f"out{kind.endings[0]}"
        with pytest.raises(OutputError, match=r"no epoch of night.edf was corrected"):
            export_labels(opened, path, options=ExportOptions(kind, only_edited=True))
        assert not path.exists()


# -- the line of a manifest


def test_the_line_says_where_all_comes_from(night: Night, tmp_path: Path) -> None:
    path = tmp_path / "train.npz"
    line = export_labels(night, path, options=ATTNSLEEP)
    assert line["file"] == "train.npz"
    assert line["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert line["recording"] == {
        "name": "night.edf",
        "sha256": hashlib.sha256(night.recording.path.read_bytes()).hexdigest(),
        "start": START.isoformat(),
        "n_epochs": N,
        "simulated": False,
    }
    assert (line["scorer"], line["base"], line["model"]["engine"]) == ("Ada", "model", "fake")
    assert (line["channel"], line["fs"], line["epochs"], line["edited"]) == ("EEG C4", 100.0, N - 1, 2)
    assert sum(line["stages"].values()) == N - 1
    assert line["options"] == {"format": "attnsleep", "only_edited": False, "trim_wake_min": None}
    assert line["software"].startswith("SleepViewer ")
    json.dumps(line, allow_nan=False)


# -- what is not destroyed


def test_an_export_without_the_history_does_not_take_a_reviews_place(night: Night, tmp_path: Path) -> None:
    save_review(night, save_path_of(night))
    other = tmp_path / "other.npz"
    save_review(night, other)
    before = {path: path.read_bytes() for path in (night.recording.path.with_suffix(".npz"), other)}
    trimmed = ExportOptions(Format.ARCHIVE, trim_wake_min=30)
    for options in (ATTNSLEEP, trimmed):
        with pytest.raises(ReviewInTheWayError, match="is the saved review"):
            export_labels(night, other, options=options, replace=True)
    with pytest.raises(ReviewInTheWayError, match="that the export does not"):
        export_labels(night, night.recording.path.with_suffix(".npz"), options=ATTNSLEEP, replace=True)
    assert {path: path.read_bytes() for path in before} == before


def test_an_export_is_written_over_only_when_that_was_asked(night: Night, tmp_path: Path) -> None:
    path = tmp_path / "train.npz"
    export_labels(night, path, options=ATTNSLEEP)
    with pytest.raises(OutputError, match="there already"):
        export_labels(night, path, options=ATTNSLEEP)
    export_labels(night, path, options=ATTNSLEEP, replace=True)
    with pytest.raises(OutputError, match=r"unsupported extension; use \.csv or \.tsv"):
        export_labels(night, tmp_path / "x.npz", options=ExportOptions(Format.CSV))


# -- AttnSleep's files with places, read again


@pytest.mark.parametrize(
    "change",
    [
        {"epoch_index": np.array([0, 1, 99], np.int32)},
        {"epoch_index": np.array([0, 2, 1], np.int32)},
        {"epoch_index": np.array([0, 1], np.int32)},
        {"epoch_index": np.array([0.0, 1.0, 2.0])},
        {"epoch_index": np.array([-1, 1, 2], np.int32)},
        {"n_epochs": np.int64(2)},
        {"n_epochs": np.int64(10**12)},
        {"n_epochs": np.float64(5)},
    ],
)
def test_places_that_can_not_be_are_refused(tmp_path: Path, change: dict[str, np.ndarray]) -> None:
    path = tmp_path / "a.npz"
    arrays = {
        "x": np.zeros((3, 10, 1), np.float32),
        "y": np.array([0, 2, 4], np.int32),
        "fs": np.float64(1),
        "epoch_index": np.array([0, 2, 4], np.int32),
        "n_epochs": np.int32(5),
    }
    np.savez(path, **arrays)
    assert read_archive(path).night_labels.tolist() == [0, -1, 2, -1, 4]
    np.savez(path, **(arrays | change))
    with pytest.raises(ArchiveError, match=r"a.npz is no usable archive"):
        read_archive(path)
