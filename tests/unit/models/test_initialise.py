"""First weights that keep the differences between images alive through many layers."""

import torch

from medgen_course.models.autoencoder import Autoencoder
from medgen_course.models.layers import initialise


def test_codes_of_different_images_differ_as_much_as_the_images_do_and_reach_the_decoder():
    x = torch.rand(32, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    spread = {}
    for name, make in (("torch", lambda network: network), ("he", initialise)):
        torch.manual_seed(0)
        network = make(Autoencoder(1, 64, 16, 8))
        with torch.no_grad():
            codes = network.encode(x)
            made = network.decoder(torch.randn(32, 16, generator=torch.Generator().manual_seed(1)))
        spread[name] = float(codes.std(0).mean()), float(made.std(0).mean())
    assert all(ours > 3 * theirs for ours, theirs in zip(spread["he"], spread["torch"], strict=True))
    assert spread["he"][0] < 10 and spread["he"][1] < 10  # and nothing explodes
    assert all((p == 0).all() for name, p in network.named_parameters() if name.endswith("bias"))
