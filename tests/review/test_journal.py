"""The journal: no step that was shown is lost, whatever ends the program, and no damage spreads."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.journal_values import N, after_crash, folders_in, journaled, write_night
from helpers.review_values import prediction_of, truth_of
from sleepviewer.errors import JournalError
from sleepviewer.review.document import Base, Change
from sleepviewer.review.edits import NOT_CORRECTED
from sleepviewer.review.journal import Safety
from sleepviewer.review.journal_reading import read_journal
from sleepviewer.review.lights import Lights
from sleepviewer.review.recovery import find_journals, set_aside, take_up, unsaved_journals
from sleepviewer.review.saving import save_review
from sleepviewer.review.state_folder import StateFolders
from sleepviewer.stages import SCORED_STAGES, Stage

MODEL = [0, 1, 2, 2, 3, 4, 4, 0]


@pytest.fixture
def night_path(tmp_path: Path) -> Path:
    return write_night(tmp_path / "night.edf")


@pytest.fixture
def folders(tmp_path: Path) -> StateFolders:
    return folders_in(tmp_path)


# -- what a plain list would do

Action = tuple[str, tuple[int, ...], Stage]

actions: st.SearchStrategy[Action] = st.tuples(
    st.sampled_from(
        [
            "set",
            "set",
            "clear",
            "flag",
            "event",
            "lights",
            "base",
            "undo",
            "undo",
            "redo",
            "save",
            "reopen",
            "crash",
            "torn",
        ]
    ),
    st.sets(st.integers(0, N - 1), min_size=1, max_size=N).map(lambda epochs: tuple(sorted(epochs))),
    st.sampled_from(SCORED_STAGES),
)

State = tuple[tuple[int, ...], tuple[bool, ...], int, Lights]
NOTHING: State = ((NOT_CORRECTED,) * N, (False,) * N, 0, Lights())


@dataclass
class PlainModel:
    """Whole copies in lists: ``done`` and ``undone`` hold (number of the edit, state after it)."""

    done: list[tuple[int, State]] = field(default_factory=list)
    undone: list[tuple[int, State]] = field(default_factory=list)
    base: Base = Base.NONE
    count: int = 0
    saved: tuple[list[tuple[int, State]], list[tuple[int, State]], Base] = field(
        default_factory=lambda: ([], [], Base.NONE)
    )

    @property
    def state(self) -> State:
        return self.done[-1][1] if self.done else NOTHING

    def edit(self, name: str, epochs: tuple[int, ...], stage: Stage) -> None:
        corrected, flagged, events, lights = list(self.state[0]), list(self.state[1]), self.state[2], self.state[3]
        all_flagged = all(flagged[e] for e in epochs)
        for e in epochs:
            if name == "set":
                corrected[e] = int(stage)
            elif name == "clear":
                corrected[e] = NOT_CORRECTED
            elif name == "flag":
                flagged[e] = not all_flagged
        events += name == "event"
        lights = Lights(epochs[0]) if name == "lights" else lights
        new = (tuple(corrected), tuple(flagged), events, lights)
        if new != self.state:
            self.count += 1
            self.done.append((self.count, new))
            self.undone = []

    def undo(self) -> None:
        if self.done:
            self.undone.insert(0, self.done.pop())

    def redo(self) -> None:
        if self.undone:
            self.done.append(self.undone.pop(0))

    def save(self) -> None:
        self.saved = list(self.done), list(self.undone), self.base

    @property
    def is_news(self) -> bool:
        """Whether something of it is not in the saved file; what redo alone holds was given up by hand."""
        common = 0
        for ours, theirs in zip(self.done, self.saved[0], strict=False):
            if ours[0] != theirs[0]:
                break
            common += 1
        taken_back = len(self.saved[0]) > common and (len(self.done) > common or self.undone)
        return bool(len(self.done) > common or taken_back or self.base is not self.saved[2])

    def end(self) -> None:
        if not self.is_news:
            self.done, self.undone, self.base = list(self.saved[0]), list(self.saved[1]), self.saved[2]


class Program:
    """The real document, journal and files, ended and begun again as often as is wished."""

    def __init__(self, folder: Path, night: Path) -> None:
        self.path = Path(shutil.copy(night, folder / "night.edf"))
        self.folders = folders_in(folder)
        self.open(expect_news=False)

    def open(self, *, expect_news: bool) -> None:
        self.night, self.journal = journaled(self.path, self.folders)
        self.document = self.night.document
        _, found = after_crash(self.path, self.folders)
        assert len(found) == expect_news
        for recovered in found:
            assert recovered.journal.damage == ""
            take_up(self.night, recovered, self.journal, self.folders)

    def do(self, name: str, epochs: tuple[int, ...], stage: Stage) -> None:
        document = self.document
        doing: dict[str, Callable[[], object]] = {
            "set": lambda: document.set_stage(epochs, stage),
            "clear": lambda: document.clear(epochs),
            "flag": lambda: document.toggle_flag(epochs),
            "event": lambda: document.add_event("spindle", epochs[0] * 30.0, epochs[0] * 30.0 + 1),
            "lights": lambda: document.set_lights(Lights(epochs[0])),
            "base": lambda: document.set_base(list(Base)[epochs[0] % 3]),
            "undo": document.undo,
            "redo": document.redo,
            "save": lambda: save_review(self.night, self.path.with_suffix(".npz")),
        }
        doing[name]()

    def end(self, how: str) -> None:
        """Leave as the window does, or let go of the file as the system does with that of a killed process."""
        path = self.journal.path
        if how == "reopen" and not self.document.unsaved:
            self.journal.retire()
        else:
            self.journal.close()
        self.night.recording.close()
        if how == "torn" and path is not None and path.exists():
            with path.open("ab") as file:
                file.write(b'{"n":999,"t":"2024-01-01T00:00:00","op":"do","edit":{"ki')

    def check(self, model: PlainModel) -> None:
        document = self.document
        state = (
            tuple(document.corrected.tolist()),
            tuple(document.flagged.tolist()),
            len(document.events),
            document.lights,
        )
        assert state == model.state
        assert (len(document.history), len(document.undone)) == (len(model.done), len(model.undone))
        assert document.base is model.base


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(actions, max_size=30))
def test_any_sequence_of_edits_saves_and_crashes_is_what_a_list_would_be(
    night_path: Path, monkeypatch: pytest.MonkeyPatch, sequence: list[Action]
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nothing here fails below the system
    with tempfile.TemporaryDirectory(dir=night_path.parent) as name:
        program, model = Program(Path(name), night_path), PlainModel()
        for what, epochs, stage in (*sequence, ("crash", (0,), Stage.W)):
            if what in ("reopen", "crash", "torn"):
                program.end(what)
                news = model.is_news
                model.end()
                program.open(expect_news=news)
            else:
                program.do(what, epochs, stage)
                if what == "base":
                    model.base = list(Base)[epochs[0] % 3]
                elif what in ("undo", "redo", "save"):
                    {"undo": model.undo, "redo": model.redo, "save": model.save}[what]()
                else:
                    model.edit(what, epochs, stage)
            program.check(model)
        program.end("crash")


# -- before it is shown


def test_an_edit_is_on_the_disk_before_the_listeners_are_told(night_path: Path, folders: StateFolders) -> None:
    night, journal = journaled(night_path, folders)
    seen: list[list[str]] = []

    def listener(_: Change) -> None:
        assert journal.path is not None
        seen.append([type(kept.step).__name__ for kept in read_journal(journal.path).steps])

    night.document.subscribe(listener)
    night.document.set_stage([1], Stage.N2)
    night.document.undo()
    night.document.redo()
    night.document.set_base(Base.MODEL)
    assert seen == [
        ["Done"],
        ["Done", "Undone"],
        ["Done", "Undone", "Redone"],
        ["Done", "Undone", "Redone", "BaseChosen"],
    ]


def test_every_edit_waits_for_the_disk(
    night_path: Path, folders: StateFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, told = os.fsync, []

    def sync(handle: int) -> None:
        real(handle)
        told.append("synced")

    monkeypatch.setattr(os, "fsync", sync)
    night, _ = journaled(night_path, folders)
    night.document.subscribe(lambda _: told.append("shown"))
    night.document.set_stage([0], Stage.N1)
    night.document.set_stage([1], Stage.N1)
    night.document.undo()
    assert told == ["synced", "synced", "shown", "synced", "shown", "synced", "shown"]  # the first: file and its name


def test_a_night_that_is_only_looked_at_leaves_no_file(night_path: Path, folders: StateFolders) -> None:
    night, journal = journaled(night_path, folders)
    night.document.undo()
    journal.close()
    assert not folders.root.exists()


def test_scoring_and_truth_come_back_with_the_edits(night_path: Path, folders: StateFolders) -> None:
    night, journal = journaled(night_path, folders)
    night.document.set_prediction(prediction_of(MODEL))
    night.document.set_truth(truth_of(MODEL[::-1]))
    night.document.set_stage(np.arange(2), Stage.REM)
    journal.close()
    again, (found,) = after_crash(night_path, folders)
    assert found.new_scoring
    take_up(again, found, journaled(night_path, folders)[1], folders)
    document = again.document
    assert document.prediction is not None
    assert document.truth is not None
    np.testing.assert_array_equal(document.prediction.proba, prediction_of(MODEL).proba)
    assert document.prediction.identity == prediction_of(MODEL).identity
    assert document.truth.stages.tolist() == MODEL[::-1]
    assert document.labels.tolist() == [4, 4, *MODEL[2:]]  # the scoring came first
    assert document.unsaved


# -- torn and damaged


def three_edits(night_path: Path, folders: StateFolders) -> Path:
    night, journal = journaled(night_path, folders)
    for epoch in range(3):
        night.document.set_stage([epoch], Stage.N3)
    assert journal.path is not None
    journal.close()
    return journal.path or next(folders.journals.glob("*.jsonl"))


def test_every_cut_leaves_what_stands_before_it(night_path: Path, folders: StateFolders) -> None:
    path = three_edits(night_path, folders)
    raw = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(raw) if byte == ord("\n")]
    for cut in range(ends[0], len(raw), 3):
        path.write_bytes(raw[:cut])
        journal = read_journal(path)
        whole = sum(end - 1 <= cut for end in ends) - 1  # a line without its end is whole all the same
        assert (len(journal.steps), journal.damage) == (whole, "")


def test_a_block_of_zeros_after_a_power_failure_is_a_torn_line(night_path: Path, folders: StateFolders) -> None:
    path = three_edits(night_path, folders)
    path.write_bytes(path.read_bytes() + b"\0" * 4096)
    assert (len(read_journal(path).steps), read_journal(path).damage) == (3, "")


def test_a_damaged_line_is_told_and_what_stands_before_it_counts(night_path: Path, folders: StateFolders) -> None:
    path = three_edits(night_path, folders)
    lines = path.read_bytes().split(b"\n")
    lines[2] = lines[2].replace(b'"after":[3]', b'"after":[2]')
    path.write_bytes(b"\n".join(lines))
    journal = read_journal(path)
    assert len(journal.steps) == 1
    assert "line 3 is damaged" in journal.damage
    _, (found,) = after_crash(night_path, folders)
    assert found.document.corrected.tolist() == [3] + [NOT_CORRECTED] * (N - 1)


def test_a_lost_line_is_damage_as_well(night_path: Path, folders: StateFolders) -> None:
    path = three_edits(night_path, folders)
    lines = path.read_bytes().split(b"\n")
    del lines[2]
    path.write_bytes(b"\n".join(lines))
    assert "line 3 is damaged" in read_journal(path).damage


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_makes_another_edit_of_it(
    night_path: Path, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)
    with tempfile.TemporaryDirectory(dir=night_path.parent) as name:
        path = three_edits(night_path, folders_in(Path(name)))
        raw = bytearray(path.read_bytes())
        for place in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=4)):
            raw[place] = data.draw(st.integers(0, 255))
        path.write_bytes(raw)
        try:
            journal = read_journal(path)
        except JournalError:
            return
        texts = [str(getattr(kept.step, "edit").text) for kept in journal.steps]  # noqa: B009
        assert texts == [f"unscored → N3, epoch {epoch + 1}" for epoch in range(len(texts))]


def test_an_unreadable_journal_is_reported_and_left(night_path: Path, folders: StateFolders) -> None:
    path = three_edits(night_path, folders)
    raw = path.read_bytes()
    path.write_bytes(b"x" + raw[1:])
    found = unsaved_journals(folders)
    assert found.journals == ()
    assert str(path) in found.unreadable[0]
    assert path.exists()


def test_a_later_versions_journal_is_not_guessed_at(night_path: Path, folders: StateFolders) -> None:
    from sleepviewer.review.journal_lines import make_line, read_lines

    path = three_edits(night_path, folders)
    header = dict(read_lines(path.read_bytes()).values[0]) | {"version": 2}
    path.write_bytes(make_line(0, {key: value for key, value in header.items() if key != "n"}))
    with pytest.raises(JournalError, match="later version"):
        read_journal(path)


# -- full disks, folders that go


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the disk of all paths that begin so full (empty: of none); half a line is still written then."""
    real_write, real_open = os.write, os.open
    where: dict[int, str] = {}
    state = {"prefix": ""}

    def opening(path: str | Path, *args: int, **more: int) -> int:
        handle = real_open(path, *args, **more)
        where[handle] = str(path)
        return handle

    def writing(handle: int, block: memoryview) -> int:
        if state["prefix"] and where.get(handle, "").startswith(state["prefix"]):
            if len(block) > 9:
                return real_write(handle, bytes(block[:9]))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_write(handle, block)

    monkeypatch.setattr(os, "open", opening)
    monkeypatch.setattr(os, "write", writing)
    return lambda prefix: state.update(prefix=prefix)


