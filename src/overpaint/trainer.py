"""How a step is made: precision, finite checks, backward, clipping, optimisers, schedule; and the loop around it."""

import copy
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from overpaint.batch import Batch
from overpaint.ema import Ema
from overpaint.errors import ConfigError, MissingExtraError, NotFiniteError
from overpaint.models import StepResult, Translator

try:
    from lightning.fabric import Fabric  # type: ignore[import-not-found]
except ImportError:
    try:
        from lightning_fabric import Fabric
    except ImportError:
        raise MissingExtraError("lightning-fabric", "train") from None


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How long, how fast and on what a model is trained."""

    pictures: int | None = None
    """Length of the run in pictures of a domain; by default epochs times the larger training set."""
    epochs: float = 200.0
    """Length of the run in passes over the larger training set, where pictures is not given."""
    decay: float = 0.5
    """The last share of the run, over which the learning rate falls linearly to 0."""
    batch: int = 1
    """Pictures of each domain per step and device."""
    lr: float = 0.0002
    """Learning rate of Adam."""
    beta1: float = 0.5
    """Adam's decay of the mean gradient."""
    beta2: float = 0.999
    """Adam's decay of the squared gradient."""
    clip: float | None = None
    """Largest norm of the gradient of a group of networks; none by default."""
    ema: float = 0.0
    """Decay per step of an average of the generators' weights, which is then what is kept; 0 is off."""
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = "auto"
    """Arithmetic of the networks; auto takes bf16-mixed where the processor has it. Losses are always in 32 bits."""
    accelerator: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """cpu, cuda, mps, or auto."""
    devices: int = 1
    """Devices per machine, a process each."""
    nodes: int = 1
    """Machines; start each with python -m torch.distributed.run."""
    seed: int = 0
    """Of weights, order, crops and everything else that is random."""
    log_every: int | None = None
    """Pictures between two entries of the log; by default a thousandth of the run, at least 10."""
    sample_every: int | None = None
    """Pictures between two grids of samples; by default a fortieth of the run."""
    samples: int = 4
    """Held-back pictures of each domain in a grid."""
    evaluate_every: int | None = None
    """Pictures between two held-out figures; by default a tenth of the run."""
    evaluate_pictures: int = 64
    """Held-back pictures of each domain that the figure is taken over."""
    features: str | None = None
    """A file of SqueezeNet 1.1 weights for the held-out figure of unpaired data; without it fixed random features serve."""
    save_minutes: float = 5.0
    """Minutes between two saves of the state; it is also saved with every held-out figure and at the end."""

    def __post_init__(self) -> None:
        for name in ("pictures", "log_every", "sample_every", "evaluate_every", "batch", "devices", "nodes", "samples"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"train.{name} is {value}; it must be 1 or more")
        if not 0.0 <= self.decay <= 1.0:
            raise ConfigError(f"train.decay is {self.decay}; it is a share of the run, from 0 to 1")
        if not 0.0 <= self.ema < 1.0:
            raise ConfigError(
                f"train.ema is {self.ema}; it is a decay per step, from 0 (off) to below 1, such as 0.999"
            )
        if self.lr <= 0 or self.epochs <= 0 or self.save_minutes < 0:
            raise ConfigError("train.lr and train.epochs must be above 0, train.save_minutes 0 or more")
        if self.evaluate_pictures < 2:
            raise ConfigError(f"train.evaluate_pictures is {self.evaluate_pictures}; a figure needs at least 2")


def learning_rate(config: TrainConfig, pictures: int) -> float:
    """Constant, then linear to 0 over the last ``decay`` of the run (both papers' schedule, counted in pictures)."""
    total = config.pictures or 1
    falling = config.decay * total
    if falling == 0 or pictures <= total - falling:
        return config.lr
    return config.lr * max(0.0, (total - pictures) / falling)


def choose_precision(config: TrainConfig) -> str:
    """The arithmetic of a run: as asked, or bf16 where it is quick."""
    if config.precision != "auto":
        return config.precision
    if config.accelerator == "cuda" or (config.accelerator == "auto" and torch.cuda.is_available()):
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    if config.accelerator in ("cpu", "auto") and not torch.backends.mps.is_available():
        # Elsewhere bf16 is emulated and slower than 32 bits.
        native = (getattr(torch.cpu, f"_is_{unit}_supported", lambda: False)() for unit in ("avx512_bf16", "amx_tile"))
        return "bf16-mixed" if any(native) else "32-true"
    return "32-true"


