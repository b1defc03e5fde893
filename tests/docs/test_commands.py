"""Every command and every program in the documentation is run as it stands there, or said not to be, and why."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from click.testing import CliRunner

from helpers.docs_blocks import PAGES, Command, Program, blocks_of, name_of
from sleepviewer.cli import main
from sleepviewer.models.shipped import shipped_weights
from sleepviewer.models.versions import ModelVersions
from sleepviewer.review.document import Base
from sleepviewer.review.opening import open_night
from sleepviewer.review.saving import save_review
from sleepviewer.scoring.base import ChannelChoice
from sleepviewer.scoring.registry import EngineSpec, make_engine
from sleepviewer.simulation import simulate_night
from sleepviewer.stages import Stage

WINDOW = "opens the window and waits; test_app_* drive it"
CI = ".ci/run runs it, in a new environment"
NETWORK = "gets gigabytes from the network; test_datasets_fetch has a server of its own"
DATA = "needs people's data under an agreement; test_datasets_prepare makes its own"
TRAINING = "trains for minutes to hours; test_cli_training and test_cli_fine_tune do it in seconds"
BATCH = "starts processes of its own, of a cluster some; test_cli_batch and test_batch run batches"
MEASURED = "a measurement of minutes, or pictures in a browser"

NOT_RUN: Final = {
    r"sleepviewer night\.edf": WINDOW,
    r"sleepviewer view (?!.*--screenshot).*": WINDOW,
    r"sleepviewer demo": CI,
    r"python3 -m venv .*": CI,
    r"(\.venv/bin/)?(python -m )?pip install .*": CI,
    r"\.venv/bin/python -m (pip|pytest).*": CI,
    r"mkdocs build --strict": CI,
    r"sleepviewer (fetch|reproduce) .*": NETWORK,
    r"sleepviewer prepare .*": DATA,
    r"nsrr .*|cd shhs/.*": DATA,
    r"sleepviewer (cross-validate|train|fine-tune) .*": TRAINING,
    r"sleepviewer report runs/.*": TRAINING,
    r"sleepviewer analyse .*--trained runs/.*": TRAINING,
    r"python (tools|benchmarks)/.*": MEASURED,
    r"sleepviewer score \"?(recordings|/data|/local)\b.*": BATCH,
    r"dask (scheduler|worker .*)": BATCH,
    r"(D|SET)=.*|…": "names for the trainings of the page",
}
"""Patterns of commands that are not run, and the reason."""

ODD = 3
"""What ``check`` ends with where it finds something to tell."""

HOURS = 0.9
EEG, OTHER_EEG = "EEG Fpz-Cz", "EEG Pz-Oz"


@dataclass(frozen=True)
class Kept:
    """What the pages' folders are made from: a simulated night, its expert's hypnogram, its scoring as a review."""

    night: Path
    expert: Path
    review: Path


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("kept")
    simulated = simulate_night(folder / "night.edf", hours=HOURS, seed=3)
    expert = simulated.hypnogram_path.rename(folder / "expert.edf")
    opened = open_night(simulated.psg_path, truth_path=expert, look_beside=False, scorer="Ada")
    with opened.recording:
        opened.document.set_prediction(make_engine(EngineSpec("attnsleep")).score(opened.recording, ChannelChoice(EEG)))
        opened.document.set_base(Base.MODEL)
        opened.document.set_stage(range(90, 100), Stage.N2)
        opened.document.add_event("arousal", 3000, 3010)
        save_review(opened, folder / "night.npz")
    return Kept(simulated.psg_path, expert, folder / "night.npz")


def night(kept: Kept, *names: str) -> None:
    for name in names:
        _copy(kept.night, name)


def expert(kept: Kept, *names: str) -> None:
    for name in names:
        _copy(kept.expert, name)


def review(kept: Kept, *names: str) -> None:
    for name in names:
        _copy(kept.review, name)


def weights(*names: str) -> None:
    for name in names:
        for ending in (".safetensors", ".json"):
            shipped = shipped_weights("attnsleep")
            assert shipped is not None
            _copy(shipped.with_suffix(ending), Path(name).with_suffix(ending))


def _copy(source: Path, name: str | Path) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, name)


def relabel(path: str, label: str, *, unit: str) -> None:
    """Give the second channel of a simulated night another name and unit."""
    raw = bytearray(Path(path).read_bytes())
    n_signals = int(raw[252:256])
    raw[256 + 16 : 256 + 32] = label.encode().ljust(16)
    units = 256 + n_signals * (16 + 80)
    raw[units + 8 : units + 16] = unit.encode().ljust(8)
    Path(path).write_bytes(raw)


# -- what the folder of a page's reader holds before the page's first command


def of_readme(kept: Kept) -> None:
    night(kept, "night.edf")
    expert(kept, "expert.edf")
    review(kept, "folder-of-scored-nights/night1.npz")


def of_scorers(kept: Kept) -> None:
    review(kept, "ann.npz")
    expert(kept, "cy.edf")
    assert CliRunner().invoke(main, ["export", str(kept.review), "--out", "bob.csv"]).exit_code == 0


def of_trouble(kept: Kept) -> None:
    night(kept, "night.edf")


def of_start(kept: Kept) -> None:
    night(kept, "night.edf")
    expert(kept, "expert.edf")


def of_appearance(kept: Kept) -> None:
    night(kept, "night.edf")
    review(kept, "scored.npz")


def of_archive(kept: Kept) -> None:
    review(kept, "night.npz")


def of_events(kept: Kept) -> None:
    night(kept, "night.edf")
    review(kept, "night.npz")


def of_exporting(kept: Kept) -> None:
    night(kept, "night.edf", "recordings/night.edf")
    review(kept, "night.npz", "reviews/night.npz")


def of_formats(kept: Kept) -> None:
    night(kept, "night.edf")
    relabel("night.edf", "EEG C4", unit="")
    stages = open_night(kept.night, truth_path=kept.expert, look_beside=False).document.truth
    assert stages is not None
    digits = np.where(stages.stages == Stage.W, 5, stages.stages)
    Path("expert.txt").write_text("\n".join(map(str, digits)), encoding="utf-8")


def of_negative_analysis(kept: Kept) -> None:
    night(kept, "night1.edf", "recordings/night1.edf")
    expert(kept, "expert1.edf", "expert.edf")
    weights("my-weights.safetensors")
    Path("nights").mkdir()
    with open_night(kept.night, labels_path=kept.review, look_beside=False).recording:
        assert CliRunner().invoke(main, ["export", str(kept.review), "--out", "model.csv"]).exit_code == 0


def of_python(kept: Kept) -> None:
    night(kept, "night.edf")
    expert(kept, "expert.edf", "night-Hypnogram.edf")
    review(kept, "scored.npz")


def of_reports(kept: Kept) -> None:
    night(kept, "night1.edf")
    expert(kept, "night1-Hypnogram.edf")


def of_retraining(kept: Kept) -> None:
    night(kept, "other.edf")
    versions = ModelVersions()
    for ending in (".safetensors", ".json"):
        shipped = shipped_weights("attnsleep+context")
        assert shipped is not None
        _copy(shipped.with_suffix(ending), versions.new_path("attnsleep+context").with_suffix(ending))


def of_training(kept: Kept) -> None:
    night(kept, "night.edf")
    weights("my-model/weights.safetensors")


def of_two_models(kept: Kept) -> None:
    night(kept, "night.edf")
    weights("before.safetensors", "after.safetensors")


def of_why(kept: Kept) -> None:
    night(kept, "night.edf")
    expert(kept, "expert.edf")


def nothing(_: Kept) -> None:
    """The page's commands need no file, or none is run."""


