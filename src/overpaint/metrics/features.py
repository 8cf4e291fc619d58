"""Features of pictures for distances between sets: SqueezeNet 1.1 from a user's file, or fixed random convolutions."""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from overpaint.errors import ModelFileError

Extractor = Callable[[Tensor], Tensor]

_BGR_MEAN = (104.0, 117.0, 123.0)
_BATCH = 32


class Fire(nn.Module):
    """SqueezeNet's block: squeeze to few channels, expand by 1x1 and 3x3 (arXiv 1602.07360, section 3.2)."""

    def __init__(self, channels: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 2 expand, H, W)."""
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], dim=1)


class SqueezeNetFeatures(nn.Module):
    """The convolutional part of SqueezeNet 1.1; pools round up, the input is BGR, 0..255, minus the ImageNet mean."""

    def __init__(self) -> None:
        super().__init__()

        def pool() -> nn.Module:
            return nn.MaxPool2d(3, 2, ceil_mode=True)

        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(), pool(),
            Fire(64, 16, 64), Fire(128, 16, 64), pool(),
            Fire(128, 32, 128), Fire(256, 32, 128), pool(),
            Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """RGB pictures (N, 3, H, W), 0..255 -> means over space (N, 512), after bringing them to 128 x 128."""
        x = F.interpolate(x, size=(128, 128), mode="bilinear", align_corners=False)
        x = x.flip(1) - torch.tensor(_BGR_MEAN, device=x.device).view(1, 3, 1, 1)
        return self.features(x).mean(dim=(2, 3))


class RandomFeatures(nn.Module):
    """Fixed random convolutions at three scales with pooled means and deviations, for machines without weights.

    They see colour, contrast and texture, not things; figures over them compare moments of one run, nothing more.
    """

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(20170330)
        kernels = torch.randn(48, 3, 5, 5, generator=draw)
        self.register_buffer("kernels", kernels - kernels.mean(dim=(2, 3), keepdim=True) * 0.5)

    def forward(self, x: Tensor) -> Tensor:
        """RGB pictures (N, 3, H, W), 0..255 -> (N, 288)."""
        x, found = x / 127.5 - 1.0, []
        for _ in range(3):
            response = F.relu(F.conv2d(x, self.get_buffer("kernels")))
            found += [response.mean(dim=(2, 3)), response.std(dim=(2, 3))]
            x = F.avg_pool2d(x, 2) if min(x.shape[2:]) >= 16 else x
        return torch.cat(found, dim=1)


def load_squeezenet(path: Path) -> nn.Module:
    """SqueezeNet 1.1 with published weights, keys ``features.N...`` as in torchvision.

    Raises:
        ModelFileError: if the file is missing or holds something else.
    """
    network = SqueezeNetFeatures()
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        # torchvision calls the layer "squeeze"; the authors' Caffe model, and files converted from it, "squeeze1x1".
        named = {key.replace(".squeeze1x1.", ".squeeze."): value for key, value in state.items()}
        network.load_state_dict({key: value for key, value in named.items() if key.startswith("features.")})
    except FileNotFoundError:
        raise ModelFileError(f"{path}: there is no such file of SqueezeNet 1.1 weights") from None
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelFileError(
            f"{path} does not hold SqueezeNet 1.1 weights (features.0.weight, ...): {reason}"
        ) from None
    return network.eval()


@torch.no_grad()
def extract(network: nn.Module, pictures: list[Tensor]) -> Tensor:
    """Features (N, D) in float64 of uint8 pictures (C, H, W) of equal size; greys are repeated, alpha is dropped."""
    rows = []
    for first in range(0, len(pictures), _BATCH):
        x = torch.stack(pictures[first : first + _BATCH]).float()
        x = x.repeat(1, 3, 1, 1) if x.shape[1] == 1 else x[:, :3]
        rows.append(network(x).double())
    return torch.cat(rows)
