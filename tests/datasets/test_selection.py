"""Which epochs are kept, held against the published counts on the real hypnograms of all nights."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sleepviewer.datasets.selection import count_stages, select_epochs
from sleepviewer.hypnogram import Bout, StageTrack, align, read_track, to_hypnogram
from sleepviewer.stages import EPOCH_S, StageArray, stage_from_word

PUBLISHED_20 = {"W": 8285, "N1": 2804, "N2": 17799, "N3": 5703, "REM": 7717}
PUBLISHED_78 = {"W": 65951, "N1": 21522, "N2": 69132, "N3": 13039, "REM": 25835}


@cache
def published_nights(data: Path) -> dict[str, StageArray]:
    """The labels of the published preparation of Sleep-EDF-20, epoch for epoch, by a night's six letters."""
    with np.load(data / "sleep_edf" / "sleep_edf_20_first5s.npz", allow_pickle=False) as npz:
        y, subject, night = npz["y"], npz["subject"], npz["night"]
    nights = sorted(set(zip(subject.tolist(), night.tolist(), strict=True)))
    return {f"SC4{s:02d}{n}": y[(subject == s) & (night == n)].astype(np.int8) for s, n in nights}


@cache
def annotations(data: Path) -> dict[str, StageTrack]:
    """The annotations of all 153 nights' hypnograms."""
    bouts: dict[str, list[Bout]] = defaultdict(list)
    with (data / "hypnograms" / "sleep_edf_78_annotations.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            stage = stage_from_word(row["annotation"])
            assert stage is not None
            bouts[row["night"]].append(Bout(float(row["onset_s"]), float(row["duration_s"]), int(stage)))
    return {night: StageTrack(tuple(of_night), None, night) for night, of_night in bouts.items()}


@cache
def lengths(data: Path) -> dict[str, int]:
    """Whole epochs of the recordings by their clock times."""
    epochs = {}
    with (data / "hypnograms" / "sleep_edf_78_nights.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            start, stop = (
                datetime.strptime(row[f"recording_{end}"].partition(".")[0], "%H:%M:%S") for end in ("start", "stop")
            )
            epochs[row["night"]] = int(((stop - start) % timedelta(days=1)).total_seconds() // EPOCH_S)
    return epochs


def total(nights: list[StageArray]) -> dict[str, int]:
    kept = np.concatenate([stages[select_epochs(stages).kept] for stages in nights])
    return count_stages(kept)


def test_the_real_hypnogram_files_give_the_published_labels_epoch_for_epoch(shared: Path) -> None:
    published = published_nights(shared / "data")
    files = sorted((shared / "data" / "hypnograms").glob("SC4*-Hypnogram.edf"))
    assert len(files) == 20
    for path in files:
        stages = to_hypnogram(read_track(path)).stages
        np.testing.assert_array_equal(stages[select_epochs(stages).kept], published[path.name[:6]], path.name)


def test_all_nights_of_sleep_edf_20_give_the_published_labels_epoch_for_epoch(shared: Path) -> None:
    published, n_epochs = published_nights(shared / "data"), lengths(shared / "data")
    nights = {
        night[:6]: align(track, start=None, n_epochs=n_epochs[night], name=night).stages
        for night, track in annotations(shared / "data").items()
        if night[:6] in published
    }
    assert len(nights) == len(published) == 39
    for night, stages in nights.items():
        np.testing.assert_array_equal(stages[select_epochs(stages).kept], published[night], night)
    assert total(list(nights.values())) == PUBLISHED_20
    assert sum(PUBLISHED_20.values()) == 42308


def test_all_nights_of_sleep_edf_78_give_the_published_counts(shared: Path) -> None:
    # By the hypnograms alone: the clock times of three recordings (SC4481, SC4482, SC4572) end too early.
    nights = [to_hypnogram(track).stages for track in annotations(shared / "data").values()]
    assert len(nights) == 153
    assert total(nights) == PUBLISHED_78


def test_every_epoch_is_kept_or_counted_once(shared: Path) -> None:
    for track in annotations(shared / "data").values():
        stages = to_hypnogram(track).stages
        selection = select_epochs(stages)
        assert selection.kept.sum() + selection.unscored + selection.wake_trimmed == len(stages)


def stages_of(*runs: tuple[int, int]) -> StageArray:
    return np.concatenate([np.full(count, stage, np.int8) for stage, count in runs])


@pytest.mark.parametrize(
    ("runs", "first", "stop", "kept"),
    [
        (((0, 100), (2, 50), (0, 100)), 40, 210, 170),
        (((0, 10), (2, 50), (0, 10)), 0, 70, 70),
        (((0, 100), (-1, 5), (0, 10), (2, 50), (0, 100)), 50, 225, 170),  # what has no stage is no minute of wake
        (((0, 100), (2, 20), (-1, 7), (2, 20), (0, 100)), 40, 207, 160),
        (((2, 20),), 0, 20, 20),
    ],
)
def test_thirty_minutes_of_scored_wake_stay_on_both_sides(
    runs: tuple[tuple[int, int], ...], first: int, stop: int, kept: int
) -> None:
    stages = stages_of(*runs)
    places = np.flatnonzero(select_epochs(stages).kept)
    assert (places[0], places[-1] + 1, len(places)) == (first, stop, kept)


def test_a_night_without_sleep_is_not_trimmed() -> None:
    assert select_epochs(stages_of((0, 500), (-1, 3))).kept.sum() == 500
    assert not select_epochs(stages_of((-1, 5))).kept.any()
