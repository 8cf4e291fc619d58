"""From the settings to the pictures of a run: training and held-back sets of A and B."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from overpaint.data.folders import (
    holds_pictures,
    inspect_files,
    list_pictures,
    match_stems,
    readable,
    subfolder,
    unknown_layout,
)
from overpaint.data.pictures import spread
from overpaint.data.seasons.dataset import season_source
from overpaint.data.sources import OTHER_SIDE, FileSource, HalfSource, Side, Source, SubSource
from overpaint.data.transforms import Resize, Transform
from overpaint.errors import ConfigError, DataError

SEASONS = "seasons"


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which pictures, and what the network sees of them."""

    root: str | None = None
    """A folder of pictures, or 'seasons' for the drawn landscapes."""
    a: str | None = None
    """Folder of the training pictures of A, in place of a layout below root."""
    b: str | None = None
    """Folder of the training pictures of B."""
    test_a: str | None = None
    """Folder of held-back pictures of A; without one, some training pictures are held back."""
    test_b: str | None = None
    """Folder of held-back pictures of B."""
    kind: Literal["auto", "unpaired", "paired"] = "auto"
    """Whether picture number i of A belongs to number i of B; auto decides by the folders' layout."""
    direction: Literal["a2b", "b2a"] = "a2b"
    """Which way pairs are learnt."""
    side: Side = "left"
    """Where A stands in pictures that hold a pair side by side."""
    size: int = 256
    """Side of the square that the network sees, in pixels."""
    load_size: int | None = None
    """Side before the random crop, in pixels; by default 286/256 of size."""
    resize: Resize = "resize-and-crop"
    """How pictures are brought to size."""
    flip: bool = True
    """Flip half of the pictures left to right."""
    channels_a: int = 3
    """Channels of A: 1 (grey), 3 (RGB) or 4 (RGBA)."""
    channels_b: int = 3
    """Channels of B."""
    cache: Literal["auto", "memory", "disk", "none"] = "auto"
    """Where resized pictures are kept as uint8; auto takes memory if they fit in a quarter of what is free."""
    workers: int = 0
    """Processes that load pictures; 0 loads in the training process. The order is the same with any number."""
    on_error: Literal["stop", "skip"] = "stop"
    """What to do about unreadable files and missing partners: stop, or leave them out and say how many."""
    count: int = 400
    """Scenes per domain, for the drawn seasons."""

    def __post_init__(self) -> None:
        if self.size < 8:
            raise ConfigError(f"data.size is {self.size}; the smallest size is 8 pixels")
        if self.load_size is not None and self.load_size < self.size:
            raise ConfigError(
                f"data.load_size is {self.load_size}, but a crop of data.size {self.size} needs at least as much"
            )
        for name in ("channels_a", "channels_b"):
            if getattr(self, name) not in (1, 3, 4):
                raise ConfigError(f"data.{name} is {getattr(self, name)}; known: 1 (grey), 3 (RGB), 4 (RGBA)")
        if (self.a is None) != (self.b is None):
            raise ConfigError("data.a and data.b go together: name both folders or neither")
        if (self.test_a is None) != (self.test_b is None):
            raise ConfigError("data.test_a and data.test_b go together: name both folders or neither")
        if self.workers < 0 or self.count < 1:
            raise ConfigError("data.workers must be 0 or more and data.count 1 or more")

    def transform(self, multiple: int = 4) -> Transform:
        """The transform of these settings, for networks whose input divides by ``multiple``."""
        load_size = self.load_size or round(self.size * 286 / 256)
        return Transform(kind=self.resize, size=self.size, load_size=load_size, flip=self.flip, multiple=multiple)


@dataclass
class PictureSets:
    """The pictures of a run.

    ``answers`` says that test picture i of B is the true answer to test picture i of A; ``notes`` are sentences for the person
    who started the run; ``files`` are the training files by domain, where there are any.
    """

    paired: bool
    train_a: Source
    train_b: Source
    test_a: Source
    test_b: Source
    answers: bool
    notes: list[str] = field(default_factory=list)
    held_out: bool = True