def steps_on_disk(folders: StateFolders) -> int:
    return max((len(journal.steps) for journal in find_journals(folders).journals), default=0)


def test_a_full_disk_is_told_and_all_is_written_once_there_is_room(
    night_path: Path, folders: StateFolders, tmp_path: Path, full: Callable[[str], None]
) -> None:
    night, journal = journaled(night_path, folders)
    night.document.set_stage([0], Stage.N1)
    full(str(tmp_path))
    night.document.set_stage([1], Stage.N2)
    assert night.document.corrected[1] == Stage.N2
    assert journal.state.safety is Safety.UNSAFE
    assert "No space left" in journal.state.reason
    assert "save the review now" in journal.state.sentence
    assert steps_on_disk(folders) == 1
    night.document.set_stage([2], Stage.N3)
    assert steps_on_disk(folders) == 1
    full("")
    assert journal.retry().safety is Safety.SAFE
    assert steps_on_disk(folders) == 3
    assert read_journal(next(folders.journals.glob("*.jsonl"))).damage == ""


def test_a_full_disk_has_the_journal_go_elsewhere_and_come_back(
    night_path: Path, folders: StateFolders, full: Callable[[str], None]
) -> None:
    night, journal = journaled(night_path, folders)
    night.document.set_stage([0], Stage.N1)
    full(str(folders.root))
    night.document.set_stage([1], Stage.N2)
    assert journal.state.safety is Safety.ELSEWHERE
    assert str(folders.fallback) in journal.state.sentence
    assert steps_on_disk(folders) == 2
    full("")
    night.document.set_stage([2], Stage.N3)
    assert journal.state.safety is Safety.SAFE
    assert not list(folders.fallback.iterdir())
    assert steps_on_disk(folders) == 3


