"""Files that a run leaves: the state that a resume needs, and the weights that users pass around.

Both are data, never code (``weights_only``, safetensors), carry a format number, and are written beside and renamed, so that a
run killed at any moment leaves the old file or the new one, never a half.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from overpaint.errors import ModelFileError, RunError
from overpaint.models import ModelSpec, build_generator

STATE_FORMAT = 1
MODEL_FORMAT = 1
_KIND = "overpaint-model"


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Has a file written beside its place, flushed to disk, and renamed over it.

    Raises:
        RunError: if the disk is full or the folder can't be written; the old file is then untouched.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.chmod(0o666 & ~_umask())  # safetensors leaves its files to their owner alone
        partial.replace(path)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise RunError(f"{path} can't be written ({error}); free some space or choose another folder") from None
    finally:
        partial.unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Writes the state of a run."""
    write_atomically(path, lambda partial: torch.save({"format": STATE_FORMAT, **state}, partial))


def load_state(path: Path) -> dict[str, Any]:
    """Reads the state of a run onto the CPU.

    Raises:
        RunError: if it is missing, damaged, or of another format.
    """
    if not path.exists():
        raise RunError(f"{path}: there is no saved state; start the run again with overpaint train")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise RunError(
            f"{path} is damaged ({type(error).__name__}); start the run again with overpaint train"
        ) from None
    if not isinstance(state, dict) or state.get("format") != STATE_FORMAT:
        known = state.get("format") if isinstance(state, dict) else None
        raise RunError(f"{path} has format {known}, this version reads {STATE_FORMAT}; use the version that wrote it")
    return state


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What a weight file says about itself, so that nothing has to be repeated to use it."""

    spec: ModelSpec
    """How to build the networks."""
    directions: dict[str, str]
    """What users call a direction, and what the model calls it: ``{"b2a": "a2b"}`` for pairs learnt from B to A."""
    size: int
    """Side of the pictures it was trained on, in pixels."""
    training: dict[str, Any] = field(default_factory=dict)
    """How it was trained: data, pictures, settings, versions."""


def save_model(path: Path, networks: dict[str, nn.Module], info: ModelInfo) -> None:
    """Writes generators, by the model's name of their direction, with everything needed to use them."""
    tensors = {
        f"{direction}.{key}": value.detach().cpu().contiguous()
        for direction, network in networks.items()
        for key, value in network.state_dict().items()
    }
    metadata = {"kind": _KIND, "format": str(MODEL_FORMAT), "info": json.dumps(asdict(info))}
    write_atomically(path, lambda partial: save_file(tensors, partial, metadata))


def load_model(path: Path) -> tuple[dict[str, nn.Module], ModelInfo]:
    """Reads generators, in evaluation mode on the CPU, by the model's name of their direction.

    Raises:
        ModelFileError: if the file is missing, damaged, or not one of overpaint's.
    """
    if not path.is_file():
        raise ModelFileError(f"{path}: there is no such model; give a model.safetensors or a run folder")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors: dict[str, Tensor] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"{path} is not a whole safetensors file ({error})") from None
    if metadata.get("kind") != _KIND:
        raise ModelFileError(
            f"{path} holds weights, but does not say of which network; it was not written by overpaint"
        )
    if metadata.get("format") != str(MODEL_FORMAT):
        raise ModelFileError(
            f"{path} has format {metadata.get('format')}, this version reads {MODEL_FORMAT}; update overpaint"
        )
    fields = json.loads(metadata["info"])
    info = ModelInfo(**(fields | {"spec": ModelSpec(**fields["spec"])}))
    networks = {}
    for direction in info.directions.values():
        network = build_generator(info.spec, direction)
        prefix = f"{direction}."
        network.load_state_dict(
            {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        )
        networks[direction] = network
    return networks, info
