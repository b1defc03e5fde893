"""A recording in words and numbers, for ``sleepviewer info``."""

from __future__ import annotations

from typing import Any

from sleepviewer.recording.base import Recording
from sleepviewer.recording.roles import propose_emg, propose_eog, propose_scoring_channel


def summary(recording: Recording) -> dict[str, Any]:
    """Return what there is to know about a recording without reading its samples, as JSON-ready values."""
    return {
        "path": str(recording.path),
        "format": recording.format_name,
        "start": None if recording.start is None else recording.start.isoformat(),
        "duration_s": recording.duration_s,
        "n_epochs": recording.n_epochs,
        "simulated": recording.simulated,
        "channels": [
            {
                "label": channel.label,
                "role": str(channel.role),
                "rate_hz": channel.rate_hz,
                "unit": channel.unit,
                "file_unit": channel.file_unit,
                "prefilter": channel.prefilter,
            }
            for channel in recording.channels
        ],
        "gaps": [{"start_s": gap.start_s, "duration_s": gap.duration_s} for gap in recording.gaps],
        "proposed": {
            "eeg": propose_scoring_channel(recording),
            "eog": propose_eog(recording),
            "emg": propose_emg(recording),
        },
        "notes": list(recording.notes),
    }


def summary_text(facts: dict[str, Any]) -> str:
    """Lay a summary out for a terminal."""
    hours, rest = divmod(round(facts["duration_s"]), 3600)
    width = max((len(channel["label"]) for channel in facts["channels"]), default=0)
    lines = [
        f"{facts['path']}: {facts['format']}" + (", SIMULATED" if facts["simulated"] else ""),
        f"start {facts['start'] or 'unknown'}, {hours} h {rest // 60:02d} min {rest % 60:02d} s, "
        f"{facts['n_epochs']} epochs",
        *(_channel_line(channel, width) for channel in facts["channels"]),
        *(f"gap at {gap['start_s']:.3f} s, {gap['duration_s']:.3f} s long" for gap in facts["gaps"]),
        f"would be scored: {facts['proposed']['eeg'] or 'no EEG channel recognised'}",
    ]
    if facts.get("truth_beside"):
        lines.append(f"expert's hypnogram beside it: {facts['truth_beside']}")
    lines += [f"note: {note}" for note in facts["notes"]]
    return "\n".join(lines)


def _channel_line(channel: dict[str, Any], width: int) -> str:
    unit = channel["unit"] or "(no unit)"
    return f"  {channel['label']:<{width}}  {channel['role']:<11} {channel['rate_hz']:>7g} Hz  {unit}"
