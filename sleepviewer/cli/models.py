"""``sleepviewer models``: who can score, how large and how costly each is, how well it did, and the user's versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sleepviewer.cli.options import PATH

if TYPE_CHECKING:
    from sleepviewer.models.versions import FigureRow
    from sleepviewer.scoring.registry import EngineInfo

_COUNTED_AT_HZ: Final = 100
_HEAD: Final = ("name", "Hz", "epoch s", "parameters", "MACs an epoch", "weights", "measured")
_NUMBERS: Final = range(1, 5)
"""Columns of the table that are numbers."""


_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value on stdout, nothing else.")


_weights_option = click.option(
    "--weights",
    type=PATH,
    multiple=True,
    help="List a file of weights as well, and where it comes from; may be repeated.",
)


@click.group(
    invoke_without_command=True, short_help="List the models that can score; activate, compare, delete versions."
)
@_weights_option
@_json_option
@click.pass_context
def models(context: click.Context, weights: tuple[Path, ...], as_json: bool) -> None:
    """List the models that can score: AttnSleep's family with your own versions of them, and YASA.

    MACs are multiplications with addition, for one 30-second epoch at 100 Hz. A model without weights scores with a
    file of them (score --weights), and is described as it would be at 100 Hz. A member's plain name means its active
    version; MEMBER@vN and MEMBER@shipped mean that one.
    """
    if context.invoked_subcommand is None:
        _list(weights, as_json)


@models.command("list", short_help="As “models” alone.")
@_weights_option
@_json_option
def list_models(weights: tuple[Path, ...], as_json: bool) -> None:
    """List the models that can score."""
    _list(weights, as_json)


@models.command(short_help="Have a version score where its member is asked for by its plain name.")
@click.argument("version")
def activate(version: str) -> None:
    """Have VERSION (MEMBER@vN, or MEMBER@shipped) score wherever its member is asked for by its plain name."""
    from sleepviewer.models.versions import ModelVersions

    chosen = ModelVersions().activate(version)
    click.echo(f"{chosen.member} now scores with {chosen.name}")


@models.command(short_help="Go back from the active version to the one that it was made from.")
@click.argument("member", required=False)
def rollback(member: str | None) -> None:
    """Go back from MEMBER's active version to the one that it was made from (default: of the default member)."""
    from sleepviewer.models.versions import ModelVersions
    from sleepviewer.scoring.registry import DEFAULT_MEMBER

    chosen = ModelVersions().roll_back(member or DEFAULT_MEMBER)
    click.echo(f"{chosen.member} now scores with {chosen.name}")


@models.command(short_help="Move a version into the trash.")
@click.argument("version")
def delete(version: str) -> None:
    """Move VERSION (MEMBER@vN) into the trash, a folder beside the versions; its number is not given again."""
    from sleepviewer.models.versions import TRASH, ModelVersions

    versions = ModelVersions()
    heir = versions.delete(version)
    click.echo(f"{version} lies in {versions.folder / TRASH}")
    if heir is not None:
        click.echo(f"{heir.member} now scores with {heir.name}")


@models.command(short_help="Compare two versions, by their cards or on nights.")
@click.argument("first")
@click.argument("second")
@click.option(
    "--on", "archives", multiple=True, type=click.Path(path_type=Path), help="Archive to compare on; may be repeated."
)
@click.option("--whole-nights", is_flag=True, help="With --on: all labels of the archives count, reviewed or not.")
@_json_option
def compare(first: str, second: str, archives: tuple[Path, ...], whole_nights: bool, as_json: bool) -> None:
    """Compare two versions: by the figures on their cards, or measured now on the reviewed epochs of archives (--on).

    Figures on cards were measured when each was made, perhaps on other epochs; only --on compares on the same ones.
    """
    from sleepviewer.models.versions import ModelVersions

    versions = ModelVersions()
    rows = _measured_rows(first, second, archives, whole_nights) if archives else versions.compare(first, second)
    names = [versions.get(name).name for name in (first, second)]
    if as_json:
        figures = {row.figure: {"first": row.first, "second": row.second, "change": row.change} for row in rows}
        content = {"first": names[0], "second": names[1], "figures": figures}
        click.echo(json.dumps(content, ensure_ascii=False, allow_nan=False))
        return
    width = max((len(row.figure) for row in rows), default=0)
    click.echo(f"{'':<{width}}  {names[0]:>24}  {names[1]:>24}  change")
    for row in rows:
        shown = [f"{'–' if value is None else format(value, '.3f'):>24}" for value in (row.first, row.second)]
        change = "–" if row.change is None else f"{row.change:+.3f}"
        click.echo(f"{row.figure:<{width}}  {'  '.join(shown)}  {change}")


def _measured_rows(first: str, second: str, archives: tuple[Path, ...], whole_nights: bool) -> tuple[FigureRow, ...]:
    """Measure two versions on the same nights. Raises AnalysisError where no epoch of them was reviewed."""
    from sleepviewer.errors import AnalysisError
    from sleepviewer.models.versions import FigureRow, ModelVersions
    from sleepviewer.training.measuring import measure_nights

    one, two = (
        measure_nights(ModelVersions().get(name).path, archives, whole_nights=whole_nights).as_dict()
        for name in (first, second)
    )
    if not one["epochs"]:
        raise AnalysisError("No epoch of these archives was reviewed, so there is nothing to compare on.")
    figures = [("kappa", one["kappa"], two["kappa"]), ("accuracy", one["accuracy"], two["accuracy"])]
    figures += [(f"f1 {stage}", one["f1"][stage], two["f1"][stage]) for stage in one["f1"]]
    return tuple(FigureRow(name, a, b) for name, a, b in figures)


