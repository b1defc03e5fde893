"""Widths that the night's rows and the traces share, so that their left and right edges stand in line."""

from __future__ import annotations

from typing import Final

GUTTER_PX: Final = 158
"""Width of the names' column at the left of all rows."""

RIGHT_PX: Final = 12
"""Margin at the right of all rows."""
