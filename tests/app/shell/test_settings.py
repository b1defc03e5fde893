"""What the window remembers, and what it makes of a damaged memory."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QSettings

from sleepviewer.app.shell.settings import Settings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def ini() -> QSettings:
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "SleepViewer", "SleepViewer")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(value=st.lists(JSON, max_size=4) | st.dictionaries(st.text(), JSON, max_size=4) | st.text())
def test_what_is_kept_comes_back_in_another_start(value: Any) -> None:
    store = Settings()
    store.set_json("part/value", value)
    del store  # writes the file
    assert Settings().get_json("part/value", type(value)()) == value


@pytest.mark.parametrize("value", [True, 3, 0.25, "word", [1, "a"], {"a": [1.5]}])
def test_values_of_every_type(value: Any) -> None:
    Settings().set_json("value", value)
    assert Settings().get_json("value", type(value)()) == value


@pytest.mark.parametrize("damage", ["{", "", "[1, 2", "not json", "\x00", "[" * 100_000, "null", "7", "NaN"])
@pytest.mark.parametrize("default", [[1], {"a": 1}, "text", False])
def test_damage_gives_the_default(damage: str, default: Any) -> None:
    store = ini()
    store.setValue("value", damage)
    store.sync()
    assert Settings().get_json("value", default) == default


def test_a_type_that_is_not_expected_gives_the_default() -> None:
    store = Settings()
    store.set_json("value", {"a": 1})
    assert store.get_json("value", [0]) == [0]
    store.set_json("value", True)
    assert store.get_json("value", 3) == 3
    store.set_json("value", 4)
    assert math.isclose(store.get_json("value", 0.5), 4.0)
    assert isinstance(store.get_json("value", 0.5), float)


def test_forgetting_lasts_until_the_end_of_the_program(tmp_path: Path) -> None:
    store = Settings()
    store.set_json("value", [1])
    store.theme = "dark"
    store.forget()
    assert (store.get_json("value", [0]), store.theme) == ([0], "system")
    store.set_json("value", [2])
    assert store.get_json("value", [0]) == [2]
    assert (Settings().get_json("value", [0]), Settings().theme) == ([0], "system")


def test_a_memory_that_does_not_remember() -> None:
    store = Settings(remember=False)
    store.set_json("value", [1])
    assert store.get_json("value", [0]) == [1]
    assert Settings().get_json("value", [0]) == [0]