def test_both_beginnings_of_one_journal_are_one_and_the_longer_counts(
    night_path: Path, folders: StateFolders, full: Callable[[str], None]
) -> None:
    night, journal = journaled(night_path, folders)
    night.document.set_stage([0], Stage.N1)
    full(str(folders.root))
    night.document.set_stage([1], Stage.N2)
    full("")
    journal.close()
    _, (found,) = after_crash(night_path, folders)
    assert found.document.corrected[:2].tolist() == [1, 2]


def test_a_folder_that_vanishes_is_made_again_with_everything(night_path: Path, folders: StateFolders) -> None:
    night, journal = journaled(night_path, folders)
    night.document.set_stage([0], Stage.N1)
    shutil.rmtree(folders.root)
    night.document.set_stage([1], Stage.N2)
    assert journal.state.safety is Safety.SAFE
    assert steps_on_disk(folders) == 2


def test_a_save_makes_an_unsafe_journal_harmless(
    night_path: Path, folders: StateFolders, full: Callable[[str], None], tmp_path: Path
) -> None:
    night, journal = journaled(night_path, folders)
    night.document.set_stage([0], Stage.N1)
    full(str(tmp_path))
    night.document.set_stage([1], Stage.N2)
    full("")
    save_review(night, night_path.with_suffix(".npz"))
    assert journal.state.safety is Safety.SAFE
    assert after_crash(night_path, folders)[1] == []


