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
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sleepviewer.errors import CheckpointError, OutputError
from sleepviewer.files import atomic_writer, sha256_of
from sleepviewer.models.afr import N_FEATURES
from sleepviewer.models.card import ModelCard, card_json, parse_card
from sleepviewer.models.context import ContextModel
from sleepviewer.models.epoch_model import EpochModel
from sleepviewer.models.family import MemberName, build_epoch_model
from sleepviewer.models.mrcnn import mrcnn_width
from sleepviewer.models.shape import InputShape

StateDict = dict[str, Tensor]

CONTEXT_PREFIX: Final = "context."
"""Begins the names of a context model's tensors."""
_GAP: Final = CONTEXT_PREFIX + "gap"

PUBLISHED_RATES_HZ: Final = (100, 125)
"""The rates of the published AttnSleep: Sleep-EDF and SHHS."""

_ZIP_MAGIC: Final = b"PK\x03\x04"
_PICKLE_MAGIC: Final = b"\x80"
_SAFETENSORS_JSON_AT: Final = 8
"""A safetensors file begins with the length of its header in eight bytes, the first of which may be a pickle's."""
_HEAD: Final = "fc.weight"
_MAX_SENTENCE_NAMES: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class LoadedWeights:
    """Weights that fit the card's member; ``notes`` say what was assumed about them.

    The epoch model's tensors have the published names, the context model's begin with ``context.``.
    """

    state: StateDict
    card: ModelCard
    sha256: str
    notes: tuple[str, ...] = ()

    def build(self) -> EpochModel:
        """Return the epoch model with these weights, in eval mode, on the CPU."""
        model = build_epoch_model(self.card.member, self.card.shape)
        model.load_state_dict({name: t for name, t in self.state.items() if not name.startswith(CONTEXT_PREFIX)})
        return model.eval()

    def build_context(self) -> ContextModel | None:
        """Return the context model with these weights, in eval mode, on the CPU; None for a member without one."""
        if not MemberName.parse(self.card.member).context:
            return None
        model = ContextModel()
        own = {
            name.removeprefix(CONTEXT_PREFIX): t for name, t in self.state.items() if name.startswith(CONTEXT_PREFIX)
        }
        model.load_state_dict(own)
        return model.eval()


def load_weights(path: Path) -> LoadedWeights:
    """Load and check the weights of a member of the family.

    Raises CheckpointError, in one sentence, for a file that is missing, damaged, unsafe, incomplete, of another model,
    or at odds with its card.
    """
    try:
        with path.open("rb") as file:
            head = file.read(9)
        sha256 = sha256_of(path)
    except OSError as error:
        raise CheckpointError(f"The weights {path} can't be read: {error.strerror or error}.") from error
    is_torch = _is_torch(head)
    if path.suffix == ".safetensors":
        if is_torch:
            raise CheckpointError(
                f"{path.name} is called safetensors but is a torch file; "
                "give it the suffix .pt if it is a checkpoint of the published AttnSleep code."
            )
        state = _read_safetensors(path)
    elif is_torch:
        state = _read_torch(path)
    else:
        raise CheckpointError(
            f"{path.name} is neither safetensors nor a torch checkpoint; choose a .safetensors or .pt file of weights."
        )
    card, notes = _card_of(path, state)
    if MemberName.parse(card.member).context:
        # A context of the first version has no vector for a gap: zeros are what the GRU finds least surprising.
        state.setdefault(_GAP, torch.zeros_like(ContextModel().gap))
    _check_shapes(state, card, path)
    return LoadedWeights(state=state, card=card, sha256=sha256, notes=notes)


def save_weights(path: Path, state: Mapping[str, Tensor], card: ModelCard) -> None:
    """Write weights as safetensors with their card in the metadata, whole or not at all.

    Raises OutputError where the file can't be written or is not called ``.safetensors``.
    """
    if path.suffix != ".safetensors":
        raise OutputError(f"{path.name} can't be written: a file of weights must end in .safetensors.")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with atomic_writer(path) as file:
        file.write(save(tensors, metadata={"card": json.dumps(card.as_dict())}))


def _is_torch(head: bytes) -> bool:
    """Whether a file that begins so is a torch checkpoint, of today (zip) or of long ago (pickle)."""
    if head[_SAFETENSORS_JSON_AT:] == b"{":
        return False
    return head.startswith((_ZIP_MAGIC, _PICKLE_MAGIC))


def _read_safetensors(path: Path) -> StateDict:
    """Return the tensors of a safetensors file."""
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
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


def _published_shape(state: StateDict, path: Path) -> InputShape:
    """Return the shape of the published model whose head is as wide as this one's."""
    if _HEAD in state and state[_HEAD].ndim == 2:
        width = state[_HEAD].shape[1]
        for rate_hz in PUBLISHED_RATES_HZ:
            shape = InputShape.whole_epoch(rate_hz)
            if width == N_FEATURES * mrcnn_width(shape):
                return shape
    raise CheckpointError(f"{path.name} holds the weights of another model than AttnSleep at 100 or 125 Hz.")


def _check_shapes(state: StateDict, card: ModelCard, path: Path) -> None:
    """Raise CheckpointError where names, shapes or values are not those of the card's member."""
    with torch.device("meta"):
        expected = {name: t.shape for name, t in build_epoch_model(card.member, card.shape).state_dict().items()}
        if MemberName.parse(card.member).context:
            expected |= {CONTEXT_PREFIX + name: t.shape for name, t in ContextModel().state_dict().items()}
    what = f"{card.member} at {card.rate_hz} Hz"
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


def _card_of(path: Path, state: StateDict) -> tuple[ModelCard, tuple[str, ...]]:
    """Return the card beside the file, else in its metadata, else the published code's conventions with a note."""
    try:
        content = card_json(path)
        if content is None or (isinstance(content, dict) and "member" not in content):
            shape = _published_shape(state, path)
        else:
            shape = InputShape.whole_epoch(PUBLISHED_RATES_HZ[0])
        plain = ModelCard(name=path.stem, rate_hz=shape.rate_hz, epoch_samples=shape.n_samples)
        if content is None:
            return plain, (f"{path.name} has no card: its model was given microvolts as they are.",)
        card = parse_card(content, plain)
    except CheckpointError:
        raise
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"The card of {path.name} can't be read ({error}); correct or remove it.") from error
    if "member" not in content and card.shape != shape:
        raise CheckpointError(
            f"The card of {path.name} says {card.rate_hz} Hz and {card.epoch_samples} samples an epoch, but its "
            f"weights take {shape.rate_hz} Hz and {shape.n_samples}; correct the card."
        )
    return card, ()
