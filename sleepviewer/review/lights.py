"""When the lights went off and on: the part of the recording that is the night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sleepviewer.errors import ArchiveError

LIGHTS_KIND: Final = "lights"
"""``kind`` of a :class:`LightsEdit` among an archive's edits."""


@dataclass(frozen=True, slots=True)
class Lights:
    """Lights off and on, each at the beginning of an epoch (counted from 0), or None where it is not marked.

    ``off`` is the first epoch of the night, ``on`` the first one after it.
    """

    off: int | None = None
    on: int | None = None

    def fits(self, n_epochs: int) -> bool:
        """Whether both are epochs of the recording, and off comes before on."""
        inside = all(mark is None or 0 <= mark < n_epochs for mark in (self.off, self.on))
        return inside and (self.off is None or self.on is None or self.off < self.on)

    def as_dict(self) -> dict[str, int | None]:
        """Return JSON-ready values."""
        return {"off": self.off, "on": self.on}

    @classmethod
    def from_dict(cls, values: Any, n_epochs: int) -> Lights:
        """Rebuild from :meth:`as_dict`. Raises ArchiveError where the values are no lights of this night."""
        marks = [values.get(key) for key in ("off", "on")] if isinstance(values, dict) else ["no mapping"]
        if any(mark is not None and (not isinstance(mark, int) or isinstance(mark, bool)) for mark in marks):
            raise ArchiveError("The archive's lights off and on are no epochs.")
        lights = cls(*marks)
        if not lights.fits(n_epochs):
            raise ArchiveError("The archive's lights off and on are no epochs of this night, or in the wrong order.")
        return lights


@dataclass(frozen=True, slots=True)
class LightsEdit:
    """The expert marked lights off or on, moved a mark or took it away; ``time`` is UTC in ISO 8601."""

    before: Lights
    after: Lights
    time: str
    scorer: str = ""
    blinded: bool = False

    @property
    def text(self) -> str:
        """The edit in words: ``lights off at epoch 24``."""
        name, was, now = self._what
        return f"lights {name} at epoch {now + 1}" if now is not None else f"no lights {name} at epoch {(was or 0) + 1}"

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epoch of the mark, or where it was."""
        _, was, now = self._what
        return (now if now is not None else was or 0,)

    @property
    def _what(self) -> tuple[str, int | None, int | None]:
        """Which mark has changed, where it was and where it is."""
        if self.before.off != self.after.off:
            return "off", self.before.off, self.after.off
        return "on", self.before.on, self.after.on

    def as_dict(self) -> dict[str, Any]:
        """Return the edit as JSON-ready values, the form that archives keep."""
        return {
            "kind": LIGHTS_KIND,
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
            "time": self.time,
            "scorer": self.scorer,
            "blinded": self.blinded,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], n_epochs: int) -> LightsEdit:
        """Rebuild an edit from :meth:`as_dict`. Raises ArchiveError where the values are no edit of this night."""
        before, after = (Lights.from_dict(values.get(key), n_epochs) for key in ("before", "after"))
        if before == after:
            raise ArchiveError("The archive's edits of lights off and on change nothing.")
        time, scorer = (str(values.get(key, "")) for key in ("time", "scorer"))
        return cls(before, after, time, scorer, values.get("blinded") is True)
