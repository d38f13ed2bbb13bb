"""M2 against truths that are summed out: tables of a tiny discrete model, and a code on a grid."""

import math

import pytest
import torch
from torch.distributions import Categorical, kl_divergence

from medgen_course.models import semi_vae
from medgen_course.models.semi_vae import SemiVAE, SemiVAEAlgorithm, cost, labelled_bound, unlabelled_bound

X, Y, Z = 5, 3, 4  # values of x, classes, codes of the tables


def backward(loss):
    loss.backward()


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


class Tables:
    """p(y), p(z), p(x|y, z) as tables; what follows from them by summing over everything."""

    def __init__(self):
        self.py, self.pz = torch.rand(Y).softmax(0).double(), torch.rand(Z).softmax(0).double()
        self.px = torch.randn(Y, Z, X).double().softmax(2)
        self.joint = self.py[:, None, None] * self.pz[:, None] * self.px  # (Y, Z, X)
        self.z_given_xy = (self.joint / self.joint.sum(1, keepdim=True)).permute(2, 0, 1)  # (X, Y, Z)
        self.y_given_x = (self.joint.sum(1) / self.joint.sum((0, 1))).T  # (X, Y)

    def bounds(self, q):
        """`labelled_bound` of every x with every y for q(z|x, y), (X, Y, Z)."""
        log_px = (q * self.px.permute(2, 0, 1).log()).sum(2)
        kl = kl_divergence(Categorical(q), Categorical(self.pz.expand(X, Y, Z)))
        return labelled_bound(log_px, self.py.log().expand(X, Y), kl)


def test_the_bounds_are_the_truth_with_the_exact_posteriors():
    tables = Tables()
    bounds = tables.bounds(tables.z_given_xy)
    torch.testing.assert_close(bounds, tables.joint.sum(1).log().T)  # log p(x, y)
    whole = unlabelled_bound(tables.y_given_x.log() + 7, bounds)  # logits are known up to a constant
    torch.testing.assert_close(whole, tables.joint.sum((0, 1)).log())  # log p(x)


def test_with_any_other_posterior_they_lie_below_by_the_divergence():
    tables = Tables()
    for _ in range(20):
        q_z, logits = torch.randn(X, Y, Z).double().softmax(2), torch.randn(X, Y).double()
        bounds = tables.bounds(q_z)
        gap = tables.joint.sum(1).log().T - bounds
        torch.testing.assert_close(gap, kl_divergence(Categorical(q_z), Categorical(tables.z_given_xy)))
        q_y, gap = logits.softmax(1), tables.joint.sum((0, 1)).log() - unlabelled_bound(logits, bounds)
        joint = q_y[:, :, None] * q_z  # q(y, z|x) against p(y, z|x)
        truth = tables.joint.permute(2, 0, 1) / tables.joint.sum((0, 1))[:, None, None]
        torch.testing.assert_close(gap, (joint * (joint / truth).log()).sum((1, 2)))
        assert (gap > 1e-4).all()


def test_the_unlabelled_bound_by_hand():
    bounds, q = torch.tensor([[-3.0, -5.0]]), torch.tensor([[0.25, 0.75]])
    entropy = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert unlabelled_bound(q.log(), bounds).item() == pytest.approx(0.25 * -3 + 0.75 * -5 + entropy)
    with pytest.raises(ValueError, match=r"\(1, 2\).*\(2, 1\)"):
        unlabelled_bound(q, bounds.T)


def test_the_cost_by_hand_and_without_images_that_have_no_label():
    labelled, unlabelled = torch.tensor([-2.0, -4.0]), torch.tensor([-10.0])
    logits, label = torch.tensor([[0.0, 0.0], [0.0, math.log(3)]]), torch.tensor([0, 1])
    told = (math.log(2) + math.log(4 / 3)) / 2
    assert cost(labelled, unlabelled, logits, label, 0.5).item() == pytest.approx(3 + 10 + 0.5 * told)
    assert cost(labelled, unlabelled[:0], logits, label, 0.5).item() == pytest.approx(3 + 0.5 * told)


def test_a_code_of_one_number_is_summed_out_on_a_grid():
    """log p(x) of a network by quadrature over z and the sum over y; the bound lies below, seldom far."""
    model = SemiVAE(1, 8, 2, latent_dim=1, width=4, sigma=0.5).eval()
    x, grid = torch.rand(4, 1, 8, 8), torch.linspace(-8, 8, 801)
    prior = torch.distributions.Normal(0.0, 1.0)
    with torch.no_grad():
        log_joint = []
        for y in range(2):
            mean = model.decode(grid[:, None], torch.full((801,), y))
            log_px = torch.stack(
                [torch.distributions.Normal(mean, 0.5).log_prob(one).sum((1, 2, 3)) for one in x]
            )
            step = math.log(grid[1] - grid[0])
            log_joint.append((log_px + prior.log_prob(grid) + step).logsumexp(1) + model.log_prior())
        log_joint = torch.stack(log_joint, 1)  # (4, 2)
        draws = torch.stack([semi_vae.bounds_by_class(model, x) for _ in range(400)])
        bound, error = draws.mean(0), draws.std(0) / 400**0.5
        assert (bound < log_joint + 4 * error).all()
        whole = unlabelled_bound(model(x), bound)
        q = model(x).softmax(1)
        gap = (q * (q / log_joint.softmax(1)).log()).sum(1) + (q * (log_joint - bound)).sum(1)
        torch.testing.assert_close(log_joint.logsumexp(1) - whole, gap, atol=1e-3, rtol=0)
        assert semi_vae.elbo(model, x).shape == (4,)


