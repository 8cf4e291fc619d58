"""The network of the notebooks this project began from: three strided convolutions down, three transposed ones up."""

from torch import Tensor, nn

from overpaint.nets.layers import Norm, init_weights, norm_bias, norm_layer
from overpaint.nets.registry import GENERATORS
from overpaint.nets.resnet import ResidualBlock


@GENERATORS.register("seed")
class SeedGenerator(nn.Module):
    """4x4 stride-2 convolutions down by eight, residual blocks, 4x4 transposed convolutions up, tanh.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        width: channels after the first convolution.
        blocks: residual blocks.
        norm: batch (the notebooks), instance or none.
    """

    multiple = 8
    smallest = 16  # a norm needs more than one pixel at the bottom

    def __init__(
        self,
        *,
        in_channels: int = 3,
        out_channels: int = 3,
        width: int = 64,
        blocks: int = 6,
        norm: Norm = "batch",
    ) -> None:
        super().__init__()
        bias = norm_bias(norm)
        widths = (width, 2 * width, 4 * width)
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(i, o, 4, stride=2, padding=1, bias=bias), norm_layer(norm, o), nn.ReLU())
            for i, o in zip((in_channels, *widths), widths)
        )
        self.blocks = nn.ModuleList(ResidualBlock(widths[-1], norm, "zero", 0.0) for _ in range(blocks))
        self.up = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(i, o, 4, stride=2, padding=1, bias=bias), norm_layer(norm, o), nn.ReLU())
            for i, o in ((4 * width, 2 * width), (2 * width, width))
        )
        self.head = nn.Sequential(nn.ConvTranspose2d(width, out_channels, 4, stride=2, padding=1), nn.Tanh())
        init_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) in [-1, 1] -> (N, out, H, W) in [-1, 1], for sides that divide by ``multiple``."""
        for layer in (*self.down, *self.blocks, *self.up):
            x = layer(x)
        return self.head(x)
