"""Start and resume: the one place where data, model, trainer and run folder are put together."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from overpaint import __version__
from overpaint.batch import Batch
from overpaint.checkpoint import ModelInfo, load_state, write_atomically
from overpaint.config import read_yaml
from overpaint.data.cache import cached
from overpaint.data.catalog import PictureSets, open_sets
from overpaint.data.pictures import PairedPictures, UnpairedPictures, spread, still_pictures
from overpaint.data.sources import Source
from overpaint.errors import ConfigError, RunError
from overpaint.metrics.features import RandomFeatures, load_squeezenet
from overpaint.metrics.held_out import HeldOut
from overpaint.models import build_model
from overpaint.nets import GENERATORS
from overpaint.progress import Progress, Silent
from overpaint.session import CONFIG, MODEL, STATE, Session, Stills
from overpaint.settings import RunConfig, choose, complete, parse_run
from overpaint.trainer import Trainer, choose_precision


@dataclass(frozen=True)
class Plan:
    """A run that could begin: its settings, its pictures and what to tell about them."""

    config: RunConfig
    sets: PictureSets
    said: tuple[str, ...]


def plan_run(
    data: str | Path | None,
    preset: str | None = None,
    config_file: Path | None = None,
    flags: Sequence[str] = (),
) -> Plan:
    """Settings and pictures of a new run, all checked; nothing is written.

    Raises:
        OverpaintError: if the settings or the pictures are wrong.
    """
    config, said = choose(None if data is None else str(data), preset, config_file, flags)
    _check_networks(config)
    sets = open_sets(config.data, config.train.seed)
    return Plan(complete(config, sets), sets, (*said, *sets.notes))


def start(plan: Plan, out: Path, progress: Progress | None = None) -> int:
    """Begins a run in a new folder and trains to its end.

    Args:
        plan: from ``plan_run``.
        out: the run folder; may exist if it is empty.
        progress: where to tell how it goes.

    Returns:
        The number of the signal that stopped it, or 0.

    Raises:
        OverpaintError: if the folder is taken, or the run can't go on.
    """
    out = Path(out)
    if (out / STATE).exists() or (out / CONFIG).exists():
        raise RunError(f"{out} holds a run already; go on with: overpaint resume {out} (or choose another --out)")
    if out.is_file() or (out.is_dir() and any(out.iterdir())):
        raise RunError(f"{out} is not an empty folder; choose another --out")
    session = _session(plan, out, progress or Silent(), None)
    if session.leader:
        write_atomically(out / CONFIG, lambda path: path.write_text(plan.config.to_yaml(), encoding="utf-8"))
    return session.run()


def resume(out: Path, progress: Progress | None = None) -> int:
    """Goes on with a run from its last saved state, as if it had never stopped.

    Args:
        out: the run folder.
        progress: where to tell how it goes.

    Returns:
        The number of the signal that stopped it, or 0.

    Raises:
        OverpaintError: if there is nothing to resume, or the data have changed.
    """
    out = Path(out)
    if not (out / CONFIG).exists():
        raise RunError(f"{out} is not a run folder (it has no {CONFIG}); start one with overpaint train")
    config = parse_run(read_yaml(out / CONFIG))
    state = load_state(out / STATE)
    if state["pictures"] >= (config.train.pictures or 0):
        raise RunError(f"{out} is finished ({state['pictures']} pictures); its weights are {out / MODEL}")
    progress = progress or Silent()
    sets = open_sets(config.data, config.train.seed)
    for note in sets.notes:
        progress.say(note)
    session = _session(Plan(config, sets, ()), out, progress, state)
    return session.run()


def _session(plan: Plan, out: Path, progress: Progress, state: dict[str, Any] | None) -> Session:
    config, sets = plan.config, plan.sets
    train = config.train
    torch.manual_seed(train.seed)
    precision = choose_precision(train)
    trainer = Trainer(build_model(config.model), train, precision)
    if state is not None:
        trainer.load_state_dict(state)
    multiple = _multiple(config)
    transform = config.data.transform(multiple)
    folder = out / "cache"
    train_a, train_b = (cached(s, transform, config.data.cache, folder) for s in (sets.train_a, sets.train_b))
    dataset_class = PairedPictures if sets.paired else UnpairedPictures
    dataset = dataset_class(train_a, train_b, transform, train.seed)
    samples = _stills(config, sets, train.samples)
    measured = _stills(config, sets, train.evaluate_pictures)
    info = ModelInfo(
        spec=config.model,
        directions={"b2a": "a2b"} if config.data.direction == "b2a" else {w: w for w in trainer.model.directions},
        size=config.data.size,
        training={
            "overpaint": __version__,
            "data": _data_name(config),
            "training_pictures": [len(sets.train_a), len(sets.train_b)],
            "settings": _without_folders(config.to_dict()),
            "environment": environment(trainer, precision),
        },
    )
    session = Session(
        out,
        config,
        trainer,
        dataset,
        samples,
        _held_out(config, measured),
        info,
        progress,
        best=state["best"] if state else None,
    )
    return session


def _check_networks(config: RunConfig) -> None:
    """Refuses networks that can't be built and sizes that the generator can't take, before any picture is opened."""
    multiple = _multiple(config)
    if config.data.resize != "none" and config.data.size % multiple:
        lower = max(multiple, config.data.size // multiple * multiple)
        raise ConfigError(
            f"data.size is {config.data.size}, but generator {config.model.generator['name']} needs a multiple of {multiple}; "
            f"take {lower} or {lower + multiple}"
            + (", or fewer generator.downs" if "downs" in config.model.generator else "")
        )
    _step_without_data(config)
    if config.data.resize == "none" and config.train.batch > 1:
        raise ConfigError("data.resize none keeps every picture's own size, which needs train.batch 1")


def _step_without_data(config: RunConfig) -> None:
    """One step on shapes alone, which finds pictures too small for a network and channels that don't fit."""
    spec, size = config.model, config.data.size
    with torch.device("meta"):
        model = build_model(spec)
        a, b = (
            torch.empty(config.train.batch, channels, size, size) for channels in (spec.channels_a, spec.channels_b)
        )
        try:
            model.training_step(Batch(a, b), lambda group, loss: None)
        except (RuntimeError, ValueError) as error:
            raise ConfigError(
                f"these networks can't take pictures of {size} x {size} ({str(error).splitlines()[0]}); set a larger data.size, "
                "fewer discriminator.layers or fewer generator.downs"
            ) from None


