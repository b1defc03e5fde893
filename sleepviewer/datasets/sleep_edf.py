"""Sleep-EDF Expanded (PhysioNet): how its files are named, which belong together, and how to fetch them.

Its cassette study has 153 nights of 78 subjects, numbered 0 to 82 with five numbers left out; Sleep-EDF-20 is the 39
nights of subjects 0 to 19.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn
from urllib.parse import urlsplit

from sleepviewer.datasets.sources import NightSources, files_in
from sleepviewer.errors import DatasetError, RecordingError

_LAST_SUBJECT: Final = 82
_NO_SUBJECTS: Final = frozenset({39, 68, 69, 78, 79})

RATE_HZ: Final = 100.0

SLEEP_EDF_20: Final = tuple(range(20))
"""Subjects of Sleep-EDF-20: 39 nights, since subject 13 has one."""

SLEEP_EDF_78: Final = tuple(s for s in range(_LAST_SUBJECT + 1) if s not in _NO_SUBJECTS)
"""Subjects of Sleep-EDF-78: 153 nights, since subjects 13, 36 and 52 have one each."""

_CASSETTE_FILE: Final = re.compile(r"(?P<night>SC4(?P<subject>\d\d)(?P<number>[12]))\w{2}-(?P<kind>PSG|Hypnogram)\.edf")
_CHECKSUM_LINE: Final = re.compile(r"(?P<hash>[0-9a-fA-F]{40}|[0-9a-fA-F]{64})\s+[*]?(?P<name>\S.*)")
_USUAL_BYTES: Final = {"PSG": 48_000_000, "Hypnogram": 5_000}
_CHUNK_BYTES: Final = 1 << 16
_TIMEOUT_S: Final = 30


@dataclass(frozen=True, slots=True)
class SleepEdfName:
    """What the name of a cassette night's file says: ``SC4001E0-PSG.edf`` is subject ``00``, night 1."""

    pair: str
    """The first six letters, which a recording and its hypnogram share."""
    subject: str
    night: int
    is_recording: bool

    @classmethod
    def of(cls, file_name: str) -> SleepEdfName | None:
        """Return what a file's name says, or None where it is no file of the cassette study."""
        match = _CASSETTE_FILE.fullmatch(file_name)
        if match is None:
            return None
        return cls(match["night"], match["subject"], int(match["number"]), match["kind"] == "PSG")


def find_nights(source: Path) -> tuple[NightSources, ...]:
    """Return the cassette study's nights in a folder and the folders in it, in order; other files are passed over.

    A recording and its hypnogram share their first six letters. Raises DatasetError where there is no recording.
    """
    recordings: dict[str, Path] = {}
    hypnograms: dict[str, list[Path]] = {}
    told: dict[str, SleepEdfName] = {}
    for path in files_in(source):
        name = SleepEdfName.of(path.name)
        if name is None:
            continue
        if name.is_recording:
            recordings[name.pair] = path
            told[name.pair] = name
        else:
            hypnograms.setdefault(name.pair, []).append(path)
    if not recordings:
        raise DatasetError(f"{source} holds no recording of Sleep-EDF (SC4001E0-PSG.edf …); fetch it first.")
    return tuple(_night(told[pair], recordings[pair], hypnograms.get(pair, [])) for pair in sorted(recordings))


def _night(name: SleepEdfName, recording: Path, hypnograms: list[Path]) -> NightSources:
    trouble = ""
    if len(hypnograms) != 1:
        there = f"these are {', '.join(path.name for path in hypnograms)}" if hypnograms else "there is none"
        trouble = f"{recording.name} needs one hypnogram, {name.pair}…-Hypnogram.edf; {there}."
    night = recording.name.removesuffix("-PSG.edf")
    return NightSources(night, name.subject, name.night, recording, None if trouble else hypnograms[0], trouble)


# -- fetching


def parse_subjects(text: str) -> tuple[int, ...]:
    """Return the subjects that a text like ``0-19`` or ``0,3,5`` names, in order.

    Ranges pass over the numbers that Sleep-EDF left out. Raises DatasetError for a number that is named alone and does
    not exist, and for what is no list of numbers.
    """
    subjects: set[int] = set()
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise DatasetError(f"“{text}” is no list of subjects; write it like 0-19 or 0,3,5.")
        named = range(int(first), int(last if dash else first) + 1)
        there = [subject for subject in named if subject in SLEEP_EDF_78]
        if not there or named[-1] > _LAST_SUBJECT:
            missing = ", ".join(str(number) for number in sorted(_NO_SUBJECTS))
            raise DatasetError(
                f"Sleep-EDF has no subjects “{part.strip()}”: they are 0 to {_LAST_SUBJECT} without {missing}."
            )
        subjects.update(there)
    return tuple(sorted(subjects))


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """Where a fetch stands: the file that is coming, nights that are whole, bytes (those to come are an estimate)."""

    file: str
    nights_done: int
    nights: int
    bytes_done: int
    bytes_total: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """What is there after a fetch: a recording and a hypnogram per night, and how much of it came now."""

    folder: Path
    nights: tuple[tuple[Path, Path], ...]
    files_fetched: int
    bytes_fetched: int


