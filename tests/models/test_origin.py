"""Where weights come from is told by their hash alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from helpers.places import DATA
from sleepviewer.cli import main
from sleepviewer.files import sha256_of
from sleepviewer.models.origin import Origin, origin_notes, origin_of, origin_of_file
from sleepviewer.models.shipped import shipped_weights
from sleepviewer.models.versions import models_folder

PUBLISHED = DATA / "attnsleep_100hz.safetensors"


def test_the_programs_own_weights_are_known_wherever_they_lie(tmp_path: Path) -> None:
    shipped = shipped_weights("attnsleep")
    assert shipped is not None
    copy = Path(shutil.copy(shipped, tmp_path / "renamed.safetensors"))
    assert origin_of_file(copy) is Origin.SHIPPED
    assert origin_notes(copy.name, sha256_of(copy)) == ()


def test_other_weights_are_of_unknown_origin_until_they_are_ones_own(tmp_path: Path) -> None:
    sha256 = sha256_of(PUBLISHED)
    assert origin_of(sha256) is Origin.UNKNOWN
    (note,) = origin_notes("theirs.pt", sha256)
    assert "theirs.pt are of unknown origin" in note
    assert sha256[:12] in note
    models_folder().mkdir(parents=True)
    shutil.copy(PUBLISHED, models_folder() / "attnsleep@v1.safetensors")
    assert origin_of(sha256) is Origin.OWN
    (models_folder() / "attnsleep@v1.safetensors").write_bytes(b"something else")
    assert origin_of(sha256) is Origin.UNKNOWN


def test_the_folder_of_own_versions_can_be_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLEEPVIEWER_MODELS", str(tmp_path))
    shutil.copy(PUBLISHED, tmp_path / "mine.safetensors")
    assert origin_of_file(PUBLISHED) is Origin.OWN


def test_a_file_that_can_not_be_read_is_of_unknown_origin(tmp_path: Path) -> None:
    assert origin_of_file(tmp_path / "nothing.safetensors") is Origin.UNKNOWN


def test_models_says_where_a_file_of_weights_comes_from() -> None:
    result = CliRunner().invoke(main, ["models", "--weights", str(PUBLISHED)])
    assert result.exit_code == 0
    assert f"{PUBLISHED.name}: unknown origin, SHA-256 {sha256_of(PUBLISHED)}" in result.output
