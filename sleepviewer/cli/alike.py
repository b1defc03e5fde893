"""``sleepviewer alike``: epochs that look like one to a model, within a night and across a folder of archives."""

from __future__ import annotations

from pathlib import Path

import click

from sleepviewer.cli.options import PATH, json_option, print_json
from sleepviewer.errors import AnalysisError, SleepViewerError


@click.command(short_help="List the epochs that look like one to a model, in a night or a folder of archives.")
@click.argument("archive", type=PATH)
@click.option("--epoch", type=click.IntRange(min=1), required=True, help="The epoch, counted from 1.")
@click.option("--among", type=PATH, help="Folder of archives to look in as well.")
@click.option("--engine", default="attnsleep", show_default=True, help="Whose features (“models” lists them).")
@click.option("--weights", type=PATH, help="Weights of that model (default: those that come with the program).")
@click.option("--count", type=click.IntRange(min=1), default=12, show_default=True, help="How many.")
@json_option
def alike(
    archive: Path, epoch: int, among: Path | None, engine: str, weights: Path | None, count: int, as_json: bool
) -> None:
    """List the epochs that look most like one to a model, with the expert's and the model's stage of each.

    Is an error a kind, or a stray? Where its neighbours are errors as well, it is a kind.
    """
    from sleepviewer.analysis.lookalikes import EmbeddedNight, embed
    from sleepviewer.archive.archive import read_archive
    from sleepviewer.scoring.family_engine import FamilyEngine
    from sleepviewer.scoring.features import archive_features
    from sleepviewer.scoring.registry import EngineSpec, list_engines, make_engine
    from sleepviewer.stages import most_likely

    if engine not in {info.id for info in list_engines() if info.takes_weights or info.version is not None}:
        raise click.UsageError(
            f"“{engine}” has no features to compare epochs by; take attnsleep or another of its family"
        )
    model = make_engine(EngineSpec(engine, weights))
    assert isinstance(model, FamilyEngine)
    if among is not None and not among.is_dir():
        raise AnalysisError(f"{among} is not a folder; name the folder of the archives to look in.")
    there = [] if among is None else sorted(among.glob("*.npz"))
    others = [path for path in there if path.resolve() != archive.resolve()]
    nights: list[EmbeddedNight] = []
    for path in (archive, *others):
        try:
            night = read_archive(path)
            features = archive_features(model, night).values
        except SleepViewerError as error:
            if path is archive:
                raise
            click.echo(f"note: {error}", err=True)
            continue
        name = path.stem if path.parent == archive.parent else str(path)
        nights.append(EmbeddedNight(name, features, night.night_expert, most_likely(night.night_proba)))
    if epoch > len(nights[0].features):
        raise AnalysisError(f"{archive.name} has {len(nights[0].features)} epochs, so none is number {epoch}.")
    found = embed(nights).alike(nights[0].name, epoch - 1, count=count)
    rows = [
        {
            "night": one.night,
            "epoch": one.epoch + 1,
            "distance": round(one.distance, 4),
            "expert": one.truth.label,
            "model": one.predicted.label,
            "error": one.is_error,
        }
        for one in found
    ]
    if as_json:
        print_json({"alike": rows})
        return
    width = max((len(one.night) for one in found), default=5)
    click.echo(f"{'night':<{width}}  epoch  distance  expert  model")
    for one in found:
        click.echo(
            f"{one.night:<{width}}  {one.epoch + 1:5}  {one.distance:8.2f}  {one.truth.label:<6}  "
            f"{one.predicted.label:<5}{'  differs' if one.is_error else ''}"
        )
