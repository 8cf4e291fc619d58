"""Networks: published sizes, shapes for every option, what .eval() may and may not change."""

import itertools

import pytest
import torch
from torch import nn

from overpaint.errors import ConfigError
from overpaint.nets import DISCRIMINATORS, GENERATORS
from overpaint.nets.layers import BlurDownsample, BlurUpsample, use_picture_statistics
from overpaint.nets.patchgan import PatchDiscriminator, PixelDiscriminator
from overpaint.nets.resnet import ResnetGenerator
from overpaint.nets.seed import SeedGenerator
from overpaint.nets.unet import UnetGenerator


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_published_parameter_counts():
    with torch.device("meta"):
        assert parameters(ResnetGenerator(blocks=9)) == 11_378_179
        assert parameters(UnetGenerator(downs=8)) == 54_413_955
        assert parameters(PatchDiscriminator()) == 2_764_737


def test_every_generator_keeps_the_size_and_the_range():
    for name in GENERATORS:
        network = GENERATORS[name](in_channels=2, out_channels=5, width=4)
        side = 2 * int(network.multiple)  # type: ignore[arg-type]
        out = network(torch.rand(2, 2, side, 2 * side))
        assert out.shape == (2, 5, side, 2 * side)
        assert out.abs().max() <= 1


def test_every_discriminator_scores_patches():
    for name in DISCRIMINATORS:
        assert DISCRIMINATORS[name](in_channels=6, width=4)(torch.rand(2, 6, 64, 48)).shape[:2] == (2, 1)


OPTIONS = itertools.product(
    ("instance", "batch", "none"), ("transposed", "resize", "blurpool"), ("reflect", "replicate", "zero")
)


@pytest.mark.parametrize(("norm", "upsample", "padding"), OPTIONS)
def test_resnet_options(norm, upsample, padding):
    network = ResnetGenerator(
        width=4, blocks=2, norm=norm, upsample=upsample, padding=padding, dropout=0.5, skip="input"
    )
    assert network(torch.rand(1, 3, 20, 24)).shape == (1, 3, 20, 24)


@pytest.mark.parametrize("downs", [2, 3, 5, 8])
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
def test_unet_depths(downs, norm):
    network = UnetGenerator(width=2, downs=downs, norm=norm)
    side = network.multiple
    assert network(torch.rand(2, 3, side, 2 * side)).shape == (2, 3, side, 2 * side)
    assert sum(isinstance(m, nn.Dropout) for m in network.modules()) == max(0, downs - 5)


# RECIPES: the pixel net and 1 to 6 layers see 1, 16, 34, 70, 142, 286, 574 pixels.
@pytest.mark.parametrize(("layers", "seen"), [(0, 1), (1, 16), (2, 34), (3, 70), (4, 142), (5, 286), (6, 574)])
def test_receptive_fields(layers, seen):
    network = (
        PixelDiscriminator(width=1, norm="none")
        if layers == 0
        else PatchDiscriminator(width=1, layers=layers, norm="none")
    )
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.01)  # nothing cancels, so that every pixel that is seen has a gradient
    side = seen + 64
    x = torch.rand(1, 3, side, side, requires_grad=True)
    scores = network(x)
    scores[0, 0, scores.shape[2] // 2, scores.shape[3] // 2].backward()
    assert x.grad is not None
    rows = x.grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert int(rows.max() - rows.min()) + 1 == seen


def test_initial_weights():
    torch.manual_seed(0)
    network = UnetGenerator(width=32, downs=5)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            assert abs(float(module.weight.detach().std()) - 0.02) < 0.002
            assert abs(float(module.weight.detach().mean())) < 0.002
            assert module.bias is None or not module.bias.any()
        elif isinstance(module, nn.BatchNorm2d):
            assert abs(float(module.weight.detach().mean()) - 1) < 0.02
            assert not module.bias.any()


def test_the_seed_network_is_three_down_three_up():
    network = SeedGenerator()
    assert len(network.down) == 3 and len(network.blocks) == 6
    strides = [
        m.stride for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d) and m.stride == (2, 2)
    ]
    assert len(strides) == 6


def checkerboard(x: torch.Tensor) -> float:
    """Energy at the highest frequency, in both directions."""
    signs = torch.tensor([1.0, -1.0]).repeat(x.shape[-1] // 2)
    return float(((x * signs).sum(-1).abs().mean() + (x * signs[:, None]).sum(-2).abs().mean()) / x.shape[-1])


def test_resize_and_blurpool_draw_no_checkerboard():
    """A flat input through each upsampling, all weights equal: transposed convolutions overlap unevenly, the others don't."""
    energy = {}
    for kind in ("transposed", "resize", "blurpool"):
        network = ResnetGenerator(in_channels=1, out_channels=1, width=2, blocks=0, norm="none", upsample=kind)
        for parameter in network.parameters():
            nn.init.constant_(parameter, 0.05)
        with torch.no_grad():
            energy[kind] = checkerboard(nn.Sequential(*network.up)(torch.ones(1, 8, 16, 16))[..., 16:48, 16:48])
    assert energy["transposed"] > 1e-3
    assert energy["resize"] < 1e-6
    assert energy["blurpool"] < 1e-6


def test_blurs_keep_a_flat_picture():
    flat = torch.full((1, 3, 16, 16), 0.7)
    assert torch.allclose(BlurDownsample(3)(flat), torch.full((1, 3, 8, 8), 0.7))
    assert torch.allclose(BlurUpsample(3)(flat), torch.full((1, 3, 32, 32), 0.7))


def test_picture_statistics_make_eval_what_training_was():
    torch.manual_seed(0)
    network = UnetGenerator(width=4, downs=4, dropout=0.0)
    x = torch.rand(3, 3, 32, 32) * 2 - 1
    trained = torch.cat([network(picture[None]) for picture in x])
    network.eval()
    assert not torch.allclose(network(x), trained, atol=1e-3)  # running statistics change the picture
    use_picture_statistics(network)
    assert torch.allclose(network(x), trained, atol=1e-5)  # and each picture is alone, whatever its batch


def test_wrong_depths_are_refused():
    with pytest.raises(ValueError, match="at least 2"):
        UnetGenerator(downs=1)
    with pytest.raises(ValueError, match="pixel"):
        PatchDiscriminator(layers=0)


def test_unknown_names_are_told_with_the_known():
    with pytest.raises(ConfigError, match=r"did you mean 'resnet'\? Known: resnet, seed, unet"):
        GENERATORS["resnt"]
