"""Small parts that the networks share: norms, initialisation, resampling without aliases."""

from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Norm = Literal["instance", "batch", "none"]
Upsample = Literal["transposed", "resize", "blurpool"]
Padding = Literal["reflect", "replicate", "zero"]

_PADS = {"reflect": nn.ReflectionPad2d, "replicate": nn.ReplicationPad2d, "zero": nn.ZeroPad2d}


class BatchNorm2d(nn.BatchNorm2d):
    """Batch norm that can keep using each picture's own statistics in evaluation mode.

    Pix2Pix trains with batches of one and translates with the statistics of the picture at hand (arXiv 1611.07004, 3.3),
    so ``.eval()`` must not change the picture. With ``picture_statistics`` each picture of a batch is normed by itself, which
    for one picture is what training did, and makes a translation independent of its neighbours in the batch.
    """

    picture_statistics: bool = False

    def forward(self, input: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        if self.training or not self.picture_statistics:
            return super().forward(input)
        return F.instance_norm(input, None, None, self.weight, self.bias, True, 0.0, self.eps)


def use_picture_statistics(network: nn.Module) -> None:
    """Makes every batch norm of a network keep to each picture's own statistics in evaluation mode."""
    for module in network.modules():
        if isinstance(module, BatchNorm2d):
            module.picture_statistics = True


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """The norm of the recipes: instance without weights or running statistics, batch with both, or none."""
    if norm == "instance":
        return nn.InstanceNorm2d(channels, affine=False, track_running_stats=False)
    return BatchNorm2d(channels) if norm == "batch" else nn.Identity()


def norm_bias(norm: Norm) -> bool:
    """Whether the authors give a bias to a convolution before this norm.

    Under instance norm it is a dead parameter, kept so that published weights load.
    """
    return norm == "instance"


def pad_layer(padding: Padding, size: int) -> nn.Module:
    """Padding by ``size`` pixels on all four sides."""
    return _PADS[padding](size)


def init_weights(network: nn.Module, gain: float = 0.02) -> None:
    """Convolutions N(0, gain), biases 0, norm weights N(1, gain), norm biases 0 (RECIPES of both papers)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, gain)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, gain)
            nn.init.zeros_(module.bias)


def _blur_kernel(taps: tuple[float, ...], channels: int) -> Tensor:
    """Separable binomial kernel (C, 1, k, k) that sums to one."""
    row = torch.tensor(taps)
    kernel = row[:, None] * row[None, :]
    return (kernel / kernel.sum()).repeat(channels, 1, 1, 1)


class BlurDownsample(nn.Module):
    """Half the size after a 3-tap binomial blur (arXiv 1904.11486), so that strides don't alias."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pad = nn.ReflectionPad2d(1)
        self.register_buffer("kernel", _blur_kernel((1.0, 2.0, 1.0), channels), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, ceil(H / 2), ceil(W / 2))."""
        return F.conv2d(self.pad(x), self.get_buffer("kernel").to(x.dtype), stride=2, groups=x.shape[1])


class BlurUpsample(nn.Module):
    """Twice the size by zero insertion and a 4-tap binomial blur: no checkerboard, no new frequencies."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pad = nn.ReplicationPad2d(1)
        self.register_buffer("kernel", 4.0 * _blur_kernel((1.0, 3.0, 3.0, 1.0), channels), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, 2H, 2W)."""
        kernel = self.get_buffer("kernel").to(x.dtype)
        # Padding 1 in the source is 2 in the result; 1 + 2 rows are cut so that the phase stays centred.
        return F.conv_transpose2d(self.pad(x), kernel, stride=2, padding=3, groups=x.shape[1])


def downsample_block(channels: int, out_channels: int, bias: bool, upsample: Upsample) -> list[nn.Module]:
    """3x3 convolution to half the size: strided as published, or convolution and blur where ``upsample`` is blurpool."""
    if upsample == "blurpool":
        return [nn.ReflectionPad2d(1), nn.Conv2d(channels, out_channels, 3, bias=bias), BlurDownsample(out_channels)]
    return [nn.Conv2d(channels, out_channels, 3, stride=2, padding=1, bias=bias)]


def upsample_block(channels: int, out_channels: int, bias: bool, upsample: Upsample) -> list[nn.Module]:
    """To twice the size.

    ``transposed`` is the published layer, whose uneven overlap draws checkerboards; ``resize`` (bilinear, then a
    convolution) and ``blurpool`` don't.
    """
    conv = partial(nn.Conv2d, channels, out_channels, 3, bias=bias)
    if upsample == "transposed":
        return [nn.ConvTranspose2d(channels, out_channels, 3, stride=2, padding=1, output_padding=1, bias=bias)]
    if upsample == "blurpool":
        return [BlurUpsample(channels), nn.ReflectionPad2d(1), conv()]
    up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
    return [up, nn.ReflectionPad2d(1), conv()]
