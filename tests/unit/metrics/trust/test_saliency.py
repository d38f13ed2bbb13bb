"""Maps beside what can be computed by hand: sums, single pixels, Grad-CAM from its definition."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from medgen_course.metrics.trust import saliency
from medgen_course.models.classifier import Classifier

X = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def classifier(seed: int = 0, classes: int = 2) -> Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Classifier(1, 28, classes, width=4)
        model.train()(X)
        return model.eval()


def linear(weight: torch.Tensor) -> nn.Module:
    """Logits (0, w·x) of two classes: the log odds of class 1 are w·x."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(weight.numel(), 2, bias=False))
    with torch.no_grad():
        model[1].weight.copy_(torch.stack([torch.zeros_like(weight.flatten()), weight.flatten()]))
    return model


@pytest.mark.parametrize("baseline", [0.0, 0.5, X.mean(0, keepdim=True), X.flip(0)])
def test_integrated_gradients_are_complete(baseline):
    model, target = classifier(), torch.tensor([0, 1, 1, 0, 1])
    maps = saliency.integrated_gradients(model, X, target, baseline, steps=64)
    odds = lambda x: saliency.log_odds(model)(x).gather(1, target[:, None])[:, 0]  # noqa: E731
    start = torch.as_tensor(baseline).expand_as(X)
    with torch.no_grad():
        gained = odds(X) - odds(start)
    assert np.allclose(maps.sum((1, 2)), gained, atol=2e-3 * gained.abs().max())


def test_of_two_classes_it_is_the_difference_of_the_logits_that_is_explained():
    model = classifier()
    with torch.no_grad():
        logits = model(X)
        assert torch.allclose(saliency.log_odds(model)(X)[:, 1], logits[:, 1] - logits[:, 0])
    for explain in (saliency.occlusion, saliency.integrated_gradients):
        assert np.allclose(explain(model, X, 1), -explain(model, X, 0), atol=1e-5)


def test_on_a_linear_model_gradients_and_occlusion_are_known():
    weight = torch.randn(1, 28, 28, generator=torch.Generator().manual_seed(3))
    model, expected = linear(weight), ((X - 0.25) * weight)[:, 0].numpy()
    assert np.allclose(saliency.integrated_gradients(model, X, 1, 0.25), expected, atol=1e-5)
    assert np.allclose(saliency.occlusion(model, X, 1, 1, 0.25), expected, atol=1e-5)
    wide = saliency.occlusion(model, X, 1, 3, 0.25)
    squares = 9 * F.avg_pool2d(torch.from_numpy(expected)[:, None], 3, 1)  # what each square hides
    inside = F.avg_pool2d(squares, 3, 1)[:, 0].numpy()  # nine squares hold a pixel that is 2 from the border
    assert np.allclose(wide[:, 2:-2, 2:-2], inside, atol=1e-4)


def test_grad_cam_is_its_definition():
    model = classifier()
    maps = saliency.grad_cam(model, X, 1, stage=1)
    h = model.stages[1](model.stages[0](2 * X - 1)).detach().requires_grad_()
    logits = model.head(model.stages[2](h).mean((2, 3)))
    (slope,) = torch.autograd.grad((logits[:, 1] - logits[:, 0]).sum(), h)
    coarse = (slope.mean((2, 3), keepdim=True) * h).sum(1, keepdim=True).relu()
    by_hand = coarse.detach()[:, 0].numpy()
    assert np.allclose(maps[:, ::4, ::4], by_hand, atol=1e-6) and maps.max() > 0 and maps.shape == (5, 28, 28)
    assert np.allclose(maps[:, 2:24:4, ::4], (by_hand[:, :-1] + by_hand[:, 1:]) / 2, atol=1e-6)


@pytest.mark.parametrize(("size", "stage"), [(28, 0), (28, 1), (28, 2), (32, 1), (33, 2), (8, 1)])
def test_a_cell_of_grad_cam_is_drawn_where_it_looks(size, stage):
    """The gradient of one cell of a stage of linear layers is symmetric about the pixel that it looks at."""
    layers = [nn.Conv2d(1, 1, 3, 1 + (i % 2), padding=1, bias=False) for i in range(2 * (stage + 1))]
    for layer in layers:
        nn.init.ones_(layer.weight)
    x = torch.zeros(1, 1, size, size, requires_grad=True)
    coarse = nn.Sequential(*layers)(x)
    cell = coarse.shape[-1] // 2
    one = torch.zeros_like(coarse)
    one[0, 0, cell, cell] = 1
    large = saliency.drawn_large(one, size)[0, 0]
    (seen,) = torch.autograd.grad(coarse[0, 0, cell, cell], x)
    stride = 2 ** (stage + 1)
    assert large.shape == (size, size) and divmod(int(large.argmax()), size) == (cell * stride, cell * stride)
    rows = seen[0, 0].sum(1)
    if rows[0] == 0 and rows[-1] == 0:  # else the border cuts it off
        assert float((rows * torch.arange(size)).sum() / rows.sum()) == pytest.approx(cell * stride, abs=1e-3)


def test_maps_of_a_batch_are_those_of_its_images_and_a_caller_keeps_gradients(monkeypatch):
    monkeypatch.setattr(saliency, "CHUNK", 2)
    model = classifier()
    before = [p.detach().clone() for p in model.parameters()]
    with torch.no_grad():
        for name, explain in saliency.EXPLAIN.items():
            maps = explain(model, X, torch.tensor([1, 0, 1, 0, 1]))
            assert maps.dtype == np.float32 and maps.shape == (5, 28, 28), name
            assert np.allclose(maps[3], explain(model, X[3:4], 0)[0], atol=1e-5), name
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(p, old) for p, old in zip(model.parameters(), before, strict=True))


def test_several_classes_and_bytes():
    three = classifier(classes=3)
    maps = saliency.integrated_gradients(three, X, 2)
    with torch.no_grad():
        logits = three(X)
        assert torch.allclose(saliency.log_odds(three)(X)[:, 2], logits[:, 2] - logits[:, :2].mean(1))
    assert maps.shape == (5, 28, 28)
    with pytest.raises(ValueError, match="values in"):
        saliency.occlusion(three, 255 * X, 1)
