"""Using a model: types, sizes, directions, files, and that nothing has to be repeated."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import overpaint
from overpaint.checkpoint import ModelInfo, save_model
from overpaint.cli import main
from overpaint.errors import ConfigError, DataError
from overpaint.images import from_pil, to_float, to_uint8
from overpaint.models import ModelSpec, build_generator, build_model


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    channels = len(Image.new(mode, (1, 1)).getbands())
    values = np.random.default_rng(0).integers(0, 255, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(values[..., 0] if channels == 1 else values)


@pytest.fixture(scope="module")
def predictor(cyclegan_run: Path) -> overpaint.Predictor:
    return overpaint.load(cyclegan_run)


def test_a_file_carries_everything(cyclegan_run: Path, tmp_path: Path):
    (tmp_path / "passed-around.safetensors").write_bytes((cyclegan_run / "model.safetensors").read_bytes())
    model = overpaint.load(tmp_path / "passed-around.safetensors")
    assert model.directions == ("a2b", "b2a")
    assert model.info.size == 32 and model.channels() == (3, 3)
    assert model.info.training["pictures"] == 6
    assert model.info.training["settings"]["train"]["lr"] == 2e-4
    assert str(cyclegan_run.parents[1]) not in repr(model.info)  # where things lie on this machine is nobody's business


@pytest.mark.parametrize("size", [(64, 48), (33, 47), (5, 3), (1, 1), (130, 31)])
def test_the_pictures_own_size_in_and_out(predictor, size):
    for direction in predictor.directions:
        assert predictor.translate(noise(*size), direction).size == size


def test_types_agree(predictor):
    picture = noise(37, 29)
    as_picture = predictor.translate(picture)
    as_array = predictor.translate(np.asarray(picture))
    as_tensor = predictor.translate(to_float(from_pil(picture))[None])
    assert isinstance(as_picture, Image.Image) and as_picture.mode == "RGB"
    assert as_array.dtype == np.uint8 and as_array.shape == (29, 37, 3)
    assert as_tensor.dtype == torch.float32 and as_tensor.shape == (1, 3, 29, 37)
    assert np.array_equal(np.asarray(as_picture), as_array)
    assert torch.equal(to_uint8(as_tensor[0]), from_pil(as_picture))


def test_padding_leaves_whole_multiples_alone(predictor, cyclegan_run):
    """A picture that needs no padding goes through the bare network; nothing is cropped or squashed."""
    x = torch.rand(2, 3, 40, 52) * 2 - 1
    with torch.no_grad():
        assert torch.equal(predictor.translate(x, "a2b"), predictor.networks["a2b"](x))


def test_directions_differ_and_unknown_ones_are_told(predictor):
    picture = noise(32, 32)
    assert predictor.translate(picture, "a2b").tobytes() != predictor.translate(picture, "b2a").tobytes()
    with pytest.raises(ConfigError, match="it knows: a2b, b2a"):
        predictor.translate(picture, "c2d")


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA", "P", "CMYK", "1"])
def test_other_modes(predictor, mode):
    picture = noise(20, 20, "RGBA").convert(mode) if mode in ("LA", "RGBA") else noise(20, 20).convert(mode)
    result = predictor.translate(picture)
    assert result.size == (20, 20)
    if mode in ("RGBA", "LA"):
        assert result.mode == "RGBA"
        assert result.getchannel("A").tobytes() == picture.getchannel("A").tobytes()


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 5), np.uint8),
        torch.zeros(3, 8, 8),
        torch.zeros(1, 4, 8, 8),
        "picture.png",
    ],
)
def test_wrong_inputs_are_told(predictor, wrong):
    with pytest.raises(DataError):
        predictor.translate(wrong)


def test_pix2pix_is_repeatable_and_draws_on_request(pix2pix_run: Path):
    model = overpaint.load(pix2pix_run)
    spec = ModelSpec(
        name="pix2pix",
        generator={"name": "unet", "width": 4, "downs": 6, "dropout": 0.5},
        discriminator={"name": "patchgan", "width": 4},
    )
    assert model.directions == ("b2a",)  # as it was trained, and as users call it
    picture = noise(40, 40)
    assert model.translate(picture).tobytes() == model.translate(picture, "b2a").tobytes()
    torch.manual_seed(0)
    info = ModelInfo(spec=spec, directions={"a2b": "a2b"}, size=64)
    deep = overpaint.Predictor({"a2b": build_generator(spec, "a2b")}, info)
    x = torch.rand(1, 3, 64, 64) * 2 - 1
    still, drawn, again = deep.translate(x), deep.translate(x, dropout=True), deep.translate(x, dropout=True)
    assert torch.equal(still, deep.translate(x))
    assert not torch.equal(drawn, again) and not torch.equal(still, drawn)


def test_batch_statistics_are_those_of_the_picture(tmp_path: Path):
    """Weights trained with batches of one translate as in training, after a way through a file."""
    torch.manual_seed(1)
    spec = ModelSpec(name="pix2pix", generator={"name": "unet", "width": 4, "downs": 4, "dropout": 0.0})
    model = build_model(spec)
    for _ in range(3):
        model.get_submodule("g_ab")(torch.rand(1, 3, 32, 32))  # moves the running statistics
    save_model(
        tmp_path / "m.safetensors",
        {"a2b": model.generator("a2b")},
        ModelInfo(spec=spec, directions={"a2b": "a2b"}, size=32),
    )
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        trained = torch.cat([model.train().get_submodule("g_ab")(p[None]) for p in x])
    assert torch.allclose(overpaint.load(tmp_path / "m.safetensors").translate(x), trained, atol=1e-5)


def test_channels_other_than_three(tmp_path: Path):
    spec = ModelSpec(name="cyclegan", generator={"name": "resnet", "width": 4, "blocks": 1}, channels_a=1, channels_b=3)
    info = ModelInfo(spec=spec, directions={"a2b": "a2b", "b2a": "b2a"}, size=32)
    save_model(tmp_path / "m.safetensors", {way: build_generator(spec, way) for way in ("a2b", "b2a")}, info)
    model = overpaint.load(tmp_path / "m.safetensors")
    assert model.channels("a2b") == (1, 3) and model.channels("b2a") == (3, 1)
    assert model.translate(noise(17, 9, "L"), "a2b").mode == "RGB"
    assert model.translate(noise(17, 9), "b2a").mode == "L"
    assert model.translate(np.asarray(noise(17, 9)), "b2a").shape == (9, 17, 1)


# From the shell


def test_one_picture_to_a_file(cyclegan_run: Path, tmp_path: Path):
    noise(45, 31).save(tmp_path / "in.png")
    assert (
        main(["translate", str(cyclegan_run), str(tmp_path / "in.png"), "--out", str(tmp_path / "sub" / "out.jpg")])
        == 0
    )
    with Image.open(tmp_path / "sub" / "out.jpg") as result:
        assert result.size == (45, 31) and result.format == "JPEG"


def test_folders_patterns_and_names(cyclegan_run: Path, tmp_path: Path, capsys):
    for name in ("a/1.png", "a/deep/ü 2.jpg", "a/deep/3.webp", "b/4.bmp", "b/5.tif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        noise(24, 20).save(tmp_path / name)
    out = tmp_path / "out"
    assert (
        main(
            [
                "translate",
                str(cyclegan_run),
                str(tmp_path / "a"),
                str(tmp_path / "b" / "*"),
                "--out",
                str(out),
                "--direction",
                "b2a",
            ]
        )
        == 0
    )
    written = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert written == {"1.png", "deep/ü 2.jpg", "deep/3.webp", "4.bmp", "5.tif"}
    for path in (out / name for name in written):
        with Image.open(path) as result:
            assert result.size == (24, 20)
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_the_shell_and_python_agree(cyclegan_run: Path, tmp_path: Path):
    noise(33, 22).save(tmp_path / "in.png")
    main(
        [
            "translate",
            str(cyclegan_run),
            str(tmp_path / "in.png"),
            "--out",
            str(tmp_path / "out.png"),
            "--direction",
            "b2a",
        ]
    )
    with Image.open(tmp_path / "in.png") as picture, Image.open(tmp_path / "out.png") as result:
        assert overpaint.load(cyclegan_run).translate(picture, "b2a").tobytes() == result.tobytes()


def test_exif_rotation_and_colour_profile(cyclegan_run: Path, tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(40, 20).save(tmp_path / "in.jpg", exif=exif, icc_profile=b"a profile")
    main(["translate", str(cyclegan_run), str(tmp_path / "in.jpg"), "--out", str(tmp_path / "out.jpg")])
    with Image.open(tmp_path / "out.jpg") as result:
        assert result.size == (20, 40)
        assert result.info["icc_profile"] == b"a profile"


def test_one_bad_file_does_not_stop_the_others(cyclegan_run: Path, tmp_path: Path, capsys):
    noise(20, 20).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes((tmp_path / "good.png").read_bytes()[:300])
    status = main(
        [
            "translate",
            str(cyclegan_run),
            str(tmp_path / "bad.png"),
            str(tmp_path / "good.png"),
            "--out",
            str(tmp_path / "out"),
        ]
    )
    told = capsys.readouterr()
    assert status == 1 and "bad.png" in told.err and told.err.count("\n") == 1
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["good.png"]


def test_what_cannot_be_is_told_first(cyclegan_run: Path, tmp_path: Path, refused):
    noise(20, 20).save(tmp_path / "1.png")
    for folder in "ab":
        (tmp_path / folder).mkdir()
        noise(20, 20).save(tmp_path / folder / "same.png")
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"

    def told(*inputs: object, to: Path = out) -> str:
        return refused("translate", cyclegan_run, *inputs, "--out", to)

    assert "no such file" in told(tmp_path / "missing.png")
    assert "not a kind of picture" in told(tmp_path / "notes.txt")
    assert "no pictures in it" in told(tmp_path / "empty")
    assert "both be written" in told(tmp_path / "a" / "same.png", tmp_path / "b" / "same.png")
    assert "overwritten" in told(tmp_path / "1.png", to=tmp_path)
    assert "give a folder" in told(tmp_path / "1.png", tmp_path / "a", to=tmp_path / "one.png")
    assert "is a file" in told(tmp_path / "1.png", to=tmp_path / "notes.txt")
    assert "it knows: a2b, b2a" in refused(
        "translate", cyclegan_run, tmp_path / "1.png", "--out", out, "--direction", "up"
    )
    assert "device no-such" in refused(
        "translate", cyclegan_run, tmp_path / "1.png", "--out", out, "--device", "no-such"
    )
    (tmp_path / "weights.safetensors").write_bytes(b"nothing")
    assert "safetensors" in refused("translate", tmp_path / "weights.safetensors", tmp_path / "1.png", "--out", out)
    assert not out.exists()
