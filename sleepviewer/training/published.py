"""Figures that others reported, as they reported them: as many digits as were printed, and where.

Rows belong to a data set as it was published, with its number of epochs of 30 s. A run on anything else (other nights,
other epoch lengths, simulated ones) has no row to stand beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from sleepviewer.analysis.intervals import STAGE_F1

AS_REPORTED: Final = "as reported"
"""The protocol of a row whose way of picking the pass is not known to be one of ours."""


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One reported result.

    ``figures`` maps names of ``analysis.intervals.METRICS`` to the text as printed, κ as a share and all others in
    percent; what was not reported is not in it.
    """

    model: str
    protocol: str
    figures: Mapping[str, str]
    source: str
    note: str = ""

    def value(self, metric: str) -> float | None:
        """Return a figure as a share between 0 and 1, None where it was not reported."""
        text = self.figures.get(metric)
        if text is None:
            return None
        return float(text) if metric == "kappa" else round(float(text) / 100, 6)


@dataclass(frozen=True, slots=True)
class PublishedDataset:
    """A data set that figures were published for: nights, subjects, epochs by stage, and the rows."""

    name: str
    nights: int
    subjects: int | None
    stages: Mapping[str, int]
    rows: tuple[PublishedRow, ...] = field(repr=False)

    @property
    def n_epochs(self) -> int:
        """Epochs of all stages."""
        return sum(self.stages.values())


def published_dataset(name: str) -> PublishedDataset | None:
    """Return the published data set of a name, None for any other; case and punctuation do not matter."""
    return _BY_KEY.get(_key(name))


_ATTNSLEEP: Final = "Eldele et al. 2021, IEEE TNSRE 29, doi 10.1109/TNSRE.2021.3076234"
_SLEEPYCO: Final = "Lee et al. 2024, SleePyCo, Expert Systems with Applications 240"
_LSEQSLEEPNET: Final = "Phan et al. 2023, L-SeqSleepNet, IEEE JBHI"
_DETECTSLEEPNET: Final = "DetectSleepNet, 2024"
_EARLIER: Final = "the experiments that this project continues; batch 128"
_TEST_PICKED: Final = "passes picked on the test fold"
_SWAPPED: Final = "its abstract has 80.9 for SHHS and 88.0 for Physio2018"
_SEQUENCE: Final = "reads many epochs at once"


def _row(
    model: str,
    source: str,
    accuracy: str,
    macro_f1: str,
    kappa: str | None = None,
    f1: tuple[str, str, str, str, str] | None = None,
    *,
    protocol: str = AS_REPORTED,
    note: str = "",
) -> PublishedRow:
    figures = dict(zip(STAGE_F1, f1, strict=True)) if f1 else {}
    figures |= {"accuracy": accuracy, "macro_f1": macro_f1} | ({"kappa": kappa} if kappa else {})
    return PublishedRow(model, protocol, MappingProxyType(figures), source, note)


def _counts(*stages: int) -> Mapping[str, int]:
    return MappingProxyType(dict(zip(("W", "N1", "N2", "N3", "REM"), stages, strict=True)))


PUBLISHED: Final = (
    PublishedDataset(
        "Sleep-EDF-20",
        39,
        20,
        _counts(8285, 2804, 17799, 5703, 7717),
        (
            _row(
                "AttnSleep",
                _ATTNSLEEP,
                "84.4",
                "78.1",
                "0.79",
                ("89.7", "42.6", "88.8", "90.2", "79.0"),
                protocol="published",
                note=_TEST_PICKED,
            ),
            _row(
                "AttnSleep, re-run",
                "an independent re-run with the pass picked on validation subjects",
                "81.7",
                "72.4",
                protocol="honest",
            ),
            _row("SleePyCo", _SLEEPYCO, "86.8", "81.2", "0.82", note=_SEQUENCE),
            _row(
                "L-SeqSleepNet",
                _LSEQSLEEPNET,
                "88.6",
                "82.9",
                "0.845",
                note=f"{_SEQUENCE}; trained on SHHS first",
            ),
            _row("AttnSleep, reproduction", _EARLIER, "84.0", "79", f1=("89", "45", "89", "91", "80")),
            _row("Conformer", _EARLIER, "83", "78", f1=("89", "44", "88", "89", "78")),
            _row(
                "multi-scale multi-period",
                _EARLIER,
                "84.23",
                "78.98",
                "0.785",
                ("90.18", "46.20", "88.42", "90.23", "79.87"),
            ),
        ),
    ),
    PublishedDataset(
        "Sleep-EDF-78",
        153,
        78,
        _counts(65951, 21522, 69132, 13039, 25835),
        (
            _row(
                "AttnSleep",
                _ATTNSLEEP,
                "81.3",
                "75.1",
                "0.74",
                ("92.0", "42.0", "85.0", "82.1", "74.2"),
                protocol="published",
                note=_TEST_PICKED,
            ),
            _row("SleePyCo", _SLEEPYCO, "84.6", "79.0", "0.787", note=_SEQUENCE),
        ),
    ),
    PublishedDataset(
        "SHHS",
        329,
        None,
        _counts(46319, 10304, 142125, 60153, 65953),
        (
            _row(
                "AttnSleep",
                _ATTNSLEEP,
                "84.2",
                "75.3",
                "0.78",
                ("86.7", "33.2", "87.1", "87.1", "82.1"),
                protocol="published",
                note=_TEST_PICKED,
            ),
            _row("DetectSleepNet", _DETECTSLEEPNET, "88.0", "80.7", "0.83", note=_SWAPPED),
        ),
    ),
)
"""Single-channel results; the stages' F1, where known, are of W N1 N2 N3 REM."""


def _key(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


_BY_KEY: Final = {_key(dataset.name): dataset for dataset in PUBLISHED}
