"""The commands for data sets: ``fetch`` gets one, ``prepare`` makes training archives of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from sleepviewer.cli.options import PATH, json_option, print_json
from sleepviewer.errors import DatasetError

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from sleepviewer.datasets.prepare import Prepared, PrepareProgress
    from sleepviewer.datasets.sleep_edf import FetchProgress

_channel_help = "EEG derivation to prepare."
_jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="Processes that work at the same time (default: one per core)."
)


def sleep_edf_source(command: Any) -> Any:
    """Add the options that say where Sleep-EDF is fetched from."""
    command = click.option(
        "--checksums",
        type=PATH,
        envvar="SLEEPVIEWER_SLEEP_EDF_CHECKSUMS",
        help="Lines “CHECKSUM NAME” (SHA-1 or SHA-256) of a mirror whose files are not the published ones.",
    )(command)
    return click.option(
        "--base-url",
        envvar="SLEEPVIEWER_SLEEP_EDF_URL",
        help="Where to fetch from (default: PhysioNet, or $SLEEPVIEWER_SLEEP_EDF_URL).",
    )(command)


@click.group()
def fetch() -> None:
    """Fetch a public data set; SHHS has to be asked for, docs/datasets.md tells how."""


@fetch.command("sleep-edf")
@click.argument("folder", metavar="[DIR]", type=PATH, required=False)
@click.option("--set", "which", type=click.Choice(["20", "78"]), default="20", show_default=True, help="Sleep-EDF-N.")
@click.option("--subjects", help="Subjects in place of a set: 0-19 or 0,3,5.")
@sleep_edf_source
@json_option
def fetch_sleep_edf_command(
    folder: Path | None, which: str, subjects: str | None, base_url: str | None, checksums: Path | None, as_json: bool
) -> None:
    """Fetch Sleep-EDF's cassette nights from PhysioNet (2 GB for the set of 20, 7 GB for that of 78) into DIR.

    What is there whole is kept; run it again and it goes on where it stopped. Without DIR, MNE's data folder is used.
    """
    from sleepviewer.datasets.sleep_edf import SLEEP_EDF_20, SLEEP_EDF_78, fetch_sleep_edf, parse_subjects

    chosen = parse_subjects(subjects) if subjects else {"20": SLEEP_EDF_20, "78": SLEEP_EDF_78}[which]
    with FetchBar() as bar:
        fetched = fetch_sleep_edf(folder, chosen, base_url=base_url, checksums=checksums, progress=bar)
    if as_json:
        print_json(
            {
                "folder": str(fetched.folder),
                "nights": len(fetched.nights),
                "files_fetched": fetched.files_fetched,
                "bytes_fetched": fetched.bytes_fetched,
            }
        )
        return
    came = f"{fetched.files_fetched} files ({_megabytes(fetched.bytes_fetched)}) fetched now"
    click.echo(f"{len(fetched.nights)} nights of {len(chosen)} subjects in {fetched.folder}; {came}")


@click.group()
def prepare() -> None:
    """Make training archives (npz) and a manifest of a data set."""


@prepare.command("sleep-edf")
@click.argument("folder", metavar="DIR", type=PATH)
@click.argument("out", type=PATH)
@click.option("--channel", default="EEG Fpz-Cz", show_default=True, help=_channel_help)
@_jobs_option
@json_option
def prepare_sleep_edf_command(folder: Path, out: Path, channel: str, jobs: int | None, as_json: bool) -> None:
    """Make OUT/NIGHT.npz of every cassette night of Sleep-EDF in DIR, as published: 30 minutes of wake around sleep.

    Nights that are there and fit their sources are kept. OUT/manifest.jsonl says what was made of what.
    """
    from sleepviewer.datasets.prepare import prepare_sleep_edf

    with PrepareBar() as bar:
        prepared = prepare_sleep_edf(folder, out, channel=channel, jobs=jobs or cores(), progress=bar)
    _report(prepared, as_json=as_json)


@prepare.command("shhs")
@click.argument("edf_dir", type=PATH)
@click.argument("xml_dir", type=PATH)
@click.argument("out", type=PATH)
@click.option(
    "--channel", default="C4-A1", show_default=True, help=f"{_channel_help} C4-A1 (EEG), C3-A2 (EEG(sec)), or a label."
)
@click.option("--only", type=PATH, help="Text file that names the nights to take, one a line: shhs1-200001.")
@_jobs_option
@json_option
def prepare_shhs_command(
    edf_dir: Path, xml_dir: Path, out: Path, channel: str, only: Path | None, jobs: int | None, as_json: bool
) -> None:
    """Make OUT/NIGHT.npz of SHHS: shhs1-200001.edf in EDF_DIR with shhs1-200001-profusion.xml in XML_DIR.

    Nights that are there and fit their sources are kept. OUT/manifest.jsonl says what was made of what.
    """
    from sleepviewer.datasets.prepare import prepare_shhs

    with PrepareBar() as bar:
        prepared = prepare_shhs(edf_dir, xml_dir, out, channel=channel, only=only, jobs=jobs or cores(), progress=bar)
    _report(prepared, as_json=as_json)


def _report(prepared: Prepared, *, as_json: bool) -> None:
    """Print what is there now; raise DatasetError where nights failed."""
    for night, line in prepared.lines.items():
        if note := line.get("units", {}).get("note"):
            click.echo(f"note: {night}: {note}", err=True)
    n_nights = len(prepared.lines) - len(prepared.failed)
    if as_json:
        print_json(
            {
                "folder": str(prepared.folder),
                "nights": n_nights,
                "epochs": prepared.epochs,
                "stages": prepared.stages,
                "made": list(prepared.made),
                "kept": list(prepared.kept),
                "failed": {night: prepared.lines[night]["failed"] for night in prepared.failed},
            }
        )
    else:
        stages = " · ".join(f"{label} {count}" for label, count in prepared.stages.items())
        click.echo(
            f"{prepared.folder}: {n_nights} nights, {prepared.epochs:,} epochs ({stages}); "
            f"{len(prepared.made)} made, {len(prepared.kept)} there already, {len(prepared.failed)} failed"
        )
    if prepared.failed:
        raise DatasetError(prepared.trouble())


class _Bar:
    """A progress bar on stderr, begun when the first thing is told; off a terminal it stays silent."""

    def __init__(self) -> None:
        self._bar: ProgressBar[str] | None = None

    def show(self, done: int, total: int, label: str, item: str) -> None:
        """Move the bar to ``done`` of ``total``; ``label`` stands before it, ``item`` behind it."""
        if not sys.stderr.isatty():
            return
        if self._bar is None:
            self._bar = click.progressbar(length=total, file=sys.stderr, show_eta=True, item_show_func=_itself)
        self._bar.label = label
        self._bar.length = total
        self._bar.update(done - self._bar.pos, item)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.render_finish()


class FetchBar(_Bar):
    """Nights and bytes of a fetch."""

    def __call__(self, progress: FetchProgress) -> None:
        """Show what has come."""
        nights = f"{progress.nights_done}/{progress.nights} nights"
        sizes = f"{_megabytes(progress.bytes_done)} of about {_megabytes(progress.bytes_total)}"
        self.show(progress.bytes_done, progress.bytes_total, nights, f"{sizes}, {progress.file}")


class PrepareBar(_Bar):
    """Nights of a preparation."""

    def __call__(self, progress: PrepareProgress) -> None:
        """Show the night that is done."""
        if "failed" in progress.line and not sys.stderr.isatty():
            click.echo(f"failed: {progress.night}: {progress.line['failed']}", err=True)
        self.show(progress.done, progress.total, f"{progress.done}/{progress.total} nights", progress.night)


def _itself(item: str | None) -> str | None:
    return item


def _megabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:,.1f} MB"


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
