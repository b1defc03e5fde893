"""Write into the cards of the shipped weights which recordings they learned from, and which they never saw.

    python tools/name_training_recordings.py DATA_FOLDER MODELS_FOLDER

Only the card beside a file of weights is written: the weights keep their SHA-256. What is named is what
``tools/train_shipped_models.py`` trains on and chooses by; a training by that tool names it by itself.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from train_shipped_models import held_out_recordings, trained_on_recordings

from sleepviewer.files import atomic_writer
from sleepviewer.models.family import CONTEXT_SUFFIX, all_names
from sleepviewer.models.shipped import peek_card


def name_recordings(data: Path, models: Path) -> None:
    """Write every member's card anew that is there, beside its weights."""
    for name in all_names():
        path = models / f"{name}.safetensors"
        card = peek_card(path) if path.is_file() else None
        if card is None:
            print(f"{path} is not there, or has no card", file=sys.stderr)
            continue
        named = replace(
            card,
            trained_on_recordings=trained_on_recordings(data, context=name.endswith(CONTEXT_SUFFIX)),
            held_out_recordings=held_out_recordings(data),
        )
        with atomic_writer(path.with_suffix(".json")) as file:
            file.write((json.dumps(named.as_dict(), indent=1, ensure_ascii=False) + "\n").encode())
        print(path.with_suffix(".json"))


def main() -> None:
    """Read the two folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("models", type=Path)
    arguments = parser.parse_args()
    name_recordings(arguments.data, arguments.models)


if __name__ == "__main__":
    sys.exit(main())
