"""Finds the pictures of a data set in its folders: which layout it is, which file belongs to which, what is damaged."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from overpaint.errors import DataError
from overpaint.images import MODES, SUFFIXES, inspect_picture, is_picture, open_picture

_KNOWN_LAYOUTS = (
    "known layouts: trainA/ and trainB/ (two sets without pairs), A/ and B/ (pairs by file name), train/ or the folder itself "
    "with pairs side by side in each picture; or name the folders with --data.a and --data.b"
)


def list_pictures(folder: Path) -> list[Path]:
    """All pictures in a folder and below, sorted by their path.

    Raises:
        DataError: if the folder is missing or holds none.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder")
    paths = [path for path in folder.rglob("*") if is_picture(path) and path.is_file()]
    if not paths:
        raise DataError(f"{folder}: no pictures in it; files that are read: {', '.join(SUFFIXES)}")
    return sorted(paths, key=lambda path: path.relative_to(folder).as_posix())


def subfolder(root: Path, *names: str) -> Path | None:
    """The first of some folders inside ``root`` that exists, whatever the case of its name."""
    if not root.is_dir():
        return None
    present = {path.name.lower(): path for path in root.iterdir() if path.is_dir()}
    return next((present[name.lower()] for name in names if name.lower() in present), None)


def holds_pictures(folder: Path | None) -> bool:
    """Whether pictures lie directly in a folder."""
    return folder is not None and folder.is_dir() and any(is_picture(path) for path in folder.iterdir())


def unknown_layout(root: Path) -> DataError:
    """The error for a folder that is laid out in no known way."""
    if not root.is_dir():
        return DataError(f"{root}: there is no such folder; give a folder of pictures, or 'seasons' for drawn ones")
    found = sorted(path.name + "/" for path in root.iterdir() if path.is_dir())
    inside = f"found only {', '.join(found[:6])}" if found else "found no pictures and no folders"
    return DataError(f"{root}: {inside}; {_KNOWN_LAYOUTS}")


def stems(paths: Sequence[Path], folder: Path) -> dict[str, Path]:
    """Files by their path below ``folder`` without the suffix.

    Raises:
        DataError: if two files differ in their suffix only.
    """
    named: dict[str, Path] = {}
    for path in paths:
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if stem in named:
            raise DataError(f"{path} and {named[stem].name} have the same name but for the suffix; remove one of them")
        named[stem] = path
    return named


def match_stems(folder_a: Path, folder_b: Path, skip: bool) -> tuple[list[Path], list[Path], str]:
    """Pairs of files of two folders by equal stems.

    Args:
        folder_a: the first folder.
        folder_b: the second.
        skip: leave out pictures without a partner instead of refusing.

    Returns:
        Files of A, their partners of B, and a sentence about what was left out (or nothing).

    Raises:
        DataError: naming the pictures without a partner.
    """
    a, b = stems(list_pictures(folder_a), folder_a), stems(list_pictures(folder_b), folder_b)
    common = [stem for stem in a if stem in b]
    lonely = [str(a[stem]) for stem in a if stem not in b] + [str(b[stem]) for stem in b if stem not in a]
    if not common:
        raise DataError(f"{folder_a} and {folder_b}: no two pictures have the same name, so there are no pairs")
    note = ""
    if lonely:
        named = ", ".join(lonely[:5]) + (f" and {len(lonely) - 5} more" if len(lonely) > 5 else "")
        if not skip:
            raise DataError(
                f"{len(lonely)} pictures have no partner of the same name in the other folder: {named}; add the partners, or "
                "leave these out with --data.on_error skip"
            )
        note = f"left out {len(lonely)} pictures without a partner: {named}"
    return [a[stem] for stem in common], [b[stem] for stem in common], note


def inspect_files(paths: Sequence[Path], channels: int) -> list[str]:
    """Reads every header.

    Returns:
        A sentence for each kind of picture that has to be converted to the channels of the set.

    Raises:
        DataError: for the first file whose header can't be read.
    """
    others: Counter[str] = Counter()
    first: dict[str, Path] = {}
    for path in paths:
        try:
            mode = inspect_picture(path)[2]
        except DataError as error:
            raise DataError(f"{error}, or leave unreadable files out with --data.on_error skip") from None
        if mode != MODES[channels]:
            others[mode] += 1
            first.setdefault(mode, path)
    return [
        f"{count} of {len(paths)} pictures have mode {mode}, not {MODES[channels]}, and are converted ({first[mode]}); "
        "remove them if that is not what you want, or set data.channels_a, data.channels_b"
        for mode, count in others.items()
    ]


def readable(paths: Sequence[Path], advance: Callable[[], None] | None = None) -> tuple[list[bool], list[str]]:
    """Decodes every file to its end.

    Args:
        paths: the files.
        advance: called after each.

    Returns:
        For each file whether it can be read, and the errors of those that can't.
    """
    good, errors = [], []
    for path in paths:
        try:
            open_picture(path)
            good.append(True)
        except DataError as error:
            good.append(False)
            errors.append(str(error))
        if advance:
            advance()
    return good, errors
