"""``sleepviewer models``: who can score, how large and how costly each is, and how well it did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from sleepviewer.scoring.registry import EngineInfo

_COUNTED_AT_HZ: Final = 100
_HEAD: Final = ("name", "Hz", "epoch s", "parameters", "MACs an epoch", "weights", "measured")
_NUMBERS: Final = range(1, 5)
"""Columns of the table that are numbers."""


@click.command(short_help="List the models that can score: size, cost, weights, measured figures.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    multiple=True,
    help="List a file of weights as well, and where it comes from; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list on stdout, nothing else.")
def models(weights: tuple[Path, ...], as_json: bool) -> None:
    """List the models that can score: AttnSleep's family, and YASA.

    MACs are multiplications with addition, for one 30-second epoch at 100 Hz. A model without weights scores with a
    file of them (score --weights), and is described as it would be at 100 Hz.
    """
    from sleepviewer.scoring.registry import YASA, YASA_CARD, list_engines

    rows = [_yasa(info) if info.id == YASA else _member(info) for info in list_engines()]
    rows += [_of_file(path) for path in weights]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, allow_nan=False))
    else:
        click.echo(f"{_table(rows)}\n\nYASA: {YASA_CARD.notes}")
        if any(row["weights"] is None for row in rows):
            click.echo("Without weights here: score with a file of them.")
        for row in rows[len(rows) - len(weights) :]:
            click.echo(f"{row['weights']}: {row['origin']}, SHA-256 {row['sha256']}")


def _member(info: EngineInfo) -> dict[str, Any]:
    from sleepviewer.models.costs import costs_of
    from sleepviewer.models.origin import Origin
    from sleepviewer.models.shape import InputShape
    from sleepviewer.models.shipped import shipped_weights

    counted = InputShape.whole_epoch(_COUNTED_AT_HZ)
    shape = counted if info.card is None else info.card.shape
    weights = shipped_weights(info.id)
    return {
        "name": info.id,
        "title": info.title,
        "rate_hz": shape.rate_hz,
        "epoch_s": shape.seconds,
        "parameters": costs_of(info.id, shape).parameters,
        "macs": costs_of(info.id, counted).macs,
        "weights": None if weights is None else weights.name,
        "origin": None if weights is None else str(Origin.SHIPPED),
        "card": None if info.card is None else info.card.as_dict(),
    }


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
        "origin": str(origin_of(loaded.sha256)),
        "sha256": loaded.sha256,
        "card": card.as_dict(),
    }


def _yasa(info: EngineInfo) -> dict[str, Any]:
    from sleepviewer.errors import EngineError
    from sleepviewer.scoring.registry import YASA_CARD
    from sleepviewer.scoring.yasa_engine import classifier_path

    try:
        weights = classifier_path(("EEG",)).name
    except EngineError:
        weights = None
    return {
        "name": info.id,
        "title": info.title,
        "rate_hz": YASA_CARD.rate_hz,
        "epoch_s": YASA_CARD.shape.seconds,
        "parameters": None,
        "macs": None,
        "weights": weights,
        "origin": None,
        "card": YASA_CARD.as_dict(),
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
