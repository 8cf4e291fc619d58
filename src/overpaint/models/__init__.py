"""Models under one contract (``base.Translator``), by name, and the description from which one is rebuilt."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import nn

from overpaint.errors import ConfigError
from overpaint.models import cyclegan, pix2pix
from overpaint.models.base import StepResult, Translator, Update
from overpaint.models.registry import MODELS
from overpaint.nets import DISCRIMINATORS, GENERATORS

__all__ = [
    "MODELS", "ModelSpec", "StepResult", "Translator", "Update", "build_generator", "build_model", "cyclegan",
    "pix2pix",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """Everything that is needed to build a model again; plain data, kept in run folders and weight files."""

    name: str
    """A name of ``MODELS``."""
    options: dict[str, Any] = field(default_factory=dict)
    """Fields of the model's config."""
    generator: dict[str, Any] = field(default_factory=lambda: {"name": "resnet"})
    """``name`` and keyword arguments of a generator."""
    discriminator: dict[str, Any] = field(default_factory=lambda: {"name": "patchgan"})
    """``name`` and keyword arguments of a discriminator."""
    channels_a: int = 3
    channels_b: int = 3


def _maker(registry: Any, part: dict[str, Any]) -> Any:
    options = {key: value for key, value in part.items() if key != "name"}
    return partial(registry[part["name"]], **options)


def build_model(spec: ModelSpec) -> Translator:
    """A model with fresh weights, drawn from torch's global generator.

    Raises:
        ConfigError: for unknown names or options, or options that contradict.
    """
    model_class = MODELS[spec.name]
    try:
        return model_class(
            generator=_maker(GENERATORS, spec.generator),
            discriminator=_maker(DISCRIMINATORS, spec.discriminator),
            channels_a=spec.channels_a,
            channels_b=spec.channels_b,
            config=model_class.config_class(**spec.options),
        )
    except (TypeError, ValueError) as error:
        raise ConfigError(f"the model can't be built: {error}") from None


def build_generator(spec: ModelSpec, direction: str) -> nn.Module:
    """One generator of a model, without the rest, in evaluation mode.

    Raises:
        ConfigError: for unknown names, options or directions.
    """
    channels = {"a2b": (spec.channels_a, spec.channels_b), "b2a": (spec.channels_b, spec.channels_a)}
    model_class = MODELS[spec.name]
    if direction not in model_class.generators:
        raise ConfigError(f"{spec.name} does not translate {direction!r}; it knows {', '.join(model_class.generators)}")
    in_channels, out_channels = channels[direction]
    network = _maker(GENERATORS, spec.generator)(in_channels=in_channels, out_channels=out_channels)
    if model_class.paired:
        pix2pix.use_picture_statistics(network)
    return network.eval()
