"""Where pictures come from, one at a time: files, halves of side-by-side files, arrays."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from torch import Tensor

from overpaint.errors import DataError
from overpaint.images import read_picture

Side = Literal["left", "right", "top", "bottom"]
OTHER_SIDE: dict[Side, Side] = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}


class Source(Protocol):
    """A list of pictures that are read when asked for."""

    def __len__(self) -> int:
        """Number of pictures."""
        ...

    def name(self, index: int) -> str:
        """Where a picture came from: its path, or the name of a drawn scene."""
        ...

    def read(self, index: int) -> Tensor:
        """A picture as a uint8 tensor (C, H, W); raises DataError with the path."""
        ...


class FileSource:
    """One picture a file.

    Args:
        paths: the files, in order.
        channels: 1, 3 or 4; every picture is brought to it.
    """

    def __init__(self, paths: Sequence[Path], channels: int = 3) -> None:
        self.paths = list(paths)
        self.channels = channels

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, index: int) -> str:
        """The file's path."""
        return str(self.paths[index])

    def read(self, index: int) -> Tensor:
        """Decodes the file."""
        return read_picture(self.paths[index], self.channels)


class HalfSource(FileSource):
    """One half of pictures that hold a pair side by side.

    Args:
        paths: the files, in order.
        side: which half.
        channels: 1, 3 or 4.
    """

    def __init__(self, paths: Sequence[Path], side: Side, channels: int = 3) -> None:
        super().__init__(paths, channels)
        self.side = side

    def read(self, index: int) -> Tensor:
        """Decodes the file and cuts out the half.

        Raises:
            DataError: if the sides can't be told apart because the length is odd.
        """
        picture = super().read(index)
        axis = 2 if self.side in ("left", "right") else 1
        length = picture.shape[axis]
        if length % 2:
            what = "width" if axis == 2 else "height"
            raise DataError(
                f"{self.name(index)}: its {what} of {length} does not split into two halves; "
                "a pair stands side by side in one picture of even size (see data.side)"
            )
        half = length // 2
        return picture.narrow(axis, 0 if self.side in ("left", "top") else half, half).contiguous()


class ArraySource:
    """Pictures that are in memory already.

    Args:
        pictures: uint8 tensor (N, C, H, W).
        names: one name each.
    """

    def __init__(self, pictures: Tensor, names: Sequence[str]) -> None:
        self.pictures = pictures
        self.names = list(names)

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        """The picture's given name."""
        return self.names[index]

    def read(self, index: int) -> Tensor:
        """The picture itself, not a copy."""
        return self.pictures[index]


class SubSource:
    """Some pictures of another source.

    Args:
        source: the pictures.
        indices: which of them, in order.
    """

    def __init__(self, source: Source, indices: Sequence[int]) -> None:
        self.source = source
        self.indices = list(indices)

    def __len__(self) -> int:
        return len(self.indices)

    def name(self, index: int) -> str:
        """The name of the picture in the other source."""
        return self.source.name(self.indices[index])

    def read(self, index: int) -> Tensor:
        """Reads it from the other source."""
        return self.source.read(self.indices[index])
