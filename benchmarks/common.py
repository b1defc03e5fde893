"""What the benchmarks share: the night they open, the display they paint on, and how figures are told."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from shutil import which

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent
SIZE = (1600, 900)
"""Size of every window that is measured, in pixels."""

HOURS = 8
RATE_HZ = 256
CHANNELS = (
    ("EEG F3-M2", 15.0, 250.0),
    ("EEG C4-M1", 15.0, 250.0),
    ("EEG O1-M2", 15.0, 250.0),
    ("EEG F4-M1", 15.0, 250.0),
    ("EOG E1-M2", 25.0, 500.0),
    ("EOG E2-M2", 25.0, 500.0),
    ("EMG chin", 8.0, 500.0),
    ("ECG II", 80.0, 2000.0),
)
"""Labels, standard deviations and physical limits (both µV) of the channels of the night."""


LONG_HOURS = 24
LONG_CHANNELS = (
    ("EEG Fpz-Cz", 100, "uV", 15.0, 250.0),
    ("EEG Pz-Oz", 100, "uV", 15.0, 250.0),
    ("EOG horizontal", 100, "uV", 25.0, 500.0),
    ("Resp oro-nasal", 1, "", 200.0, 2000.0),
    ("EMG submental", 1, "uV", 2.0, 50.0),
    ("Temp rectal", 1, "DegC", 0.2, 5.0),
    ("Event marker", 1, "", 10.0, 1000.0),
)
"""Sleep-EDF's channels: labels, rates, units, standard deviations, physical limits."""


def write_night(path: Path) -> None:
    """Write an 8-hour EDF of eight channels at 256 Hz: noise with the spectrum of an EEG, beats in the ECG."""
    _write(path, HOURS, [(label, RATE_HZ, "uV", deviation, limit) for label, deviation, limit in CHANNELS])


def write_long_night(path: Path) -> None:
    """Write a 24-hour EDF with the seven channels of Sleep-EDF at their rates."""
    _write(path, LONG_HOURS, list(LONG_CHANNELS))


NIGHTS = {"8h": write_night, "24h": write_long_night}
"""Writers of the nights by name."""


def _write(path: Path, hours: int, channels: list[tuple[str, int, str, float, float]]) -> None:
    from edfio import Edf, EdfSignal, Patient, Recording

    random = np.random.default_rng(0)
    signals = []
    for label, rate, unit, deviation, limit in channels:
        exponent = 0.0 if label.startswith("EMG") else 0.8
        samples = deviation * _coloured_noise(hours * 3600 * rate, rate, exponent, random)
        if label.startswith("ECG"):
            samples[:: rate - 20] += 900.0
        signals.append(
            EdfSignal(
                np.clip(samples, -limit, limit),
                rate,
                label=label,
                physical_dimension=unit,
                physical_range=(-limit, limit),
            )
        )
    night = Edf(
        signals,
        patient=Patient(code="BENCHMARK"),
        recording=Recording(startdate=datetime(2024, 1, 1).date()),
        starttime=datetime(2024, 1, 1, 22, 30).time(),
    )
    night.write(path)


def _coloured_noise(n: int, rate_hz: int, exponent: float, random: np.random.Generator) -> NDArray[np.float64]:
    """Noise of unit variance whose amplitude falls as 1 / frequency^exponent above 0.5 Hz."""
    spectrum = np.fft.rfft(random.standard_normal(n))
    frequencies = np.fft.rfftfreq(n, 1 / rate_hz)
    spectrum /= np.maximum(frequencies, 0.5) ** exponent
    noise = np.fft.irfft(spectrum, n)
    return noise / noise.std()


def environment(folder: Path, display: str | None) -> dict[str, str]:
    """Environment of a measured process: its own settings folder, and Xvfb's display or (None) Qt's offscreen."""
    env = dict(os.environ)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        env[name] = str(folder)
    env.pop("WAYLAND_DISPLAY", None)
    env["QT_API"] = "pyside6"
    if display is None:
        # The program refuses to start where no display is named; Qt's offscreen platform asks none of it.
        env.update(DISPLAY=":benchmark", QT_QPA_PLATFORM="offscreen")
    else:
        env.update(DISPLAY=display, QT_QPA_PLATFORM="xcb")
    return env


@contextmanager
def virtual_display() -> Iterator[str | None]:
    """Start Xvfb and give its display; None where there is no Xvfb. A display of the user's own is not used."""
    program = which("Xvfb")
    if program is None:
        yield None
        return
    screen = f"{SIZE[0] + 100}x{SIZE[1] + 100}x24"
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(write_end), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"],
        pass_fds=(write_end,),
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    try:
        with os.fdopen(read_end) as told:
            number = told.readline().strip()
        yield f":{number}" if number else None
    finally:
        server.terminate()
        server.wait()


def peak_rss_mb(pid: int | str = "self") -> float:
    """Greatest resident memory that a process has had, in MB (10^6 bytes).

    On Linux it is VmHWM: ``ru_maxrss`` would inherit the greatest size of the process that started this one.
    """
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def machine(*packages: str) -> dict[str, object]:
    """What a figure depends on: system, cores and the versions of what was measured, else of what draws."""
    packages = ("numpy", "edfio", *(packages or ("PySide6-Essentials",)))
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        **{package: version(package) for package in packages},
    }


def median(values: Sequence[float]) -> float:
    """Median of some figures."""
    return float(np.median(values))


def report(result: dict[str, object], out: Path | None) -> None:
    """Print the result as the last line, and write it to a file where one is named."""
    text = json.dumps(result, ensure_ascii=False)
    if out is not None:
        out.write_text(json.dumps(result, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print(text)
