"""Folders, layouts, transforms, order, cache, and everything that can be wrong with pictures."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from overpaint.data.cache import FlatCache, cached
from overpaint.data.catalog import DataConfig, open_sets
from overpaint.data.folders import list_pictures
from overpaint.data.loader import Positions, batches
from overpaint.data.pictures import PairedPictures, UnpairedPictures
from overpaint.data.sources import ArraySource, FileSource
from overpaint.data.transforms import Transform
from overpaint.errors import ConfigError, DataError
from overpaint.images import read_picture, resize, to_float, to_uint8
from tests.conftest import SHORT, SMALL_CYCLEGAN, side_by_side


def save(path: Path, size: tuple[int, int] = (40, 40), mode: str = "RGB", value: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode in ("L", "I;16") else (value,) * len(mode)).save(path)
    return path


def two_folders(root: Path, count: int = 12) -> Path:
    for folder in ("trainA", "trainB"):
        for number in range(count):
            save(root / folder / f"{folder}{number}.png", value=number)
    return root


# Layouts


def test_unpaired_folders(unpaired: Path):
    sets = open_sets(DataConfig(root=str(unpaired)))
    assert not sets.paired and sets.answers
    assert (len(sets.train_a), len(sets.train_b), len(sets.test_a), len(sets.test_b)) == (12, 12, 4, 4)


def test_nested_folders_suffixes_and_strange_names(tmp_path: Path):
    for name in ("a/1.JPG", "a/b/2.jpeg", "ü ñ (3).png", "4.webp", "c/5.tif", "6.bmp"):
        save(tmp_path / name)
    for name in (".hidden.png", "Thumbs.db", "notes.txt"):
        (tmp_path / name).write_text("no picture")
    assert len(list_pictures(tmp_path)) == 6


def test_named_folders(tmp_path: Path):
    root = two_folders(tmp_path)
    sets = open_sets(DataConfig(a=str(root / "trainA"), b=str(root / "trainB")))
    assert not sets.paired and len(sets.train_a) + len(sets.test_a) == 12


def test_held_back_pictures_are_not_trained_on(tmp_path: Path):
    sets = open_sets(DataConfig(root=str(two_folders(tmp_path, 40))))
    train, test = ({s.name(i) for i in range(len(s))} for s in (sets.train_a, sets.test_a))
    assert not train & test and len(train | test) == 40
    assert any("held back" in note for note in sets.notes)


def test_numbered_files_are_not_taken_for_answers(tmp_path: Path):
    for folder in ("trainA", "trainB", "testA", "testB"):
        for number in range(4):
            save(tmp_path / folder / f"{number}.png")
    assert not open_sets(DataConfig(root=str(tmp_path))).answers


@pytest.mark.parametrize(("side", "first"), [("left", 50), ("right", 200), ("top", 50), ("bottom", 200)])
def test_side_by_side(tmp_path: Path, side, first):
    wide = side in ("left", "right")
    picture = Image.new("RGB", (80, 40) if wide else (40, 80), (50, 50, 50))
    picture.paste((200, 200, 200), (40, 0, 80, 40) if wide else (0, 40, 40, 80))
    (tmp_path / "train").mkdir()
    for number in range(4):
        picture.save(tmp_path / "train" / f"{number}.png")
    sets = open_sets(DataConfig(root=str(tmp_path), side=side))
    assert sets.paired
    assert sets.train_a.read(0).shape == (3, 40, 40)
    assert int(sets.train_a.read(0)[0, 0, 0]) == first
    turned = open_sets(DataConfig(root=str(tmp_path), side=side, direction="b2a"))
    assert int(turned.train_b.read(0)[0, 0, 0]) == first


def test_pairs_by_stem(tmp_path: Path):
    for number in range(12):
        save(tmp_path / "A" / "train" / f"{number}.png", value=number)
        save(tmp_path / "B" / "train" / f"{number}.jpg", value=200)
    sets = open_sets(DataConfig(root=str(tmp_path)))
    assert sets.paired
    for index in range(len(sets.train_a)):
        assert Path(sets.train_a.name(index)).stem == Path(sets.train_b.name(index)).stem


def test_missing_partners_are_named(tmp_path: Path):
    for number in range(12):
        save(tmp_path / "A" / f"{number}.png")
        if number not in (3, 7):
            save(tmp_path / "B" / f"{number}.png")
    with pytest.raises(DataError, match=r"2 pictures have no partner.*3\.png.*7\.png.*--data.on_error skip"):
        open_sets(DataConfig(root=str(tmp_path)))
    sets = open_sets(DataConfig(root=str(tmp_path), on_error="skip"))
    assert len(sets.train_a) + len(sets.test_a) == 10
    assert any("2 pictures without a partner" in note for note in sets.notes)


def test_equal_stems_are_told(tmp_path: Path):
    for folder in "AB":
        save(tmp_path / folder / "1.png")
    save(tmp_path / "A" / "1.jpg")
    with pytest.raises(DataError, match="same name but for the suffix"):
        open_sets(DataConfig(root=str(tmp_path)))


def test_direction_is_for_pairs(unpaired: Path):
    with pytest.raises(ConfigError, match="both directions"):
        open_sets(DataConfig(root=str(unpaired), direction="b2a"))


# What is wrong with pictures


def test_no_folder_no_pictures_no_layout(tmp_path: Path):
    with pytest.raises(DataError, match="no such folder"):
        open_sets(DataConfig(root=str(tmp_path / "nowhere")))
    (tmp_path / "odd").mkdir()
    with pytest.raises(DataError, match=r"found only odd/; known layouts: trainA/ and trainB/"):
        open_sets(DataConfig(root=str(tmp_path)))
    (tmp_path / "trainA").mkdir()
    save(tmp_path / "trainB" / "1.png")
    with pytest.raises(DataError, match=r"trainA: no pictures in it; files that are read: \.jpg"):
        open_sets(DataConfig(root=str(tmp_path)))


def test_unreadable_and_truncated_files(tmp_path: Path):
    root = two_folders(tmp_path)
    (root / "trainA" / "text.png").write_text("this is no picture")
    with pytest.raises(DataError, match=r"text\.png: not a picture.*--data.on_error skip"):
        open_sets(DataConfig(root=str(root)))
    (root / "trainA" / "text.png").unlink()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    for name in ("whole.jpg", "whole.png", "whole.tif", "whole.bmp", "whole.webp"):
        path = tmp_path / name
        Image.fromarray(noise).save(path)
        cut = root / "trainB" / f"cut{path.suffix}"
        cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(DataError, match=f"cut{path.suffix}"):
            read_picture(cut)
    sets = open_sets(DataConfig(root=str(root), on_error="skip"))
    assert len(sets.train_b) + len(sets.test_b) == 12
    assert any("left out 5 unreadable files" in note and "cut" in note for note in sets.notes)


def test_a_damaged_pair_loses_both_halves(tmp_path: Path):
    for number in range(12):
        for folder in "AB":
            save(tmp_path / folder / f"{number}.png")
    (tmp_path / "B" / "4.png").write_bytes(b"\x89PNG cut")
    sets = open_sets(DataConfig(root=str(tmp_path), on_error="skip"))
    names = [Path(s.name(i)).stem for s in (sets.train_a, sets.test_a) for i in range(len(s))]
    assert "4" not in names and len(names) == 11


def test_grey_and_transparent_pictures_are_converted_and_told(tmp_path: Path):
    root = two_folders(tmp_path)
    save(root / "trainA" / "grey.png", mode="L", value=90)
    rgba = Image.new("RGBA", (40, 40), (10, 20, 30, 0))
    rgba.save(root / "trainA" / "clear.png")
    sets = open_sets(DataConfig(root=str(root)))
    notes = " ".join(sets.notes)
    assert "1 of 14 pictures have mode L" in notes and "grey.png" in notes
    assert "mode RGBA" in notes and "clear.png" in notes
    assert read_picture(root / "trainA" / "grey.png").unique().tolist() == [90]
    assert read_picture(root / "trainA" / "clear.png").unique().tolist() == [255]  # on white, not on hidden black


def test_sixteen_bit_greys_are_scaled_not_clipped(tmp_path: Path):
    Image.fromarray(np.full((8, 8), 40000, np.uint16)).save(tmp_path / "deep.png")
    assert read_picture(tmp_path / "deep.png").unique().tolist() == [40000 // 257]


def test_exif_rotation_is_applied(tmp_path: Path):
    picture = Image.new("RGB", (20, 10), (0, 0, 0))
    picture.paste((255, 255, 255), (0, 0, 5, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    picture.save(tmp_path / "turned.png", exif=exif)
    upright = read_picture(tmp_path / "turned.png")
    assert upright.shape == (3, 20, 10)
    assert int(upright[0, 0, 0]) == 255 and int(upright[0, -1, 0]) == 0


def test_pictures_smaller_than_the_crop(tmp_path: Path):
    path = save(tmp_path / "small.png", (30, 50))
    transform = Transform(kind="crop", size=32, load_size=32)
    with pytest.raises(DataError, match=r"small\.png: 30 x 50 pixels are fewer than the crop of 32"):
        transform.prepare(read_picture(path), str(path))


def test_odd_widths_do_not_split(tmp_path: Path):
    (tmp_path / "train").mkdir()
    for number in range(3):
        save(tmp_path / "train" / f"{number}.png", (81, 40))
    with pytest.raises(DataError, match="does not split"):
        open_sets(DataConfig(root=str(tmp_path))).train_a.read(0)


# Transforms and order


def test_every_crop_is_reached_and_none_goes_over_the_edge():
    transform = Transform(size=6, load_size=8)
    rng = np.random.default_rng(0)
    draws = [transform.draw(8, 8, rng) for _ in range(400)]
    assert {d.top for d in draws} == {d.left for d in draws} == {0, 1, 2}
    assert {d.flip for d in draws} == {True, False}
    picture = torch.arange(64, dtype=torch.uint8).view(1, 8, 8)
    assert all(transform.vary(picture, d).shape == (1, 6, 6) for d in draws)


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("resize-and-crop", (50, 30), (20, 20)),
        ("crop", (50, 30), (30, 50)),
        ("scale-width", (50, 30), (24, 20)),
        ("none", (50, 30), (28, 48)),
    ],
)
def test_kinds(kind, size, expected):
    transform = Transform(kind=kind, size=16, load_size=20, multiple=4)
    picture = torch.zeros(3, size[1], size[0], dtype=torch.uint8)
    if kind == "scale-width":
        picture, expected = torch.zeros(3, 60, 50, dtype=torch.uint8), (24, 20)
    prepared = transform.prepare(picture)
    assert prepared.shape[1:] == expected
    assert transform.prepare(prepared).shape == prepared.shape  # preparing twice changes nothing


def test_resize_is_pillows_within_a_grey_level():
    noise = np.random.default_rng(0).integers(0, 255, (90, 70, 3), dtype=np.uint8)
    ours = resize(torch.from_numpy(noise).permute(2, 0, 1), 33, 41)
    theirs = np.asarray(Image.fromarray(noise).resize((41, 33), Image.Resampling.BICUBIC))
    assert np.abs(ours.permute(1, 2, 0).numpy().astype(int) - theirs).max() <= 1


def test_scaling_is_to_minus_one_and_one_and_back():
    values = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    floats = to_float(values)
    assert floats.min() == -1 and floats.max() == 1
    assert torch.equal(to_uint8(floats), values)


def numbered(count: int, channels: int = 1, size: int = 12, start: int = 0) -> ArraySource:
    pictures = (
        torch.arange(start, start + count, dtype=torch.uint8).view(count, 1, 1, 1).expand(count, channels, size, size)
    )
    return ArraySource(pictures.contiguous(), [str(start + i) for i in range(count)])


def test_an_epoch_shows_every_picture_once():
    dataset = UnpairedPictures(numbered(7), numbered(5, start=100), Transform(size=8, load_size=12), seed=3)
    first = [int(dataset[p].a_path) for p in range(7)]
    second = [int(dataset[p].a_path) for p in range(7, 14)]
    assert sorted(first) == sorted(second) == list(range(7))
    assert first != second
    assert {dataset[p].b_path for p in range(200)} == {"100", "101", "102", "103", "104"}


def test_unpaired_partners_are_drawn_at_random():
    dataset = UnpairedPictures(numbered(20), numbered(20), Transform(size=8, load_size=12), seed=0)
    together = [dataset[p].a_path == dataset[p].b_path for p in range(400)]
    assert sum(together) < 60


def test_a_pair_shares_one_draw():
    ramp = torch.arange(144, dtype=torch.uint8).view(1, 1, 12, 12)
    dataset = PairedPictures(
        ArraySource(ramp, ["a"]), ArraySource(ramp.clone(), ["b"]), Transform(size=8, load_size=12), seed=1
    )
    items = [dataset[p] for p in range(20)]
    assert all(torch.equal(item.a, item.b) for item in items)
    assert len({item.a.numpy().tobytes() for item in items}) > 10


def test_pairs_of_different_sizes_are_told():
    dataset = PairedPictures(
        numbered(1, size=12), numbered(1, size=14), Transform(kind="crop", size=8, load_size=8), seed=1
    )
    with pytest.raises(DataError, match="different sizes"):
        dataset[0]


@pytest.mark.parametrize("workers", [1, 4])
def test_the_order_is_the_same_with_any_number_of_workers(workers: int):
    dataset = UnpairedPictures(numbered(9), numbered(7, start=50), Transform(size=8, load_size=12), seed=5)
    plain = list(batches(dataset, start=0, stop=24, batch=2))
    forked = list(batches(dataset, start=0, stop=24, batch=2, workers=workers))
    assert len(plain) == len(forked) == 12
    for one, other in zip(plain, forked):
        assert one.a_paths == other.a_paths and one.b_paths == other.b_paths
        assert torch.equal(one.a, other.a) and torch.equal(one.b, other.b)


def test_the_order_goes_on_where_it_stopped():
    dataset = UnpairedPictures(numbered(9), numbered(7, start=50), Transform(size=8, load_size=12), seed=5)
    whole = list(batches(dataset, start=0, stop=20, batch=2))
    rest = list(batches(dataset, start=12, stop=20, batch=2))
    assert [b.a_paths for b in whole[6:]] == [b.a_paths for b in rest]
    assert all(torch.equal(one.b, other.b) for one, other in zip(whole[6:], rest))


def test_processes_share_a_batch_without_overlap():
    parts = [list(Positions(0, 24, 3, rank, 2)) for rank in range(2)]
    assert parts[0][:6] == [0, 1, 2, 6, 7, 8] and parts[1][:6] == [3, 4, 5, 9, 10, 11]
    assert sorted(parts[0] + parts[1]) == list(range(24))


def test_loading_does_not_move_the_global_generator():
    dataset = UnpairedPictures(numbered(9), numbered(7), Transform(size=8, load_size=12), seed=5)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    list(batches(dataset, start=0, stop=8, batch=1))
    assert torch.equal(before, torch.get_rng_state())


# Cache


@pytest.mark.parametrize("where", ["memory", "disk"])
@pytest.mark.parametrize("kind", ["resize-and-crop", "crop"])
def test_cached_pictures_are_the_same(tmp_path: Path, where, kind):
    paths = [tmp_path / f"{n}.png" for n in range(3)]
    for number, path in enumerate(paths):
        noise = np.random.default_rng(number).integers(0, 255, (40 + number, 50, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
    source, transform = FileSource(paths), Transform(kind=kind, size=16, load_size=20)
    kept = cached(source, transform, where, tmp_path / "cache")
    assert isinstance(kept, FlatCache)
    for index in range(3):
        assert torch.equal(kept.read(index), transform.prepare(source.read(index)))
        assert kept.name(index) == source.name(index)


def test_a_cache_on_disk_is_used_again_and_follows_its_files(tmp_path: Path):
    path = save(tmp_path / "1.png", value=10)
    transform, folder = Transform(size=16, load_size=20), tmp_path / "cache"
    cached(FileSource([path]), transform, "disk", folder)
    (data,) = folder.glob("*.u8")
    stamp = data.stat().st_mtime_ns
    cached(FileSource([path]), transform, "disk", folder)
    assert data.stat().st_mtime_ns == stamp
    save(path, value=99)
    changed = cached(FileSource([path]), transform, "disk", folder)
    assert changed.read(0).unique().tolist() == [99]


def test_what_does_not_fit_is_not_cached(tmp_path: Path):
    source = FileSource([save(tmp_path / "1.png")])
    assert cached(source, Transform(size=16, load_size=20), "auto", share=0.0) is source


def test_real_pairs_survive_the_copying_of_their_folder(paired: Path, tmp_path: Path):
    shutil.copytree(paired, tmp_path / "copy")
    side_by_side(tmp_path / "copy" / "train" / "more.jpg", 99)
    assert len(open_sets(DataConfig(root=str(tmp_path / "copy"))).train_a) == 13


@pytest.mark.parametrize("workers", [0, 1])
def test_a_file_that_breaks_during_a_run_is_one_line_and_loses_nothing(tmp_path: Path, refused, workers: int):
    root = two_folders(tmp_path / "data")
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    whole = root / "trainA" / "trainA3 cut.jpg"
    Image.fromarray(noise).save(whole, quality=95)
    whole.write_bytes(whole.read_bytes()[:900])  # the header is whole, the picture is not
    flags = [*SMALL_CYCLEGAN, *SHORT, "--train.pictures", "40", "--data.cache", "none", "--data.workers", workers]
    told = refused("train", root, "--out", tmp_path / "run", "--preset", "cyclegan-tiny", *flags)
    assert "cut.jpg: damaged or cut short" in told and "Original" not in told
    assert (tmp_path / "run" / "state.pt").exists()
    assert "cut.jpg" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
