"""Write docs/keys.md from the key table.

python tools/write_keys_page.py
"""

from __future__ import annotations

from pathlib import Path

from sleepviewer.app.keys.help_text import keys_markdown

PAGE = Path(__file__).resolve().parent.parent / "docs" / "keys.md"

if __name__ == "__main__":
    PAGE.write_text(keys_markdown(), encoding="utf-8")
    print(f"{PAGE} written")
