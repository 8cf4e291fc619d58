"""Figures for translations whose true answer is known."""

import torch
from torch import Tensor

from overpaint.errors import MissingExtraError


def l1(fake: Tensor, real: Tensor) -> float:
    """Mean absolute difference of uint8 pictures (N, C, H, W), in grey levels of 0..255; lower is better."""
    return float((fake.double() - real.double()).abs().mean())


def psnr(fake: Tensor, real: Tensor) -> float:
    """Peak signal-to-noise ratio of uint8 pictures (N, C, H, W) in dB, the mean over pictures; higher is better.

    Equal pictures count with 100 dB, since a mean can't hold infinity.
    """
    error = (fake.double() - real.double()).square().flatten(1).mean(dim=1)
    ratios = 10.0 * torch.log10(255.0**2 / error.clamp_min(1e-12))
    return float(ratios.clamp_max(100.0).mean())


def ssim(fake: Tensor, real: Tensor) -> float:
    """Structural similarity of uint8 pictures (N, C, H, W), the mean over pictures, up to 1; higher is better.

    An 11 x 11 Gaussian window of sigma 1.5 as published (Wang et al. 2004), by torchmetrics.

    Raises:
        MissingExtraError: without torchmetrics.
    """
    try:
        from torchmetrics.functional.image import structural_similarity_index_measure
    except ImportError:
        raise MissingExtraError("torchmetrics", "eval") from None
    value = structural_similarity_index_measure(fake.double(), real.double(), data_range=255.0)
    return float(value) if isinstance(value, Tensor) else float(value[0])
