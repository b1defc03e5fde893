"""EDFbrowser beside us: Debian's package, driven by xdotool on a virtual display, its CPU time read from /proc."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from shutil import which
from xml.sax.saxutils import escape

from common import CHANNELS, SIZE

PAGE_S = 60
_PATIENCE_S = 20.0
_STILL_S = 0.15
_COLOR_BLACK = 2
_BANDS = {"EEG": (0.3, 35.0), "EOG": (0.3, 35.0), "EMG": (10.0, 100.0), "ECG": (0.3, 70.0)}
_HIGH_PASS, _LOW_PASS = 0, 1


def why_not(display: str | None) -> str | None:
    """Return why EDFbrowser can't be measured here, or None where it can."""
    missing = [name for name in ("edfbrowser", "xdotool") if which(name) is None]
    if missing:
        return f"{' and '.join(missing)} not installed"
    if display is None:
        return "no Xvfb"
    return None if Path("/proc/self/stat").exists() else "no /proc to read CPU time from"


def write_montage(path: Path) -> None:
    """Write a montage of all channels of the night with a page of a minute, filtered as we filter."""
    lines = ['<?xml version="1.0"?>', "<EDFbrowser_montage>"]
    for label, deviation, _ in CHANNELS:
        lines += [
            "  <signalcomposition>",
            *_elements(num_of_signals=1, voltpercm=f"{4 * deviation:.6f}", screen_offset="0.000000", polarity=1),
            *_elements(color=_COLOR_BLACK, fidfilter_cnt=2, ravg_filter_cnt=0),
            "    <signal>",
            *_elements(label=escape(label), factor="1.000000"),
            "    </signal>",
        ]
        for kind, hz in zip((_HIGH_PASS, _LOW_PASS), _BANDS[label[:3]], strict=True):
            lines += [
                "    <fidfilter>",
                *_elements(type=kind, frequency=hz, frequency2=1.12 * hz, ripple=-1.0, order=4, model=0),
                "    </fidfilter>",
            ]
        lines.append("  </signalcomposition>")
    lines += [f"  <pagetime>{PAGE_S * 10_000_000}</pagetime>", "</EDFbrowser_montage>", ""]
    path.write_text("\n".join(lines), encoding="ascii")


def _elements(**values: object) -> list[str]:
    return [f"    <{name}>{value}</{name}>" for name, value in values.items()]


class EdfBrowser:
    """A running EDFbrowser with the night open."""

    def __init__(self, night: Path, montage: Path, env: dict[str, str]) -> None:
        self._env = env
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            ["edfbrowser", str(night), str(montage)], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._window = self._find_window()
        # What it shows first is smaller than what we are measured at.
        self._xdotool("windowsize", self._window, *map(str, SIZE))
        self.start_s = self._wait_until_still() - self._started

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(timeout=10)

    def cpu_ms_a_page(self, pages: int, pause_s: float = 0.15) -> float:
        """Turn pages; return the process's CPU time for each in ms, less what it takes while nothing is done."""
        self._xdotool("windowfocus", self._window)
        time.sleep(0.5)
        began, before = time.monotonic(), self._cpu_s()
        time.sleep(1.0)
        idle = (self._cpu_s() - before) / (time.monotonic() - began)
        began, before = time.monotonic(), self._cpu_s()
        for _ in range(pages):
            self._xdotool("key", "--clearmodifiers", "Next")
            time.sleep(pause_s)
        self._wait_until_still()
        spent = self._cpu_s() - before - idle * (time.monotonic() - began)
        if spent <= 0:
            raise RuntimeError("EDFbrowser did not turn its pages")
        return 1000 * spent / pages

    def _find_window(self) -> str:
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until:
            found = self._xdotool("search", "--onlyvisible", "--pid", str(self._process.pid), "--name", "EDFbrowser")
            if found:
                return found.split()[-1]
            if self._process.poll() is not None:
                raise RuntimeError("EDFbrowser ended before it showed a window")
            time.sleep(0.01)
        raise RuntimeError("EDFbrowser shows no window")

    def _wait_until_still(self) -> float:
        """Return when the process came to rest: since then it has used no CPU time worth the name."""
        used, since = self._cpu_s(), time.monotonic()
        until = since + _PATIENCE_S
        while time.monotonic() < until:
            time.sleep(0.01)
            now = self._cpu_s()
            if now > used:
                used, since = now, time.monotonic()
            elif time.monotonic() - since > _STILL_S:
                return since
        raise RuntimeError("EDFbrowser does not come to rest")

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _xdotool(self, *arguments: str) -> str:
        done = subprocess.run(["xdotool", *arguments], env=self._env, capture_output=True, text=True, check=False)
        return done.stdout.strip()
