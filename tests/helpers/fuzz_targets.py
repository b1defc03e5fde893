"""Readers to be fed with damaged files: small sound files to begin with, what damages them, and what may come of it.

A reader may give a right result or one of the project's own errors; anything else is a finding. The short run is in
``test_fuzz.py``, the long one in ``benchmarks/fuzz.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from helpers.edf_files import Signal, write_edf, write_edf_plus_d
from helpers.hypnogram_files import (
    DREAMS,
    ELAN,
    EMBLA,
    LUNA,
    NSRR,
    PLAIN,
    PROFUSION,
    REMLOGIC,
    SCORING_HERO,
    SLEEPWARE,
    SOMNOMEDICS,
    TABLE,
    VISBRAIN,
)
from sleepviewer.archive.archive import FORMAT, NOT_CORRECTED, VERSION, ScoringArchive, read_archive, write_archive
from sleepviewer.errors import SleepViewerError
from sleepviewer.hypnogram import Hypnogram, read_track, to_hypnogram, write_hypnogram
from sleepviewer.recording import open_recording

_LONGEST = 200
"""Bytes of what is put in, taken out or doubled at once."""
_WORDS = (
    b"-1",
    b"0",
    b"99999999",
    b"1e308",
    b"nan",
    b"inf",
    b"\x00",
    b"\xff" * 4,
    b"<a>",
    b"&x;",
    b'{"',
    b"..",
    b"\n",
    b";",
)


@dataclass(frozen=True, slots=True)
class Target:
    """A reader by name, its file's name, sound files, and a call that raises AssertionError for a wrong result."""

    name: str
    file_name: str
    seeds: tuple[bytes, ...]
    read: Callable[[Path], None]


def mutated(seed: bytes, random: np.random.Generator, donors: tuple[bytes, ...]) -> bytes:
    """Return a file with one to six damages: bytes or bits changed, stretches cut, doubled, replaced."""
    raw = bytearray(seed)
    for _ in range(int(random.integers(1, 7))):
        at = int(random.integers(0, max(len(raw), 1)))
        length = int(random.integers(1, min(_LONGEST, len(raw) + 2)))
        match int(random.integers(0, 8)):
            case 0:
                raw[at : at + 1] = bytes([int(random.integers(0, 256))])
            case 1 if raw:
                raw[at] ^= 1 << int(random.integers(0, 8))
            case 2:
                del raw[at : at + length]
            case 3:
                raw[at:at] = raw[at : at + length]
            case 4:
                word = _WORDS[int(random.integers(0, len(_WORDS)))]
                raw[at : at + len(word)] = word
            case 5:
                donor = donors[int(random.integers(0, len(donors)))]
                begin = int(random.integers(0, max(len(donor), 1)))
                raw[at : at + length] = donor[begin : begin + length]
            case 6:
                del raw[at:]
            case _:
                raw[at : at + length] = random.bytes(length)
    return bytes(raw)


def feed(target: Target, raw: bytes, folder: Path) -> None:
    """Give a reader a damaged file; whatever else than its own errors comes of it, is raised."""
    path = folder / target.file_name
    path.write_bytes(raw)
    try:
        target.read(path)
    except SleepViewerError as error:
        if not str(error).strip():
            raise AssertionError("an error without a sentence") from error


# -- what is read, and what makes a result right


def _read_recording(path: Path) -> None:
    with open_recording(path) as recording:
        assert recording.duration_s > 0
        assert len({channel.label for channel in recording.channels}) == len(recording.channels) > 0
        for channel in recording.channels[:2]:
            stop_s = min(recording.duration_s, 3.0)
            samples = recording.read(channel.label, 0.5, stop_s)
            assert len(samples) == round(stop_s * channel.rate_hz) - round(0.5 * channel.rate_hz)
            assert samples.dtype == np.float32
        for gap in recording.gaps:
            assert 0 <= gap.start_s < gap.stop_s
        recording.annotations()


def _read_hypnogram(path: Path) -> None:
    track = read_track(path)
    hypnogram = to_hypnogram(track)
    assert ((hypnogram.stages >= -1) & (hypnogram.stages <= 4)).all()
    assert all(bout.duration_s > 0 for bout in track.bouts)
    assert all(a.onset_s + a.duration_s <= b.onset_s + 1e-5 for a, b in zip(track.bouts, track.bouts[1:], strict=False))


def _read_archive(path: Path) -> None:
    archive = read_archive(path)
    assert ((archive.night_labels >= -1) & (archive.night_labels <= 4)).all()
    assert np.isfinite(archive.x).all()