def _multiple(config: RunConfig) -> int:
    """What both sides of the generator's input must divide by."""
    options = {key: value for key, value in config.model.generator.items() if key != "name"}
    try:
        with torch.device("meta"):
            return int(GENERATORS[config.model.generator["name"]](**options).multiple)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ConfigError(f"generator: {error}") from None


def _stills(config: RunConfig, sets: PictureSets, count: int) -> Stills:
    """Held-back pictures as the network sees them; where they are answers to each other, the same scenes of both."""
    transform = config.data.transform(_multiple(config))

    def pick(source: Source) -> list[torch.Tensor]:
        return still_pictures(source, spread(len(source), count), transform)

    return Stills(pick(sets.test_a), pick(sets.test_b), sets.answers)


def _held_out(config: RunConfig, stills: Stills) -> HeldOut:
    if config.train.features:
        return HeldOut(
            stills.a, stills.b, stills.answers, load_squeezenet(Path(config.train.features)), "SqueezeNet 1.1 features"
        )
    if stills.answers:
        return HeldOut(stills.a, stills.b, True)
    return HeldOut(stills.a, stills.b, False, RandomFeatures(), "fixed random features (compare within this run only)")


def _without_folders(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings for a file that is passed around: of folders only the names, not where they lie on this machine."""
    places = {"data": ("root", "a", "b", "test_a", "test_b"), "train": ("features",)}
    named = dict(settings)
    for section, keys in places.items():
        named[section] = settings[section] | {
            key: Path(settings[section][key]).name for key in keys if settings[section][key]
        }
    return named


def _data_name(config: RunConfig) -> str:
    """What the data are called, without the path of this machine."""
    return Path(config.data.root or config.data.a or "").name


def environment(trainer: Trainer, precision: str) -> dict[str, Any]:
    """On what a run is trained."""
    device = trainer.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    return {
        "device": f"{device.type} ({name})",
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "precision": precision,
        "processes": trainer.fabric.world_size,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "system": platform.system(),
    }


def describe(plan: Plan) -> list[str]:
    """What a run will do, in a few lines."""
    config = plan.config
    train, generator = config.train, config.model.generator
    with torch.device("meta"):
        model = build_model(config.model)
    size = sum(p.numel() for way in model.directions for p in model.generator(way).parameters()) / 1e6
    ways = " and ".join(
        {"a2b": "b2a"}.get(way, way) if config.data.direction == "b2a" else way for way in model.directions
    )
    pictures = train.pictures or 0
    return [
        f"data: {len(plan.sets.train_a)} + {len(plan.sets.train_b)} training pictures, {len(plan.sets.test_a)} + "
        f"{len(plan.sets.test_b)} held back, at {config.data.size} px ({config.data.resize} from {config.data.load_size})",
        f"model: {config.model.name} ({ways}), generator {generator['name']} of width {generator.get('width')} "
        f"({size:.2f} M parameters in all), discriminator {config.model.discriminator['name']}",
        f"training: {pictures} pictures in {pictures // (train.batch * train.devices * train.nodes)} steps, "
        f"{choose_precision(train)}, rate {train.lr} falling over the last {train.decay:.0%}",
    ]
