"""``sleepviewer recover``: edits that were never saved, listed, printed, and written to a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sleepviewer.cli.options import PATH, TableOption, check_out, endings_text, label_endings
from sleepviewer.errors import JournalError

if TYPE_CHECKING:
    from sleepviewer.review.journal_reading import KeptJournal
    from sleepviewer.review.night import Night
    from sleepviewer.review.recovery import Recovered


@click.command(short_help="List unsaved edits that a crash left, and write them to a file.")
@click.argument("night", type=PATH, required=False)
@click.option("--list", "list_all", is_flag=True, help="List the journals with unsaved edits, of all nights.")
@click.option("--scorer", help="Whose edits of NIGHT (default: whoever is logged in).")
@click.option(
    "--out",
    type=PATH,
    cls=TableOption,
    help_text=lambda: f"Write NIGHT with its recovered edits: {endings_text(label_endings())} (npz as a review).",
)
@click.option("--overwrite", is_flag=True, help="Write over a file that is there (never over the night's own).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, nothing else.")
def recover(
    night: Path | None, list_all: bool, scorer: str | None, out: Path | None, overwrite: bool, as_json: bool
) -> None:
    """Say which nights have edits that were never saved, or print those of NIGHT; --out writes them to a file.

    The journals stay as they are: the window offers them when the night is opened.
    """
    if night is None:
        if out is not None or scorer is not None:
            raise click.UsageError("--out and --scorer need a NIGHT")
        _list(as_json)
        return
    if list_all:
        raise click.UsageError("--list is of all nights; leave NIGHT out")
    _show(night, scorer, out, overwrite, as_json)


def _list(as_json: bool) -> None:
    from sleepviewer.review.recovery import unsaved_journals
    from sleepviewer.review.state_folder import StateFolders

    folders = StateFolders.of_user()
    found = unsaved_journals(folders)
    aside = sorted(folders.aside.glob("*.jsonl")) if folders.aside.is_dir() else []
    for sentence in (*found.unreadable, *(journal.damage for journal in found.journals if journal.damage)):
        click.echo(f"note: {sentence}", err=True)
    if as_json:
        values = {
            "journals": [_facts(journal) for journal in found.journals],
            "unreadable": list(found.unreadable),
            "aside": [str(path) for path in aside],
        }
        click.echo(json.dumps(values, ensure_ascii=False))
        return
    for journal in found.journals:
        steps = "1 step" if journal.pending == 1 else f"{journal.pending} steps"
        click.echo(f"{journal.recording.path}  {journal.scorer}  last {journal.last_time}  {steps}  {journal.path}")
    if not found.journals:
        click.echo("no unsaved edits were found")
    if aside:
        click.echo(f"{len(aside)} set aside in {folders.aside}")


def _facts(journal: KeptJournal) -> dict[str, Any]:
    return {
        "night": journal.recording.path,
        "sha256": journal.recording.sha256,
        "scorer": journal.scorer,
        "last_time": journal.last_time,
        "steps": journal.pending,
        "journal": str(journal.path),
        "damage": journal.damage,
    }


def _show(path: Path, scorer: str | None, out: Path | None, overwrite: bool, as_json: bool) -> None:
    from sleepviewer.review.opening import open_night
    from sleepviewer.review.recovery import recoveries
    from sleepviewer.review.state_folder import StateFolders

    night = open_night(path, scorer=scorer)
    night.sha256  # noqa: B018  (cached by the property: journals are known by it)
    found = recoveries(night, StateFolders.of_user(), tidy=False)
    if out is not None:
        if not found:
            raise JournalError(f"No unsaved edits of {path.name} by {night.document.scorer} were found.")
        _write(night, found[0], out, overwrite)
    if as_json:
        values = [
            {**_facts(one.journal), "edits": [{"time": e.time, "text": e.text, "saved": e.saved} for e in one.edits]}
            for one in found
        ]
        click.echo(json.dumps({"night": str(path), "found": values, "out": None if out is None else str(out)}))
        return
    for one in found:
        click.echo(f"{one.journal.path}: {one.unsaved} of {len(one.edits)} edits are not in the saved review")
        if one.doubt:
            click.echo(f"note: {one.doubt}", err=True)
        for edit in one.edits:
            click.echo(f"{edit.time}  {'saved' if edit.saved else '     '}  {edit.text}")
    if not found:
        click.echo(f"no unsaved edits of {path.name} by {night.document.scorer} were found")


def _write(night: Night, recovered: Recovered, out: Path, overwrite: bool) -> None:
    from sleepviewer.review.exporting import check_export_path, export_labels

    check_out(out, endings=label_endings())
    night.document.take(recovered.document.state)
    check_export_path(night, out, replace=overwrite)
    export_labels(night, out, replace=overwrite)
    click.echo(f"{out} written with the edits of {recovered.journal.path}", err=True)
