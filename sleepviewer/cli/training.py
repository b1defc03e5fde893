"""``sleepviewer train`` and ``cross-validate``: the family of models and their training."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sleepviewer.cli.options import PATH
from sleepviewer.errors import TrainingError

if TYPE_CHECKING:
    from sleepviewer.training.config import TrainingConfig
    from sleepviewer.training.cross_validate import RunStatus


def settings(command: Any) -> Any:
    """Add the options that make a training's configuration."""
    for option in (
        click.option("--config", "config_file", type=PATH, help="TOML file of settings (default: the published ones)."),
        click.option("--model", help="Member of the family; “models” lists them."),
        click.option("--passes", type=click.IntRange(min=1), help="Passes over the training epochs."),
        click.option("--batch-size", type=click.IntRange(min=1), help="Epochs in a batch."),
        click.option("--seed", type=click.IntRange(min=0), help="Of everything random."),
        click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="Any other setting, as in TOML."),
    ):
        command = option(command)
    return command


def make_config(config_file: Path | None, values: tuple[str, ...], **named: Any) -> TrainingConfig:
    """Return the configuration that the options say. Raises TrainingError for what is no setting."""
    import tomllib

    from sleepviewer.training.config import TrainingConfig

    config = TrainingConfig() if config_file is None else TrainingConfig.read(config_file)
    given = {name: value for name, value in named.items() if value is not None}
    try:
        given |= tomllib.loads("\n".join(values))
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"--set {' '.join(values)} is not NAME=VALUE as TOML writes it ({error}).") from error
    checked = TrainingConfig.from_dict(given, "the command line")
    return replace(config, **{name: getattr(checked, name) for name in given})


@click.command("cross-validate", short_help="Train and test a model on every fold of a data set, by subjects.")
@click.argument("data", type=PATH)
@click.option("--out", type=PATH, required=True, help="Folder of the run; one that was broken goes on.")
@settings
@click.option("--folds", type=click.IntRange(min=2), help="Parts that the subjects are cut into.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Folds at the same time.")
@click.option("--dask", metavar="ADDRESS", help="Scheduler of a Dask cluster that sees the same folders.")
@click.option("--base-run", type=PATH, help="Run of the same member without context, whose epoch models are taken.")
def cross_validate(
    data: Path,
    out: Path,
    config_file: Path | None,
    values: tuple[str, ...],
    jobs: int,
    dask: str | None,
    base_run: Path | None,
    **named: Any,
) -> None:
    """Train and test a model on every fold of DATA (a folder of npz archives), whole subjects at a time.

    Both protocols come from the one run: “honest” picks the pass on validation subjects, “published” on the test fold.
    “sleepviewer report” says what it came to.
    """
    from sleepviewer.training.cross_validate import cross_validate as run

    config = make_config(config_file, values, **named)
    with TrainingBar() as bar:
        run(data, config, out, jobs=jobs, dask=dask, base_run=base_run, tell=bar.tell)
    click.echo(f"{out} holds all {config.folds} folds; “sleepviewer report {out} --out REPORT” says what they came to.")


@click.command("train", short_help="Train one model on all subjects but those that pick its pass.")
@click.argument("data", type=PATH)
@click.option("--out", type=PATH, required=True, help="Folder of the training; one that was broken goes on.")
@settings
@click.option(
    "--validation-share", type=float, help="Share of the subjects that are held out to pick the pass (default: 0.2)."
)
def train(data: Path, out: Path, config_file: Path | None, values: tuple[str, ...], **named: Any) -> None:
    """Train one model on DATA (a folder of npz archives), on all subjects but those that are held out to pick its pass.

    OUT/weights.safetensors is what “score --weights” and the window take. How good a model of its kind is, only
    “cross-validate” can say: nobody is left here to test it on.
    """
    from sleepviewer.training.train import train as run

    config = make_config(config_file, values, **named)
    with TrainingBar() as bar:
        result = run(data, config, out, tell=bar.tell)
    kappa = result.picked["validation"]["kappa"]
    click.echo(
        f"{out / 'weights.safetensors'}: {config.model}, trained on {len(result.fold.train)} subjects; pass"
        f" {result.picked['pass']} of {result.passes} was picked on {len(result.fold.validation)} others"
        + ("" if kappa is None else f" (κ {kappa:.3f} there, which flatters it)")
    )


class TrainingBar:
    """A progress bar on stderr: passes, loss, validation κ, time left; off a terminal it stays silent."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> TrainingBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def tell(self, status: RunStatus) -> None:
        """Show where the run is."""
        from tqdm import tqdm

        if not sys.stderr.isatty():
            return
        if self._bar is None:
            self._bar = tqdm(total=status.passes_in_all, initial=status.passes, unit="pass", file=sys.stderr)
        self._bar.total = status.passes_in_all
        self._bar.n = status.passes
        one = status.folds == 1
        running = [
            f"{'' if one else f'fold {fold}: '}loss {row['loss']:.3f} κ {row['validation']['kappa'] or 0:.3f}"
            for fold, row in sorted(status.running.items())
        ]
        self._bar.set_description("training" if one else f"{status.done}/{status.folds} folds", refresh=False)
        self._bar.set_postfix_str(", ".join(running[:2]), refresh=False)
        self._bar.refresh()
