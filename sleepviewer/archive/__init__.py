"""The npz formats: AttnSleep's (x, y, fs …) and SleepViewer's superset of it."""
