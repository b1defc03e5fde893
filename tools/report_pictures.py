"""Make the documentation's pictures of the reports, and of a comparison in Python.

Pages are opened in a browser, in both themes; of the PDF a sheet is shown.

    python tools/report_pictures.py SCORED.npz docs/images

SCORED is what ``sleepviewer score`` made of a real night. Needs Chromium, and pdftoppm for sheets. Pictures have 256
colours, so that they stay small.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from check_reports import BROWSERS, browser, check
from PIL import Image

import sleepviewer as sv

HEIGHTS = {"analysis": 1250, "night_report": 1250}
WIDTH = 1366


def pages_of(scored: Path, folder: Path) -> dict[str, Path]:
    """Write the reports by the command; return the pages by the names of their pictures."""
    sleepviewer = [sys.executable, "-m", "sleepviewer"]
    for words in (
        ["analyse", scored, "--out", folder / "analysis"],
        ["report", scored, "--out", folder / "night.html"],
        ["report", scored, "--out", folder / "night.pdf"],
    ):
        subprocess.run([*sleepviewer, *words], check=True, stdout=subprocess.DEVNULL)
    return {"analysis": folder / "analysis" / "index.html", "night_report": folder / "night.html"}


def save(picture: Path, out: Path, height: int | None = None) -> None:
    """Cut a picture at its foot and write it with 256 colours."""
    image = Image.open(picture).convert("RGB")
    if height is not None:
        image = image.crop((0, 0, image.width, min(height, image.height)))
    image.quantize(256, method=Image.Quantize.MAXCOVERAGE).save(out, optimize=True)
    print(out)


def compared_picture(scored: Path, out: Path) -> None:
    """Draw what a notebook shows of a comparison."""
    review = sv.read_review(scored)
    assert review.expert is not None
    assert review.model is not None
    sv.compare(review.expert, review.model).plot().savefig(out, dpi=110)


def main() -> int:
    """Make all of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scored", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None or shutil.which("pdftoppm") is None:
        print("Chromium and pdftoppm are needed for these pictures", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name, browser(program) as running:
        folder = Path(name)
        for title, page in pages_of(arguments.scored.resolve(), folder).items():
            for dark in (False, True):
                picture = folder / "page.png"
                check(running, page, dark=dark, width=WIDTH, picture=picture)
                theme = "dark" if dark else "light"
                save(picture, arguments.out / f"{title}_{theme}.png", HEIGHTS[title])
        subprocess.run(["pdftoppm", "-r", "60", "-png", "-l", "2", folder / "night.pdf", folder / "sheet"], check=True)
        sheets = [Image.open(path).convert("RGB") for path in sorted(folder.glob("sheet-*.png"))]
        both = Image.new("RGB", (sum(sheet.width for sheet in sheets) + 36, sheets[0].height + 24), "#8a8a8a")
        for place, sheet in enumerate(sheets):
            both.paste(sheet, (12 + place * (sheet.width + 12), 12))
        both.save(folder / "both.png")
        save(folder / "both.png", arguments.out / "night_report_pdf.png")
        compared_picture(arguments.scored, folder / "compared.png")
        save(folder / "compared.png", arguments.out / "python_compared.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
