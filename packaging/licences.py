"""Collect the licence of everything in a bundle into its folder ``licences``.

    python packaging/licences.py build/collected.json dist/sleepviewer/licences

Runs in the environment that the bundle was made in. A Python package's texts come from its own metadata, a system
library's from Debian's ``/usr/share/doc``; what has neither is listed as such and ends the script with exit code 1.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, packages_distributions
from pathlib import Path
from typing import Final

_NAMES: Final = ("LICEN", "COPYING", "NOTICE", "AUTHORS")
_TEXTS: Final = Path(__file__).with_name("licence_texts")
_BRING_NO_TEXT: Final = dict.fromkeys(("PySide6_Essentials", "shiboken6"), ("LGPL-3.0.txt", "GPL-3.0.txt"))
"""The texts, here, of packages that only name their licence."""

_QT: Final = """
Qt and PySide6 (LGPL-3.0) are used as dynamic libraries, unchanged: they lie under `_internal/PySide6`, each library in
a file of its own, and may be replaced there by other builds of the same version series. Their source:
https://download.qt.io/official_releases/qt/ and https://download.qt.io/official_releases/QtForPython/.
"""


@dataclass(frozen=True)
class Part:
    """Something in the bundle that has a licence."""

    name: str
    version: str
    licence: str
    texts: tuple[Path, ...]


def main() -> None:
    """Write the folder, and say what has no text."""
    collected = json.loads(Path(sys.argv[1]).read_text())
    folder = Path(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    parts = [*python_parts(collected), python_itself(), *system_parts(collected)]
    for part in parts:
        for text in part.texts:
            place = folder / part.name / text.name
            place.parent.mkdir(exist_ok=True)
            shutil.copyfile(text, place)
    rows = [f"| {part.name} | {part.version} | {part.licence} |" for part in parts]
    table = "\n".join(["| what | version | licence |", "|---|---|---|", *rows])
    (folder / "README.md").write_text(f"# What is in SleepViewer's bundle, and its licences\n{_QT}\n{table}\n")
    without = [part.name for part in parts if not part.texts]
    print(json.dumps({"parts": len(parts), "without_text": without}))
    sys.exit(1 if without else 0)


def python_parts(collected: dict[str, list[str]]) -> list[Part]:
    """Return the Python packages of which a module or a library is in the bundle."""
    owners = packages_distributions()
    modules = {*collected["modules"]}
    site = Path(sysconfig.get_path("purelib")).resolve()
    modules |= {
        Path(path).relative_to(site).parts[0].partition(".")[0] for path in collected["libraries"] if inside(path, site)
    }
    names = sorted({name for module in modules for name in owners.get(module, [])}, key=str.lower)
    return [part_of(distribution(name)) for name in names]


def inside(path: str, folder: Path) -> bool:
    """Whether a file lies in the folder, at any depth."""
    return Path(path).is_relative_to(folder)


def part_of(package: Distribution) -> Part:
    """Return what a package's metadata say of its licence, with the texts it brings."""
    said = package.metadata.get("License-Expression") or package.metadata.get("License") or ""
    if not said or len(said) > 80:
        kinds = [line for line in package.metadata.get_all("Classifier") or [] if line.startswith("License :: ")]
        said = ", ".join(kind.rpartition(" :: ")[2] for kind in kinds) or said.partition("\n")[0]
    name = package.metadata["Name"]
    found = [
        Path(str(file.locate())) for file in package.files or () if is_text(file.name) and ".dist-info" in str(file)
    ]
    own = [_TEXTS / text for text in _BRING_NO_TEXT.get(name, ())] if not found else []
    return Part(name, package.version, said.strip() or "see its text", (*found, *own))


def is_text(name: str) -> bool:
    """Whether a file's name is that of a licence."""
    return name.upper().startswith(_NAMES) and not name.endswith((".py", ".pyc"))


def python_itself() -> Part:
    """Return the interpreter."""
    places = (Path(sysconfig.get_path("stdlib")) / "LICENSE.txt", Path(sys.base_prefix) / "LICENSE.txt")
    return Part("Python", sys.version.partition(" ")[0], "PSF-2.0", tuple(p for p in places if p.is_file())[:1])


def system_parts(collected: dict[str, list[str]]) -> list[Part]:
    """Return the Debian packages of the system's own libraries in the bundle; none on other systems."""
    python = (Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve())
    libraries = [path for path in collected["libraries"] if not any(inside(path, folder) for folder in python)]
    if shutil.which("dpkg-query") is None:
        return [Part(Path(path).name, "", "of the system", ()) for path in libraries]
    parts = {}
    for library in libraries:
        name = owner_of(library)
        if name is None:
            parts[library] = Part(Path(library).name, "", "unknown", ())
        elif name not in parts:
            text = Path("/usr/share/doc") / name / "copyright"
            version = subprocess.run(
                ["dpkg-query", "-W", "-f=${Version}", name], capture_output=True, text=True, check=True
            ).stdout
            parts[name] = Part(name, version, "see its text", (text,) if text.is_file() else ())
    return list(parts.values())


def owner_of(library: str) -> str | None:
    """Return the Debian package that a file belongs to; its path may be known with or without /usr before it."""
    for path in (library, library.removeprefix("/usr"), f"/usr{library}"):
        found = subprocess.run(["dpkg-query", "-S", path], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.partition(":")[0]
    return None


if __name__ == "__main__":
    main()
