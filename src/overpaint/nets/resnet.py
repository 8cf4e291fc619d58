"""The CycleGAN generator: down by four, residual blocks, up again (arXiv 1703.10593, appendix 7.2; after Johnson et al.)."""

from typing import Literal

import torch
from torch import Tensor, nn

from overpaint.nets.layers import (
    Norm,
    Padding,
    Upsample,
    downsample_block,
    init_weights,
    norm_bias,
    norm_layer,
    pad_layer,
    upsample_block,
)
from overpaint.nets.registry import GENERATORS

Skip = Literal["none", "features", "input"]


class ResidualBlock(nn.Module):
    """x + conv(relu(conv(x))), both 3x3 with norms and padded by ``padding``."""

    def __init__(self, channels: int, norm: Norm, padding: Padding, dropout: float) -> None:
        super().__init__()
        bias = norm_bias(norm)
        self.body = nn.Sequential(
            pad_layer(padding, 1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            norm_layer(norm, channels),
            nn.ReLU(),
            nn.Dropout(dropout),
            pad_layer(padding, 1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            norm_layer(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        return x + self.body(x)


@GENERATORS.register("resnet")
class ResnetGenerator(nn.Module):
    """c7s1-w, d2w, d4w, residual blocks, u2w, uw, c7s1-out with tanh; 9 blocks at width 64 have 11.378 M parameters.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        width: channels after the first layer.
        blocks: residual blocks; the paper takes 6 at 128 px and 9 from 256 px on.
        norm: instance (the paper), batch or none.
        upsample: transposed (the paper), or resize or blurpool, which draw no checkerboards.
        padding: how the residual blocks are padded.
        dropout: between the two convolutions of each block; 0 in CycleGAN.
        skip: none (the paper); features shows the last layer the first one's beside what comes up from below, so that
            outlines are crisp from the first steps; input does that and begins as the identity, the network learning what to
            add: tanh(atanh(0.99 x) + f(x)).
    """

    multiple = 4
    smallest = 8  # a norm needs more than one pixel at the bottom

    def __init__(
        self,
        *,
        in_channels: int = 3,
        out_channels: int = 3,
        width: int = 64,
        blocks: int = 9,
        norm: Norm = "instance",
        upsample: Upsample = "transposed",
        padding: Padding = "reflect",
        dropout: float = 0.0,
        skip: Skip = "none",
    ) -> None:
        super().__init__()
        if skip == "input" and in_channels != out_channels:
            raise ValueError(
                f"skip: input adds the input to the output, but they have {in_channels} and {out_channels} channels"
            )
        self.skip = skip
        bias = norm_bias(norm)
        stem = [nn.ReflectionPad2d(3), nn.Conv2d(in_channels, width, 7, bias=bias), norm_layer(norm, width), nn.ReLU()]
        self.stem = nn.Sequential(*stem)
        self.down = nn.ModuleList(
            nn.Sequential(*downsample_block(c, 2 * c, bias, upsample), norm_layer(norm, 2 * c), nn.ReLU())
            for c in (width, 2 * width)
        )
        self.blocks = nn.ModuleList(ResidualBlock(4 * width, norm, padding, dropout) for _ in range(blocks))
        self.up = nn.ModuleList(
            nn.Sequential(*upsample_block(c, c // 2, bias, upsample), norm_layer(norm, c // 2), nn.ReLU())
            for c in (4 * width, 2 * width)
        )
        seen = width if skip == "none" else 2 * width
        self.head = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(seen, out_channels, 7), nn.Tanh())
        init_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) in [-1, 1] -> (N, out, H, W) in [-1, 1], for sides that divide by ``multiple``."""
        picture, stem = x, self.stem(x)  # (N, width, H, W)
        x = stem
        for layer in (*self.down, *self.blocks, *self.up):  # 4 width at H / 4, W / 4 in the blocks
            x = layer(x)
        if self.skip == "none":
            return self.head(x)
        x = torch.cat([x, stem], dim=1)
        if self.skip == "features":
            return self.head(x)
        return torch.tanh(self.head[:2](x) + torch.atanh(0.99 * picture))
