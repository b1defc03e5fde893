"""Many reviews exported into a folder: which, from what, under which names, and what the manifest says."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from helpers.night_files import MODEL, N, files, write_night, write_review
from sleepviewer.archive.archive import read_archive
from sleepviewer.datasets.manifest import MANIFEST, read_manifest
from sleepviewer.errors import ArchiveError, OutputError
from sleepviewer.hypnogram import read_track, to_hypnogram
from sleepviewer.review import export_folder as module
from sleepviewer.review.export_folder import FolderExport, FolderExported, export_folder
from sleepviewer.review.exporting import ExportOptions, Format
from sleepviewer.stages import Stage
from sleepviewer.training.data import load_training_set

ATTNSLEEP = ExportOptions(Format.ATTNSLEEP)


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    """Three recordings with their reviews beside them: one corrected twice, one once, one not."""
    folder = tmp_path / "reviews"
    folder.mkdir()
    for number, edits in enumerate(({2: Stage.N1, 7: Stage.N2}, {0: Stage.REM}, {}), 1):
        write_review(write_night(folder / f"n{number}.edf", seed=number), edits=edits)
    return folder


def export(
    reviews: Path, out: Path | None = None, options: ExportOptions = ATTNSLEEP, **more: object
) -> FolderExported:
    return export_folder(FolderExport((reviews,), out or reviews.parent / "out", options, **more))


def newer(path: Path, seconds: int) -> None:
    stamp = path.stat().st_mtime + seconds
    os.utime(path, (stamp, stamp))


def test_all_reviews_of_a_folder_are_exported_and_the_manifest_says_of_what(reviews: Path, tmp_path: Path) -> None:
    before = files(reviews)
    result = export(reviews)
    out = tmp_path / "out"
    assert (list(result.exported), result.failed, result.left_out) == (["n1", "n2", "n3"], {}, {})
    assert sorted(path.name for path in out.iterdir()) == [MANIFEST, "n1.npz", "n2.npz", "n3.npz"]
    lines = read_manifest(out)
    for night, line in lines.items():
        assert line["file"] == f"{night}.npz"
        for what, path in ((line, out / line["file"]), (line["recording"], reviews / f"{night}.edf")):
            assert what["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert line["review"]["sha256"] == hashlib.sha256(before[f"{night}.npz"]).hexdigest()
        assert (line["scorer"], line["model"]["engine"], line["notes"]) == ("Ada", "fake", [])
    assert [line["edited"] for line in lines.values()] == [2, 1, 0]
    assert [line["corrected_share"] for line in lines.values()] == [2 / N, 1 / N, 0]
    assert "3 nights exported; 60 epochs, 3 of them corrected" in result.summary
    assert files(reviews) == before


def test_the_folder_is_a_training_set_as_it_is(reviews: Path, tmp_path: Path) -> None:
    export(reviews)
    data = load_training_set(tmp_path / "out")
    assert data.subjects == ("n1", "n2", "n3")
    assert data.nights[0].y.tolist() == [1 if epoch == 2 else stage for epoch, stage in enumerate(MODEL)]


def test_only_reviewed_nights_and_only_edited_epochs(reviews: Path, tmp_path: Path) -> None:
    options = ExportOptions(Format.ARCHIVE, only_edited=True)
    result = export(reviews, options=options, only_reviewed=True)
    assert (list(result.exported), list(result.left_out)) == (["n1", "n2"], ["n3"])
    assert "Nobody has corrected" in read_manifest(tmp_path / "out")["n3"]["left_out"]
    assert read_archive(tmp_path / "out" / "n1.npz").epoch_index.tolist() == [2, 7]
    assert result.trouble() == ""
    # Without the first wish, a night of which nothing is left fails, and says why.
    result = export(reviews, tmp_path / "all", options)
    assert "no epoch of n3.edf was corrected" in result.failed["n3"]


def test_one_night_that_fails_costs_the_others_nothing(reviews: Path, tmp_path: Path) -> None:
    (reviews / "n1.edf").write_bytes(b"no recording any more")
    (reviews / "damaged.npz").write_bytes((reviews / "n2.npz").read_bytes()[:5000])
    np.savez(reviews / "foreign.npz", weights=np.zeros(3))
    result = export(reviews)
    assert list(result.exported) == ["n2", "n3"]
    assert set(result.failed) == {"n1", "damaged"}
    assert "n1.edf" in result.failed["n1"]
    assert result.left_out == {"foreign": "foreign.npz is no review that SleepViewer saved."}
    lines = read_manifest(tmp_path / "out")
    assert lines["n1"]["failed"] == result.failed["n1"]
    assert "2 nights were not exported" in result.trouble()
    assert load_training_set(tmp_path / "out").subjects == ("n2", "n3")


def test_a_stumble_is_one_nights_too(reviews: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.write_export

    def stumble(archive: object, path: Path, options: ExportOptions) -> object:
        if path.stem == "n2":
            raise ZeroDivisionError("unforeseen")
        return real(archive, path, options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "write_export", stumble)
    result = export(reviews)
    assert list(result.exported) == ["n1", "n3"]
    assert "stumble (ZeroDivisionError: unforeseen)" in result.failed["n2"]


def test_of_two_reviews_of_a_recording_the_newer_one_is_exported(reviews: Path) -> None:
    write_review(reviews / "n1.edf", reviews / "n1-2.npz", edits={1: Stage.N3})
    newer(reviews / "n1-2.npz", 10)
    result = export(reviews)
    assert result.left_out == {"n1": "n1-2.npz is a newer review of the same recording."}
    assert result.exported["n1-2"]["edited"] == 1
    newer(reviews / "n1.npz", 20)
    assert list(export(reviews, reviews.parent / "again").left_out) == ["n1-2"]


# -- where the signal comes from


def test_recordings_are_found_in_a_folder_of_theirs(reviews: Path, tmp_path: Path) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    for path in reviews.glob("*.edf"):
        path.rename(recordings / path.name)
    result = export(reviews, recordings=recordings, channel="EOG left")
    assert {line["channel"] for line in result.exported.values()} == {"EOG left"}
    assert not read_archive(tmp_path / "out" / "n1.npz").x.any()


def test_without_its_recording_a_review_gives_its_own_signal_and_says_so(reviews: Path, tmp_path: Path) -> None:
    export(reviews)
    for path in reviews.glob("*.edf"):
        path.unlink()
    result = export(reviews, tmp_path / "alone")
    for night in ("n1", "n2", "n3"):
        ours, theirs = (read_archive(folder / f"{night}.npz") for folder in (tmp_path / "out", tmp_path / "alone"))
        np.testing.assert_array_equal(ours.x, theirs.x)
        np.testing.assert_array_equal(ours.y, theirs.y)
        assert "was not found: the signal" in result.exported[night]["notes"][0]
    result = export(reviews, tmp_path / "other", channel="EOG left")
    assert "name the folder of the recordings" in result.failed["n1"]


def test_a_review_without_a_signal_needs_its_recording_but_not_for_a_hypnogram(reviews: Path, tmp_path: Path) -> None:
    write_review(reviews / "n1.edf", edits={3: Stage.N3}, channel=None)
    (reviews / "n1.edf").unlink()
    assert "the review holds no signal" in export(reviews).failed["n1"]
    result = export(reviews, tmp_path / "labels", ExportOptions(Format.EDF))
    assert result.exported["n1"]["file"] == "n1-labels.edf"
    stages = to_hypnogram(read_track(tmp_path / "labels" / "n1-labels.edf")).stages.tolist()
    assert stages == [3 if epoch == 3 else stage for epoch, stage in enumerate(MODEL)]


def test_a_recording_of_other_content_fails_by_name(reviews: Path) -> None:
    write_night(reviews / "n1.edf", seed=99)
    assert "content has changed" in export(reviews).failed["n1"]


def test_a_name_in_a_review_leads_nowhere(reviews: Path, tmp_path: Path) -> None:
    """A recording's name comes from the file; as a path it is not followed, and does not stand in the manifest."""
    (tmp_path / "secret.edf").write_bytes((reviews / "n1.edf").read_bytes())
    with np.load(reviews / "n1.npz", allow_pickle=False) as npz:
        arrays = dict(npz)
    meta = json.loads(str(arrays["meta"]))
    meta["recording"]["name"] = "../secret.edf"
    np.savez(reviews / "n1.npz", **(arrays | {"meta": np.str_(json.dumps(meta))}))
    (reviews / "n1.edf").unlink()
    line = export(reviews).exported["n1"]
    assert line["recording"]["name"] == "secret.edf"
    assert "secret.edf was not found" in line["notes"][0]


