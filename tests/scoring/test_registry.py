"""Engines are listed without loading them, and made by name."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from sleepviewer.errors import EngineError
from sleepviewer.models.family import all_names
from sleepviewer.scoring.registry import DEFAULT_ENGINE, EngineInfo, EngineSpec, engine_ids, list_engines, make_engine


def info_of(engine_id: str) -> EngineInfo:
    return next(info for info in list_engines() if info.id == engine_id)


def test_every_listed_engine_can_be_made() -> None:
    for info in list_engines():
        engine = make_engine(EngineSpec(info.id, Path("w.safetensors")))
        assert (engine.id, engine.title) == (info.id, info.title)


def test_the_ensemble_yasa_and_all_members_are_listed() -> None:
    assert {info.id for info in list_engines()} == {"ensemble", "yasa", *all_names()}
    assert tuple(info.id for info in list_engines()) == engine_ids()
    assert len({info.title for info in list_engines()}) == len(list_engines())


def test_the_default_comes_first_and_is_ready() -> None:
    first = list_engines()[0]
    assert first.id == DEFAULT_ENGINE == EngineSpec().id
    assert first.ready


def test_an_engine_that_is_not_ready_says_why() -> None:
    assert all(info.ready != bool(info.reason) for info in list_engines())


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of weights that comes with the program; the registry does not look into it."""
    path = tmp_path / "attnsleep+context.safetensors"
    path.write_bytes(b"")
    monkeypatch.setattr("sleepviewer.scoring.registry.shipped_weights", {"attnsleep+context": path}.get)
    return path


def test_a_member_is_ready_where_its_weights_come_with_the_program(shipped: Path) -> None:
    assert info_of("attnsleep+context").ready
    assert info_of("attnsleep").reason == "No weights come with it; choose a file of them."


def test_the_card_beside_the_weights_says_how_well_a_member_did(shipped: Path) -> None:
    card = {"rate_hz": 100, "normalisation": "none", "measured": {"ucddb018 accuracy": 0.9, "ucddb018 kappa": 0.8124}}
    shipped.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
    assert info_of("attnsleep+context").measured == "κ 0.81 on ucddb018"


@pytest.mark.parametrize("card", ["{", "[]", "{}"])
def test_a_damaged_card_costs_the_figure_and_not_the_list(shipped: Path, card: str) -> None:
    shipped.with_suffix(".json").write_text(card, encoding="utf-8")
    assert info_of("attnsleep+context").measured == ""
    assert info_of("attnsleep+context").ready


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(EngineError, match="yasa, attnsleep"):
        make_engine(EngineSpec("nobody"))


def test_a_spec_survives_the_way_to_another_process() -> None:
    spec = EngineSpec("attnsleep", Path("w.safetensors"))
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_listing_and_starting_import_nothing_heavy() -> None:
    code = (
        "import sys; from sleepviewer.scoring.registry import list_engines; list_engines();"
        "import sleepviewer.scoring.process;"
        "print([m for m in ('torch', 'yasa', 'mne', 'scipy', 'pandas', 'sklearn', 'PySide6') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
