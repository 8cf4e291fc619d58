"""Weights in the layout of the CycleGAN and Pix2Pix authors' PyTorch code, to and from the networks here.

Their files are plain state dicts of nested ``nn.Sequential``; a layer's place in the sequence is its name. Which network a
file belongs to can be read from its keys and shapes.
"""

import re
from typing import Any

import torch
from torch import Tensor, nn

from overpaint.errors import ModelFileError
from overpaint.nets import DISCRIMINATORS, GENERATORS
from overpaint.nets.layers import BlurDownsample, BlurUpsample
from overpaint.nets.patchgan import PatchDiscriminator, PixelDiscriminator
from overpaint.nets.resnet import ResnetGenerator
from overpaint.nets.unet import UnetGenerator

State = dict[str, Tensor]
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def load_authors(network: nn.Module, state: State) -> None:
    """Loads the authors' weights into a network of the same architecture.

    Running statistics that old versions kept under instance norm, and a ``module.`` prefix, are dropped.

    Raises:
        ModelFileError: if the file belongs to another architecture.
    """
    state = {key.removeprefix("module."): value for key, value in state.items()}
    wanted = network.state_dict()
    converted, used = {}, set()
    for theirs, ours in _layers(network):
        for key in [key for key in state if key.rpartition(".")[0] == theirs]:
            name = key.rpartition(".")[2]
            used.add(key)
            if f"{ours}.{name}" in wanted:
                converted[f"{ours}.{name}"] = state[key]
            elif name not in _STATISTICS:
                raise ModelFileError(f"the weights hold {key}, for which {type(network).__name__} has no place")
    left = [key for key in state if key not in used and key.rpartition(".")[2] not in _STATISTICS]
    if left:
        raise ModelFileError(f"the weights hold {left[0]}, for which {type(network).__name__} has no place")
    try:
        network.load_state_dict(converted)
    except RuntimeError as error:
        reason = re.sub(r"\s+", " ", str(error))
        raise ModelFileError(f"the weights are not those of this {type(network).__name__}: {reason}") from None


def authors_state(network: nn.Module) -> State:
    """A network's weights under the authors' names."""
    state = network.state_dict()
    return {
        f"{theirs}.{key.removeprefix(ours + '.')}": value
        for theirs, ours in _layers(network)
        for key, value in state.items()
        if key.rpartition(".")[0] == ours
    }


def _layers(network: nn.Module) -> list[tuple[str, str]]:
    """The authors' name and ours for every layer that can hold weights."""
    if isinstance(network, ResnetGenerator):
        return _resnet_layers(network)
    if isinstance(network, UnetGenerator):
        return _unet_layers(network)
    if isinstance(network, PatchDiscriminator):
        return [(f"model.{place}", f"body.{place}") for place in range(len(network.body))]
    if isinstance(network, PixelDiscriminator):
        return [(f"net.{place}", f"body.{place}") for place in range(len(network.body))]
    raise ModelFileError(f"{type(network).__name__} has no counterpart among the authors' networks")


def _resnet_layers(network: ResnetGenerator) -> list[tuple[str, str]]:
    if network.skip != "none":
        raise ModelFileError("the authors' ResNet has no skip from the first layer to the last; this one does")
    if any(isinstance(module, BlurDownsample | BlurUpsample | nn.Upsample) for module in network.modules()):
        raise ModelFileError("the authors' ResNet has transposed convolutions; this one upsamples another way")
    layers = [(f"model.{place}", f"stem.{place}") for place in range(4)]
    place = 4
    for level in range(2):
        layers += [(f"model.{place + part}", f"down.{level}.{part}") for part in range(3)]
        place += 3
    for number in range(len(network.blocks)):
        body: nn.Sequential = network.blocks[number].body  # type: ignore[assignment]
        theirs = 0
        for ours, part in enumerate(body):
            # Their sequence leaves out what does nothing: dropout of 0, and zero padding, which is the convolution's own.
            if isinstance(part, nn.ZeroPad2d) or (isinstance(part, nn.Dropout) and part.p == 0):
                continue
            layers.append((f"model.{place}.conv_block.{theirs}", f"blocks.{number}.body.{ours}"))
            theirs += 1
        place += 1
    for level in range(2):
        layers += [(f"model.{place + part}", f"up.{level}.{part}") for part in range(3)]
        place += 3
    return layers + [(f"model.{place + part}", f"head.{part}") for part in range(3)]


