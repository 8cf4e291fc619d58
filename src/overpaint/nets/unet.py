"""The Pix2Pix generator: an encoder and a decoder with skips between equal sizes (arXiv 1611.07004, appendix 6.1)."""

import torch
from torch import Tensor, nn

from overpaint.nets.layers import Norm, init_weights, norm_bias, norm_layer
from overpaint.nets.registry import GENERATORS


@GENERATORS.register("unet")
class UnetGenerator(nn.Module):
    """4x4 stride-2 convolutions to the bottom and back; 8 downsamplings at width 64 have 54.414 M parameters.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        width: channels after the first convolution; doubled thrice, then kept at 8 times.
        downs: downsamplings, at least 2; 8 bring 256 px to 1 x 1, 7 bring 128 px.
        norm: batch (the paper), instance or none; none on the first convolution nor at the bottleneck.
        dropout: in the decoder blocks of full width between the innermost and the last four (three of them at 8
            downsamplings); the paper's only noise.
    """

    def __init__(
        self,
        *,
        in_channels: int = 3,
        out_channels: int = 3,
        width: int = 64,
        downs: int = 8,
        norm: Norm = "batch",
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if downs < 2:
            raise ValueError(f"a U-Net needs at least 2 downsamplings, not {downs}")
        self.multiple = self.smallest = 2**downs
        bias = norm_bias(norm)
        widths = [min(2**level, 8) * width for level in range(downs)]
        self.down = nn.ModuleList()
        self.up = nn.ModuleList()
        for level, channels in enumerate(widths):
            outermost, innermost = level == 0, level == downs - 1
            source = in_channels if outermost else widths[level - 1]
            conv = nn.Conv2d(source, channels, 4, stride=2, padding=1, bias=bias)
            down: list[nn.Module] = [] if outermost else [nn.LeakyReLU(0.2)]
            down += [conv] if outermost or innermost else [conv, norm_layer(norm, channels)]
            self.down.append(nn.Sequential(*down))

            below = channels if innermost else 2 * channels  # the skip doubles what comes from below
            target = out_channels if outermost else widths[level - 1]
            deconv = nn.ConvTranspose2d(below, target, 4, stride=2, padding=1, bias=bias or outermost)
            up: list[nn.Module] = [nn.ReLU(), deconv, nn.Tanh() if outermost else norm_layer(norm, target)]
            if 4 <= level < downs - 1:
                up.append(nn.Dropout(dropout))
            self.up.append(nn.Sequential(*up))
        init_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) in [-1, 1] -> (N, out, H, W) in [-1, 1], for sides that divide by ``multiple``."""
        skips = []
        for down in self.down:
            x = down(x)
            skips.append(x)
        x = self.up[-1](skips.pop())
        for up in reversed(self.up[:-1]):
            x = up(torch.cat([skips.pop(), x], dim=1))
        return x