def open_sets(config: DataConfig, seed: int = 0) -> PictureSets:
    """Finds, checks and splits the pictures.

    Args:
        config: the data settings.
        seed: of the drawn seasons.

    Raises:
        DataError: with the path and what to do, for everything that is wrong with the pictures.
    """
    if config.root == SEASONS:
        return _drawn(config, seed)
    sets = _from_named(config) if config.a else _from_root(config)
    if config.direction == "b2a":
        if not sets.paired:
            raise ConfigError("data.direction is for pairs; without pairs a CycleGAN learns both directions at once")
        sets = replace(sets, train_a=sets.train_b, train_b=sets.train_a, test_a=sets.test_b, test_b=sets.test_a)
    return sets


def is_paired(config: DataConfig) -> bool:
    """Whether the data are pairs, from the folders' layout alone: no picture is opened.

    Raises:
        DataError: if the layout is unknown.
    """
    if config.kind != "auto" or config.root == SEASONS or config.a:
        return config.kind == "paired"
    root = Path(config.root or "")
    if subfolder(root, "trainA") and subfolder(root, "trainB"):
        return False
    if (
        (subfolder(root, "A") and subfolder(root, "B"))
        or holds_pictures(subfolder(root, "train"))
        or holds_pictures(root)
    ):
        return True
    raise unknown_layout(root)