def _list(weights: tuple[Path, ...], as_json: bool) -> None:
    from sleepviewer.models.family import all_names
    from sleepviewer.models.versions import ModelVersions
    from sleepviewer.scoring.registry import list_engines, yasa_card

    rows = [_member(info) if info.member in all_names() else _no_member(info) for info in list_engines()]
    rows += [_of_file(path) for path in weights]
    for entry in ModelVersions().damaged():
        click.echo(f"note: {entry.reason}", err=True)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, allow_nan=False))
        return
    click.echo(f"{_table(rows)}\n\nYASA: {yasa_card().notes}")
    if any(row["weights"] is None for row in rows):
        click.echo("Without weights here: score with a file of them.")
    active = [f"{row['name']} = {Path(row['weights']).stem}" for row in rows if row["active"]]
    if active:
        click.echo(f"Active: {', '.join(active)}.")
    for row in rows[len(rows) - len(weights) :]:
        click.echo(f"{row['weights']}: {row['origin']}, SHA-256 {row['sha256']}")


def _of_file(path: Path) -> dict[str, Any]:
    """Return the row of a file of weights. Raises CheckpointError where it can't be read or holds no such weights."""
    from sleepviewer.models.checkpoints import load_weights
    from sleepviewer.models.costs import costs_of
    from sleepviewer.models.family import title_of
    from sleepviewer.models.origin import origin_of
    from sleepviewer.models.shape import InputShape

    loaded = load_weights(path)
    card = loaded.card
    return {
        "name": card.member,
        "title": title_of(card.member),
        "rate_hz": card.shape.rate_hz,
        "epoch_s": card.shape.seconds,
        "parameters": costs_of(card.member, card.shape).parameters,
        "macs": costs_of(card.member, InputShape.whole_epoch(_COUNTED_AT_HZ)).macs,
        "weights": path.name,
        "active": False,
        "origin": str(origin_of(loaded.sha256)),
        "sha256": loaded.sha256,
        "card": card.as_dict(),
    }


def _member(info: EngineInfo) -> dict[str, Any]:
    from sleepviewer.models.costs import costs_of
    from sleepviewer.models.origin import Origin
    from sleepviewer.models.shape import InputShape
    from sleepviewer.models.shipped import shipped_weights

    counted = InputShape.whole_epoch(_COUNTED_AT_HZ)
    shape = counted if info.card is None else info.card.shape
    weights = shipped_weights(info.member) if info.version is None else info.version.path
    return {
        "name": info.id,
        "title": info.title,
        "rate_hz": shape.rate_hz,
        "epoch_s": shape.seconds,
        "parameters": costs_of(info.member, shape).parameters,
        "macs": costs_of(info.member, counted).macs,
        "weights": None if weights is None else weights.name,
        "active": info.version is not None and info.id == info.member,
        "origin": None if weights is None else str(Origin.SHIPPED if info.version is None else Origin.OWN),
        "card": None if info.card is None else info.card.as_dict(),
    }


def _no_member(info: EngineInfo) -> dict[str, Any]:
    """Return the row of YASA or the ensemble."""
    from sleepviewer.errors import EngineError
    from sleepviewer.scoring.recipe import shipped_recipe
    from sleepviewer.scoring.registry import YASA
    from sleepviewer.scoring.yasa_engine import classifier_path

    assert info.card is not None
    weights: str | None = ", ".join(shipped_recipe().weights)
    if info.id == YASA:
        try:
            weights = classifier_path(("EEG",)).name
        except EngineError:
            weights = None
    return {
        "name": info.id,
        "title": info.title,
        "rate_hz": info.card.rate_hz,
        "epoch_s": info.card.shape.seconds,
        "parameters": None,
        "macs": None,
        "weights": weights,
        "active": False,
        "origin": None,
        "card": info.card.as_dict(),
    }


def _table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table with aligned columns."""
    lines = [
        _HEAD,
        *(
            (
                row["name"],
                f"{row['rate_hz']}",
                f"{row['epoch_s']:g}",
                "–" if row["parameters"] is None else f"{row['parameters']:,}",
                "–" if row["macs"] is None else f"{row['macs'] / 1e6:.1f} M",
                row["weights"] or "–",
                _figures(row["card"]),
            )
            for row in rows
        ),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    return "\n".join(
        "  ".join(
            cell.rjust(widths[column]) if column in _NUMBERS else cell.ljust(widths[column])
            for column, cell in enumerate(line)
        ).rstrip()
        for line in lines
    )


def _figures(card: dict[str, Any] | None) -> str:
    """Return κ and accuracy wherever they were measured; the JSON has the rest."""
    measured = {} if card is None else card["measured"]
    told = [f"{name} {value:.2f}" for name, value in measured.items() if name.split()[-1] in ("kappa", "accuracy")]
    return ", ".join(told).replace("kappa", "κ") or "–"
