"""Engines are listed without loading them, and made by name."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from sleepviewer.errors import EngineError
from sleepviewer.scoring.registry import DEFAULT_ENGINE, EngineSpec, list_engines, make_engine


def test_every_listed_engine_can_be_made() -> None:
    for info in list_engines():
        engine = make_engine(EngineSpec(info.id, Path("w.safetensors")))
        assert (engine.id, engine.title) == (info.id, info.title)


def test_the_default_comes_first_and_is_ready() -> None:
    first = list_engines()[0]
    assert first.id == DEFAULT_ENGINE == EngineSpec().id
    assert first.ready


def test_an_engine_that_is_not_ready_says_why() -> None:
    assert all(info.ready != bool(info.reason) for info in list_engines())


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
