"""Exponential moving averages of weights, which often translate better than the weights themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """A running average of the state of some networks.

    Args:
        networks: by name; averaged in float32, buffers are copied.
        decay: share of the old average that each step keeps, in [0, 1).
    """

    def __init__(self, networks: dict[str, nn.Module], decay: float) -> None:
        self.networks, self.decay = networks, decay
        self.averages = {
            name: {key: value.detach().clone() for key, value in network.state_dict().items()}
            for name, network in networks.items()
        }

    @torch.no_grad()
    def update(self) -> None:
        """average <- decay * average + (1 - decay) * weights."""
        for name, network in self.networks.items():
            for key, value in network.state_dict().items():
                average = self.averages[name][key]
                if average.is_floating_point():
                    average.lerp_(value.detach().to(average.dtype), 1.0 - self.decay)
                else:
                    average.copy_(value)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The networks carry the averages for the length of a block."""
        kept = {name: _copy(network.state_dict()) for name, network in self.networks.items()}
        self._load(self.averages)
        try:
            yield
        finally:
            self._load(kept)

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """The averages by network."""
        return self.averages

    def load_state_dict(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Takes back what ``state_dict`` gave, onto the devices of the networks."""
        for name, values in state.items():
            for key, value in values.items():
                self.averages[name][key].copy_(value)

    def _load(self, states: dict[str, dict[str, Tensor]]) -> None:
        for name, network in self.networks.items():
            network.load_state_dict(states[name])


def _copy(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in state.items()}
