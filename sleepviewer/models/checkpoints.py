"""Weights on disk: read without ever running code from them, checked whole before they are used.

Two kinds are read. SleepViewer's own are safetensors with a model card, as JSON beside the file (``NAME.json``) or
under ``card`` in the file's metadata. The published AttnSleep code's are torch files holding a dict with
``state_dict``; their models take microvolts as they are.
"""

from __future__ import annotations

import json
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sleepviewer.errors import CheckpointError, OutputError
from sleepviewer.files import atomic_writer, sha256_of
from sleepviewer.models.attnsleep import N_FEATURES, VARIANTS, AttnSleep
from sleepviewer.models.normalisation import Normalisation

StateDict = dict[str, Tensor]

_ZIP_MAGIC: Final = b"PK\x03\x04"
_PICKLE_MAGIC: Final = b"\x80"
_HEAD: Final = "fc.weight"
_MAX_SENTENCE_NAMES: Final = 3


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model's file says about it.

    ``rate_hz`` and ``epoch_samples`` are the input's; ``trained_on`` says on which recordings, ``measured`` holds the
    figures measured with it (name to value).
    """

    name: str
    rate_hz: int
    epoch_samples: int
    normalisation: Normalisation = Normalisation.NONE
    trained_on: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class LoadedWeights:
    """Weights that fit :class:`AttnSleep` at the card's rate; ``notes`` say what was assumed about them."""

    state: StateDict
    card: ModelCard
    sha256: str
    notes: tuple[str, ...] = ()

    def build(self) -> AttnSleep:
        """Return the model with these weights, in eval mode, on the CPU."""
        model = AttnSleep(self.card.rate_hz)
        model.load_state_dict(self.state)
        return model.eval()


def load_weights(path: Path) -> LoadedWeights:
    """Load and check the weights of an AttnSleep model.

    Raises CheckpointError, in one sentence, for a file that is missing, damaged, unsafe, incomplete, of another model,
    or at odds with its card.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        sha256 = sha256_of(path)
    except OSError as error:
        raise CheckpointError(f"The weights {path} can't be read: {error.strerror or error}.") from error
    is_torch = magic == _ZIP_MAGIC or magic[:1] == _PICKLE_MAGIC
    if path.suffix == ".safetensors":
        if is_torch:
            raise CheckpointError(
                f"{path.name} is called safetensors but is a torch file; "
                "give it the suffix .pt if it is a checkpoint of the published AttnSleep code."
            )
        state, metadata = _read_safetensors(path)
    elif is_torch:
        state, metadata = _read_torch(path), {}
    else:
        raise CheckpointError(
            f"{path.name} is neither safetensors nor a torch checkpoint; choose a .safetensors or .pt file of weights."
        )
    rate_hz = _rate_of(state, path)
    _check_shapes(state, rate_hz, path)
    card, notes = _card_of(path, metadata, rate_hz)
    return LoadedWeights(state=state, card=card, sha256=sha256, notes=notes)


def save_weights(path: Path, state: Mapping[str, Tensor], card: ModelCard) -> None:
    """Write weights as safetensors with their card in the metadata, whole or not at all.

    Raises OutputError where the file can't be written or is not called ``.safetensors``.
    """
    if path.suffix != ".safetensors":
        raise OutputError(f"{path.name} can't be written: a file of weights must end in .safetensors.")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with atomic_writer(path) as file:
        file.write(save(tensors, metadata={"card": json.dumps(asdict(card))}))


def _read_safetensors(path: Path) -> tuple[StateDict, dict[str, str]]:
    """Return the tensors and the metadata of a safetensors file."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path.name} is damaged or no safetensors file ({error}); fetch it again.") from error


