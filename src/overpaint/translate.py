"""Picture files in, translated picture files out: what belongs to what, and writing that leaves no half file."""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from overpaint.data.folders import list_pictures
from overpaint.errors import DataError
from overpaint.images import SUFFIXES, is_picture, open_picture
from overpaint.predict import Predictor

# Formats by suffix, and how they are written: as good as the input, where the format loses anything at all.
_FORMATS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF",
    ".tiff": "TIFF", ".bmp": "BMP",
}  # fmt: skip
_OPTIONS = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"quality": 95}, "TIFF": {"compression": "tiff_deflate"}}


def find_inputs(inputs: Sequence[str]) -> list[tuple[Path, Path]]:
    """Pictures that the arguments of a command mean.

    Args:
        inputs: files, folders (with everything below), or patterns such as ``photos/*.jpg``.

    Returns:
        Each file with its name for the output: relative to the folder it was found in.

    Raises:
        DataError: for what is missing, not a picture, or would be written to the same name twice.
    """
    found: list[tuple[Path, Path]] = []
    for given in inputs:
        path = Path(given)
        if path.is_dir():
            found += [(file, file.relative_to(path)) for file in list_pictures(path)]
        elif path.is_file():
            if not is_picture(path):
                raise DataError(f"{path}: not a kind of picture that is read; known: {', '.join(SUFFIXES)}")
            found.append((path, Path(path.name)))
        else:
            matches = sorted(Path(match) for match in glob.glob(given, recursive=True))  # noqa: PTH207
            matches = [match for match in matches if match.is_file() and is_picture(match)]
            if not matches:
                raise DataError(f"{given}: there is no such file, folder or pattern with pictures")
            found += [(match, Path(match.name)) for match in matches]
    taken: dict[str, Path] = {}
    for file, name in found:
        key = name.as_posix().lower()  # names that differ in case only are one file on Windows and macOS
        if key in taken and taken[key].resolve() != file.resolve():
            raise DataError(f"{taken[key]} and {file} would both be written as {name}; translate them into two folders")
        taken[key] = file
    return list({file.resolve(): (file, name) for file, name in found}.values())


def find_outputs(found: list[tuple[Path, Path]], out: Path) -> list[tuple[Path, Path]]:
    """Where each picture goes: names are kept; ``out`` may be a file if there is one picture.

    Raises:
        DataError: if that would overwrite an input, or one file can't hold all pictures.
    """
    as_file = out.suffix.lower() in SUFFIXES and not out.is_dir()
    if as_file and len(found) > 1:
        raise DataError(f"{out} is one file, but {len(found)} pictures are to be translated; give a folder")
    if out.is_file() and not as_file:
        raise DataError(f"{out} is a file, not a folder")
    plan = [(file, out if as_file else out / name) for file, name in found]
    for file, target in plan:
        if target.exists() and target.resolve() == file.resolve():
            raise DataError(f"{file} would be overwritten by its own translation; choose another --out")
    return plan


def translate_files(
    predictor: Predictor, plan: list[tuple[Path, Path]], direction: str | None = None, dropout: bool = False
) -> Iterator[tuple[Path, DataError | None]]:
    """Translates file after file.

    Yields:
        Each output's path, and the error if that one could not be made; the others are made all the same.
    """
    for file, target in plan:
        try:
            picture = open_picture(file)
            write_picture(predictor.translate(picture, direction, dropout), target, picture.info.get("icc_profile"))
            yield target, None
        except DataError as error:
            yield target, error


def write_picture(picture: Image.Image, target: Path, icc_profile: bytes | None = None) -> None:
    """Writes a picture beside its place and renames it.

    Raises:
        DataError: if the folder can't be written or the format can't hold the picture.
    """
    kind = _FORMATS[target.suffix.lower()]
    if kind in ("JPEG", "BMP") and picture.mode in ("RGBA", "LA"):
        picture = picture.convert("RGB")
    options = dict(_OPTIONS.get(kind, {}))
    if icc_profile and picture.mode in ("RGB", "RGBA") and kind != "BMP":
        options["icc_profile"] = icc_profile
    partial = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        picture.save(partial, format=kind, **options)
        partial.replace(target)
    except OSError as error:
        raise DataError(f"{target} can't be written ({error.strerror or error})") from None
    finally:
        if partial.parent.is_dir():
            partial.unlink(missing_ok=True)
