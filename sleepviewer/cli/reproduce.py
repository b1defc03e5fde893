"""``sleepviewer reproduce``: a published result from nothing, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sleepviewer.cli.data import FetchBar, PrepareBar, cores, sleep_edf_source
from sleepviewer.cli.options import PATH
from sleepviewer.cli.training import TrainingBar, make_config, settings

_SET = "sleep-edf-20"


@click.group()
def reproduce() -> None:
    """Repeat a published cross-validation: fetch, prepare, train and test every fold, report."""


@reproduce.command("sleep-edf-20")
@click.option(
    "--dir",
    "folder",
    type=PATH,
    default=Path("sleepviewer-reproduction"),
    show_default=True,
    help="Folder for recordings (2 GB), archives (0.6 GB) and runs.",
)
@click.option("--out", type=PATH, help="Folder of the run (default: DIR/runs/MODEL).")
@settings
@click.option("--folds", type=click.IntRange(min=2), help="Parts that the subjects are cut into (default: 20).")
@click.option("--subjects", help="Some of the 20 alone, for a trial: 0-3 or 0,3,5.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Folds at the same time.")
@click.option("--dask", metavar="ADDRESS", help="Scheduler of a Dask cluster that sees the same folders.")
@sleep_edf_source
def reproduce_sleep_edf_20(
    folder: Path,
    out: Path | None,
    config_file: Path | None,
    values: tuple[str, ...],
    subjects: str | None,
    jobs: int,
    dask: str | None,
    base_url: str | None,
    checksums: Path | None,
    **named: Any,
) -> None:
    """Cross-validate a model on Sleep-EDF-20 as published, from fetching the nights to the report.

    It goes on where it stopped, at every stage, when the same command is given again.
    """
    from sleepviewer.datasets.prepare import prepare_sleep_edf
    from sleepviewer.datasets.sleep_edf import SLEEP_EDF_20, fetch_sleep_edf, parse_subjects
    from sleepviewer.errors import DatasetError
    from sleepviewer.training.cross_validate import cross_validate
    from sleepviewer.training.report import write_results
    from sleepviewer.training.report_text import text_report
    from sleepviewer.training.results import collect_results

    config = make_config(config_file, values, **named)
    chosen = parse_subjects(subjects) if subjects else SLEEP_EDF_20
    if others := sorted(set(chosen) - set(SLEEP_EDF_20)):
        raise DatasetError(f"Sleep-EDF-20 has subjects 0 to 19, not {others[0]}.")
    run = out or folder / "runs" / config.model

    _say(f"1 of 4: fetching {len(chosen)} subjects of Sleep-EDF (about 100 MB each) into {folder / 'recordings'}")
    with FetchBar() as fetch_bar:
        fetched = fetch_sleep_edf(
            folder / "recordings", chosen, base_url=base_url, checksums=checksums, progress=fetch_bar
        )

    _say(f"2 of 4: preparing {len(fetched.nights)} nights")
    with PrepareBar() as prepare_bar:
        prepared = prepare_sleep_edf(folder / "recordings", folder / _SET, jobs=cores(), progress=prepare_bar)
    if prepared.failed:
        raise DatasetError(prepared.trouble())
    if foreign := sorted(prepared.lines.keys() - {psg.name.removesuffix("-PSG.edf") for psg, _ in fetched.nights}):
        raise DatasetError(f"{folder} also holds {foreign[0]}, which was not asked for; choose another folder.")
    _say(f"        {prepared.epochs:,} epochs in {folder / _SET}")

    _say(f"3 of 4: {config.folds} folds of {config.model}, {config.passes} passes each, in {run}")
    _say(f"        {_time_to_expect(folder / _SET, config, jobs, dask)}")
    with TrainingBar() as training_bar:
        cross_validate(folder / _SET, config, run, jobs=jobs, dask=dask, tell=training_bar.tell)

    results = collect_results([run])
    write_results(results, run / "report")
    _say(f"4 of 4: reported in {run / 'report'}")
    click.echo(text_report(results), nl=False)


def _time_to_expect(data: Path, config: Any, jobs: int, dask: str | None) -> str:
    """Return a sentence on how long all folds take from here on this machine."""
    from sleepviewer.datasets.manifest import is_prepared, read_manifest
    from sleepviewer.models.shape import InputShape
    from sleepviewer.training.expected import expected_seconds

    lines = [line for line in read_manifest(data).values() if is_prepared(line)]
    shape = InputShape.whole_epoch(round(lines[0]["fs"]))
    seconds = expected_seconds(config, shape, sum(line["epochs"] for line in lines), at_once=1 if dask else jobs)
    where = "for one machine like this" if dask else f"with {jobs} at a time on this machine"
    return f"from the first pass to the last {_duration(seconds)} {where}; it may be broken off, and goes on"


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 1.5 * size:
            return f"about {seconds / size:.0f} {unit}"
    return "less than two minutes"


def _say(text: str) -> None:
    click.echo(text, err=True)
