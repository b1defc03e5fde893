"""The user's own versions of models: where they lie, which of them is active, and the way back.

A version is one file, ``MEMBER@vN.safetensors``, whose card says in its ``lineage`` what it came from. The numbers of a
member only rise, so that a name means the same weights for ever. ``active.json`` says which version of each member
scores where that member is asked for by its plain name; ``MEMBER@shipped`` is always the one that came with the
program. Nothing here loads torch.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import platformdirs

from sleepviewer.errors import CheckpointError, OutputError, SleepViewerError, VersionError
from sleepviewer.files import atomic_writer, sha256_of
from sleepviewer.models.card import ModelCard, card_json, parse_card, whole_safetensors
from sleepviewer.models.family import MemberName, title_of
from sleepviewer.models.shipped import peek_card, shipped_weights

FOLDER_VARIABLE: Final = "SLEEPVIEWER_MODELS"
"""Environment variable that names another folder than the user's own."""

SHIPPED: Final = "shipped"
TRASH: Final = "trash"
ACTIVE_FILE: Final = "active.json"
MARK: Final = "@"
_FILE: Final = re.compile(r"(?P<member>.+)@v(?P<number>[1-9]\d*)\.safetensors")
_PARTS_OF_THE_PROGRAM: Final = "“{}” came with the program and can't be deleted; activate another version instead."