@dataclass(frozen=True, slots=True)
class _RemoteFile:
    """A file of the data set and its checksum, ``sha1:…`` or ``sha256:…``."""

    name: str
    known_hash: str

    @property
    def usual_bytes(self) -> int:
        return _USUAL_BYTES["PSG" if self.name.endswith("-PSG.edf") else "Hypnogram"]


def fetch_sleep_edf(
    folder: Path | None = None,
    subjects: Collection[int] = SLEEP_EDF_20,
    *,
    base_url: str | None = None,
    checksums: Path | None = None,
    retries: int = 2,
    progress: Callable[[FetchProgress], None] | None = None,
) -> Fetched:
    """Fetch all nights of some subjects of Sleep-EDF's cassette study into one folder.

    Files that are there whole, by their checksum, are kept; others are fetched, checked and only then given their
    name, so that whatever happens no half file is left. A fetch that was broken off goes on where it stopped.

    Parameters
    ----------
    folder: where to; MNE's data folder by default, where the demonstration's real night goes as well.
    subjects: of :data:`SLEEP_EDF_78`.
    base_url: where from; PhysioNet by default.
    checksums: a file of lines ``CHECKSUM  NAME`` (SHA-1 or SHA-256) to use in the place of the list that MNE carries,
        for a mirror whose files differ.
    retries: how often a file is asked for again when it did not come whole.
    progress: told after every piece.

    Raises DatasetError where something can't be fetched, did not come as published, or can't be written.
    """
    from mne.datasets.sleep_physionet import age

    remote = _files_of(set(subjects), checksums)
    where = base_url or age.BASE_URL
    try:
        folder = Path(age.data_path(verbose="error")) if folder is None else folder
        folder.mkdir(parents=True, exist_ok=True)
        missing = [file for pair in remote.values() for file in pair if not _is_whole(folder / file.name, file)]
    except OSError as error:
        raise DatasetError(
            f"Sleep-EDF can't be kept in {folder}: {error.strerror or error}; choose another folder."
        ) from error
    fetch = _Fetch(folder, where, missing, remote, retries, progress)
    for file in missing:
        fetch.fetch(file)
    nights = tuple((folder / psg.name, folder / hypnogram.name) for psg, hypnogram in remote.values())
    return Fetched(folder, nights, len(missing), fetch.bytes_done)


def _is_whole(path: Path, file: _RemoteFile) -> bool:
    from pooch.hashes import hash_matches

    return path.exists() and bool(hash_matches(str(path), file.known_hash))


def _files_of(subjects: set[int], checksums: Path | None) -> dict[str, tuple[_RemoteFile, _RemoteFile]]:
    """Return recording and hypnogram of every night of the subjects, by the pair's six letters, in order."""
    known = _published_checksums() if checksums is None else _read_checksums(checksums)
    found: dict[str, dict[bool, _RemoteFile]] = {}
    for name, known_hash in sorted(known.items()):
        told = SleepEdfName.of(name)
        if told is not None and int(told.subject) in subjects:
            found.setdefault(told.pair, {})[told.is_recording] = _RemoteFile(name, known_hash)
    pairs = {night: (files[True], files[False]) for night, files in found.items() if len(files) == 2}
    absent = sorted(subjects - {int(night[3:5]) for night in pairs})
    if absent or not pairs:
        source = "Sleep-EDF" if checksums is None else checksums.name
        raise DatasetError(f"{source} has no night of subject {', '.join(map(str, absent)) or 'any'}; choose others.")
    return pairs


def _published_checksums() -> dict[str, str]:
    """Return the SHA-1 of every file, by name, from the list that MNE carries."""
    from mne.datasets.sleep_physionet import age

    with Path(age.AGE_SLEEP_RECORDS).open(encoding="utf-8", newline="") as file:
        return {row["fname"]: f"sha1:{row['sha']}" for row in csv.DictReader(file)}


def _read_checksums(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"The checksums {path} can't be read: {getattr(error, 'strerror', '') or error}.") from error
    known = {}
    for line in lines:
        if match := _CHECKSUM_LINE.fullmatch(line.strip()):
            kind = "sha1" if len(match["hash"]) == 40 else "sha256"
            known[match["name"].replace("\\", "/").rpartition("/")[2]] = f"{kind}:{match['hash'].lower()}"
    return known