PREPARED: Final[dict[str, Callable[[Kept], None]]] = {
    "README.md": of_readme,
    "docs/appearance.md": of_appearance,
    "docs/archive.md": of_archive,
    "docs/events.md": of_events,
    "docs/exporting.md": of_exporting,
    "docs/formats.md": of_formats,
    "docs/negative-analysis.md": of_negative_analysis,
    "docs/python.md": of_python,
    "docs/reports.md": of_reports,
    "docs/retraining.md": of_retraining,
    "docs/scorers.md": of_scorers,
    "docs/start.md": of_start,
    "docs/training.md": of_training,
    "docs/two-models.md": of_two_models,
    "docs/when-things-go-wrong.md": of_trouble,
    "docs/why.md": of_why,
}

WRITTEN: Final = {
    "README.md": ("scored.npz", "analysis/index.html", "night.html", "train.npz", "page.png"),
    "docs/appearance.md": ("page.pdf", "night.png"),
    "docs/events.md": ("events.edf", "found.csv"),
    "docs/exporting.md": ("train.npz", "labels.csv", "training/night.npz", "training/manifest.jsonl"),
    "docs/negative-analysis.md": ("nights/night1.npz", "analysis/index.html", "night1.html"),
    "docs/python.md": ("train.npz",),
    "docs/reports.md": ("night1.pdf", "night1-letter.pdf", "night1.html", "recording.pdf", "analysis/index.html"),
    "docs/scorers.md": ("consensus.csv",),
    "docs/start.md": ("scored.npz", "night.html", "train.npz"),
}
"""What must be there in the end, and not be next to nothing."""


def why_not(line: str) -> str:
    """The reason for which a command is not run, or nothing."""
    command = re.sub(r"\s+#.*", "", line)
    return next((reason for pattern, reason in NOT_RUN.items() if re.fullmatch(pattern, command)), "")


def run_command(line: str) -> None:
    program, *words = shlex.split(line, comments=True)
    if program == "mkdir":
        Path(words[0]).mkdir()
    elif program == "mv":
        shutil.move(*words)
    else:
        assert program == "sleepviewer", f"nobody knows how to run “{line}”; say in NOT_RUN why it is not run"
        done = CliRunner().invoke(main, words)
        wanted = (0, ODD) if words[0] == "check" else (0,)
        assert done.exit_code in wanted, f"{line}: {done.output}\n{done.exception!r}"


@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks_of(page))], ids=name_of)
def test_what_a_page_tells_to_run_works(
    page: Path, kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    PREPARED.get(name_of(page), nothing)(kept)
    names: dict[str, Any] = {}
    for block in blocks_of(page):
        if isinstance(block, Program):
            exec(compile(block.text, name_of(page), "exec"), names)
        elif not why_not(block.line):
            run_command(block.line)
    for name in WRITTEN.get(name_of(page), ()):
        assert (tmp_path / name).stat().st_size > 200, name


def test_no_reason_is_left_for_what_no_page_tells_any_more() -> None:
    lines = [block.line for page in PAGES for block in blocks_of(page) if isinstance(block, Command)]
    said = {why for line in lines if (why := why_not(line))}
    assert said == set(NOT_RUN.values())
    for pattern in NOT_RUN:
        assert any(re.fullmatch(pattern, re.sub(r"\s+#.*", "", line)) for line in lines), pattern
    assert len(lines) - sum(bool(why_not(line)) for line in lines) >= 40


def test_pages_that_are_prepared_are_there() -> None:
    assert set(PREPARED) | set(WRITTEN) <= {name_of(page) for page in PAGES}
