"""Which channels of a recording an engine is given."""

from __future__ import annotations

from sleepviewer.recording import propose_emg, propose_eog
from sleepviewer.recording.base import Recording
from sleepviewer.scoring.base import ChannelChoice
from sleepviewer.scoring.registry import EngineSpec, uses_others


def choose_channels(
    recording: Recording,
    spec: EngineSpec,
    eeg: str,
    *,
    eog: str | None = None,
    emg: str | None = None,
    eeg_only: bool = False,
) -> ChannelChoice:
    """Return the channels to give an engine.

    One that makes use of an EOG and an EMG gets those that are named, else those that are proposed from the names;
    with ``eeg_only`` neither.
    """
    if eeg_only:
        return ChannelChoice(eeg)
    if uses_others(spec.id):
        eog, emg = eog or propose_eog(recording), emg or propose_emg(recording)
    return ChannelChoice(eeg, eog, emg)
