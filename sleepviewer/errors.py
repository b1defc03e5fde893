"""One exception type per kind of trouble, each carrying one sentence for the user.

The sentence says what is wrong with which file and what to do about it. The window shows it as it is, the command
line prints it to stderr and exits with 1. Anything that is not a :class:`SleepViewerError` is a bug of ours.
"""


class SleepViewerError(Exception):
    """Trouble that can be told to a user in one sentence."""


class RecordingError(SleepViewerError):
    """A recording can't be opened or read."""


class ChannelError(SleepViewerError):
    """A channel that was asked for is absent or does not suit the purpose."""


class UnitError(ChannelError):
    """A channel's unit is not known, and a person has to tell it."""


class MontageError(SleepViewerError):
    """A file of montages can't be read, or a montage can't be named so."""


class HypnogramError(SleepViewerError):
    """A hypnogram file can't be read, or holds words that are no stages."""


class AmbiguousHypnogramError(HypnogramError):
    """A hypnogram file can be read in more than one way, and a person has to say in which."""

    def __init__(self, sentence: str, choices: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.choices = choices
        """The possible readings, by the names under which they can be asked for; none where only the file tells."""


class AlignmentError(HypnogramError):
    """A hypnogram and a recording (or two hypnograms) have no epoch in common."""


class ArchiveError(SleepViewerError):
    """A scoring archive (npz) can't be read, or does not fit the recording."""


class JournalError(SleepViewerError):
    """A journal of edits can't be read."""


class ReadOnlyError(SleepViewerError):
    """A night that somebody else is editing can't be edited here."""


class BlindedError(ReadOnlyError):
    """What was asked for is hidden from a blinded scorer."""


class ReviewError(SleepViewerError):
    """A review can't become what it was asked to be."""


class EventError(SleepViewerError):
    """An event can't be what it was asked to be."""


class EngineError(SleepViewerError):
    """A scoring engine failed, or can't score this recording."""


class CheckpointError(EngineError):
    """Weights can't be loaded: not safe, not complete, or of another model."""


class VersionError(EngineError):
    """There is no such version of a model, or it can't be used or deleted."""


class RunError(SleepViewerError):
    """The folder of a training run can't be read, is not finished, or is none."""


class TrainingError(SleepViewerError):
    """A training can't begin or go on: its data, configuration or folder is not usable."""


class TrainingCancelled(TrainingError):
    """A training was stopped at the user's wish."""


class AnalysisError(SleepViewerError):
    """What there is can't be analysed in the way that was asked for."""


class SeenLabelsError(AnalysisError):
    """A model was trained on the labels that it is asked to judge."""


class BatchError(SleepViewerError):
    """A batch of nights can't begin or go on: its nights, folder or cluster is not usable."""


class ScoringCancelled(SleepViewerError):
    """Scoring was stopped at the user's wish."""


class DatasetError(SleepViewerError):
    """A public data set can't be fetched, or nights of it can't be prepared."""


class OutputError(SleepViewerError):
    """A file can't be written."""


class ReviewInTheWayError(OutputError):
    """Writing a file would destroy a review that this program has not read; the user must say so first."""