# -- saved, aside, whose


def test_a_save_retires_the_journal_and_the_next_edit_begins_another(night_path: Path, folders: StateFolders) -> None:
    night, journal = journaled(night_path, folders)
    night.document.set_stage([0], Stage.N1)
    save_review(night, night_path.with_suffix(".npz"))
    assert journal.path is None
    (previous,) = folders.previous.iterdir()
    assert read_journal(previous).pending == 0
    night.document.set_stage([1], Stage.N2)
    assert journal.path is not None
    assert read_journal(journal.path).beginning.corrected[0] == Stage.N1
    save_review(night, night_path.with_suffix(".npz"))
    assert len(list(folders.previous.iterdir())) == 1


def test_a_crash_between_saving_and_marking_offers_nothing(night_path: Path, folders: StateFolders) -> None:
    night, journal = journaled(night_path, folders)
    night.document.set_stage([0], Stage.N1)
    night.document.set_recorder(None)
    save_review(night, night_path.with_suffix(".npz"))
    journal.close()
    assert after_crash(night_path, folders)[1] == []
    assert not list(folders.journals.glob("*.jsonl"))


def test_what_the_saved_review_has_is_told_from_what_it_lacks(night_path: Path, folders: StateFolders) -> None:
    night, journal = journaled(night_path, folders)
    night.document.set_stage([0], Stage.N1)
    save_review(night, night_path.with_suffix(".npz"))
    night.document.set_stage([1], Stage.N2)
    journal.close()
    _, (found,) = after_crash(night_path, folders)
    assert [edit.saved for edit in found.edits] == [True, False]
    assert found.unsaved == 1


