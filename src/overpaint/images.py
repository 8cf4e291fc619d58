"""The only door between picture files and tensors: suffixes, EXIF rotation, channels, bit depth, ranges.

Inside the package a picture is a float tensor, channels first, in [-1, 1]; whole numbers (uint8, 0..255) exist only here,
in the caches of the data sets, and at a metric's door.
"""

import struct
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from overpaint.errors import DataError

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}

# What Pillow's decoders raise on damaged files, as seen with files cut at every length.
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error, IndexError, Image.DecompressionBombError)


def is_picture(path: Path) -> bool:
    """Whether the name is that of a picture file (and not of a hidden or resource-fork file)."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def open_picture(path: Path) -> Image.Image:
    """Reads a file to the end and turns it upright by its EXIF orientation.

    Raises:
        DataError: if the file is missing, cut short, not a picture, or larger than Pillow's bomb limit.
    """
    try:
        with warnings.catch_warnings(), Image.open(path) as picture:
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture.load()
            upright = ImageOps.exif_transpose(picture)
            upright.format = picture.format
            return upright
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except UnidentifiedImageError:
        raise DataError(f"{path}: not a picture that can be read; remove it or save it again") from None
    except _UNREADABLE as error:
        raise DataError(f"{path}: damaged or cut short ({error}); remove it or fetch it again") from None


def inspect_picture(path: Path) -> tuple[int, int, str]:
    """Width, height (before EXIF rotation) and Pillow mode, from the header alone.

    Raises:
        DataError: if the header can't be read.
    """
    try:
        with Image.open(path) as picture:
            return (*picture.size, picture.mode)
    except _UNREADABLE:
        raise DataError(f"{path}: not a picture that can be read; remove it or save it again") from None


def to_mode(picture: Image.Image, channels: int, name: str = "picture") -> Image.Image:
    """Converts to grey (1), RGB (3) or RGBA (4), 8 bits each; 16-bit greys are scaled, not clipped.

    Transparent pictures are laid on white when the alpha channel has to go.

    Raises:
        DataError: for another number of channels or a depth that is not read.
    """
    if channels not in MODES:
        raise DataError(f"{name}: {channels} channels were asked for; known: 1 (grey), 3 (RGB), 4 (RGBA)")
    if picture.mode.startswith("I;16"):
        # Pillow's own convert() clips 16-bit values at 255: every bright pixel would turn white.
        picture = Image.fromarray((np.asarray(picture).astype(np.uint32) // 257).astype(np.uint8))
    elif picture.mode in ("I", "F"):
        raise DataError(f"{name}: 32-bit values (mode {picture.mode}) are not read; save it with 8 or 16 bits")
    if channels < 4 and picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, rgba).convert("RGB")
    return picture if picture.mode == MODES[channels] else picture.convert(MODES[channels])


def read_picture(path: Path, channels: int = 3) -> Tensor:
    """A file as a uint8 tensor (C, H, W), upright.

    Raises:
        DataError: if the file can't be read.
    """
    return from_pil(to_mode(open_picture(path), channels, str(path)))


def from_pil(picture: Image.Image) -> Tensor:
    """An 8-bit Pillow picture as a uint8 tensor (C, H, W)."""
    array = np.array(picture)  # a copy: Pillow's buffer is read-only
    return torch.from_numpy(array if array.ndim == 3 else array[..., None]).permute(2, 0, 1)


def to_pil(picture: Tensor) -> Image.Image:
    """A uint8 tensor (C, H, W) with 1, 3 or 4 channels as a Pillow picture.

    Raises:
        DataError: for another number of channels.
    """
    if picture.shape[0] not in MODES:
        raise DataError(f"a picture of {picture.shape[0]} channels has no Pillow form; known: 1, 3 and 4 channels")
    array = picture.permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)


def to_float(picture: Tensor) -> Tensor:
    """uint8 0..255 to float [-1, 1]."""
    return picture.float().div_(127.5).sub_(1.0)


def to_uint8(picture: Tensor) -> Tensor:
    """Float [-1, 1] to uint8 0..255, rounded to the nearest, values outside cut off."""
    return picture.detach().float().add(1.0).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)


def resize(picture: Tensor, height: int, width: int) -> Tensor:
    """Antialiased bicubic on uint8 (C, H, W): within one grey level of Pillow's and three times as fast."""
    if picture.shape[1:] == (height, width):
        return picture
    # A channels-last view is what makes torch's uint8 kernel fast.
    x = picture[None].contiguous(memory_format=torch.channels_last)
    return torch.nn.functional.interpolate(x, size=(height, width), mode="bicubic", antialias=True)[0]
