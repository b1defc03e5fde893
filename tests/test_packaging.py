"""What makes the bundles: processes without a python, the stand-in for numba, desktop files, recipes, licences."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from helpers.night_archives import write_night
from helpers.places import ROOT
from sleepviewer.training import fine_tune_process

PACKAGING = ROOT / "packaging"


def load(path: str) -> ModuleType:
    """Import a script of the folder, which is no package."""
    name = f"packaging_{Path(path).stem}"
    spec = importlib.util.spec_from_file_location(name, PACKAGING / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for what a name means
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def child_of() -> Callable[[list[str]], object]:
    child: Callable[[list[str]], object] = load("pyinstaller/entry.py")._child_of
    return child


# -- the bundle's program stands for python where the program starts itself


@pytest.mark.skipif(sys.platform == "win32", reason="there joblib starts its processes as multiprocessing does")
def test_every_process_that_the_program_starts_by_a_module_is_known_to_the_bundle() -> None:
    from joblib.externals.loky.backend import popen_loky_posix

    assert {popen_loky_posix.Popen.__module__, fine_tune_process._MODULE} == load("pyinstaller/entry.py").CHILDREN


@pytest.mark.skipif(sys.platform == "win32", reason="there nothing is passed on")
def test_what_joblib_has_its_processes_run_is_known_to_the_bundle(
    child_of: Callable[[list[str]], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    from joblib.externals.loky.backend import resource_tracker

    started: list[list[str]] = []

    def note(_: str, words: list[str], __: object) -> tuple[int, None]:
        started.append(words)
        raise OSError("not started")

    monkeypatch.setattr(resource_tracker, "spawnv_passfds", note)
    with pytest.raises(OSError, match="not started"):
        resource_tracker.ResourceTracker()._launch()
    program, *_, line, code = started[0]
    assert line == "-c"
    for flags in ([], ["-B", "-S", "-I"], ["-s", "-E", "-Xutf8", "-Wignore"]):
        assert child_of([program, *flags, line, code]) is not None


def test_a_module_s_own_arguments_are_left_to_it(
    child_of: Callable[[list[str]], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["sleepviewer"])
    words = [
        "sleepviewer",
        "-m",
        "joblib.externals.loky.backend.popen_loky_posix",
        "--process-name",
        "a",
        "--pipe",
        "7",
    ]
    assert child_of(words) is not None
    assert sys.argv == [words[2], *words[3:]]


@pytest.mark.parametrize(
    "words",
    [
        ["night.edf"],
        ["-m", "http.server"],
        ["-m"],
        ["-c", "import os; os.remove('night.edf')"],
        ["-c", "from multiprocessing.resource_tracker import main; main(3); import os"],
        ["-c", "from multiprocessing.resource_tracker import main; main(3)\nimport os"],
        ["score", "-m", "sleepviewer.training.fine_tune_child"],
        [],
    ],
)
def test_the_bundle_runs_no_other_code(child_of: Callable[[list[str]], object], words: list[str]) -> None:
    assert child_of(["sleepviewer", *words]) is None


def test_programs_that_the_window_opens_find_the_system_s_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    give_back = load("pyinstaller/entry.py")._give_library_path_back
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/sleepviewer/_internal")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/opt/theirs")
    give_back()
    assert os.environ["LD_LIBRARY_PATH"] == "/opt/theirs"
    assert "LD_LIBRARY_PATH_ORIG" not in os.environ


# -- the stand-in for numba

_FIGURES = """
import antropy, numba, numpy as np
x = np.random.default_rng(1).standard_normal(3000).cumsum()
figures = antropy.higuchi_fd(x), antropy.petrosian_fd(x), antropy.perm_entropy(x), *antropy.hjorth_params(x)
print(numba.__file__); print(*(float(figure).hex() for figure in figures))
"""


def test_with_the_stand_in_for_numba_the_figures_are_the_same() -> None:
    told = []
    for shims in (True, False):
        code = (
            f"import sys; sys.path.insert(0, {str(PACKAGING / 'pyinstaller' / 'shims')!r})\n" if shims else ""
        ) + _FIGURES
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
        told.append(done.stdout.splitlines())
    (stand_in, theirs), (numba, compiled) = told
    assert "shims" in stand_in
    assert "shims" not in numba
    for ours, wanted in zip(theirs.split(), compiled.split(), strict=True):
        assert float.fromhex(ours) == pytest.approx(float.fromhex(wanted), rel=1e-12)


def test_the_stand_in_takes_every_way_of_decorating() -> None:
    numba = load("pyinstaller/shims/numba.py")
    types = numba.types

    def function(x: int) -> int:
        return x + 1

    for decorate in (
        numba.jit,
        numba.jit(),
        numba.njit(cache=True),
        numba.jit("float64(float64)", nopython=True),
        numba.jit((types.Array(types.float64, 1, "C", readonly=True), types.int32), nopython=True),
        numba.jit(types.float64),
    ):
        assert decorate(function) is function


def test_mne_goes_its_way_without_numba() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(PACKAGING / 'pyinstaller' / 'shims')!r})\n"
        "import mne._numba as m; print(m.has_numba)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"


# -- Linux


def _desktop_entry() -> dict[str, str]:
    lines = (PACKAGING / "linux" / "sleepviewer.desktop").read_text().splitlines()
    assert lines[0] == "[Desktop Entry]"
    return dict(line.split("=", 1) for line in lines[1:])


def test_the_menu_entry_opens_the_kinds_of_files_that_are_declared() -> None:
    name = "{http://www.freedesktop.org/standards/shared-mime-info}"
    declared = ET.parse(PACKAGING / "linux" / "sleepviewer-mime.xml").getroot()
    kinds = {kind.attrib["type"]: kind for kind in declared}
    entry = _desktop_entry()
    assert set(entry["MimeType"].rstrip(";").split(";")) == set(kinds)
    assert {g.attrib["pattern"] for k in kinds.values() for g in k.iter(f"{name}glob")} >= {"*.edf", "*.bdf", "*.npz"}
    told = ET.parse(PACKAGING / "linux" / "io.github.sleepviewer.SleepViewer.metainfo.xml").getroot()
    assert {kind.text for kind in told.iter("mediatype")} == set(kinds)
    assert told.findtext("launchable") == "sleepviewer.desktop"
    assert entry["Exec"] == "sleepviewer %f"


def test_an_archive_begins_as_its_kind_is_told_from_other_zips(tmp_path: Path) -> None:
    write_night(tmp_path / "night.npz")
    begins = (tmp_path / "night.npz").read_bytes()[:35]
    assert begins[:4] == b"PK\x03\x04"
    assert begins[30:] == b"x.npy"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_installing_and_uninstalling_leave_no_trace(tmp_path: Path) -> None:
    bundle, home = tmp_path / "a bundle", tmp_path / "home"
    (bundle / "share" / "applications").mkdir(parents=True)
    (bundle / "share" / "icons").mkdir()
    (bundle / "share" / "icons" / "sleepviewer.png").touch()
    for script in ("install.sh", "uninstall.sh"):
        (bundle / script).write_bytes((PACKAGING / "linux" / script).read_bytes())
    desktop = bundle / "share" / "applications" / "sleepviewer.desktop"
    desktop.write_bytes((PACKAGING / "linux" / "sleepviewer.desktop").read_bytes())
    (bundle / "sleepviewer").write_text("#!/bin/sh\necho started\n")
    (bundle / "sleepviewer").chmod(0o755)
    home.mkdir()
    (home / "mine.txt").touch()
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin"}

    def run(*words: str) -> str:
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    assert "add" in run("sh", str(bundle / "install.sh"))
    assert run(str(home / ".local" / "bin" / "sleepviewer")) == "started\n"
    installed = (home / ".local" / "share" / "applications" / "sleepviewer.desktop").read_text()
    assert f'Exec="{bundle}/sleepviewer" %f' in installed
    run("sh", str(bundle / "install.sh"))  # again, over itself
    run("sh", str(bundle / "uninstall.sh"))
    left = {path.name for path in home.rglob("*") if path.is_file() or path.is_symlink()}
    assert left - {"mimeinfo.cache", "icon-theme.cache"} <= {"mine.txt", *_mime_database(home)}


def _mime_database(home: Path) -> set[str]:
    """Names of what the system's own tool leaves where it keeps what it knows of kinds of files."""
    folder = home / ".local" / "share" / "mime"
    return {path.name for path in folder.rglob("*") if path.is_file()}


