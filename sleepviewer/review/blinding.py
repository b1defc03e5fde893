"""Scoring blind: whether what others say of the night is hidden from its scorer, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sleepviewer.errors import ArchiveError


@dataclass(frozen=True, slots=True)
class Blinding:
    """When blinding began and ended, UTC in ISO 8601; empty where it did not.

    ``seen_before`` says that a model's scoring or an expert's hypnogram was in view of this review before it began: a
    review that was opened blind has seen none. ``edits_before`` is how many commands were in force by then.
    """

    since: str = ""
    until: str = ""
    seen_before: bool = False
    edits_before: int = 0

    @property
    def active(self) -> bool:
        """Whether others' scorings are hidden now."""
        return bool(self.since) and not self.until

    @property
    def text(self) -> str:
        """What is to be known of it, in a sentence; empty where nobody was ever blinded."""
        if not self.since:
            return ""
        seen = " Others' scorings were in view before that." if self.seen_before else ""
        if self.active:
            return f"Blinded since {self.since}.{seen}"
        return f"Blinded from {self.since} until {self.until}.{seen}"

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready values, the form that archives and journals keep.

        ``blinded`` says whether it was ever so, ``active`` whether it is so now.
        """
        return {
            "blinded": bool(self.since),
            "active": self.active,
            "blinded_at": self.since,
            "unblinded_at": self.until,
            "seen_before": self.seen_before,
            "edits_before": self.edits_before,
        }

    @classmethod
    def from_dict(cls, values: Any) -> Blinding:
        """Rebuild from :meth:`as_dict`; archives of earlier versions have none. Raises ArchiveError: it is damaged."""
        if values is None:
            return NOT_BLINDED
        if not isinstance(values, Mapping):
            raise ArchiveError("What the archive says of blinding is damaged.")
        since, until, before = (values.get(key) for key in ("blinded_at", "unblinded_at", "edits_before"))
        whole = isinstance(before, int) and not isinstance(before, bool) and before >= 0
        if not (isinstance(since, str) and isinstance(until, str) and whole) or (until and not since):
            raise ArchiveError("What the archive says of blinding is damaged.")
        assert isinstance(before, int)
        return cls(since, until, values.get("seen_before") is True, before)


NOT_BLINDED: Final = Blinding()
