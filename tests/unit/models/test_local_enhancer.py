"""The local enhancer: at first nothing, the coarse network untouched, what lies between its pixels learnt."""

import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from medgen_course.models.cyclegan import CycleGANAlgorithm
from medgen_course.models.cyclegan_networks import PatchDiscriminator, ResNetGenerator
from medgen_course.models.generators import build, turned
from medgen_course.models.local_enhancer import LocalEnhancer
from medgen_course.models.pix2pix import UNetGenerator

KINDS = [ResNetGenerator, UNetGenerator]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def coarse(request):
    torch.manual_seed(0)
    network = request.param(1, 1, 16)
    for parameter in network.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    return network


def images(n=4, size=32):
    return torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(1))


def test_before_training_it_is_the_coarse_answer_enlarged(coarse):
    x = images()
    small = coarse(avg_pool2d(x, 2))
    wanted = interpolate(small, size=(32, 32), mode="bilinear", align_corners=False).sigmoid()
    torch.testing.assert_close(LocalEnhancer(coarse).translate(x), wanted, rtol=0, atol=0)


def test_only_the_fine_part_learns_and_the_way_back_reaches_through_the_coarse_one(coarse):
    network = LocalEnhancer(coarse)
    x = images().requires_grad_()
    network.translate(x).sum().backward()
    assert x.grad.abs().sum() > 0
    assert {name.split(".")[0] for name, p in network.named_parameters() if p.requires_grad} == {"fine"}


def test_a_cyclegan_moves_the_fine_parts_alone(coarse):
    pair = [LocalEnhancer(build(coarse.config)) for _ in "ab"]
    before = [{k: v.clone() for k, v in network.state_dict().items()} for network in pair]
    judges = [PatchDiscriminator(1, 32, 4) for _ in "ab"]
    algorithm = CycleGANAlgorithm(*pair, *judges, lambda_identity=0.0)
    for _ in range(2):  # after the first step the last layer is no longer zero, and all learn
        algorithm.step({"a": images(2), "b": 1 - images(2)}, torch.Tensor.backward)
    for network, old in zip(pair, before, strict=True):
        for name, value in network.state_dict().items():
            assert torch.equal(value, old[name]) == name.startswith("coarse."), name


def test_it_learns_what_lies_between_the_pixels_of_the_coarse_network(coarse):
    """The target is the image itself, noise of single pixels: at half the side nobody can know it."""
    torch.manual_seed(0)
    network, x = LocalEnhancer(coarse, 8, 1), images(8)
    best_without = (interpolate(avg_pool2d(x, 2), scale_factor=2) - x).abs().mean()
    optimizer = torch.optim.Adam(network.fine.parameters(), 1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        loss = (network.translate(x) - x).abs().mean()
        loss.backward()
        optimizer.step()
    assert loss < best_without / 2


def test_a_configuration_builds_the_same_networks_again_one_on_top_of_another(coarse):
    tower = LocalEnhancer(LocalEnhancer(coarse, 4, 1), 6, 2)
    again = build(tower.config)
    again.load_state_dict(tower.state_dict())
    assert again.config == tower.config and again.config["size"] == 64
    x = images(size=64)
    assert torch.equal(again.translate(x), tower.translate(x))


def test_the_way_back_has_the_channels_exchanged_all_the_way_down():
    config = turned(LocalEnhancer(ResNetGenerator(1, 3, 16)).config)
    assert (config["in_channels"], config["out_channels"]) == (3, 1)
    assert build(config).translate(torch.rand(2, 3, 32, 32)).shape == (2, 1, 32, 32)


def test_too_large():
    with pytest.raises(ValueError, match="512"):
        LocalEnhancer(UNetGenerator(1, 1, 256))