def test_every_night_gets_a_plain_name_of_its_own(reviews: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    write_review(write_night(other / "n1.edf", seed=7), other / "n1.npz", edits={1: Stage.N1})
    write_review(write_night(other / "n9.edf", seed=8), other / "..\\a:b?.npz")
    result = export_folder(FolderExport((reviews, other), tmp_path / "out", ATTNSLEEP))
    assert set(result.exported) == {"n1", "n2", "n3", "n1-2", "_a_b_"}
    assert {path.name for path in (tmp_path / "out").glob("*.npz")} == {f"{night}.npz" for night in result.exported}
    assert result.exported["_a_b_"]["review"]["file"] == "..\\a:b?.npz"


# -- again, broken off, in the way


def test_a_run_that_was_stopped_goes_on_and_keeps_what_is_there(reviews: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    wanted = FolderExport((reviews,), tmp_path / "out", ATTNSLEEP)
    result = export_folder(wanted, tell=lambda *what: told.append(what), cancelled=lambda: bool(told))
    assert (result.cancelled, list(result.exported), told) == (True, ["n1"], [(0, 3, "n1")])
    assert "Stopped: 1 night exported" in result.summary
    assert list(read_manifest(tmp_path / "out")) == ["n1"]
    first = (tmp_path / "out" / "n1.npz").stat().st_mtime_ns
    result = export_folder(wanted)
    assert (list(result.kept), list(result.exported)) == (["n1"], ["n2", "n3"])
    assert (tmp_path / "out" / "n1.npz").stat().st_mtime_ns == first
    before = files(tmp_path / "out")
    assert list(export_folder(wanted).kept) == ["n1", "n2", "n3"]
    assert files(tmp_path / "out") == before


def test_what_is_there_with_other_content_is_written_over_only_when_that_was_asked(
    reviews: Path, tmp_path: Path
) -> None:
    export(reviews)
    before = files(tmp_path / "out")
    write_review(reviews / "n1.edf", edits={4: Stage.N3})
    result = export(reviews)
    assert "there already" in result.failed["n1"]
    assert list(result.kept) == ["n2", "n3"]
    assert files(tmp_path / "out") == before  # the manifest still says what the file is
    result = export(reviews, replace=True)
    assert list(result.exported) == ["n1"]
    assert read_archive(tmp_path / "out" / "n1.npz").y[4] == 3
    trimmed = ExportOptions(Format.ATTNSLEEP, trim_wake_min=1)
    assert list(export(reviews, options=trimmed, replace=True).exported) == ["n1", "n2", "n3"]


def test_neither_a_review_nor_what_a_link_leads_to_is_written_over(reviews: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    write_review(reviews / "n1.edf", out / "n1.npz", edits={5: Stage.N3})
    (tmp_path / "mine.npz").write_bytes(b"mine")
    (out / "n2.npz").symlink_to(tmp_path / "mine.npz")
    before = files(out)
    result = export(reviews, replace=True)
    assert "holds corrections" in result.failed["n1"]
    assert "is a link" in result.failed["n2"]
    assert list(result.exported) == ["n3"]
    assert {name: content for name, content in files(out).items() if name in before} == before


def test_folders_that_do_not_suit_are_sentences(reviews: Path, tmp_path: Path) -> None:
    before = files(tmp_path)
    with pytest.raises(OutputError, match="read from"):
        export(reviews, reviews)
    with pytest.raises(OutputError, match="read from"):
        export(reviews, tmp_path, recordings=tmp_path)
    with pytest.raises(ArchiveError, match="is not there"):
        export(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveError, match="no saved review"):
        export(tmp_path / "empty")
    with pytest.raises(OutputError, match="can't be made"):
        export(reviews, reviews / "n1.edf" / "out")
    (tmp_path / "prepared").mkdir()
    (tmp_path / "prepared" / MANIFEST).write_text('{"night": "SC4001E0", "dataset": "sleep-edf"}\n')
    with pytest.raises(OutputError, match="not exported from reviews"):
        export(reviews, tmp_path / "prepared")
    (tmp_path / "prepared" / MANIFEST).unlink()
    assert files(tmp_path) == before


def test_where_nothing_is_exported_that_is_trouble(reviews: Path, tmp_path: Path) -> None:
    for name in ("n1", "n2"):
        (reviews / f"{name}.npz").unlink()
    result = export(reviews, only_reviewed=True)
    assert "No night was exported" in result.trouble()
