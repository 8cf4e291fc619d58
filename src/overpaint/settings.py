"""The settings of a whole run: presets, what the data and the machine decide, checked once, frozen."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from overpaint.config import Section, dump_yaml, merge, parse_sections, read_yaml
from overpaint.data.catalog import SEASONS, DataConfig, PictureSets, is_paired
from overpaint.errors import ConfigError, DataError
from overpaint.models import MODELS, ModelSpec
from overpaint.nets import DISCRIMINATORS, GENERATORS
from overpaint.presets import preset_files
from overpaint.trainer import TrainConfig

_NOT_SETTINGS = ("in_channels", "out_channels")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything about a run, every default filled in."""

    data: DataConfig
    model: ModelSpec
    train: TrainConfig

    def to_dict(self) -> dict[str, Any]:
        """As it stands in ``config.yaml``."""
        return {
            "data": asdict(self.data),
            "model": {"name": self.model.name, **self.model.options},
            "generator": dict(self.model.generator),
            "discriminator": dict(self.model.discriminator),
            "train": asdict(self.train),
        }

    def to_yaml(self) -> str:
        """The text of ``config.yaml``."""
        return dump_yaml(self.to_dict())


def read_preset(name: str) -> dict[str, Any]:
    """The settings of a preset.

    Raises:
        ConfigError: if there is none of that name; the message lists them.
    """
    return read_yaml(preset_files()[name])


def sections_for(settings: dict[str, Any]) -> dict[str, Section]:
    """The sections of a run, whose fields depend on which model and networks are named.

    Raises:
        ConfigError: for a name that isn't known, or a section that isn't a mapping.
    """
    _check_sections(settings)

    def named(key: str, default: str) -> str:
        return settings.get(key, {}).get("name", default)

    model = named("model", "cyclegan")
    paired = MODELS[model].paired
    generator, discriminator = named("generator", "unet" if paired else "resnet"), named("discriminator", "patchgan")
    return {
        "data": Section(DataConfig),
        "model": Section(MODELS[model].config_class, name=model),
        "generator": Section(GENERATORS[generator], _NOT_SETTINGS, generator),
        "discriminator": Section(DISCRIMINATORS[discriminator], _NOT_SETTINGS, discriminator),
        "train": Section(TrainConfig),
    }


def _check_sections(settings: dict[str, Any]) -> None:
    for key, value in settings.items():
        if not isinstance(value, dict):
            raise ConfigError(
                f"{key}: {value!r} is not a section; sections: data, model, generator, discriminator, train"
            )


def parse_run(settings: dict[str, Any], flags: Sequence[str] = ()) -> RunConfig:
    """Checked settings of a run.

    Args:
        settings: by section, as read from YAML.
        flags: ``--section.field value``, over the settings.

    Raises:
        ConfigError: for unknown names, wrong types and values out of range.
    """
    settings = merge(settings, _named_in(flags))
    parsed = parse_sections(sections_for(settings), settings, flags)
    data, train = DataConfig(**parsed["data"]), TrainConfig(**parsed["train"])
    model = dict(parsed["model"])
    spec = ModelSpec(
        name=model.pop("name"),
        options=model,
        generator=parsed["generator"],
        discriminator=parsed["discriminator"],
        channels_a=data.channels_a if data.direction == "a2b" else data.channels_b,
        channels_b=data.channels_b if data.direction == "a2b" else data.channels_a,
    )
    MODELS[spec.name].config_class(**spec.options)  # its checks
    return RunConfig(data=data, model=spec, train=train)


def _named_in(flags: Sequence[str]) -> dict[str, Any]:
    """Which parts the flags ask for: they decide which other flags there are."""
    chosen: dict[str, Any] = {}
    for number, flag in enumerate(flags):
        name, _, value = flag.partition("=")
        if name.startswith("--") and name.endswith(".name"):
            given = value or (flags[number + 1] if number + 1 < len(flags) else "")
            chosen[name.removeprefix("--").removesuffix(".name")] = {"name": given}
    return chosen


def choose(
    root: str | None, preset: str | None, config_file: Path | None, flags: Sequence[str] = ()
) -> tuple[RunConfig, list[str]]:
    """The settings of a new run: a preset, a file over it, flags over both; without a preset the data and machine decide.

    Returns:
        The settings, and sentences about what was chosen.

    Raises:
        ConfigError, DataError: if the settings or the layout of the data are wrong.
    """
    given = read_yaml(config_file) if config_file else {}
    _check_sections(given)
    if root is not None:
        where = root if root == SEASONS else str(Path(root).resolve())
        given = merge(given, {"data": {"root": where}})
    if not given.get("data") and not _flags_of("data", flags):
        raise DataError("no data: give a folder of pictures, or 'seasons' for drawn ones, or --data.a and --data.b")
    said = []
    if preset is None and "model" not in given:
        early = parse_sections({"data": Section(DataConfig)}, {"data": given.get("data", {})}, _flags_of("data", flags))
        paired = is_paired(DataConfig(**early["data"]))
        preset = _fitting_preset(paired)
        what = "pairs, so Pix2Pix" if paired else "two sets without pairs, so CycleGAN"
        said.append(f"the data are {what}; {_machine()}, so preset {preset} (another: --preset NAME)")
    settings = merge(read_preset(preset), given) if preset else given
    run = parse_run(settings, flags)
    paired_model = MODELS[run.model.name].paired
    if paired_model and run.data.kind == "auto" and (run.data.root == SEASONS or run.data.a):
        run = replace(run, data=replace(run.data, kind="paired"))
    elif not paired_model and run.data.kind == "auto":
        run = replace(run, data=replace(run.data, kind="unpaired"))
    if paired_model and not is_paired(run.data):
        raise ConfigError(
            f"{run.model.name} learns from pairs, but {run.data.root} holds two sets without pairs; take a cyclegan preset, "
            "or say --data.kind paired if files of equal name belong together"
        )
    return run, said


def _flags_of(section: str, flags: Sequence[str]) -> list[str]:
    """The flags of one section, with their values."""
    own: list[str] = []
    taking = False
    for flag in flags:
        if flag.startswith("--"):
            taking = flag.startswith(f"--{section}.")
        if taking:
            own.append(flag)
    return own


def _fitting_preset(paired: bool) -> str:
    """The published size on a GPU, half of it on many cores, the tiny one elsewhere."""
    model = "pix2pix" if paired else "cyclegan"
    if torch.cuda.is_available():
        return f"{model}-256"
    return f"{model}-128" if torch.backends.mps.is_available() or (os.cpu_count() or 1) >= 16 else f"{model}-tiny"


def _machine() -> str:
    if torch.cuda.is_available():
        return f"there is a GPU ({torch.cuda.get_device_name()})"
    if torch.backends.mps.is_available():
        return "there is an Apple GPU"
    return f"there are {os.cpu_count()} processor cores and no GPU"


def complete(run: RunConfig, sets: PictureSets) -> RunConfig:
    """Fills in what depends on the pictures: the length of the run and how often it reports."""
    train = run.train
    step = train.batch * train.devices * train.nodes
    wanted = train.pictures or max(1, round(train.epochs * max(len(sets.train_a), len(sets.train_b))))
    pictures = -(-wanted // step) * step
    train = replace(
        train,
        pictures=pictures,
        log_every=train.log_every or max(10, pictures // 1000),
        sample_every=train.sample_every or max(step, pictures // 40),
        evaluate_every=train.evaluate_every or max(step, pictures // 10),
    )
    data = replace(run.data, load_size=run.data.load_size or round(run.data.size * 286 / 256))
    return replace(run, data=data, train=train)
