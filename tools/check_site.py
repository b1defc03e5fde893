"""Open every page of the built site in a browser, in both palettes, and say what is wrong: errors, requests, pictures.

    python tools/check_site.py SITE [--pictures FOLDER] [--json]

SITE is what ``mkdocs build`` wrote; it is opened from the disk. Checked are: nothing is written to the console as an
error or a warning; nothing is asked for outside SITE; every picture that is shown has loaded; nothing sticks out at the
side; the search finds a page. Needs Chromium; exit code 1 where something is wrong, 3 where there is no browser.
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from check_reports import BROWSERS, NO_BROWSER, Browser, browser, told

WIDTH: Final = 1366
SOUGHT: Final = "hypnodensity"

CHECKS: Final = """
(async () => {
  for (let i = 0; i < 50 && !document.querySelector('[data-md-color-scheme]'); i++)
    await new Promise(done => setTimeout(done, 20));
  for (const picture of document.images) picture.loading = 'eager';
  await Promise.all([...document.images].map(picture => picture.decode().catch(() => {})));
  const wrong = [];
  const shown = [...document.images].filter(picture => picture.offsetParent !== null);
  for (const picture of shown)
    if (!picture.naturalWidth) wrong.push(`the picture ${picture.getAttribute('src')} is not there`);
  const side = document.documentElement.scrollWidth - window.innerWidth;
  if (side > 0) wrong.push(`${side} pixels stick out at the side`);
  return { wrong, pictures: shown.length, scheme: document.body.dataset.mdColorScheme };
})()
"""

SEARCH: Final = f"""
(async () => {{
  const field = document.querySelector('.md-search__input');
  field.focus();
  field.value = '{SOUGHT}';
  field.dispatchEvent(new Event('input', {{ bubbles: true }}));
  field.dispatchEvent(new KeyboardEvent('keyup', {{ bubbles: true }}));
  for (let i = 0; i < 100; i++) {{
    const found = document.querySelectorAll('.md-search-result__item').length;
    if (found) return found;
    await new Promise(done => setTimeout(done, 50));
  }}
  return 0;
}})()
"""


def check(running: Browser, page: Path, site: Path, *, dark: bool, picture: Path | None = None) -> dict[str, Any]:
    """Open a page and return what was found."""
    running.events.clear()
    scheme = "dark" if dark else "light"
    running.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    running.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=900, deviceScaleFactor=1, mobile=False)
    running.call("Page.navigate", url=page.as_uri())
    running.wait_for("Page.loadEventFired")
    found = _evaluated(running, CHECKS)
    wanted = "slate" if dark else "default"
    if found["scheme"] != wanted:
        found["wrong"].append(f"the palette is {found['scheme']}, not {wanted}")
    if page.name == "index.html":
        found["search"] = _evaluated(running, SEARCH)
        if not found["search"]:
            found["wrong"].append(f"the search does not find “{SOUGHT}”")
        running.call("Page.reload")
        running.call("Runtime.evaluate", expression="new Promise(r => setTimeout(r, 300))", awaitPromise=True)
    if picture is not None:
        whole = running.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": min(whole["height"], 3000), "scale": 1}
        shot = running.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        picture.write_bytes(base64.b64decode(shot["data"]))
    running.call("Runtime.evaluate", expression="new Promise(r => setTimeout(r, 50))", awaitPromise=True)

    def own(address: str) -> bool:
        url = urlsplit(address)
        inside = url.scheme == "file" and Path(unquote(url.path)).is_relative_to(site)
        return inside or url.scheme in ("data", "blob")

    return found | {"page": str(page.relative_to(site)), "colours": scheme, **told(running.events, own)}


def _evaluated(running: Browser, expression: str) -> Any:
    answer = running.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
    if "exceptionDetails" in answer:
        raise RuntimeError(str(answer["exceptionDetails"]))
    return answer["result"]["value"]


def main() -> int:
    """Check the site; print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path)
    parser.add_argument("--pictures", type=Path, help="folder for pictures of the pages")
    parser.add_argument("--json", action="store_true", help="print a JSON array")
    arguments = parser.parse_args()
    site = arguments.site.resolve()
    pages = [page for page in sorted(site.rglob("*.html")) if page.name != "404.html"]
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None or not pages:
        why = f"there is no browser here ({', '.join(BROWSERS)})" if pages else f"{site} has no pages"
        print(f"{why}, so nothing was checked", file=sys.stderr)
        return NO_BROWSER if pages else 1
    results = []
    with browser(program) as running:
        for page in pages:
            for dark in (False, True):
                picture = None
                if arguments.pictures is not None:
                    arguments.pictures.mkdir(parents=True, exist_ok=True)
                    picture = arguments.pictures / f"{page.stem}_{'dark' if dark else 'light'}.png"
                results.append(check(running, page, site, dark=dark, picture=picture))
    bad = [found for found in results if found["wrong"] or found["console"] or found["requests"]]
    if arguments.json:
        print(json.dumps(results, ensure_ascii=False))
    else:
        for found in bad:
            print("wrong", json.dumps(found, ensure_ascii=False))
        print(f"{len(pages)} pages in two palettes, {len(bad)} with something wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