def _read_torch(path: Path) -> StateDict:
    """Return the tensors of a torch file: its ``state_dict``, or itself where it is one; ``module.`` is cut off."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols: what it can't read, it refuses
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "Unsupported" not in str(error):
            raise _damaged(path) from error
        raise CheckpointError(
            f"{path.name} holds more than weights (the published trainer stores its settings with them), and is not "
            "opened because that would run code from it; where you trust it, save its state_dict alone with torch.save "
            "and choose that file."
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, IndexError, AttributeError, TypeError, OSError) as error:
        raise _damaged(path) from error
    if isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise CheckpointError(f"{path.name} holds no state_dict of tensors; choose a checkpoint of the AttnSleep code.")
    return {str(name).removeprefix("module."): tensor for name, tensor in content.items()}


def _damaged(path: Path) -> CheckpointError:
    return CheckpointError(f"{path.name} is damaged or no torch checkpoint; fetch it again.")


def _rate_of(state: StateDict, path: Path) -> int:
    """Return the sampling rate in Hz whose epochs give the head's input width."""
    if _HEAD in state and state[_HEAD].ndim == 2:
        width = state[_HEAD].shape[1]
        for rate_hz, variant in VARIANTS.items():
            if width == N_FEATURES * variant.d_model:
                return rate_hz
    raise CheckpointError(f"{path.name} holds the weights of another model than AttnSleep at 100 or 125 Hz.")


def _check_shapes(state: StateDict, rate_hz: int, path: Path) -> None:
    """Raise CheckpointError where names, shapes or values are not those of a usable AttnSleep."""
    with torch.device("meta"):
        expected = {name: tensor.shape for name, tensor in AttnSleep(rate_hz).state_dict().items()}
    what = f"the AttnSleep of {rate_hz} Hz"
    if missing := sorted(expected.keys() - state.keys()):
        raise CheckpointError(f"{path.name} lacks weights of {what}: {_some(missing)}; it is incomplete.")
    if foreign := sorted(state.keys() - expected.keys()):
        raise CheckpointError(f"{path.name} holds weights that are none of {what}: {_some(foreign)}.")
    if wrong := [name for name, shape in expected.items() if state[name].shape != shape]:
        raise CheckpointError(f"{path.name} has weights of other shapes than {what}: {_some(wrong)}.")
    if broken := [name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all())]:
        raise CheckpointError(f"{path.name} holds values that are no numbers in {_some(broken)}; its training failed.")


def _some(names: list[str]) -> str:
    """Return the first names and how many more there are."""
    rest = len(names) - _MAX_SENTENCE_NAMES
    return ", ".join(names[:_MAX_SENTENCE_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def _card_of(path: Path, metadata: Mapping[str, str], rate_hz: int) -> tuple[ModelCard, tuple[str, ...]]:
    """Return the card beside the file, else in its metadata, else the published code's conventions with a note."""
    plain = ModelCard(name=path.stem, rate_hz=rate_hz, epoch_samples=VARIANTS[rate_hz].n_samples)
    beside = path.with_suffix(".json")
    try:
        text = beside.read_text(encoding="utf-8") if beside.is_file() else metadata.get("card")
        if text is None:
            return plain, (f"{path.name} has no card: its model was given microvolts as they are.",)
        card = _parse_card(json.loads(text), plain)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"The card of {path.name} can't be read ({error}); correct or remove it.") from error
    if (card.rate_hz, card.epoch_samples) != (plain.rate_hz, plain.epoch_samples):
        raise CheckpointError(
            f"The card of {path.name} says {card.rate_hz} Hz and {card.epoch_samples} samples an epoch, but its "
            f"weights take {plain.rate_hz} Hz and {plain.epoch_samples}; correct the card."
        )
    return card, ()


def _parse_card(content: Any, plain: ModelCard) -> ModelCard:
    """Return the card of parsed JSON; raises ValueError, TypeError or KeyError where it is not one.

    ``rate_hz`` and ``normalisation`` must be there: guessing either would give wrong stages without a word.
    """
    if not isinstance(content, dict):
        raise TypeError("it is no JSON object")
    if lacking := {"rate_hz", "normalisation"} - content.keys():
        raise ValueError(f"it lacks {' and '.join(sorted(lacking))}")
    measured = content.get("measured", {})
    if not isinstance(measured, dict):
        raise TypeError("“measured” is no JSON object")
    return replace(
        plain,
        name=str(content.get("name", plain.name)),
        rate_hz=int(content["rate_hz"]),
        epoch_samples=int(content.get("epoch_samples", plain.epoch_samples)),
        normalisation=Normalisation(content["normalisation"]),
        trained_on=str(content.get("trained_on", "")),
        measured={str(name): float(value) for name, value in measured.items()},
    )
