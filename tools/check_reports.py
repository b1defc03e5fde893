"""Open written reports in a browser and say what is wrong with them: errors, requests, tables, strings, what is cut.

    python tools/check_reports.py PAGE.html … [--pictures FOLDER] [--json]

Each page is opened in light and in dark colours, at 1366 and at 800 pixels of width. Checked are: nothing is written to
the console as an error or a warning; nothing is requested from anywhere; there is one script and no element that came
of a string; every table sorts by every head, in both directions; nothing sticks out at the side; a command can be
copied. Needs Chromium; exit code 1 where something is wrong, 3 where there is no browser.
"""

from __future__ import annotations

import argparse
import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
NO_BROWSER: Final = 3
WIDTHS: Final = (1366, 800)
_WAIT_S: Final = 60.0

CHECKS: Final = """
(() => {
  const wrong = [];
  if (document.scripts.length !== 1) wrong.push(`${document.scripts.length} scripts`);
  for (const name of ['iframe', 'object', 'embed', 'link', 'img', 'form', 'base'])
    if (document.querySelector(name)) wrong.push(`an element <${name}>`);
  for (const element of document.querySelectorAll('*'))
    for (const attribute of element.attributes)
      if (/^on/i.test(attribute.name)) wrong.push(`an attribute ${attribute.name}`);
  const side = document.documentElement.scrollWidth - window.innerWidth;
  if (side > 0) wrong.push(`${side} pixels stick out at the side`);
  let tables = 0, heads = 0;
  for (const table of document.querySelectorAll('table')) {
    if (!table.tHead) continue;
    tables += 1;
    const value = (row, column) => row.cells[column].dataset.v ?? row.cells[column].textContent;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      heads += 1;
      const rows = [...table.tBodies[0].rows], before = new Set(rows);
      for (const up of [true, false]) {
        head.click();
        if (head.getAttribute('aria-sort') !== (up ? 'ascending' : 'descending')) wrong.push('a head without a mark');
        const now = [...table.tBodies[0].rows], values = now.map(row => value(row, column));
        if (now.length !== rows.length || now.some(row => !before.has(row))) wrong.push('rows were lost');
        const there = values.filter(text => text !== '');
        if (values.slice(there.length).some(text => text !== '')) wrong.push(`${head.textContent}: blanks not last`);
        for (let i = 1; i < there.length; i++) {
          const [a, b] = up ? [there[i - 1], there[i]] : [there[i], there[i - 1]];
          const n = a - b;
          if (Number.isNaN(n) ? a.localeCompare(b) > 0 : n > 0) wrong.push(`${head.textContent}: not sorted`);
        }
      }
    });
  }
  const button = document.querySelector('button[data-copy]');
  const scrollers = [...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).length;
  if (button) button.click();
  return { wrong, tables, heads, buttons: document.querySelectorAll('button[data-copy]').length, scrollers };
})()
"""
"""Evaluated in the page; the tables are left sorted by their last head."""


class Browser:
    """A Chromium without a window, spoken to in its DevTools protocol over two pipes."""

    def __init__(self, program: str, profile: Path) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # The browser reads from descriptor 3 and writes to 4; high numbers can't be in each other's way.
        read, write = (fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (theirs_in, theirs_out))
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run"]
        options += [f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND", "about:blank"]
        shell = ["bash", "-c", f'exec "$@" 3<&{read} 4>&{write}', "browser", program, *options]
        self._process = subprocess.Popen(
            shell, pass_fds=(read, write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for fd in (read, write, theirs_in, theirs_out):
            os.close(fd)
        self._in, self._out = ours_in, ours_out
        self._buffer = b""
        self._number = 0
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **values: Any) -> dict[str, Any]:
        """Call a method and return its result; what the browser tells meanwhile goes to ``events``."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": values}
        if hasattr(self, "_session"):
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def wait_for(self, event: str) -> None:
        """Wait until an event was told."""
        while not any(told.get("method") == event for told in self.events):
            self.events.append(self._read())

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait(10)
        os.close(self._in)
        os.close(self._out)

    def _read(self) -> dict[str, Any]:
        until = time.monotonic() + _WAIT_S
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(until - time.monotonic(), 0))
            part = os.read(self._in, 1 << 20) if ready else b""
            if not part:
                raise RuntimeError("the browser does not answer")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message


@contextmanager
def browser(program: str) -> Iterator[Browser]:
    """Run a browser with a profile of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        running = Browser(program, Path(profile))
        try:
            yield running
        finally:
            running.close()


def check(running: Browser, page: Path, *, dark: bool, width: int, picture: Path | None = None) -> dict[str, Any]:
    """Open a page and return what was found; a picture is taken before the tables are sorted."""
    running.events.clear()
    scheme = "dark" if dark else "light"
    running.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    running.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    running.call("Page.navigate", url=page.resolve().as_uri())
    running.wait_for("Page.loadEventFired")
    if picture is not None:
        whole = running.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": width, "height": min(whole["height"], 6000), "scale": 1}
        shot = running.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        picture.write_bytes(base64.b64decode(shot["data"]))
    answer = running.call("Runtime.evaluate", expression=CHECKS, returnByValue=True)
    if "exceptionDetails" in answer:
        raise RuntimeError(f"{page}: {answer['exceptionDetails']}")
    found: dict[str, Any] = answer["result"]["value"]
    running.call("Runtime.evaluate", expression="new Promise(r => setTimeout(r, 100))", awaitPromise=True)

    def own(url: str) -> bool:
        return url.startswith("data:") or url == page.resolve().as_uri()

    return found | {"page": str(page), "colours": scheme, "width": width, **told(running.events, own)}


def told(events: list[dict[str, Any]], asked_for: Callable[[str], bool]) -> dict[str, list[str]]:
    """Return what a page said in the console, and the addresses that it asked for though it should not have."""
    console, requests = [], []
    for event in events:
        values = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                console.append(str(values["exceptionDetails"].get("text")))
            case "Runtime.consoleAPICalled" if values["type"] in ("error", "warning", "assert"):
                console.append(str(values["args"]))
            case "Log.entryAdded" if values["entry"]["level"] in ("error", "warning"):
                console.append(values["entry"]["text"])
            case "Network.requestWillBeSent" if not asked_for(values["request"]["url"]):
                requests.append(values["request"]["url"])
    return {"console": console, "requests": requests}


def main() -> int:
    """Check pages; print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path, nargs="+")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the pages")
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    arguments = parser.parse_args()
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        print(f"there is no browser here ({', '.join(BROWSERS)}), so nothing was checked", file=sys.stderr)
        return NO_BROWSER
    results = []
    with browser(program) as running:
        for page in arguments.pages:
            for width in WIDTHS:
                for dark in (False, True):
                    picture = None
                    if arguments.pictures is not None:
                        arguments.pictures.mkdir(parents=True, exist_ok=True)
                        name = f"{page.parent.name}_{page.stem}_{'dark' if dark else 'light'}_{width}.png"
                        picture = arguments.pictures / name
                    results.append(check(running, page, dark=dark, width=width, picture=picture))
    bad = [found for found in results if found["wrong"] or found["console"] or found["requests"]]
    if arguments.json:
        print(json.dumps(results, ensure_ascii=False))
    else:
        for found in results:
            print("wrong" if found in bad else "well ", json.dumps(found, ensure_ascii=False))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