def models_folder() -> Path:
    """Return the folder of the user's versions; it need not be there."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else platformdirs.user_data_path("SleepViewer", appauthor=False) / "models"


def version_title(name: str) -> str:
    """Return how a version's name is shown: ``AttnSleep + context · v2``. Raises CheckpointError for another name."""
    member, mark, number = name.partition(MARK)
    return title_of(member) + (f" · {'as shipped' if number == SHIPPED else number}" if mark else "")


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a member, its own or the one that came with the program.

    Attributes
    ----------
    name: ``MEMBER@vN``, or ``MEMBER@shipped``.
    member: of the family.
    number: of the version; 0 for the shipped one.
    path: the file of weights.
    card: what it says; of a fine-tuned one ``card.lineage`` has ``parent`` (a name, or a file's), ``parent_sha256``,
        ``made`` (UTC), ``label`` and ``note`` (the user's own), ``nights`` (name, SHA-256 of archive and recording,
        reviewed epochs of each), ``earlier_nights`` (those of its ancestors), ``replay``, ``settings`` and ``verdict``
        (both tables of the guard).
    active: whether it scores where its member is asked for by its plain name.
    """

    name: str
    member: str
    number: int
    path: Path
    card: ModelCard
    active: bool

    @property
    def title(self) -> str:
        """How a menu shows it."""
        return version_title(self.name) + (f" “{self.label}”" if self.label else "")

    @property
    def label(self) -> str:
        """What the user calls it, if she gave it a name."""
        return str(self.card.lineage.get("label", ""))

    @property
    def note(self) -> str:
        """What the user noted of it."""
        return str(self.card.lineage.get("note", ""))

    @property
    def nights(self) -> tuple[str, ...]:
        """The names of the corrected nights that it learned from itself, without those of its ancestors."""
        nights = self.card.lineage.get("nights", ())
        return tuple(str(night.get("name", "")) for night in nights if isinstance(night, dict))

    @property
    def refused(self) -> str:
        """Why the guard refused it; nothing where it did not, or nobody asked it."""
        verdict = self.card.lineage.get("verdict")
        if not isinstance(verdict, dict) or verdict.get("offered", True):
            return ""
        return str(verdict.get("reason", "")) or "The guard refused it."

    @property
    def parent(self) -> str:
        """The name of the version or file that it was made from; nothing for the shipped one."""
        return str(self.card.lineage.get("parent", ""))

    @property
    def made(self) -> str:
        """When it was made, UTC in ISO 8601; nothing for the shipped one."""
        return str(self.card.lineage.get("made", ""))

    def sha256(self) -> str:
        """Return the file's SHA-256, by which scorings name their weights. Raises CheckpointError."""
        try:
            return sha256_of(self.path)
        except OSError as error:
            raise CheckpointError(f"The weights {self.path} can't be read: {error.strerror or error}.") from error


@dataclass(frozen=True, slots=True)
class DamagedVersion:
    """A file among the versions that is none, and a sentence that says why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure of two versions, NaN-free: None where a version has no such figure."""

    figure: str
    first: float | None
    second: float | None

    @property
    def change(self) -> float | None:
        """The second less the first."""
        return None if self.first is None or self.second is None else self.second - self.first


class ModelVersions:
    """The versions in a folder; every method reads the folder anew, so that two programs may share it."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = models_folder() if folder is None else folder

    # -- looking

    def versions(self, member: str | None = None) -> tuple[ModelVersion, ...]:
        """Return the user's versions, of one member or of all, by member and number; damaged files are left out."""
        return tuple(v for v in self._read()[0] if member in (None, v.member))

    def damaged(self) -> tuple[DamagedVersion, ...]:
        """Return what lies among the versions and can't be used."""
        return self._read()[1]

    def get(self, name: str) -> ModelVersion:
        """Return a version by its name, ``MEMBER@shipped`` among them; a plain member's name means the active one.

        Raises VersionError where there is none or it is damaged.
        """
        member, mark, _ = name.partition(MARK)
        if not mark:
            return self.active(member) or self.shipped(member)
        if name == f"{member}{MARK}{SHIPPED}":
            return self.shipped(member)
        found, damaged = self._read()
        for version in found:
            if version.name == name:
                return version
        for entry in damaged:
            if entry.path.name == f"{name}.safetensors":
                raise VersionError(f"The model “{name}” can't be used: {entry.reason}")
        known = ", ".join(version.name for version in found) or "none"
        raise VersionError(f"There is no model “{name}” in {self.folder}; there are: {known}.")

    def shipped(self, member: str) -> ModelVersion:
        """Return the version that came with the program. Raises VersionError where there is none."""
        try:
            MemberName.parse(member)
        except CheckpointError as error:
            raise VersionError(str(error)) from error
        path = shipped_weights(member)
        card = None if path is None else peek_card(path)
        if path is None or card is None:
            raise VersionError(f"No weights of “{member}” come with the program.")
        return ModelVersion(
            f"{member}{MARK}{SHIPPED}", member, 0, path, card, active=member not in self._usable_active()
        )

    def active(self, member: str) -> ModelVersion | None:
        """Return the member's active version, or None where the shipped one scores."""
        if member not in self._active():  # spares reading all cards on the way to the window
            return None
        return next((version for version in self.versions(member) if version.active), None)

    def compare(self, first: str, second: str) -> tuple[FigureRow, ...]:
        """Return the figures that the cards of two versions have, those that both have first.

        Each card's figures were measured when it was made, perhaps on other epochs: what is compared on the same nights
        is told by :func:`sleepviewer.training.measuring.measure_nights`. Raises VersionError.
        """
        one, two = self.get(first).card.measured, self.get(second).card.measured
        names = [name for name in one if name in two] + [
            name for name in (*one, *two) if (name in one) != (name in two)
        ]
        return tuple(FigureRow(name, one.get(name), two.get(name)) for name in names)

    # -- changing

    def new_path(self, member: str) -> Path:
        """Return where the member's next version goes; its number was never used. Makes the folder.

        Raises OutputError where that can't be made, CheckpointError for an unknown member.
        """
        MemberName.parse(member)
        self._make(self.folder)
        used = [0]
        for path in (*self.folder.glob("*.safetensors"), *(self.folder / TRASH).glob("*.safetensors")):
            match = _FILE.fullmatch(path.name)
            if match and match["member"] == member:
                used.append(int(match["number"]))
        return self.folder / f"{member}{MARK}v{max(used) + 1}.safetensors"

    def activate(self, name: str) -> ModelVersion:
        """Have a version score where its member is asked for; the shipped one by ``MEMBER@shipped``.

        Raises VersionError where there is no such version or the guard refused it, OutputError where the choice can't
        be kept.
        """
        version = self.get(name)
        if version.refused:
            raise VersionError(f"“{version.name}” was refused and can't be activated. {version.refused}")
        active = dict(self._active())
        active.pop(version.member, None)
        if version.number:
            active[version.member] = version.name
        self._write_active(active)
        return self.get(version.name)

    def roll_back(self, member: str) -> ModelVersion:
        """Go back from the active version to its parent, or to the shipped one where that is gone; return that.

        Raises VersionError where no version of the member is active.
        """
        active = self.active(member)
        if active is None:
            raise VersionError(f"“{member}” is as it came with the program; there is no version to go back from.")
        return self.activate(self._parent_of(active))

    def delete(self, name: str) -> ModelVersion | None:
        """Move a version into the trash; where it was active, return what scores in its place, else None.

        Raises VersionError for an unknown version or a shipped one, OutputError where it can't be moved.
        """
        member, mark, number = name.partition(MARK)
        if not mark or number == SHIPPED:
            raise VersionError(_PARTS_OF_THE_PROGRAM.format(name))
        path = self.folder / f"{name}.safetensors"
        was_active = self._active().get(member) == name
        heir = f"{member}{MARK}{SHIPPED}"
        if not any(entry.path == path for entry in self.damaged()):
            heir = self._parent_of(self.get(name))
        trash = self.folder / TRASH
        self._make(trash)
        try:
            path.replace(trash / path.name)
        except OSError as error:
            raise OutputError(f"{path} can't be moved to {trash}: {error.strerror or error}.") from error
        return self.activate(heir) if was_active else None

    # -- helpers

    def _parent_of(self, version: ModelVersion) -> str:
        """The name of the version's parent where it is there and of the same member, else the shipped one's."""
        shipped = f"{version.member}{MARK}{SHIPPED}"
        try:
            parent = self.get(version.parent) if MARK in version.parent else self.shipped(version.member)
        except VersionError:
            return shipped
        return parent.name if parent.member == version.member and not parent.refused else shipped

    def _read(self) -> tuple[tuple[ModelVersion, ...], tuple[DamagedVersion, ...]]:
        active = self._active()
        found, damaged = [], []
        try:
            paths = sorted(self.folder.glob("*.safetensors"))
        except OSError:
            paths = []
        for path in paths:
            try:
                found.append(_read_version(path, active))
            except (OSError, ValueError, TypeError, KeyError, SleepViewerError) as error:
                damaged.append(DamagedVersion(path, f"{path.name} can't be used ({error}); delete it."))
        found.sort(key=lambda version: (version.member, version.number))
        return tuple(found), tuple(damaged)

    def _active(self) -> Mapping[str, str]:
        """The names of active versions by member; a damaged file counts as none."""
        try:
            content = json.loads((self.folder / ACTIVE_FILE).read_text(encoding="utf-8"))
            return {str(member): str(name) for member, name in content.items()}
        except (OSError, ValueError, AttributeError):
            return {}

    def _usable_active(self) -> set[str]:
        return {version.member for version in self.versions() if version.active}

    def _write_active(self, active: Mapping[str, str]) -> None:
        self._make(self.folder)
        with atomic_writer(self.folder / ACTIVE_FILE) as file:
            file.write((json.dumps(dict(active), indent=1) + "\n").encode())

    @staticmethod
    def _make(folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"The folder {folder} can't be made: {error.strerror or error}.") from error


def _read_version(path: Path, active: Mapping[str, str]) -> ModelVersion:
    """Read one version's card. Raises what its reading raises where it is damaged or misnamed."""
    match = _FILE.fullmatch(path.name)
    if match is None:
        raise ValueError("its name is not MEMBER@vN.safetensors")
    if not whole_safetensors(path):
        raise ValueError("it is cut short")
    content: Any = card_json(path)
    if content is None:
        raise ValueError("it has no card")
    card = parse_card(content, ModelCard(path.stem, 100, 3000))
    member = match["member"]
    if card.member != member:
        raise ValueError(f"its card says {card.member}")
    return ModelVersion(path.stem, member, int(match["number"]), path, card, active.get(member) == path.stem)
