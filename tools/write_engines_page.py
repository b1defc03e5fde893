"""Write docs/engines.md, and the tables of figures in README.md and docs/experiments.md, from the engines' cards.

python tools/write_engines_page.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sleepviewer.models.card import ModelCard, NamedRecordings
from sleepviewer.models.costs import costs_of
from sleepviewer.models.family import all_names
from sleepviewer.models.shape import InputShape
from sleepviewer.scoring.recipe import shipped_recipe
from sleepviewer.scoring.registry import DEFAULT_ENGINE, ENSEMBLE, EngineInfo, list_engines

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "engines.md"
WITH_TABLE = (ROOT / "README.md", ROOT / "docs" / "experiments.md")
BEGIN, END = "<!-- figures of the engines, written by tools/write_engines_page.py -->", "<!-- end of the figures -->"
STAGES = ("W", "N1", "N2", "N3", "REM")

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
    shipped = [info for info in list_engines() if info.card is not None and info.version is None]
    parts = [HEAD, *_overview(shipped)]
    for info in shipped:
        assert info.card is not None
        parts += ["", f"## {info.title}", "", *_described(info, info.card)]
    return "\n".join(parts) + "\n"


def figures_table() -> str:
    """Return the figures of every engine on the real night, with 95 % intervals, as a table."""
    lines = [
        f"| engine | κ | accuracy | macro-F1 | {' | '.join(f'F1 {stage}' for stage in STAGES)} | ECE |",
        f"|---|---|---|---|{'---|' * len(STAGES)}---|",
    ]
    for info in list_engines():
        if info.card is None or info.version is not None:
            continue
        figures = [_with_interval(info.card, name) for name in ("kappa", "accuracy", "macro_f1")]
        figures += [_figure(info.card, f"f1_{stage}") for stage in STAGES]
        default = " (default)" if info.id == DEFAULT_ENGINE else ""
        lines.append(f"| {info.title}{default} | {' | '.join(figures)} | {_figure(info.card, 'ece')} |")
    return "\n".join(lines)


def with_table(text: str) -> str:
    """Return a page's text with its table of figures as the cards have it."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{figures_table()}\n\n{END}{after}"


def _overview(shipped: list[EngineInfo]) -> Iterator[str]:
    counted = InputShape.whole_epoch(100)
    yield "| name | input | parameters | MACs an epoch | κ on ucddb018 (95 %) | accuracy |"
    yield "|---|---|---|---|---|---|"
    for info in shipped:
        card = info.card
        assert card is not None
        costs = costs_of(info.id, counted) if info.id in all_names() else None
        size = "–" if costs is None else f"{costs_of(info.id, card.shape).parameters:,}"
        macs = "–" if costs is None else f"{costs.macs / 1e6:.1f} M"
        kappa, accuracy = _with_interval(card, "kappa"), _figure(card, "accuracy")
        taken = f"{card.shape.seconds:g} s at {card.rate_hz} Hz"
        yield f"| `{info.id}` | {taken} | {size} | {macs} | {kappa} | {accuracy} |"


def _figure(card: ModelCard, figure: str) -> str:
    value = card.measured.get(f"ucddb018 {figure}")
    return "–" if value is None else f"{value:.3f}".lstrip("0")


def _with_interval(card: ModelCard, figure: str) -> str:
    low, high = (_figure(card, f"{figure}_{end}") for end in ("low", "high"))
    return _figure(card, figure) + (f" ({low} to {high})" if "–" not in (low, high) else "")


def _described(info: EngineInfo, card: ModelCard) -> Iterator[str]:
    yield f"`--engine {info.id}`. Trained on {card.trained_on}."
    yield ""
    if card.notes:
        yield card.notes
        yield ""
    if info.id == ENSEMBLE:
        members = ", ".join(f"`{name}` {weight:g}" for name, weight in shipped_recipe().weights.items())
        yield f"Members and their weights: {members}. Temperature {card.temperature:.2f}."
        yield ""
    elif info.id in all_names():
        band = "unfiltered" if card.band_hz is None else f"filtered to {card.band_hz[0]:g}–{card.band_hz[1]:g} Hz"
        yield (
            f"Input: one EEG channel at {card.rate_hz} Hz, {card.shape.seconds:g} s an epoch, {band}, scaled by "
            f"`{card.normalisation}`. Temperature {card.temperature:.2f}; share of the night's own statistics in the "
            f"batch normalization {card.night_statistics:g}."
        )
        yield ""
    yield "| measured | |"
    yield "|---|---|"
    for figure, value in card.measured.items():
        if not figure.endswith(("_low", "_high")):
            ends = [card.measured.get(f"{figure}_{end}") for end in ("low", "high")]
            interval = "" if None in ends else f" ({ends[0]:.3f} to {ends[1]:.3f})"
            yield f"| {figure} | {value:.3f}{interval} |"
    if card.limits:
        yield ""
        yield (
            "Validated within: " + "; ".join(f"{name.replace('_', ' ')} {v:g}" for name, v in card.limits.items()) + "."
        )
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
    for page in WITH_TABLE:
        page.write_text(with_table(page.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{PAGE} and {len(WITH_TABLE)} tables written")
