"""Profiles, remapping and conflicts of keys, and the pages that are written from the key table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QKeySequence

from helpers.places import ROOT
from sleepviewer.app.keys.command_table import KEY_TABLE, MENUS, ROWS
from sleepviewer.app.keys.help_text import keys_html, keys_markdown, shown
from sleepviewer.app.keys.keymap import PROFILES, RESERVED, Keymap, canonical
from sleepviewer.app.shell.fuzzy import match

DOCS = ROOT / "docs"
COMMANDS = st.sampled_from([row.command for row in KEY_TABLE])
KEYS = st.builds(
    lambda held, key: "+".join([*held, key]),
    st.lists(st.sampled_from(["Ctrl", "Shift", "Alt"]), unique=True, max_size=2),
    st.sampled_from([*"WR0123450QEUDNT+-=,.?", "Return", "Left", "PgUp", "F1", "Del", "Tab"]),
)
KEYMAPS = st.builds(
    lambda profile, steps: _changed(Keymap(profile), steps),
    st.sampled_from(sorted(PROFILES)),
    st.lists(st.tuples(COMMANDS, st.lists(KEYS, max_size=3)), max_size=6),
)
few = settings(deadline=None, max_examples=60)


def _changed(keymap: Keymap, steps: list[tuple[str, list[str]]]) -> Keymap:
    for command, keys in steps:
        keymap = keymap.with_keys(command, keys)
    return keymap


def owners(keymap: Keymap) -> dict[str, str]:
    """Every key and its command; fails where a key has two."""
    found: dict[str, str] = {}
    for command, keys in keymap.all().items():
        for key in keys:
            assert key not in found
            found[key] = command
    return found


# -- names of keys


@few
@given(KEYS)
def test_keys_are_written_as_qt_writes_them(key: str) -> None:
    assert canonical(key) == QKeySequence(key).toString() == canonical(canonical(key))


@pytest.mark.parametrize("row", KEY_TABLE, ids=lambda row: row.command)
def test_keys_of_the_table_are_keys(row: Any) -> None:
    assert [canonical(key) for key in row.keys] == [QKeySequence(key).toString() for key in row.keys]
    assert all(map(canonical, row.keys))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("shift+ctrl+z", "Ctrl+Shift+Z"),
        ("num+4", "Num+4"),
        ("Num++", "Num++"),
        ("delete", "Del"),
        ("escape", "Esc"),
        ("pgdown", "PgDown"),
        ("", ""),
        ("   ", ""),
        ("Ctrl", ""),
        ("Hyper+X", ""),
    ],
)
def test_other_spellings(key: str, name: str) -> None:
    assert canonical(key) == name


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("Num+2", "keypad 2"),
        ("Shift+Left", "Shift+←"),
        ("Ctrl++", "Ctrl++"),
        ("-", "−"),
        ("+", "+"),
        ("Num+-", "keypad −"),
        ("Return", "Enter"),
        ("Ctrl+Enter", "Ctrl+keypad Enter"),
        ("W", "W"),
        ("Ctrl+-", "Ctrl+−"),
    ],
)
def test_keys_as_people_read_them(key: str, text: str) -> None:
    assert shown(key) == text


# -- profiles


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_no_key_of_a_profile_calls_two_commands(profile: str) -> None:
    keymap = Keymap(profile)
    assert not set(owners(keymap)) & set(RESERVED)
    assert keymap.all() == {command: keymap.usual(command) for command in ROWS}
    assert not any(map(keymap.is_changed, ROWS))
    assert PROFILES[profile].keys.keys() <= ROWS.keys()


def test_the_inter_scorers_profile_has_rem_on_four() -> None:
    keymap = Keymap("aasm_isr")
    stages = ["stage_w", "stage_n1", "stage_n2", "stage_n3", "stage_rem"]
    assert [keymap.command_of(str(digit)) for digit in range(5)] == stages
    assert [keymap.command_of(f"Num+{digit}") for digit in range(5)] == [f"{stage}_next" for stage in stages]
    assert keymap.command_of("5") is None
    assert keymap.command_of("R") == "stage_rem"


# -- changes


@few
@given(KEYMAPS)
def test_whatever_is_changed_no_key_calls_two_commands(keymap: Keymap) -> None:
    assert not set(owners(keymap)) & set(RESERVED)


@few
@given(KEYMAPS, COMMANDS, st.lists(KEYS, max_size=3))
def test_a_command_gets_the_keys_that_it_was_given(keymap: Keymap, command: str, keys: list[str]) -> None:
    wanted = tuple(dict.fromkeys(key for key in map(canonical, keys) if key not in RESERVED))
    conflicts = keymap.conflicts(command, keys)
    after = keymap.with_keys(command, keys)
    assert after.keys(command) == wanted
    for other in ROWS.keys() - {command}:
        assert set(after.keys(other)) >= set(keymap.keys(other)) - set(wanted)
    # Exactly the conflicts that were reported have lost a key.
    lost = {(key, c) for c in ROWS.keys() - {command} for key in set(keymap.keys(c)) - set(after.keys(c))}
    assert {(c.key, c.command) for c in conflicts if c.command} >= lost
    assert all(conflict.text for conflict in conflicts)


@few
@given(KEYMAPS)
def test_a_map_comes_back_from_settings(keymap: Keymap) -> None:
    assert Keymap.from_json(keymap.to_json()).all() == keymap.all()


@few
@given(KEYMAPS, COMMANDS)
def test_a_reset_gives_a_command_its_usual_keys_back(keymap: Keymap, command: str) -> None:
    assert keymap.reset(command).keys(command) == keymap.usual(command)
    for name in ROWS:
        keymap = keymap.reset(name)
    assert keymap == Keymap(keymap.profile)


def test_settings_hold_differences_alone() -> None:
    keymap = Keymap().with_keys("flag", ["E", "Q"]).with_keys("clear", ["Backspace"])
    assert keymap.to_json() == {"profile": "default", "changes": {"flag": ["E", "Q"]}}
    assert keymap.with_keys("flag", ["Q"]).to_json()["changes"] == {}


def test_a_key_that_is_taken_is_reported_by_name() -> None:
    (conflict,) = Keymap().conflicts("flag", ["Q", "W"])
    assert conflict.text == "W is “Set W” (Edit)"
    (conflict,) = Keymap().conflicts("flag", ["Tab"])
    assert "moves the focus" in conflict.text
    assert Keymap().with_keys("flag", ["W"]).keys("stage_w") == ("0",)
    assert Keymap().with_keys("flag", ["W"]).with_keys("flag", ["Q"]).keys("stage_w") == ("W", "0")


def test_changes_stay_when_the_profile_changes() -> None:
    keymap = Keymap().with_keys("flag", ["E"]).with_profile("aasm_isr")
    assert (keymap.keys("flag"), keymap.keys("stage_rem")) == (("E",), ("R", "4"))


WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | COMMANDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | COMMANDS, inner, max_size=3),
    max_leaves=8,
)


@few
@given(st.dictionaries(st.sampled_from(["profile", "changes", "more"]), WILD))
def test_damaged_settings_do_no_harm(value: dict[str, Any]) -> None:
    owners(Keymap.from_json(value))


# -- pages


def test_the_page_of_the_documentation_is_up_to_date() -> None:
    assert (DOCS / "keys.md").read_text(encoding="utf-8") == keys_markdown(), "run python tools/write_keys_page.py"


def test_pages_name_every_command() -> None:
    page = keys_markdown()
    for row in KEY_TABLE:
        assert f"| {row.title} |" in page
    assert all(f"## {menu}" in page for menu in MENUS)
    assert "AASM ISR" in page


def test_help_shows_keys_as_they_are_set_and_can_be_searched() -> None:
    html = keys_html(Keymap().with_keys("flag", ["Ctrl+Shift+F9"]), columns=3)
    assert "Ctrl+Shift+F9" in html
    assert "Set W" in html
    found = keys_html(found="disagreement next")
    assert "Next disagreement" in found
    assert "Set W" not in found
    assert "No command" in keys_html(found="qqqq")


# -- finding by letters


def test_beginnings_of_words_come_first() -> None:
    def order(query: str) -> list[str]:
        found = [(m.score, row.title) for row in KEY_TABLE if (m := match(query, row.title)) is not None]
        return [title for _, title in sorted(found, reverse=True)]

    assert order("undo")[0] == "Undo"
    assert order("nd")[0] in ("Next disagreement", "Find a command…")
    assert order("next dis")[0] == "Next disagreement"
    assert order("dark")[0] == "Theme: Dark"
    assert order("rem set")[0] == "Set REM"
    assert order("xyzq") == []


@few
@given(st.text(max_size=12), st.text(max_size=40))
def test_what_is_found_is_there(query: str, text: str) -> None:
    found = match(query, text)
    if found is not None:
        assert list(found.places) == sorted(set(found.places))
        letters = "".join(text[place] for place in found.places).lower()
        assert set("".join(query.lower().split())) <= set(letters) | set(text.lower())


@few
@given(st.text(alphabet="abc de", min_size=1, max_size=20), st.data())
def test_every_subsequence_is_found(text: str, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(text) - 1), unique=True).map(sorted))
    assert match("".join(text[place] for place in places).replace(" ", ""), text) is not None