def _drawn(config: DataConfig, seed: int) -> PictureSets:
    if config.kind == "paired":
        train_a = season_source("summer", seed, range(config.count), config.size)
        train_b = season_source("winter", seed, range(config.count), config.size)
    else:
        train_a = season_source("summer", seed, range(config.count), config.size)
        train_b = season_source("winter", seed, range(config.count, 2 * config.count), config.size)
    test = range(2 * config.count, 2 * config.count + max(8, config.count // 10))
    return PictureSets(
        paired=config.kind == "paired",
        train_a=train_a,
        train_b=train_b,
        test_a=season_source("summer", seed, test, config.size),
        test_b=season_source("winter", seed, test, config.size),
        answers=True,
    )


def _from_named(config: DataConfig) -> PictureSets:
    train = Path(str(config.a)), Path(str(config.b))
    test = (Path(config.test_a), Path(config.test_b)) if config.test_a and config.test_b else None
    return _two_folders(config, train, test, paired=config.kind == "paired")


def _from_root(config: DataConfig) -> PictureSets:
    if config.root is None:
        raise DataError("no data: give a folder of pictures, or 'seasons' for drawn ones, or --data.a and --data.b")
    root = Path(config.root)
    paired = is_paired(config)
    train_a, train_b = subfolder(root, "trainA"), subfolder(root, "trainB")
    if train_a and train_b:
        test_a, test_b = subfolder(root, "testA", "valA"), subfolder(root, "testB", "valB")
        test = (test_a, test_b) if test_a and test_b else None
        return _two_folders(config, (train_a, train_b), test, paired)
    a, b = subfolder(root, "A"), subfolder(root, "B")
    if a and b:
        inner = subfolder(a, "train"), subfolder(b, "train")
        tests = subfolder(a, "test", "val"), subfolder(b, "test", "val")
        if inner[0] and inner[1]:
            test = (tests[0], tests[1]) if tests[0] and tests[1] else None
            return _two_folders(config, (inner[0], inner[1]), test, paired)
        return _two_folders(config, (a, b), None, paired)
    folder = subfolder(root, "train")
    if holds_pictures(folder):
        return _side_by_side(config, folder or root, subfolder(root, "test", "val"), paired)
    if holds_pictures(root):
        return _side_by_side(config, root, None, paired)
    raise unknown_layout(root)


def _two_folders(
    config: DataConfig, train: tuple[Path, Path], test: tuple[Path, Path] | None, paired: bool
) -> PictureSets:
    notes: list[str] = []

    def pair_of(folders: tuple[Path, Path]) -> tuple[Source, Source]:
        if paired:
            a, b, note = match_stems(*folders, skip=config.on_error == "skip")
            notes.extend([note] if note else [])
        else:
            a, b = list_pictures(folders[0]), list_pictures(folders[1])
        a, b = _checked(config, a, b, paired, notes)
        return FileSource(a, config.channels_a), FileSource(b, config.channels_b)

    train_a, train_b = pair_of(train)
    if test is None:
        return _hold_back(PictureSets(paired, train_a, train_b, train_a, train_b, paired, notes))
    test_a, test_b = pair_of(test)
    answers = paired or _names_tell_scenes(train, test)
    if answers and not paired:
        notes.append("equal names in the two test folders are taken for the same scene: figures are to the true answer")
    return PictureSets(paired, train_a, train_b, test_a, test_b, answers, notes)


def _names_tell_scenes(train: tuple[Path, Path], test: tuple[Path, Path]) -> bool:
    """Whether equal names mean equal scenes: so in both test folders, and nowhere in both training folders.

    Folders whose files are merely numbered share names in training too.
    """
    train_a, train_b = (_names(folder) for folder in train)
    test_a, test_b = (_names(folder) for folder in test)
    return test_a == test_b and not set(train_a) & set(train_b)


def _names(folder: Path) -> list[str]:
    return [path.relative_to(folder).with_suffix("").as_posix() for path in list_pictures(folder)]


def _side_by_side(config: DataConfig, train: Path, test: Path | None, paired: bool) -> PictureSets:
    notes: list[str] = []

    def halves_of(folder: Path) -> tuple[Source, Source]:
        paths = list_pictures(folder)
        paths, _ = _checked(config, paths, paths, True, notes)
        a = HalfSource(paths, config.side, config.channels_a)
        return a, HalfSource(paths, OTHER_SIDE[config.side], config.channels_b)

    train_a, train_b = halves_of(train)
    if test is None or not holds_pictures(test):
        return _hold_back(PictureSets(paired, train_a, train_b, train_a, train_b, True, notes))
    return PictureSets(paired, train_a, train_b, *halves_of(test), True, notes)


def _checked(
    config: DataConfig, a: list[Path], b: list[Path], together: bool, notes: list[str]
) -> tuple[list[Path], list[Path]]:
    """Files that can be read; the others stop the run, or are left out and counted where that was asked for."""
    same = a is b
    if config.on_error == "skip":
        good_a, errors_a = readable(a)
        good_b, errors_b = (good_a, []) if same else readable(b)
        if together:
            good_a = good_b = [first and second for first, second in zip(good_a, good_b, strict=True)]
        kept_a = [path for path, good in zip(a, good_a, strict=True) if good]
        kept_b = [path for path, good in zip(b, good_b, strict=True) if good]
        errors = errors_a + errors_b
        if errors:
            notes.append(f"left out {len(errors)} unreadable files; the first: {errors[0].split(';')[0]}")
        if not kept_a or not kept_b:
            raise DataError(f"{a[0].parent}: no file in it can be read; the first: {errors[0]}")
        a, b = kept_a, kept_b
    for paths, channels in ((a, config.channels_a),) if same else ((a, config.channels_a), (b, config.channels_b)):
        notes.extend(note for note in inspect_files(paths, channels) if note not in notes)
    return a, b


def _hold_back(sets: PictureSets) -> PictureSets:
    """Keeps some training pictures for looking at and measuring, where the data have no test set of their own."""

    def split(source: Source) -> tuple[Source, Source]:
        held = set(spread(len(source), min(max(2, len(source) // 20), 50)))
        rest = [index for index in range(len(source)) if index not in held]
        return SubSource(source, rest), SubSource(source, sorted(held))

    if min(len(sets.train_a), len(sets.train_b)) < 10:
        note = "fewer than 10 pictures: none held back, samples and figures are of training pictures"
        return replace(sets, notes=[*sets.notes, note], held_out=False)
    (train_a, test_a), (train_b, test_b) = split(sets.train_a), split(sets.train_b)
    note = f"no test set: {len(test_a)} pictures of A and {len(test_b)} of B are held back from training"
    return replace(sets, train_a=train_a, train_b=train_b, test_a=test_a, test_b=test_b, notes=[*sets.notes, note])
