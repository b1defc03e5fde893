"""Write docs/engines.md from the cards of the models that come with the program.

python tools/write_engines_page.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sleepviewer.models.card import ModelCard, NamedRecordings
from sleepviewer.models.costs import costs_of
from sleepviewer.models.family import all_names, title_of
from sleepviewer.models.shape import InputShape
from sleepviewer.models.shipped import peek_card, shipped_weights
from sleepviewer.scoring.registry import DEFAULT_ENGINE, YASA, YASA_CARD

PAGE = Path(__file__).resolve().parent.parent / "docs" / "engines.md"

HEAD = f"""# Engines and their cards

<!-- Written by tools/write_engines_page.py from the models' cards: change those, not this page. -->

Who can score, and what is known of each. The default is `{DEFAULT_ENGINE}`. In the window the picker beside S shows the
same; `sleepviewer models` lists them with your own [versions](retraining.md), `sleepviewer models --json` prints the
cards, and in [Python](python.md) they are `sv.engines()`. How they were compared, and what helped:
[experiments](experiments.md).

Every figure below was measured on nights that the model was not trained on. One night says little: look at your own
with `sleepviewer score night.edf --truth expert.edf --out scored.npz`.
"""


def engines_markdown() -> str:
    """Return the page."""
    cards = [(YASA, YASA_CARD), *((name, card) for name in all_names() if (card := _card(name)) is not None)]
    cards.sort(key=lambda row: row[0] != DEFAULT_ENGINE)
    parts = [HEAD, *_overview(cards)]
    for name, card in cards:
        parts += ["", f"## {_title(name)}", "", *_described(name, card)]
    return "\n".join(parts) + "\n"


def _card(name: str) -> ModelCard | None:
    weights = shipped_weights(name)
    return None if weights is None else peek_card(weights)


def _title(name: str) -> str:
    return "YASA" if name == YASA else title_of(name)


def _overview(cards: list[tuple[str, ModelCard]]) -> Iterator[str]:
    counted = InputShape.whole_epoch(100)
    yield "| name | input | parameters | MACs an epoch | κ on ucddb018 | accuracy |"
    yield "|---|---|---|---|---|---|"
    for name, card in cards:
        costs = None if name == YASA else costs_of(name, counted)
        size = "–" if costs is None else f"{costs_of(name, card.shape).parameters:,}"
        macs = "–" if costs is None else f"{costs.macs / 1e6:.1f} M"
        kappa, accuracy = (_figure(card, f"ucddb018 {figure}") for figure in ("kappa", "accuracy"))
        yield f"| `{name}` | {card.shape.seconds:g} s at {card.rate_hz} Hz | {size} | {macs} | {kappa} | {accuracy} |"


def _figure(card: ModelCard, name: str) -> str:
    return f"{card.measured[name]:.2f}" if name in card.measured else "–"


def _described(name: str, card: ModelCard) -> Iterator[str]:
    yield f"`--engine {name}`. Trained on {card.trained_on}."
    yield ""
    if card.notes:
        yield card.notes
        yield ""
    if name != YASA:
        band = "unfiltered" if card.band_hz is None else f"filtered to {card.band_hz[0]:g}–{card.band_hz[1]:g} Hz"
        yield (
            f"Input: one EEG channel at {card.rate_hz} Hz, {card.shape.seconds:g} s an epoch, {band}, scaled by "
            f"`{card.normalisation}`. Temperature {card.temperature:.2f}; share of the night's own statistics in the "
            f"batch normalisation {card.night_statistics:g}."
        )
        yield ""
    yield "| measured | |"
    yield "|---|---|"
    for figure, value in card.measured.items():
        yield f"| {figure} | {value:.3f} |"
    if card.trained_on_recordings:
        yield ""
        yield "Recordings whose labels went into it:"
        yield ""
        for recordings in card.trained_on_recordings:
            yield f"- {_listed(recordings)}"


def _listed(recordings: NamedRecordings) -> str:
    what = [f"subjects {', '.join(recordings.subjects)}"] if recordings.subjects else []
    what += [f"nights {', '.join(recordings.nights)}"] if recordings.nights else []
    if not what:
        what = [f"{len(recordings.sha256)} recordings by their SHA-256"]
    return f"{recordings.dataset}, {recordings.use}: {'; '.join(what)}"


if __name__ == "__main__":
    PAGE.write_text(engines_markdown(), encoding="utf-8")
    print(f"{PAGE} written")