def test_a_journal_set_aside_is_kept_and_offered_no_more(night_path: Path, folders: StateFolders) -> None:
    path = three_edits(night_path, folders)
    raw = path.read_bytes()
    _, (found,) = after_crash(night_path, folders)
    place = set_aside(found.journal, folders)
    assert place is not None
    assert place.parent == folders.aside
    assert place.read_bytes() == raw
    assert after_crash(night_path, folders)[1] == []


def test_a_recording_that_was_moved_is_known_by_its_content(
    night_path: Path, folders: StateFolders, tmp_path: Path
) -> None:
    night, journal = journaled(night_path, folders)
    night.document.set_stage([0], Stage.N1)
    journal.note_sha256(night.sha256)
    journal.close()
    (tmp_path / "moved").mkdir()
    moved = tmp_path / "moved" / "other.edf"
    shutil.move(night_path, moved)
    from sleepviewer.review.opening import open_night
    from sleepviewer.review.recovery import recoveries

    again = open_night(moved)
    assert recoveries(again, folders) == []
    assert again.sha256
    (found,) = recoveries(again, folders)
    assert found.doubt == ""


def test_another_content_at_the_same_place_is_never_given_the_edits_unasked(
    night_path: Path, folders: StateFolders
) -> None:
    three_edits(night_path, folders)
    write_night(night_path, seed=1)
    _, (found,) = after_crash(night_path, folders)  # the crash came before the hash was known
    assert "may stand on the wrong epochs" in found.doubt


def test_another_content_whose_hash_is_known_is_another_recording(night_path: Path, folders: StateFolders) -> None:
    night, journal = journaled(night_path, folders)
    night.document.set_stage([0], Stage.N1)
    journal.note_sha256(night.sha256)
    journal.close()
    write_night(night_path, seed=1)
    from sleepviewer.review.opening import open_night
    from sleepviewer.review.recovery import recoveries

    again = open_night(night_path)
    assert again.sha256
    assert recoveries(again, folders) == []
    assert len(unsaved_journals(folders).journals) == 1


def test_another_scorer_is_not_offered_the_edits(night_path: Path, folders: StateFolders) -> None:
    from sleepviewer.review.opening import open_night
    from sleepviewer.review.recovery import recoveries

    three_edits(night_path, folders)
    assert recoveries(open_night(night_path, scorer="somebody else"), folders) == []


def test_taken_up_edits_are_held_by_the_new_journal_alone(night_path: Path, folders: StateFolders) -> None:
    three_edits(night_path, folders)
    night, journal = journaled(night_path, folders)
    _, (found,) = after_crash(night_path, folders)
    take_up(night, found, journal, folders)
    journal.close()
    again, (once_more,) = after_crash(night_path, folders)
    assert once_more.unsaved == 3
    again.document.take(once_more.document.state)
    for _ in range(3):
        assert again.document.undo() is not None
    assert again.document.corrected.tolist() == [NOT_CORRECTED] * N
