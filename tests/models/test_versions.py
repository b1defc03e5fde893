"""Versions of models: made, listed, activated, taken back, compared, thrown away; damaged ones are told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from sleepviewer.errors import CheckpointError, VersionError
from sleepviewer.models.card import ModelCard
from sleepviewer.models.checkpoints import load_weights, save_weights
from sleepviewer.models.family import build_epoch_model
from sleepviewer.models.shape import InputShape
from sleepviewer.models.versions import ACTIVE_FILE, TRASH, ModelVersions, models_folder
from sleepviewer.scoring.family_engine import FamilyEngine
from sleepviewer.scoring.registry import EngineSpec, engine_ids, list_engines, make_engine, resolve

MEMBER = "attnsleep"
CARD = ModelCard(MEMBER, 100, 3000)


@pytest.fixture
def versions() -> ModelVersions:
    return ModelVersions()


def add(versions: ModelVersions, parent: str = "attnsleep@shipped", **measured: float) -> str:
    """Make a version and return its name."""
    path = versions.new_path(MEMBER)
    torch.manual_seed(0)
    state = build_epoch_model(MEMBER, InputShape(100, 3000)).state_dict()
    figures = {name.replace("_", " "): value for name, value in measured.items()}
    save_weights(path, state, replace(CARD, measured=figures, lineage={"parent": parent, "made": "2026-01-01"}))
    return path.stem


def test_versions_are_numbered_and_none_is_active_at_first(versions: ModelVersions) -> None:
    assert [add(versions) for _ in range(3)] == ["attnsleep@v1", "attnsleep@v2", "attnsleep@v3"]
    assert [v.number for v in versions.versions(MEMBER)] == [1, 2, 3]
    assert versions.active(MEMBER) is None
    assert versions.get(MEMBER).name == "attnsleep@shipped"
    assert versions.versions("attnsleep-msmp") == ()


def test_the_active_one_is_what_the_plain_name_means(versions: ModelVersions) -> None:
    name = add(versions)
    assert versions.activate(name).active
    assert ModelVersions().get(MEMBER).name == name, "another window sees it as well"
    assert not versions.shipped(MEMBER).active
    assert versions.activate("attnsleep@shipped").active
    assert versions.active(MEMBER) is None


def test_rolling_back_goes_from_child_to_parent_to_the_shipped_one(versions: ModelVersions) -> None:
    first = add(versions)
    second = add(versions, parent=first)
    versions.activate(second)
    assert versions.roll_back(MEMBER).name == first
    assert versions.roll_back(MEMBER).name == "attnsleep@shipped"
    with pytest.raises(VersionError, match="no version to go back from"):
        versions.roll_back(MEMBER)


def test_a_deleted_active_version_leaves_its_parent_in_its_place(versions: ModelVersions) -> None:
    first = add(versions)
    second = add(versions, parent=first)
    versions.activate(second)
    heir = versions.delete(second)
    assert heir is not None
    assert heir.name == first
    assert (versions.folder / TRASH / f"{second}.safetensors").is_file()
    assert versions.delete(first) is not None
    assert versions.active(MEMBER) is None
    assert add(versions) == "attnsleep@v3", "no name ever means other weights"


def test_a_deleted_idle_version_changes_nothing(versions: ModelVersions) -> None:
    first, second = add(versions), add(versions)
    versions.activate(first)
    assert versions.delete(second) is None
    assert versions.get(MEMBER).name == first


def test_a_parent_that_is_gone_is_replaced_by_the_shipped_one(versions: ModelVersions) -> None:
    first = add(versions)
    second = add(versions, parent=first)
    versions.delete(first)
    versions.activate(second)
    assert versions.roll_back(MEMBER).number == 0


@pytest.mark.parametrize("name", ["attnsleep@v9", "nobody@v1", "nobody", "attnsleep@shipped@v1"])
def test_an_unknown_version_is_told(versions: ModelVersions, name: str) -> None:
    with pytest.raises(VersionError):
        versions.get(name)


def test_what_came_with_the_program_can_not_be_deleted(versions: ModelVersions) -> None:
    for name in (MEMBER, "attnsleep@shipped"):
        with pytest.raises(VersionError, match="can't be deleted"):
            versions.delete(name)


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    path.write_bytes({"short": content[:-10], "empty": b"", "noise": b"\xff" * 100}[how])


@pytest.mark.parametrize("how", ["short", "empty", "noise"])
def test_a_damaged_version_is_told_and_costs_nothing_else(versions: ModelVersions, how: str) -> None:
    good, bad = add(versions), add(versions)
    versions.activate(bad)
    damage(versions.folder / f"{bad}.safetensors", how)
    assert [v.name for v in versions.versions()] == [good]
    (entry,) = versions.damaged()
    assert f"{bad}.safetensors can't be used" in entry.reason
    assert versions.get(MEMBER).name == "attnsleep@shipped", "a damaged active one scores nothing"
    with pytest.raises(VersionError, match="can't be used"):
        versions.activate(bad)
    heir = versions.delete(bad)
    assert heir is not None
    assert heir.number == 0
    assert versions.damaged() == ()


def test_files_that_are_no_versions_are_told(versions: ModelVersions) -> None:
    versions.new_path(MEMBER)
    save_weights(versions.folder / "mine.safetensors", {"a": torch.zeros(1)}, CARD)
    save_weights(versions.folder / "attnsleep-msmp@v1.safetensors", {"a": torch.zeros(1)}, CARD)
    reasons = sorted(entry.reason for entry in versions.damaged())
    assert "its card says attnsleep" in reasons[0]
    assert "its name is not" in reasons[1]


@pytest.mark.parametrize("content", ["{", "[]", '{"attnsleep": 3}', '{"attnsleep": "attnsleep@v7"}'])
def test_a_damaged_choice_of_the_active_version_means_the_shipped_one(versions: ModelVersions, content: str) -> None:
    add(versions)
    (versions.folder / ACTIVE_FILE).write_text(content, encoding="utf-8")
    assert versions.get(MEMBER).number == 0


def test_versions_are_compared_by_their_figures(versions: ModelVersions) -> None:
    first, second = add(versions, x_kappa=0.7, old=1.0), add(versions, x_kappa=0.8, new=0.5)
    rows = versions.compare(first, second)
    assert [(row.figure, row.first, row.second) for row in rows] == [
        ("x kappa", 0.7, 0.8), ("old", 1.0, None), ("new", None, 0.5),
    ]  # fmt: skip
    assert rows[0].change == pytest.approx(0.1)
    assert rows[1].change is None


def test_another_folder_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLEEPVIEWER_MODELS", str(tmp_path / "elsewhere"))
    name = add(ModelVersions())
    assert models_folder() == tmp_path / "elsewhere"
    assert (tmp_path / "elsewhere" / f"{name}.safetensors").is_file()
    with pytest.raises(CheckpointError, match="no model called"):
        ModelVersions().new_path("nobody")


# -- as engines


def test_versions_are_listed_as_engines_after_their_member(versions: ModelVersions) -> None:
    first, second = add(versions, here_kappa=0.81), add(versions)
    infos = {info.id: info for info in list_engines()}
    ids = list(engine_ids())
    assert ids[ids.index(MEMBER) :][:3] == [MEMBER, second, first]
    assert infos[first].measured == "κ 0.81 on here"
    assert infos[first].title == "AttnSleep · v1"
    assert infos[first].member == MEMBER
    assert "attnsleep@shipped" not in ids, "that is the plain one here"
    assert len({info.title for info in infos.values()}) == len(infos)


def test_the_active_version_takes_its_members_line_and_the_shipped_one_gets_its_own(versions: ModelVersions) -> None:
    name = add(versions, here_kappa=0.9)
    versions.activate(name)
    infos = {info.id: info for info in list_engines()}
    assert infos[MEMBER].title == "AttnSleep · v1 (active)"
    assert infos[MEMBER].measured == "κ 0.90 on here"
    assert infos["attnsleep@shipped"].title == "AttnSleep · as shipped"
    assert len({info.title for info in infos.values()}) == len(infos)


def test_an_engine_says_which_version_scores(versions: ModelVersions) -> None:
    name = add(versions)
    shipped, path = versions.shipped(MEMBER).path, versions.folder / f"{name}.safetensors"
    assert resolve(EngineSpec(MEMBER)) == EngineSpec(MEMBER)
    assert resolve(EngineSpec(name)) == EngineSpec(name, path)
    versions.activate(name)
    assert resolve(EngineSpec(MEMBER)) == EngineSpec(name, path)
    assert make_engine(EngineSpec(MEMBER)).id == name
    original = resolve(EngineSpec("attnsleep@shipped"))
    assert (original, resolve(original)) == (EngineSpec(MEMBER, shipped), original)
    assert make_engine(EngineSpec("attnsleep@shipped")).id == MEMBER
    assert make_engine(EngineSpec(MEMBER, shipped)).id == MEMBER, "a file that is named is taken"
    engine = make_engine(EngineSpec(name))
    assert isinstance(engine, FamilyEngine)
    assert engine._weights().sha256 == load_weights(path).sha256
    with pytest.raises(VersionError, match="There is no model"):
        make_engine(EngineSpec("attnsleep@v7"))


def test_looking_at_versions_imports_nothing_heavy(versions: ModelVersions) -> None:
    versions.activate(add(versions))
    code = (
        "import sys, json; from sleepviewer.scoring.registry import list_engines;"
        "from sleepviewer.training.fine_tune_process import FineTuneProcess; from sleepviewer.training import guard;"
        "ids = [info.id for info in list_engines()];"
        "heavy = [m for m in ('torch', 'yasa', 'mne', 'scipy', 'pandas', 'sklearn', 'PySide6') if m in sys.modules];"
        "print(json.dumps([ids, heavy]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    ids, heavy = json.loads(done.stdout)
    assert "attnsleep@v1" in ids
    assert heavy == []
