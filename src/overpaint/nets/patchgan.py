"""Discriminators that judge overlapping patches: the 70 x 70 PatchGAN and its kin, and the 1-pixel one."""

from torch import Tensor, nn

from overpaint.nets.layers import Norm, init_weights, norm_bias, norm_layer
from overpaint.nets.registry import DISCRIMINATORS


@DISCRIMINATORS.register("patchgan")
class PatchDiscriminator(nn.Module):
    """4x4 convolutions, LeakyReLU 0.2, no norm on the first; 3 layers see 70 px (1 to 6 see 16, 34, 70, 142, 286, 574).

    Args:
        in_channels: channels of what it judges (input and output together for a conditional one).
        width: channels after the first convolution; doubled per layer up to 8 times.
        layers: strided convolutions, at least 1.
        norm: instance (CycleGAN), batch (Pix2Pix) or none.
    """

    def __init__(self, *, in_channels: int = 3, width: int = 64, layers: int = 3, norm: Norm = "instance") -> None:
        super().__init__()
        if layers < 1:
            raise ValueError(f"a PatchGAN needs at least 1 layer, not {layers}; for single pixels take 'pixel'")
        stack: list[nn.Module] = [nn.Conv2d(in_channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        channels = width
        for level in range(1, layers + 1):
            wider = min(2**level, 8) * width
            stride = 2 if level < layers else 1
            stack += [
                nn.Conv2d(channels, wider, 4, stride=stride, padding=1, bias=norm_bias(norm)),
                norm_layer(norm, wider),
                nn.LeakyReLU(0.2),
            ]
            channels = wider
        self.body = nn.Sequential(*stack, nn.Conv2d(channels, 1, 4, padding=1))
        init_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) -> scores (N, 1, h, w), one per patch, no sigmoid."""
        return self.body(x)


@DISCRIMINATORS.register("pixel")
class PixelDiscriminator(nn.Module):
    """Judges each pixel by itself (the 1 x 1 PatchGAN of arXiv 1611.07004, appendix 6.1.2).

    Args:
        in_channels: channels of what it judges.
        width: channels after the first convolution.
        norm: instance, batch or none.
    """

    def __init__(self, *, in_channels: int = 3, width: int = 64, norm: Norm = "instance") -> None:
        super().__init__()
        bias = norm_bias(norm)
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, width, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 1, bias=bias),
            norm_layer(norm, 2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 1, 1, bias=bias),
        )
        init_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) -> scores (N, 1, H, W), no sigmoid."""
        return self.body(x)