def test_the_variance_of_a_step_is_the_one_with_the_lowest_cost():
    errors, q = torch.rand(3 + 2 * 5), torch.rand(5, 2).softmax(1)
    best, dimensions = semi_vae.best_variance(errors, 3, q), 64

    def loss(variance):
        log_px = -0.5 * dimensions * (errors / variance + math.log(variance))
        without = unlabelled_bound(q.log(), log_px[3:].view(2, 5).T)
        return cost(log_px[:3], without, torch.zeros(3, 2), torch.zeros(3, dtype=torch.long), 1.0)

    assert loss(best) < min(loss(0.98 * best), loss(1.02 * best))
    assert semi_vae.best_variance(errors[:3], 3, q[:0]) == errors[:3].mean()


def batch(n=6, u=10, size=8):
    return {
        "x": torch.rand(n, 1, size, size),
        "label": torch.arange(n) % 2,
        "unlabelled": torch.rand(u, 1, size, size),
    }


def gradients(model, examples, alpha):
    algorithm = SemiVAEAlgorithm(model, alpha, learning_rate=0.0)
    algorithm.step(examples, backward)
    return {name: float(p.grad.abs().sum()) for name, p in model.named_parameters() if p.grad is not None}


def test_gradients_reach_everything_and_labels_reach_the_classifier_through_alpha_alone():
    model, examples = SemiVAE(1, 8, 2, 3, width=4, classifier_width=4), batch()
    reached = gradients(model, examples, 1.0)
    assert set(reached) == {name for name, _ in model.named_parameters()} and min(reached.values()) > 0
    reached = gradients(model, examples, 0.0)  # the images without labels teach q(y|x) by themselves
    assert all(value > 0 for name, value in reached.items() if name.startswith("classifier"))
    model.zero_grad()
    del examples["unlabelled"]
    reached = gradients(model, examples, 0.0)
    assert not any(value for name, value in reached.items() if name.startswith("classifier"))
    assert reached["decoder.stem.0.weight"] > 0


def test_one_pass_over_all_classes_is_as_many_passes_over_one():
    model = SemiVAE(1, 8, 3, 2, width=4, sigma=0.5).eval()
    x = torch.rand(4, 1, 8, 8)
    with torch.no_grad():
        model.head[2].weight.zero_()  # a posterior without variance: draws are the same whatever the order
        model.head[2].bias.copy_(torch.tensor([0.3, -0.2, -60.0, -60.0]))
        whole = semi_vae.bounds_by_class(model, x)
        for y in range(3):
            label = torch.full((4,), y)
            mu, logvar = model.encode(model.trunk(x), label)
            log_px = torch.distributions.Normal(model.decode(mu, label), 0.5).log_prob(x).sum((1, 2, 3))
            kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(1)
            torch.testing.assert_close(whole[:, y], log_px - math.log(3) - kl, rtol=1e-4, atol=1e-3)


def test_four_labels_are_enough_where_the_class_says_what_a_code_of_one_number_cannot():
    """Stripes lie or stand; only their brightness varies, and noise is on top."""
    count, ramp = 64, torch.arange(8.0)
    label = torch.arange(count) % 2
    wave = (ramp * math.pi / 2).sin()
    two = torch.stack([wave[:, None].expand(8, 8), wave[None].expand(8, 8)])
    x = 0.5 + (0.2 + 0.2 * torch.rand(count, 1, 1)) * two[label]
    x = (x + 0.1 * torch.randn_like(x)).clamp(0, 1)[:, None]
    algorithm = SemiVAEAlgorithm(SemiVAE(1, 8, 2, 1, width=4, classifier_width=4), learning_rate=5e-3)
    examples = {"x": x[:4], "label": label[:4], "unlabelled": x[4:]}
    logs = [algorithm.step(examples, backward) for _ in range(120)]
    assert logs[-1]["unlabelled"] > logs[0]["unlabelled"] + 30 and logs[-1]["cross_entropy"] < 0.1
    model = algorithm.model.eval()
    with torch.no_grad():
        assert (model(x).argmax(1) == label).float().mean() > 0.95
        bounds = semi_vae.bounds_by_class(model, x)
    assert (bounds.argmax(1) == label).float().mean() > 0.95, "the right class explains the image better"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sigma": 0.0}, "sigma is 0.0"),
        ({"latent_dim": 0}, "latent_dim is 0"),
        ({"num_classes": 1}, "at least 2"),
    ],
)
def test_bad_models_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        SemiVAE(**{"channels": 1, "size": 28, "num_classes": 2} | options)
    with pytest.raises(ValueError, match="alpha"):
        SemiVAEAlgorithm(SemiVAE(1, 8, 2), alpha=-1.0)


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 64)])
def test_shapes_for_grey_and_rgb(channels, size):
    model, x = SemiVAE(channels, size, 3, 5), torch.rand(2, channels, size, size)
    assert model(x).shape == semi_vae.bounds_by_class(model, x).shape == (2, 3)
    assert model.decode(torch.zeros(2, 5), torch.tensor([0, 2])).shape == x.shape