def _read_weights(path: Path) -> None:
    from sleepviewer.models.checkpoints import load_weights

    weights = load_weights(path)
    assert weights.card.rate_hz > 0
    assert weights.state


# -- sound files


def targets(folder: Path) -> Iterator[Target]:
    """Yield all targets; ``folder`` is for making the sound files in."""
    recordings = tuple(path.read_bytes() for path in _recordings(folder))
    yield Target("edf", "wild.edf", recordings, _read_recording)
    edf_hypnogram = folder / "hypnogram.edf"
    write_hypnogram(Hypnogram(np.arange(-1, 5), datetime(2002, 1, 1, 23), "t", "J"), edf_hypnogram)
    yield Target("hypnogram-edf", "wild.edf", (edf_hypnogram.read_bytes(), recordings[1]), _read_hypnogram)
    for name, ending, text in (
        ("profusion", "xml", PROFUSION),
        ("nsrr", "xml", NSRR),
        ("embla", "xml", EMBLA),
        ("sleepware", "xml", SLEEPWARE),
        ("remlogic", "txt", REMLOGIC),
        ("somnomedics", "txt", SOMNOMEDICS),
        ("dreams", "txt", DREAMS),
        ("elan", "hyp", ELAN),
        ("visbrain", "txt", VISBRAIN),
        ("luna", "annot", LUNA),
        ("csv", "csv", TABLE),
        ("text", "txt", PLAIN),
        ("json", "json", json.dumps(SCORING_HERO)),
    ):
        yield Target(f"hypnogram-{name}", f"wild.{ending}", (text.encode(),), _read_hypnogram)
    yield Target("archive", "wild.npz", tuple(path.read_bytes() for path in _archives(folder)), _read_archive)


def weights_target(folder: Path) -> Target:
    """Return the loader of weights; apart, because it needs torch."""
    import torch

    from sleepviewer.models.card import ModelCard
    from sleepviewer.models.checkpoints import save_weights
    from sleepviewer.models.family import build_epoch_model
    from sleepviewer.models.shape import InputShape

    torch.manual_seed(0)
    model = build_epoch_model("attnsleep", InputShape.whole_epoch(100))
    path, old = folder / "weights.safetensors", folder / "weights.pt"
    save_weights(path, model.state_dict(), ModelCard("fuzzed", 100, 3000))
    torch.save({"state_dict": {k: v[:1] for k, v in list(model.state_dict().items())[:3] if v.ndim}}, old)
    return Target("weights", "wild.safetensors", (path.read_bytes(), old.read_bytes()), _read_weights)


def _recordings(folder: Path) -> Iterator[Path]:
    eeg = np.random.default_rng(0).normal(0, 20, 800)
    channels = [Signal("EEG Fpz-Cz", 100, "uV", eeg), Signal("Resp", 10, "", eeg[:80])]
    yield write_edf(folder / "plain.edf", channels)
    yield write_edf(folder / "plus.edf", channels, onsets=list(range(8)), kind="EDF+C")
    yield write_edf_plus_d(folder / "gaps.edf", [0, 1, 2, 3, 7, 8, 9, 10], channels)
    yield write_edf(folder / "plain.bdf", channels, bdf=True)


def _archives(folder: Path) -> Iterator[Path]:
    n, whole = 3, 5
    labels = np.array([0, 2, 4], dtype=np.int8)
    expert = np.array([0, 2, 4, -1, 3], dtype=np.int8)
    archive = ScoringArchive(
        x=np.random.default_rng(0).normal(0, 20, (n, 60, 1)).astype(np.float32),
        y=labels.astype(np.int32),
        fs=2.0,
        ch_label="EEG",
        epoch_index=np.arange(n, dtype=np.int32),
        y_expert=labels,
        y_model=labels,
        proba=np.full((n, 5), 0.2, dtype=np.float32),
        edited=np.zeros(n, dtype=bool),
        meta={"format": FORMAT, "version": VERSION, "recording": {"name": "n.edf"}, "base": "truth", "edits": []},
        night_expert=expert,
        night_proba=np.full((whole, 5), 0.2, dtype=np.float32),
        night_corrected=np.full(whole, NOT_CORRECTED, dtype=np.int8),
        night_flagged=np.zeros(whole, dtype=bool),
    )
    write_archive(folder / "ours.npz", archive)
    yield folder / "ours.npz"
    np.savez(folder / "theirs.npz", x=archive.x, y=archive.y, fs=2.0, ch_label="EEG")
    yield folder / "theirs.npz"