class Trainer:
    """Trains a model step by step.

    Args:
        model: what to minimise; moved to the device in place.
        config: how; ``pictures`` must be set.
        precision: as Fabric names it.

    Raises:
        ConfigError: if there are no such devices.
    """

    def __init__(self, model: Translator, config: TrainConfig, precision: str) -> None:
        # Fabric tells its precision and processes through these; what a person needs is told by the command line.
        logging.getLogger("lightning").setLevel(logging.WARNING)
        logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
        try:
            self.fabric = Fabric(
                accelerator=config.accelerator,
                devices=config.devices,
                num_nodes=config.nodes,
                strategy="ddp" if config.devices * config.nodes > 1 else "auto",
                precision=precision,  # type: ignore[arg-type]
            )
        except (RuntimeError, ValueError) as error:
            raise ConfigError(
                f"train.accelerator {config.accelerator}, train.devices {config.devices}: {error}"
            ) from None
        if config.devices * config.nodes > 1:
            self.fabric.launch()
        self.config = config
        self.model = model
        self.pictures = 0
        self.seconds = 0.0
        groups = model.groups()
        optimisers = {
            name: torch.optim.Adam(
                [parameter for network in networks for parameter in network.parameters()],
                lr=config.lr,
                betas=(config.beta1, config.beta2),
            )
            for name, networks in groups.items()
        }
        # Fabric's wrappers (precision, averaging over processes) stand in a shallow copy, so that the model itself keeps
        # its plain networks for states, averages and translation.
        self._stepping = copy.copy(model)
        self._stepping._modules = dict(model._modules)
        for name, network in model.named_children():
            if any(True for _ in network.parameters()):
                self._stepping._modules[name] = self.fabric.setup_module(network)
        self._optimisers = optimisers
        self._wrapped = dict(zip(optimisers, _as_list(self.fabric.setup_optimizers(*optimisers.values()))))
        kept = {direction: model.generator(direction) for direction in model.directions}
        self.ema = Ema(kept, config.ema) if config.ema else None

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.fabric.device

    @property
    def pictures_per_step(self) -> int:
        """Pictures of a domain that one step takes, over all processes."""
        return self.config.batch * self.fabric.world_size

    def step(self, batch: Batch) -> StepResult:
        """One step on one batch.

        Raises:
            NotFiniteError: before the update that would have spread it.
        """
        begun = time.perf_counter()
        rate = learning_rate(self.config, self.pictures)
        for optimiser in self._optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = rate
        self._stepping.train()
        result = self._stepping.training_step(batch.to(self.device), self._update)
        if self.ema:
            self.ema.update()
        self.pictures += self.pictures_per_step
        self.seconds += time.perf_counter() - begun
        return result

    def run(
        self, loader: Iterable[Batch], after: Callable[[StepResult], None], stopping: Callable[[], bool] = lambda: False
    ) -> bool:
        """Steps until the loader ends or ``stopping`` says so.

        Returns:
            Whether the loader was used up.
        """
        for batch in loader:
            after(self.step(batch))
            if stopping():
                return False
        return True

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, but for the data, whose order follows from ``pictures``."""
        return {
            "pictures": self.pictures,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self._optimisers.items()},
            "ema": self.ema.state_dict() if self.ema else None,
            "rng": torch.get_rng_state(),
            "rng_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes back what ``state_dict`` gave."""
        self.model.load_state_dict(state["model"])
        for name, optimiser in self._optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
        if self.ema:
            self.ema.load_state_dict(state["ema"])
        self.pictures, self.seconds = state["pictures"], state["seconds"]
        torch.set_rng_state(state["rng"])
        if state["rng_cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["rng_cuda"])

    def _update(self, group: str, loss: Tensor) -> None:
        self._check_finite(loss, f"the loss of the {group}")
        optimiser = self._optimisers[group]
        optimiser.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        gradients = [p.grad for g in optimiser.param_groups for p in g["params"] if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if self.fabric._precision.precision != "16-mixed":  # there the scaler skips such steps by itself
            self._check_finite(norm, f"the gradient of the {group}")
        if self.config.clip is not None:
            nn.utils.clip_grads_with_norm_(
                [p for g in optimiser.param_groups for p in g["params"]], self.config.clip, norm
            )
        self._wrapped[group].step()

    def _check_finite(self, value: Tensor, what: str) -> None:
        if not torch.isfinite(value).all():
            raise NotFiniteError(
                f"{what} is {value.item()} after {self.pictures} pictures; no weight was changed by it. Try a smaller "
                "--train.lr, --train.clip 1, or --train.precision 32-true"
            )


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple | list) else [value]
