"""The family's members by name, each composed from the shared parts.

``attnsleep`` is the published model; ``attnsleep-conformer`` puts Conformer blocks in the place of its encoder,
``attnsleep-msmp`` multi-scale and multi-period stacks in the place of its convolutions. Each also exists
``+context``: then a sequence network reads what the epoch model finds in the neighbouring epochs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sleepviewer.errors import CheckpointError
from sleepviewer.models.shape import InputShape

if TYPE_CHECKING:
    from sleepviewer.models.epoch_model import EpochModel

CONTEXT_SUFFIX: Final = "+context"
PUBLISHED_MEMBER: Final = "attnsleep"


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its name as on the command line, its name as shown, and how to build its epoch model."""

    name: str
    title: str
    build: Callable[[InputShape], EpochModel]


@dataclass(frozen=True, slots=True)
class MemberName:
    """A name taken apart: which epoch model, and whether a context model reads its features."""

    base: str
    context: bool

    @classmethod
    def parse(cls, name: str) -> MemberName:
        """Take a name apart. Raises CheckpointError for one that is not of the family."""
        base = name.removesuffix(CONTEXT_SUFFIX)
        if base not in MEMBERS:
            raise CheckpointError(f"There is no model called “{name}”; there are: {', '.join(all_names())}.")
        return cls(base, base != name)

    def __str__(self) -> str:
        return self.base + CONTEXT_SUFFIX * self.context


def all_names() -> tuple[str, ...]:
    """Return every member's name, each followed by the same with context."""
    return tuple(name for base in MEMBERS for name in (base, base + CONTEXT_SUFFIX))


def title_of(name: str) -> str:
    """Return a member's name as it is shown. Raises CheckpointError for an unknown name."""
    member = MemberName.parse(name)
    return MEMBERS[member.base].title + " + context" * member.context


def build_epoch_model(name: str, shape: InputShape) -> EpochModel:
    """Return a member's epoch model with torch's own initial weights.

    Raises CheckpointError for an unknown name; the context suffix is allowed and ignored.
    """
    return MEMBERS[MemberName.parse(name).base].build(shape)


def _attnsleep(shape: InputShape) -> EpochModel:
    from sleepviewer.models.epoch_model import EpochModel
    from sleepviewer.models.mrcnn import MultiResolutionCnn, mrcnn_width
    from sleepviewer.models.tce import ContextEncoder

    width = mrcnn_width(shape)
    return EpochModel(shape, MultiResolutionCnn(shape), ContextEncoder(width), width)


def _conformer(shape: InputShape) -> EpochModel:
    from sleepviewer.models.conformer import ConformerEncoder
    from sleepviewer.models.epoch_model import EpochModel
    from sleepviewer.models.mrcnn import MultiResolutionCnn, mrcnn_width

    width = mrcnn_width(shape)
    return EpochModel(shape, MultiResolutionCnn(shape), ConformerEncoder(width), width)


def _msmp(shape: InputShape) -> EpochModel:
    from sleepviewer.models.epoch_model import EpochModel
    from sleepviewer.models.mrcnn import mrcnn_width
    from sleepviewer.models.periods_and_scales import PeriodsAndScales
    from sleepviewer.models.tce import ContextEncoder

    width = mrcnn_width(shape)
    return EpochModel(shape, PeriodsAndScales(shape.n_samples, width), ContextEncoder(width), width)


MEMBERS: Final[dict[str, Member]] = {
    member.name: member
    for member in (
        Member(PUBLISHED_MEMBER, "AttnSleep", _attnsleep),
        Member("attnsleep-conformer", "AttnSleep Conformer", _conformer),
        Member("attnsleep-msmp", "AttnSleep multi-scale multi-period", _msmp),
    )
}
"""Every member by its name without context, the published one first."""