def _unet_layers(network: UnetGenerator) -> list[tuple[str, str]]:
    layers = []
    prefix, depth = "model", len(network.down)
    for level in range(depth):
        down: nn.Sequential = network.down[level]  # type: ignore[assignment]
        up: nn.Sequential = network.up[level]  # type: ignore[assignment]
        layers += [(f"{prefix}.model.{place}", f"down.{level}.{place}") for place in range(len(down))]
        inner = len(down) + (level < depth - 1)  # the block within stands between going down and coming up
        layers += [(f"{prefix}.model.{inner + place}", f"up.{level}.{place}") for place in range(len(up))]
        prefix = f"{prefix}.model.{len(down)}"
    return layers


def recognise(state: State) -> tuple[str, dict[str, Any]]:
    """Which network a file of the authors' weights belongs to.

    What leaves no trace in the weights keeps its default: the norm of a network without norm weights and with biases is
    instance, dropout in a U-Net is 0.5, padding that takes a layer is reflect.

    Returns:
        A name of the generators or discriminators, and keyword arguments for it.

    Raises:
        ModelFileError: if it is none of theirs.
    """
    state = {key.removeprefix("module."): value for key, value in state.items()}
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    if "net.0.weight" in shapes:
        width, in_channels = shapes["net.0.weight"][:2]
        return "pixel", {"in_channels": in_channels, "width": width, "norm": _norm(shapes, "net.3", "net.2")}
    if "model.model.0.weight" in shapes:
        return "unet", _recognise_unet(shapes)
    if any(".conv_block." in key for key in shapes):
        return "resnet", _recognise_resnet(shapes)
    if shapes.get("model.0.weight", ())[2:] == (4, 4):
        return "patchgan", _recognise_patchgan(shapes)
    raise ModelFileError(
        "these are no weights of the CycleGAN and Pix2Pix authors' networks (ResNet, U-Net, PatchGAN, pixel)"
    )


def _norm(shapes: dict[str, tuple[int, ...]], norm: str, conv: str) -> str:
    if f"{norm}.weight" in shapes:
        return "batch"
    return "instance" if f"{conv}.bias" in shapes else "none"


def _recognise_patchgan(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    width, in_channels = shapes["model.0.weight"][:2]
    last = max(int(key.split(".")[1]) for key in shapes)
    return {
        "in_channels": in_channels,
        "width": width,
        "layers": (last - 2) // 3,
        "norm": _norm(shapes, "model.3", "model.2"),
    }


def _recognise_unet(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    width, in_channels = shapes["model.model.0.weight"][:2]
    downs = 1 + max(key.count(".model.") for key in shapes if key.startswith("model.model.1.")) - 1
    return {
        "in_channels": in_channels,
        "out_channels": shapes["model.model.3.weight"][1],
        "width": width,
        "downs": downs,
        "norm": _norm(shapes, "model.model.1.model.2", "model.model.1.model.1"),
    }


def _recognise_resnet(shapes: dict[str, tuple[int, ...]]) -> dict[str, Any]:
    width, in_channels = shapes["model.1.weight"][:2]
    blocks = {int(key.split(".")[1]) for key in shapes if ".conv_block." in key}
    first = min(blocks)
    convs = sorted(
        int(key.split(".")[3]) for key, shape in shapes.items() if key.startswith(f"model.{first}.") and len(shape) == 4
    )
    padded = convs[0] == 1
    dropout = 0.5 if convs[1] - convs[0] - padded == 4 else 0.0
    last = max(int(key.split(".")[1]) for key in shapes)
    return {
        "in_channels": in_channels,
        "out_channels": shapes[f"model.{last}.weight"][0],
        "width": width,
        "blocks": len(blocks),
        "norm": _norm(shapes, "model.2", "model.1"),
        "padding": "reflect" if padded else "zero",
        "dropout": dropout,
    }


def read_authors(state: State) -> nn.Module:
    """A network with the authors' weights, of the architecture that they show."""
    name, options = recognise(state)
    registry = GENERATORS if name in GENERATORS else DISCRIMINATORS
    with torch.random.fork_rng(devices=[]):
        network = registry[name](**options)
    load_authors(network, state)
    return network