# -- recipes and licences


def _requirement(line: str) -> tuple[str, str]:
    name, _, versions = re.sub(r"([<>=])", r" \1", line, count=1).partition(" ")
    return name.lower(), versions.replace(" ", "")


def test_the_conda_recipe_asks_for_what_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = dict(_requirement(line) for line in project["dependencies"])
    names = {"matplotlib": "matplotlib-base", "mne": "mne-base", "pyside6-essentials": "pyside6", "torch": "pytorch"}
    wanted = {names.get(name, name): versions for name, versions in wanted.items()}
    recipe = (PACKAGING / "conda" / "meta.yaml").read_text()
    run = recipe.partition("  run:\n")[2].partition("\n\n")[0]
    listed = dict(_requirement(line.removeprefix("    - ").strip()) for line in run.splitlines())
    assert listed.pop("python") == project["requires-python"]
    assert listed == wanted


def test_a_package_s_licence_and_its_text_are_found() -> None:
    part: Any = load("licences.py").part_of(distribution("numpy"))
    assert part.name == "numpy"
    assert "BSD" in part.licence
    assert any("Redistribution" in path.read_text(errors="replace") for path in part.texts)


def test_qt_s_licence_is_in_the_bundle_though_its_package_brings_no_text() -> None:
    for name in ("PySide6_Essentials", "shiboken6"):
        part: Any = load("licences.py").part_of(distribution(name))
        assert "LGPL" in part.licence
        assert any("GNU LESSER GENERAL PUBLIC LICENSE" in path.read_text(errors="replace") for path in part.texts)


def test_the_list_of_a_bundle_counts_every_byte_once(tmp_path: Path) -> None:
    contents = load("contents.py")
    inner = tmp_path / "bundle" / "_internal"
    (inner / "torch" / "lib").mkdir(parents=True)
    (inner / "torch" / "lib" / "a.so").write_bytes(bytes(3_000_000))
    (inner / "torch" / "link.so").symlink_to(inner / "torch" / "lib" / "a.so")
    (tmp_path / "bundle" / "sleepviewer").write_bytes(bytes(2_000_000))
    (inner / "small.txt").write_bytes(bytes(100_000))
    assert contents.listing(tmp_path / "bundle") == {
        "total_mb": 5.1,
        "files": 3,
        "parts_mb": {"torch": 3.0, "sleepviewer": 2.0},
        "rest_mb": 0.1,
    }
