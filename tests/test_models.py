"""The contract, for everything registered: groups, directions, steps, repeatable translation, detached fakes."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from overpaint.batch import Batch
from overpaint.errors import ConfigError
from overpaint.losses import GAN_LOSSES
from overpaint.models import MODELS, ModelSpec, Translator, build_generator, build_model
from overpaint.models.cyclegan import CycleGANConfig
from overpaint.models.pool import ImagePool

SMALL = {
    "cyclegan": ({"name": "resnet", "width": 4, "blocks": 1}, {"name": "patchgan", "width": 4, "layers": 2}),
    "pix2pix": ({"name": "unet", "width": 4, "downs": 4}, {"name": "patchgan", "width": 4, "layers": 2}),
}


def small(name: str, **options: object) -> ModelSpec:
    generator, discriminator = SMALL[name]
    return ModelSpec(name=name, generator=generator, discriminator=discriminator, options=options)


class Recorder:
    """An update that only notes what it was asked, after a real backward."""

    def __init__(self, model: Translator) -> None:
        self.model, self.groups, self.touched = model, [], []

    def __call__(self, group: str, loss: Tensor) -> None:
        assert loss.ndim == 0 and torch.isfinite(loss)
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        self.groups.append(group)
        self.touched.append(
            {name for name, net in self.model.named_children() if any(p.grad is not None for p in net.parameters())}
        )


def batch(channels_a: int = 3, channels_b: int = 3, size: int = 32, count: int = 1) -> Batch:
    return Batch(torch.rand(count, channels_a, size, size) * 2 - 1, torch.rand(count, channels_b, size, size) * 2 - 1)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("gan", GAN_LOSSES)
def test_a_step_updates_every_group_and_nothing_else(name: str, gan: str):
    model = build_model(small(name, gan=gan))
    record = Recorder(model)
    result = model.training_step(batch(count=2), record)
    assert sorted(record.groups) == sorted(model.groups())
    names = {id(net): attribute for attribute, net in model.named_children()}
    for group, touched in zip(record.groups, record.touched):
        # Discriminators are frozen in the generators' step, and fakes are detached in the discriminators'.
        assert touched == {names[id(net)] for net in model.groups()[group]}
    assert all(not loss.requires_grad and loss.ndim == 0 for loss in result.losses.values())
    assert all(not picture.requires_grad and picture.abs().max() <= 1 for picture in result.pictures.values())


@pytest.mark.parametrize("name", MODELS)
def test_each_direction_translates_the_same_way_each_time(name: str):
    model = build_model(small(name)).train()
    x = batch(count=2).a
    for direction in model.directions:
        first, second = model.translate(x, direction), model.translate(x, direction)
        assert torch.equal(first, second)
        assert torch.allclose(first[1:], model.translate(x[1:], direction), atol=1e-5)  # whatever else is in the batch
    assert all(module.training for module in model.modules())
    with pytest.raises(ConfigError, match="a2b"):
        model.translate(x, "sideways")


@pytest.mark.parametrize("name", MODELS)
def test_other_channel_counts(name: str):
    options = {"lambda_identity": 0.0} if name == "cyclegan" else {}
    model = build_model(replace(small(name, **options), channels_a=1, channels_b=5))
    model.training_step(batch(1, 5), Recorder(model))
    assert model.translate(batch(1, 5).a).shape[1] == 5


@pytest.mark.parametrize("name", MODELS)
def test_generators_are_rebuilt_from_the_description_alone(name: str):
    spec = small(name)
    model = build_model(spec)
    x = batch().a
    for direction in model.directions:
        alone = build_generator(spec, direction)
        alone.load_state_dict(model.generator(direction).state_dict())
        with torch.no_grad():
            assert torch.equal(alone(x), model.translate(x, direction))


def test_wgan_really_applies_its_penalty():
    torch.manual_seed(0)
    with_penalty, without = (build_model(small("cyclegan", gan="wgan", lambda_gp=weight)) for weight in (10.0, 0.0))
    without.load_state_dict(with_penalty.state_dict())
    data = batch()
    one, other = (model.training_step(data, Recorder(model)).losses for model in (with_penalty, without))
    # An untrained critic is almost flat: its gradient's norm is far below 1, so the penalty is about its weight, halved.
    assert 4.0 < float(one["d_a"] - other["d_a"]) < 5.5


def test_wgan_penalty_and_batch_norm_contradict():
    spec = replace(small("pix2pix", gan="wgan"), discriminator={"name": "patchgan", "width": 4, "norm": "batch"})
    with pytest.raises(ConfigError, match="discriminator"):
        build_model(spec)


def test_identity_needs_equal_channels():
    with pytest.raises(ConfigError, match="lambda_identity"):
        build_model(replace(small("cyclegan"), channels_a=1))


def test_negative_weights_are_refused():
    with pytest.raises(ConfigError, match="lambda_cycle_a"):
        CycleGANConfig(lambda_cycle_a=-1)


def test_unknown_options_are_refused():
    with pytest.raises(ConfigError, match="blokcs"):
        build_model(replace(small("cyclegan"), generator={"name": "resnet", "blokcs": 3}))


def test_pool_stores_and_returns_until_full():
    pool = ImagePool(3)
    for number in range(3):
        fake = torch.full((1, 1, 1, 1), float(number))
        assert torch.equal(pool.query(fake), fake)
    assert [float(p) for p in pool.pictures] == [0.0, 1.0, 2.0]


def test_full_pool_exchanges_half_of_the_time():
    torch.manual_seed(0)
    pool = ImagePool(50)
    pool.query(torch.arange(50.0).view(50, 1, 1, 1))
    new = torch.arange(50.0, 2050.0).view(2000, 1, 1, 1)
    returned = pool.query(new)
    old = (returned != new).flatten()
    assert 0.45 < float(old.float().mean()) < 0.55
    # A stored picture that was returned has left the pool; the new one took its place.
    assert len(pool.pictures) == 50
    assert not {float(p) for p in pool.pictures} & {float(p) for p in returned}


def test_pool_survives_as_part_of_the_models_state():
    model = build_model(small("cyclegan"))
    model.training_step(batch(), Recorder(model))
    other = build_model(small("cyclegan"))
    other.load_state_dict(model.state_dict())
    assert isinstance(other.pool_a, ImagePool) and isinstance(model.pool_a, ImagePool)
    assert torch.equal(other.pool_a.pictures[0], model.pool_a.pictures[0])


def test_a_pool_of_none_changes_nothing():
    fake = torch.rand(4, 3, 2, 2)
    assert torch.equal(ImagePool(0).query(fake), fake)
