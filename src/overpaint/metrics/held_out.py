"""The cheap figure by which a run keeps its best weights: error to the true answers, or a distance where there are none."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from overpaint.images import to_float, to_uint8
from overpaint.metrics.distribution import kernel_distance
from overpaint.metrics.features import extract
from overpaint.metrics.paired import l1, psnr, ssim

Figures = dict[str, dict[str, float]]


@dataclass
class HeldOut:
    """Held-back pictures of both domains and how to measure translations of them.

    Args:
        a: uint8 pictures (C, H, W) of A.
        b: uint8 pictures of B; answer i belongs to picture i of A where ``answers``.
        answers: whether they do.
        extractor: features for the distance between sets; without one only errors to true answers are taken.
        features: what the features are, in words.
    """

    a: list[Tensor]
    b: list[Tensor]
    answers: bool
    extractor: nn.Module | None = None
    features: str = ""

    @property
    def name(self) -> str:
        """The figure that decides, with its protocol in words; lower is better."""
        if self.answers:
            return f"L1 to the true answers of {len(self.a)} held-back pictures (0..255)"
        return f"kernel distance x 1000 over {self.features}, {len(self.a)} and {len(self.b)} held-back pictures"

    def measure(self, translate: Callable[[Tensor, str], Tensor], directions: tuple[str, ...]) -> Figures:
        """Figures of each direction.

        Args:
            translate: pictures (N, C, H, W) in [-1, 1] and a direction -> translations.
            directions: of ``a2b`` and ``b2a``.
        """
        figures = {}
        for direction in directions:
            source, target = (self.a, self.b) if direction == "a2b" else (self.b, self.a)
            fakes = [to_uint8(translate(to_float(picture)[None], direction)[0].cpu()) for picture in source]
            figures[direction] = self._figures(fakes, target)
        return figures

    def untouched(self, directions: tuple[str, ...]) -> Figures:
        """The same figures for inputs left as they are: what a translator has to beat."""
        if self.a[0].shape[0] != self.b[0].shape[0]:
            return {}
        return {
            direction: self._figures(*((self.a, self.b) if direction == "a2b" else (self.b, self.a)))
            for direction in directions
        }

    def score(self, figures: Figures) -> float:
        """The figure that decides, averaged over the directions; lower is better."""
        key = "l1" if self.answers else "kernel_distance"
        return sum(values[key] for values in figures.values()) / len(figures)

    def _figures(self, fakes: list[Tensor], reals: list[Tensor]) -> dict[str, float]:
        figures: dict[str, float] = {}
        if self.answers:
            fake, real = torch.stack(fakes), torch.stack(reals)
            figures |= {"l1": l1(fake, real), "psnr": psnr(fake, real), "ssim": ssim(fake, real)}
        if self.extractor is not None:
            distance = kernel_distance(extract(self.extractor, fakes), extract(self.extractor, reals))
            figures["kernel_distance"] = distance
        return figures
