"""Say what a bundle holds and how large it is.

    python packaging/contents.py dist/sleepviewer packaging/contents-linux.json

Sizes are of files as they lie on the disk, links counted once, in MB of 10^6 bytes.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Final

_INSIDE: Final = "_internal"
_LEAST_MB: Final = 1.0


def main() -> None:
    """Write the list, and print it."""
    text = json.dumps(listing(Path(sys.argv[1])), indent=2)
    Path(sys.argv[2]).write_text(text + "\n")
    print(text)


def listing(bundle: Path) -> dict[str, object]:
    """Return the sizes of a bundle, as a whole and by package."""
    sizes: Counter[str] = Counter()
    seen: set[tuple[int, int]] = set()
    for path in bundle.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        status = path.stat()
        if (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            sizes[part_of(path.relative_to(bundle))] += status.st_size
    large = {name: round(size / 1e6, 1) for name, size in sizes.most_common() if size / 1e6 >= _LEAST_MB}
    return {
        "total_mb": round(sum(sizes.values()) / 1e6, 1),
        "files": len(seen),
        "parts_mb": large,
        "rest_mb": round(sum(size for name, size in sizes.items() if name not in large) / 1e6, 1),
    }


def part_of(path: Path) -> str:
    """Return the package, or the file, that a path in the bundle belongs to."""
    parts = path.parts[1:] if path.parts[0] == _INSIDE else path.parts
    return parts[0].removesuffix(".libs")


if __name__ == "__main__":
    main()
