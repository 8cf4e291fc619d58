"""Translates pictures with a trained model: Pillow pictures, arrays or tensors, of any size, in either direction."""

from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from overpaint.checkpoint import ModelInfo, load_model
from overpaint.errors import ConfigError, DataError
from overpaint.images import from_pil, to_float, to_mode, to_pil, to_uint8
from overpaint.models.base import evaluating

Picture = TypeVar("Picture", Image.Image, np.ndarray, Tensor)

# Files that a run folder offers, the one to take first.
_IN_RUN_FOLDER = ("model.safetensors", "best.safetensors")


def load(path: str | Path, device: str | torch.device = "cpu") -> "Predictor":
    """A trained model, ready to translate.

    Args:
        path: a ``model.safetensors``, or a run folder that holds one.
        device: where to compute.

    Raises:
        ModelFileError: if there is no whole model.
        ConfigError: if there is no such device.
    """
    path = Path(path)
    if path.is_dir():
        path = next((path / name for name in _IN_RUN_FOLDER if (path / name).exists()), path / _IN_RUN_FOLDER[0])
    networks, info = load_model(path)
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"device {device} can't be used here ({str(error).splitlines()[0]}); take cpu") from None
    return Predictor(networks, info, device, path)


class Predictor:
    """Generators and what is known about them.

    Args:
        networks: by the model's name of their direction.
        info: sizes, channels, directions and training.
        device: where to compute.
        path: the file it came from, if it came from one.
    """

    def __init__(
        self,
        networks: dict[str, nn.Module],
        info: ModelInfo,
        device: str | torch.device = "cpu",
        path: Path | None = None,
    ) -> None:
        self.path = path
        self.networks = {way: network.to(device).eval() for way, network in networks.items()}
        self.info = info
        self.device = torch.device(device)

    @property
    def directions(self) -> tuple[str, ...]:
        """The ways it can translate; the first is taken when none is given."""
        return tuple(self.info.directions)

    def channels(self, direction: str | None = None) -> tuple[int, int]:
        """Channels of input and output of a direction."""
        spec = self.info.spec
        forth = (spec.channels_a, spec.channels_b)
        return forth if self._way(direction) == "a2b" else (forth[1], forth[0])

    def translate(self, picture: Picture, direction: str | None = None, dropout: bool = False) -> Picture:
        """The translation, at the picture's own size and of its own type.

        Args:
            picture: a Pillow picture (an alpha channel is passed through), a uint8 array (H, W, C) or (H, W), or a float
                tensor (N, C, H, W) in [-1, 1].
            direction: one of ``directions``.
            dropout: keep the dropout layers drawing, as the Pix2Pix paper does at test time; differs each time.

        Raises:
            ConfigError: for a direction that the model doesn't know.
            DataError: for another type, shape or number of channels.
        """
        way = self._way(direction)
        if isinstance(picture, Image.Image):
            return self._translate_pil(picture, way, dropout)
        if isinstance(picture, np.ndarray):
            return self._translate_array(picture, way, dropout)
        if isinstance(picture, Tensor):
            return self._translate_tensor(picture, way, dropout)
        raise DataError(
            f"a {type(picture).__name__} can't be translated; give a Pillow picture, a uint8 array or a float tensor"
        )

    def _way(self, direction: str | None) -> str:
        direction = direction or self.directions[0]
        if direction not in self.info.directions:
            raise ConfigError(f"this model does not translate {direction!r}; it knows: {', '.join(self.directions)}")
        return self.info.directions[direction]

    def _translate_pil(self, picture: Image.Image, way: str, dropout: bool) -> Image.Image:
        channels = self._in_channels(way)
        alpha = None
        if channels == 3 and picture.has_transparency_data:
            alpha = picture.convert("RGBA").getchannel("A")
            picture = picture.convert("RGBA").convert("RGB")
        x = to_float(from_pil(to_mode(picture, channels)))[None]
        result = to_pil(to_uint8(self._run(x, way, dropout)[0].cpu()))
        if alpha is not None and result.mode in ("RGB", "L"):
            result.putalpha(alpha)
        return result

    def _translate_array(self, picture: np.ndarray, way: str, dropout: bool) -> np.ndarray:
        channels = self._in_channels(way)
        if picture.dtype != np.uint8 or picture.ndim not in (2, 3):
            raise DataError(f"an array {picture.dtype} of shape {picture.shape} came; give uint8 (H, W, C) or (H, W)")
        flat = picture.ndim == 2
        planes = picture[..., None] if flat else picture
        if planes.shape[2] != channels:
            raise DataError(f"an array of {planes.shape[2]} channels came; this direction takes {channels}")
        x = to_float(torch.from_numpy(np.array(planes)).permute(2, 0, 1))[None]
        result = to_uint8(self._run(x, way, dropout)[0].cpu()).permute(1, 2, 0).numpy()
        return result[..., 0] if flat and result.shape[2] == 1 else np.ascontiguousarray(result)

    def _translate_tensor(self, pictures: Tensor, way: str, dropout: bool) -> Tensor:
        if pictures.ndim != 4 or not pictures.is_floating_point():
            raise DataError(
                f"a tensor {pictures.dtype} of shape {tuple(pictures.shape)} came; give floats (N, C, H, W) in [-1, 1]"
            )
        if pictures.shape[1] != self._in_channels(way):
            raise DataError(
                f"a tensor of {pictures.shape[1]} channels came; this direction takes {self._in_channels(way)}"
            )
        return self._run(pictures, way, dropout).to(pictures)

    def _in_channels(self, way: str) -> int:
        return self.info.spec.channels_a if way == "a2b" else self.info.spec.channels_b

    @torch.inference_mode()
    def _run(self, x: Tensor, way: str, dropout: bool) -> Tensor:
        network = self.networks[way]
        height, width = x.shape[2:]
        multiple, smallest = int(network.multiple), int(network.smallest)  # type: ignore[arg-type]
        down, right = (max(smallest, side + -side % multiple) - side for side in (height, width))
        padded = _pad(x.to(self.device, torch.float32), down, right)
        with evaluating(network, dropout):
            return network(padded)[:, :, :height, :width]


def _pad(x: Tensor, down: int, right: int) -> Tensor:
    """Mirrors the picture over its lower and right edge; where it is too small to mirror, repeats the edge."""
    if down or right:
        mode = "reflect" if down < x.shape[2] and right < x.shape[3] else "replicate"
        x = F.pad(x, (0, right, 0, down), mode=mode)
    return x
