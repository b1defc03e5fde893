"""What is written down of a model's scoring beside its probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sleepviewer.scoring.base import Prediction
from sleepviewer.stages import Proba


def prediction_facts(prediction: Prediction) -> dict[str, Any]:
    """Return who scored, with which weights, on which channels, as JSON-ready values."""
    return {
        "engine": prediction.engine,
        "version": prediction.engine_version,
        "weights_sha256": prediction.weights_sha256,
        "channels": list(prediction.channels),
        "device": prediction.device,
        "seconds": prediction.seconds,
        "notes": list(prediction.notes),
        "unvalidated": list(prediction.unvalidated),
    }


def prediction_of(facts: Mapping[str, Any], proba: Proba) -> Prediction:
    """Rebuild a scoring from its probabilities, ``float32 [n_epochs, 5]``, and what :func:`prediction_facts` said."""
    return Prediction(
        proba=proba,
        engine=str(facts.get("engine", "unknown")),
        engine_version=str(facts.get("version", "")),
        weights_sha256=str(facts.get("weights_sha256", "")),
        channels=tuple(str(c) for c in _list(facts, "channels")),
        seconds=float(seconds) if isinstance(seconds := facts.get("seconds"), (int, float)) else 0.0,
        device=str(facts.get("device", "")),
        notes=tuple(str(n) for n in _list(facts, "notes")),
        unvalidated=tuple(str(n) for n in _list(facts, "unvalidated")),
    )


def _list(facts: Mapping[str, Any], key: str) -> list[Any]:
    value = facts.get(key)
    return value if isinstance(value, list) else []
