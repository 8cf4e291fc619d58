"""The published mathematics: the authors' vectors where they are at hand, a plain step of the tests' own everywhere."""

from pathlib import Path

import pytest
import torch
from torch import nn

from tests import parity, plain

REFERENCE = Path(__file__).parents[2] / "shared" / "reference"


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(7)
    yield
    torch.set_num_threads(threads)


def test_vectors_of_the_authors():
    files = sorted(str(path) for path in REFERENCE.glob("*.pt"))
    if not files:
        pytest.skip(f"no vectors of the authors' code in {REFERENCE}")
    lines: list[str] = []
    assert parity.main(files, lines.append) == 0, "\n".join(lines)
    assert len({line.split()[0] for line in lines}) == len(files)


def pictures(channels: int, batch: int, steps: int = 5, side: int = 32) -> torch.Tensor:
    return torch.rand(steps, batch, channels, side, side) * 2 - 1


CYCLES = {
    "published": ("resnet", "instance", "lsgan", 10.0, 10.0, 0.5, 3, 3, 1),
    "batch norm, two pictures, uneven weights": ("resnet", "batch", "vanilla", 8.0, 12.0, 0.25, 3, 3, 2),
    "no norm, other channels, wgan": ("resnet", "none", "wgangp", 10.0, 5.0, 0.0, 1, 3, 1),
    "unet": ("unet", "instance", "lsgan", 10.0, 10.0, 0.5, 2, 2, 1),
}


@pytest.mark.parametrize("name", CYCLES)
def test_cyclegan_step(name: str, tmp_path: Path):
    kind, norm, gan, lambda_a, lambda_b, idt, in_a, in_b, batch = CYCLES[name]

    def generator(i: int, o: int) -> nn.Module:
        return plain.resnet(i, o, 6, 3, norm) if kind == "resnet" else plain.unet(i, o, 4, 5, norm)

    networks = {
        "G_A": generator(in_a, in_b),
        "G_B": generator(in_b, in_a),
        "D_A": plain.patchgan(in_b, 6, 2, norm),
        "D_B": plain.patchgan(in_a, 6, 2, norm),
    }
    vector = plain.cyclegan_vector(
        networks, pictures(in_a, batch), pictures(in_b, batch), gan, lambda_a, lambda_b, idt, 1e-3
    )
    path = tmp_path / "cyclegan-trajectory.pt"
    torch.save(vector, path)
    lines: list[str] = []
    assert parity.main([str(path)], lines.append) == 0, "\n".join(lines)


PAIRS = {
    "published": ("unet", "batch", "vanilla", "patchgan", 3, 3, 1),
    "two pictures, pixel discriminator": ("unet", "instance", "lsgan", "pixel", 3, 1, 2),
    "resnet, one layer, no norm": ("resnet", "none", "vanilla", "one", 1, 3, 1),
}


@pytest.mark.parametrize("name", PAIRS)
def test_pix2pix_step(name: str, tmp_path: Path):
    kind, norm, gan, judge, in_a, in_b, batch = PAIRS[name]
    g = plain.unet(in_a, in_b, 4, 5, norm) if kind == "unet" else plain.resnet(in_a, in_b, 6, 2, norm)
    seen = in_a + in_b
    d = plain.Pixel(seen, 6, norm) if judge == "pixel" else plain.patchgan(seen, 6, 1 if judge == "one" else 3, norm)
    vector = plain.pix2pix_vector({"G": g, "D": d}, pictures(in_a, batch), pictures(in_b, batch), gan, 100.0, 2e-4)
    path = tmp_path / "pix2pix-trajectory.pt"
    torch.save(vector, path)
    lines: list[str] = []
    assert parity.main([str(path)], lines.append) == 0, "\n".join(lines)


def test_a_wrong_loss_is_found(tmp_path: Path):
    networks = {
        "G_A": plain.resnet(3, 3, 4, 2, "instance"),
        "G_B": plain.resnet(3, 3, 4, 2, "instance"),
        "D_A": plain.patchgan(3, 4, 2, "instance"),
        "D_B": plain.patchgan(3, 4, 2, "instance"),
    }
    vector = plain.cyclegan_vector(networks, pictures(3, 1, 2), pictures(3, 1, 2), "lsgan", 10.0, 10.0, 0.5, 2e-4)
    rows = vector["losses"]
    assert isinstance(rows, list)
    rows[1]["idt_B"] *= 1.001
    torch.save(vector, tmp_path / "wrong.pt")
    lines: list[str] = []
    assert parity.main([str(tmp_path / "wrong.pt")], lines.append) == 1
    assert [line.split()[1] for line in lines if line.endswith("BEYOND")] == ["idt_B"]


NETWORKS = {
    "resnet": (lambda: plain.resnet(3, 1, 6, 4, "batch"), 3, 32),
    "unet": (lambda: plain.unet(4, 3, 4, 6, "instance"), 4, 64),
    "patchgan": (lambda: plain.patchgan(3, 6, 5, "batch"), 3, 128),
    "pixel": (lambda: plain.Pixel(2, 6, "none"), 2, 16),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_and_their_weights(name: str, tmp_path: Path):
    make, channels, side = NETWORKS[name]
    network = make()
    plain.spread_weights({"n": network})
    x = torch.rand(2, channels, side, side) * 2 - 1
    network.train()
    network(x)  # so that running statistics differ from their beginning
    network.eval()
    with torch.no_grad():
        torch.save({"meta": {}, "input": x, "output": network(x)}, tmp_path / "n.io.pt")
    torch.save(network.state_dict(), tmp_path / "n.pth")
    ((_, difference, tolerance),) = parity.replay(tmp_path / "n.io.pt")
    assert difference <= tolerance
