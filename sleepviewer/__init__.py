"""SleepViewer: score an overnight EEG, review the scoring, correct it, and export it for training."""

__version__ = "0.1.0"