class _Fetch:
    """Fetches files one after the other through pooch and counts what has come; is pooch's progress bar besides."""

    def __init__(
        self,
        folder: Path,
        base_url: str,
        missing: list[_RemoteFile],
        remote: Mapping[str, tuple[_RemoteFile, _RemoteFile]],
        retries: int,
        progress: Callable[[FetchProgress], None] | None,
    ) -> None:
        import pooch

        self.bytes_done = 0
        self._folder = folder
        self._base_url = base_url.rstrip("/") + "/"
        self._pairs = [{file.name for file in pair} for pair in remote.values()]
        self._to_come = {file.name: file.usual_bytes for file in missing}
        self._file = ""
        self._file_bytes = 0
        self._progress = progress
        self._downloader = pooch.HTTPDownloader(progressbar=self, chunk_size=_CHUNK_BYTES, timeout=_TIMEOUT_S)
        self._store = pooch.create(
            path=folder,
            base_url=self._base_url,
            registry={file.name: file.known_hash for file in missing},
            retry_if_failed=retries,
        )
        pooch.get_logger().setLevel("ERROR")  # what it would print goes into our progress and our sentences

    def fetch(self, file: _RemoteFile) -> None:
        """Fetch one file whole or not at all. Raises DatasetError with the reason."""
        self._file = file.name
        self._file_bytes = 0
        try:
            path = Path(self._store.fetch(file.name, downloader=self._downloader))
            path.chmod(0o644)  # pooch leaves it to its owner alone, as all temporary files
            self.bytes_done += path.stat().st_size
        except (OSError, ValueError) as error:
            self._tell_trouble(file, error)
        del self._to_come[file.name]
        self._file_bytes = 0
        self._tell()

    def _tell(self) -> None:
        if self._progress is None:
            return
        nights_done = sum(not pair & self._to_come.keys() for pair in self._pairs)
        done = self.bytes_done + self._file_bytes
        total = max(self.bytes_done + sum(self._to_come.values()), done)
        self._progress(FetchProgress(self._file, nights_done, len(self._pairs), done, total))

    def _tell_trouble(self, file: _RemoteFile, error: Exception) -> NoReturn:
        from requests import exceptions

        host = urlsplit(self._base_url).netloc or self._base_url
        kept = "Nothing of it was kept; what came before is whole, and the same command goes on from there."
        if isinstance(error, exceptions.HTTPError) and error.response is not None:
            answer = f"{error.response.status_code} {error.response.reason}".strip()
            what = f"{file.name} can't be fetched: {host} answers “{answer}”."
        elif isinstance(error, exceptions.Timeout):
            what = f"{file.name} can't be fetched: {host} did not answer for {_TIMEOUT_S} seconds."
        elif isinstance(error, exceptions.ChunkedEncodingError):
            what = f"{file.name} can't be fetched: the connection to {host} broke after {self._file_bytes:,} bytes."
        elif isinstance(error, exceptions.ConnectionError):
            what = f"{file.name} can't be fetched: there is no connection to {host}; check the network."
        elif isinstance(error, exceptions.RequestException):
            what = f"{file.name} can't be fetched from {self._base_url} ({error})."
        elif isinstance(error, OSError):
            what = f"{self._folder / file.name} can't be written: {error.strerror or error}."
        else:
            what = f"{file.name} from {host} has another checksum than the published one: it is damaged or another's."
        raise DatasetError(f"{what} {kept}") from error

    # What pooch asks of a progress bar.

    @property
    def total(self) -> int:
        """Bytes of the file that is coming, as its server says; 0 where it does not."""
        return self._to_come.get(self._file, 0)

    @total.setter
    def total(self, n_bytes: int) -> None:
        self._file_bytes = 0
        if n_bytes:
            self._to_come[self._file] = n_bytes

    def update(self, n_bytes: int) -> None:
        """Count bytes that came; pooch counts the last piece as long as all others."""
        self._file_bytes = min(self._file_bytes + n_bytes, self.total)
        self._tell()

    def reset(self) -> None:
        """Begin the file's count anew; pooch does so at its end, to count it whole once more."""
        self._file_bytes = 0

    def close(self) -> None:
        """Nothing to close."""


def fetch_sleep_edf_night(subject: int = 0, night: int = 1, folder: Path | None = None) -> tuple[Path, Path]:
    """Return one night of Sleep-EDF-78 as recording and hypnogram, fetched from PhysioNet where it is not here yet.

    ``subject`` is 0 to 82, ``night`` 1 or 2; ``folder`` is where to look and to keep it (MNE's data folder by
    default). Raises RecordingError where there is no such night or it can't be fetched.
    """
    from mne.datasets.sleep_physionet.age import fetch_data

    if night not in (1, 2) or not 0 <= subject <= _LAST_SUBJECT:
        raise RecordingError(
            f"Sleep-EDF has subjects 0 to {_LAST_SUBJECT} and their nights 1 and 2, not night {night} of {subject}."
        )
    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        path = None if folder is None else str(folder)
        pairs = fetch_data(subjects=[subject], recording=[night], path=path, on_missing="ignore", verbose="error")
    except Exception as error:  # the downloader raises what its network library raises, and changes libraries
        raise RecordingError(
            f"Night {night} of Sleep-EDF subject {subject} can't be fetched ({error}); check the network and try again."
        ) from error
    if not pairs:
        raise RecordingError(f"Sleep-EDF has no night {night} of subject {subject}; choose another subject or night.")
    psg, hypnogram = pairs[0]
    return Path(psg), Path(hypnogram)
