"""Recordings of every other format, read lazily through MNE: BrainVision, FIF, EEGLAB, GDF and more."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from sleepviewer.errors import RecordingError
from sleepviewer.recording import timeline as timelines
from sleepviewer.recording.annotations import Annotation, Annotations, in_order
from sleepviewer.recording.base import Channel, FileStamp, Gap, Recording, Role, Samples
from sleepviewer.recording.brainvision import Segments, lay_out, read_segments
from sleepviewer.recording.roles import guess_role
from sleepviewer.recording.units import MICROVOLT, parse_unit

_SKIPPED: Final = "BAD_ACQ_SKIP"
_FIFF_VOLT: Final = 107
_FIFF_UNITS: Final = {_FIFF_VOLT: "V", 112: "T", 201: "T/m", 114: "°C", 110: "S", 101: "Hz", 3: "s", 7: "rad", 5: "A"}
_KIND_ROLES: Final = {"eog": Role.EOG, "emg": Role.EMG, "ecg": Role.ECG, "resp": Role.RESPIRATION}


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a channel is in MNE's recording, and the factor from MNE's values to the channel's unit."""

    index: int
    scale: float


def open_with_mne(path: Path, note: str = "", *, format_name: str = "") -> Recording:
    """Open a recording through MNE; ``note`` is put before the notes that are found.

    ``format_name`` is the format's title in the table of formats, "" for an EDF or BDF file that breaks the standard.

    Raises RecordingError where MNE can't read the file.
    """
    import mne

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            stamp = FileStamp.of(path)
            raw = mne.io.read_raw(path, preload=False, verbose="WARNING")
        except Exception as error:  # readers of many formats raise whatever they meet
            why = " ".join(str(error).split()) or type(error).__name__
            raise RecordingError(f"{path.name} can't be read as {format_name or 'EDF'}: {why}") from error
    if not raw.info["sfreq"] > 0:
        raise RecordingError(f"{path.name} gives no sampling rate; export it again from its software.")
    if raw.n_times == 0 or not raw.ch_names:
        raise RecordingError(f"{path.name} holds no samples; choose another recording.")
    notes = [note] if note else []
    for warning in caught:
        text = " ".join(str(warning.message).split())
        if issubclass(warning.category, RuntimeWarning) and "naming conventions" not in text:
            notes.append(f"{path.name}, as MNE reads it: {text}")
    try:
        return MneRecording(path, raw, stamp, tuple(notes), format_name=format_name)
    except OSError as error:
        raise RecordingError(f"{error.filename or path} can't be read: {error.strerror or error}.") from error


class MneRecording(Recording):
    """A recording that MNE reads; all channels have one rate."""

    def __init__(
        self, path: Path, raw: Any, stamp: FileStamp, notes: tuple[str, ...] = (), *, format_name: str = ""
    ) -> None:
        self.path = path
        self._raw = raw
        self.stamp = stamp
        # The samples of some formats lie in files of their own.
        self._data_stamps = {Path(name): FileStamp.of(Path(name)) for name in raw.filenames if name is not None}
        self.format_name = format_name or path.suffix.lstrip(".").upper()
        self._rate = float(raw.info["sfreq"])
        segments = Segments(timelines.continuous(raw.n_times, 1.0 / self._rate))
        if self.format_name == "BrainVision":
            segments = lay_out(read_segments(path), raw.n_times, self._rate)
        self._timeline = segments.timeline
        self.duration_s = self._timeline.duration_s
        self.simulated = "SIMULATED" in str(raw.info.get("description") or "").upper()
        self.channels, self._sources = _channels_of(raw, self._rate, lenient_edf=not format_name)
        self.start = None
        if raw.info["meas_date"] is not None:
            self.start = raw.info["meas_date"].replace(tzinfo=None) + timedelta(
                seconds=float(raw.first_time) - segments.lead_s
            )
        self.gaps, gap_notes = _gaps_of(path, raw, segments)
        self.notes = notes + gap_notes + self._own_notes()

    def _own_notes(self) -> tuple[str, ...]:
        notes = []
        if self.start is None:
            notes.append(f"{self.name} has no start time; times are shown from its beginning.")
        elif self.format_name == "FIF":
            notes.append(f"The start time of {self.name} is in UTC, as the file gives it.")
        unknown = [c.label for c in self.channels if not c.unit and c.role in (Role.EEG, Role.EOG, Role.EMG)]
        if unknown:
            notes.append(f"{self.name} gives no unit for {', '.join(unknown)}; none is assumed.")
        return tuple(notes)

    def read(self, label: str, start_s: float, stop_s: float) -> Samples:
        """Read a window of one channel; see :meth:`Recording.read`."""
        self.channel(label)
        source = self._sources[label]
        first, stop = round(start_s * self._rate), round(stop_s * self._rate)
        out = np.full(max(0, stop - first), np.nan, dtype=np.float32)
        timeline = self._timeline
        begin, end = timeline.records_of(first, stop, self._rate, per_record=1)
        if begin >= end:
            return out
        self.check_unchanged()  # before reading: there is no telling what MNE makes of other bytes
        try:
            values = self._raw.get_data(picks=[source.index], start=begin, stop=end, verbose="ERROR")[0]
        except (OSError, ValueError, RuntimeError) as error:
            raise RecordingError(f"{self.path} can't be read any more: {error}") from error
        for run, piece_begin, piece_end in timeline.runs(begin, end):
            at = timeline.place(run, self._rate) + piece_begin - int(timeline.first_records[run]) - first
            low, high = max(0, at), min(len(out), at + piece_end - piece_begin)
            if low < high:
                skip = piece_begin - begin - at
                out[low:high] = values[skip + low : skip + high] * source.scale
        for gap in self.gaps:
            low, high = round(gap.start_s * self._rate) - first, round(gap.stop_s * self._rate) - first
            out[max(0, low) : max(0, high)] = np.nan
        return out

    def annotations(self) -> Annotations:
        """Return the annotations that MNE finds; see :meth:`Recording.annotations`.

        MNE counts samples as if there were no pauses; here they are put on the clock. Skipped stretches are gaps, not
        annotations.
        """
        found = self._raw.annotations
        zero_s = 0.0 if found.orig_time is None else float(self._raw.first_time)
        channels = found.ch_names if getattr(found, "ch_names", None) is not None else [()] * len(found)
        entries = []
        for onset, duration, text, names in zip(found.onset, found.duration, found.description, channels, strict=True):
            if not str(text).upper().startswith(_SKIPPED):
                onset_s = self._timeline.time_of((float(onset) - zero_s) * self._rate, self._rate)
                words = " ".join(str(text).split())
                entries.append(Annotation(onset_s, max(float(duration), 0.0), words, ", ".join(names)))
        return Annotations(in_order(entries))

    def check_unchanged(self) -> None:
        """See :meth:`Recording.check_unchanged`."""
        super().check_unchanged()
        for path, stamp in self._data_stamps.items():
            stamp.check(path)

    def close(self) -> None:
        """Let go of the file."""
        self._raw.close()


