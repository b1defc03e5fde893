"""Profusion XML: numbers become stages, and files that are damaged or hostile are refused in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sleepviewer.errors import HypnogramError
from sleepviewer.hypnogram import align, read_track, to_hypnogram
from sleepviewer.hypnogram.profusion import read_profusion

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def xml(stages: list[object], *, before: str = "<EpochLength>30</EpochLength>", after: str = "") -> str:
    body = "".join(f"<SleepStage>{stage}</SleepStage>" for stage in stages)
    return f"{HEAD}<CMPStudyConfig>{before}<SleepStages>{body}</SleepStages>{after}</CMPStudyConfig>"


def written(folder: Path, text: str, name: str = "shhs1-200001-profusion.xml", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def test_numbers_are_rechtschaffen_and_kales(tmp_path: Path) -> None:
    track = read_track(written(tmp_path, xml([0, 1, 2, 3, 4, 5, 0])))
    assert to_hypnogram(track).stages.tolist() == [0, 1, 2, 3, 3, 4, 0]
    assert track.source == "shhs1-200001-profusion.xml"
    assert track.start is None


def test_numbers_beyond_rem_are_epochs_without_a_stage_and_counted(tmp_path: Path) -> None:
    track = read_track(written(tmp_path, xml([0, 6, 2, 9, 9, 5])))
    assert align(track, start=None, n_epochs=6, name="night.edf").stages.tolist() == [0, -1, 2, -1, -1, 4]
    assert any("3 epochs without a sleep stage (numbers beyond REM's 5: 6, 9)" in note for note in track.notes)


def test_stages_elsewhere_in_the_file_are_no_stages_of_the_night(tmp_path: Path) -> None:
    before = "<EpochLength>30</EpochLength><Notes><SleepStage>5</SleepStage></Notes>"
    after = "<ScoredEvents><ScoredEvent><SleepStage>5</SleepStage></ScoredEvent></ScoredEvents>"
    assert to_hypnogram(read_track(written(tmp_path, xml([2, 2], before=before, after=after)))).stages.tolist() == [
        2,
        2,
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_and_names_do_not_matter(tmp_path: Path, encoding: str) -> None:
    text = xml([0, 5]).replace("UTF-8", "utf-16" if encoding == "utf-16" else "utf-8")
    assert to_hypnogram(read_track(written(tmp_path, text, "a.XML", encoding))).stages.tolist() == [0, 4]
    if encoding != "utf-16":
        assert to_hypnogram(read_track(written(tmp_path, text, "a.txt", encoding))).stages.tolist() == [0, 4]


def test_epochs_of_another_length_keep_their_time(tmp_path: Path) -> None:
    track = read_track(written(tmp_path, xml([0] * 3 + [2] * 3, before="<EpochLength>20</EpochLength>")))
    assert track.duration_s == 120
    assert to_hypnogram(track).stages.tolist() == [0, 0, 2, 2]
    assert any("epochs of 20 s" in note for note in track.notes)


def test_a_file_that_does_not_say_has_epochs_of_30_seconds(tmp_path: Path) -> None:
    assert read_track(written(tmp_path, xml([0, 2], before=""))).duration_s == 60


@pytest.mark.parametrize("word", ["N2", "", "-1", "2.5", "<b>2</b>"])
def test_what_is_no_stage_is_named_with_its_epoch(tmp_path: Path, word: str) -> None:
    with pytest.raises(HypnogramError, match=r"profusion.xml, epoch 2: “.*” is no sleep stage"):
        read_track(written(tmp_path, xml([0, word, 2])))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (xml([]), "holds no sleep stage"),
        (xml([0, 2])[:-30], "damaged or no XML"),
        ("<CMPStudyConfig/>", "holds no sleep stage"),
        (f"{HEAD}<PSGAnnotation/>", "holds no sleep stage"),
        (f"{HEAD}<html><body/></html>", "is no Profusion file: it begins with “html”"),
        (HEAD, "damaged or no XML"),
        ("0\n1\n2\n", "damaged or no XML"),
        (xml([0], before="<EpochLength>0</EpochLength>"), "epochs last “0” seconds"),
        (xml([0], before="<EpochLength>half</EpochLength>"), "epochs last “half” seconds"),
        (xml([0], after="<a>" * 100 + "</a>" * 100), "nested more than 64 levels"),
    ],
)
def test_files_that_hold_no_hypnogram_are_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(HypnogramError, match=sentence):
        read_track(written(tmp_path, text))


def test_an_entity_bomb_is_refused_unread(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'{HEAD}<!DOCTYPE CMPStudyConfig [<!ENTITY e0 "2">{entities}]>' + xml(["&e11;"]).removeprefix(HEAD)
    with pytest.raises(HypnogramError, match="declares a document type"):
        read_track(written(tmp_path, bomb))


def test_an_external_entity_is_refused_unread(tmp_path: Path) -> None:
    secret = written(tmp_path, "2", "secret.txt")
    text = f'<!DOCTYPE CMPStudyConfig [<!ENTITY x SYSTEM "{secret.as_uri()}">]>' + xml(["&x;"]).removeprefix(HEAD)
    with pytest.raises(HypnogramError, match="declares a document type"):
        read_track(written(tmp_path, text, encoding="utf-16"))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(HypnogramError, match="can't be read"):
        read_profusion(tmp_path / "gone.xml")


def test_a_whole_night_is_laid_on_its_recording(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).integers(0, 6, 1000)
    track = read_track(written(tmp_path, xml(list(numbers))))
    laid = align(track, start=None, n_epochs=1000, name="night.edf").stages
    assert laid.tolist() == np.array([0, 1, 2, 3, 3, 4])[numbers].tolist()
