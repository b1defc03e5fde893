"""``sleepviewer models``: who can score, how large and how costly each is, and how well it did."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from sleepviewer.scoring.registry import EngineInfo

_COUNTED_AT_HZ: Final = 100
_HEAD: Final = ("name", "Hz", "epoch s", "parameters", "MACs an epoch", "weights", "measured")
_NUMBERS: Final = range(1, 5)
"""Columns of the table that are numbers."""


@click.command(short_help="List the models that can score: size, cost, weights, measured figures.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list on stdout, nothing else.")
def models(as_json: bool) -> None:
    """List the models that can score: AttnSleep's family, and YASA.

    MACs are multiplications with addition, for one 30-second epoch at 100 Hz. A model without weights scores with a
    file of them (score --weights), and is described as it would be at 100 Hz.
    """
    from sleepviewer.scoring.registry import YASA, YASA_CARD, list_engines

    rows = [_yasa(info) if info.id == YASA else _member(info) for info in list_engines()]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, allow_nan=False))
    else:
        click.echo(f"{_table(rows)}\n\nYASA: {YASA_CARD.notes}")
        if any(row["weights"] is None for row in rows):
            click.echo("Without weights here: score with a file of them.")


def _member(info: EngineInfo) -> dict[str, Any]:
    from sleepviewer.models.costs import costs_of
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
        "card": None if info.card is None else info.card.as_dict(),
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