def _channels_of(raw: Any, rate: float, *, lenient_edf: bool) -> tuple[tuple[Channel, ...], dict[str, _Source]]:
    """Return the channels (labels are unique in MNE) and where their samples come from."""
    originals: dict[str, str] = getattr(raw, "_orig_units", {})
    channels, sources = [], {}
    kinds = raw.get_channel_types()
    for index, (label, kind) in enumerate(zip(raw.ch_names, kinds, strict=True)):
        # MNE keeps the file's own word where the format has one; it calls every channel a voltage otherwise.
        original = originals.get(label)
        if original is None:
            original = _FIFF_UNITS.get(int(raw.info["chs"][index]["unit"]), "")
        if original == "n/a":
            original = ""
        # A voltage comes from MNE in volts, whatever the file's own scale was; anything else comes as it is.
        voltage = parse_unit(original).is_voltage
        role = guess_role(label, original)
        if role is Role.OTHER:
            role = _KIND_ROLES.get(kind, Role.OTHER)
        if role is Role.OTHER and kind == "eeg" and voltage and not lenient_edf:
            role = Role.EEG
        channels.append(
            Channel(
                label=label,
                file_label=label,
                rate_hz=rate,
                n_samples=int(raw.n_times),
                unit=MICROVOLT if voltage else original,
                file_unit=original,
                role=role,
            )
        )
        sources[label] = _Source(index, 1e6 if voltage else 1.0)
    return tuple(channels), sources


def _gaps_of(path: Path, raw: Any, segments: Segments) -> tuple[tuple[Gap, ...], tuple[str, ...]]:
    """Return the stretches that the recorder skipped, and notes about them and about cuts of unknown length.

    BrainVision leaves pauses between ``segments`` out of the file and tells the time of each segment.
    FIF keeps skipped stretches on its clock, filled with zeros and marked BAD_ACQ_SKIP. A "boundary" (EEGLAB, joined
    files) marks a place where samples were cut out and the rest was moved up: what is missing can't be restored.
    """
    annotations = raw.annotations
    zero = 0.0 if annotations.orig_time is None else raw.first_time
    gaps = list(segments.timeline.gaps())
    boundaries = 0
    for onset, duration, description in zip(
        annotations.onset, annotations.duration, annotations.description, strict=True
    ):
        if description.upper().startswith(_SKIPPED):
            gaps.append(Gap(float(onset) - zero, float(onset + duration) - zero))
        elif "boundary" in description.lower():
            boundaries += 1
    gaps.sort(key=lambda gap: gap.start_s)
    notes = []
    if gaps:
        total = sum(gap.duration_s for gap in gaps)
        word = "1 gap" if len(gaps) == 1 else f"{len(gaps):,} gaps"
        notes.append(f"{path.name} has {word}, {total:.3g} s in all; nothing is shown or scored there.")
    if boundaries:
        word = "1 place" if boundaries == 1 else f"{boundaries:,} places"
        notes.append(f"{path.name} was cut at {word} before it was saved; clock times after a cut may be too early.")
    if segments.undated:
        word = "once" if segments.undated == 1 else f"{segments.undated:,} times"
        notes.append(
            f"{path.name} was paused {word}, and its marker file does not tell for how long; what follows is shown too "
            "early."
        )
    if segments.set_back:
        word = "1 place" if segments.set_back == 1 else f"{segments.set_back:,} places"
        notes.append(
            f"In {path.name} the clock goes back at {word}; what follows is shown without a gap, and its clock times "
            "may be wrong."
        )
    return tuple(gaps), tuple(notes)
