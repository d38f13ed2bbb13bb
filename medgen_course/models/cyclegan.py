"""CycleGAN (Zhu et al. 2017): translation between two domains, learnt without pairs.

Three wishes: what is made looks like the target domain (adversarial); there and back again gives the image
itself (cycle); an image that is in the target domain already stays as it is (identity). The networks are in
cyclegan_networks.py, the history pool in image_pool.py; here are the losses and one update step.

The paper's images span -1 to 1 and ours 0 to 1, which halves absolute differences; the least squares have
a factor of 1/2 here. So the whole objective is half of the paper's, and its lambdas mean the same.
"""

import copy
import math

import torch
from torch import Tensor, nn

from medgen_course.batches.checks import check_between
from medgen_course.models.algorithm import Backward, Batch, CountingAlgorithm, follow
from medgen_course.models.gan_objectives import squared_discriminator, squared_generator
from medgen_course.models.image_pool import ImagePool


def cycle_loss(a: Tensor, again_a: Tensor, b: Tensor, again_b: Tensor) -> Tensor:
    """|F(G(a)) - a| + |G(F(b)) - b|, each a mean over batch, channels and pixels: both directions.

    Args:
        a, again_a: images of domain A and what came back by way of B, the same shape, in [0, 1].
        b, again_b: images of domain B and what came back by way of A, the same.
    Returns:
        Scalar in [0, 2].
    Source: Zhu et al. 2017, equation 2.
    """
    return (again_a - a).abs().mean() + (again_b - b).abs().mean()


def identity_loss(a: Tensor, same_a: Tensor, b: Tensor, same_b: Tensor) -> Tensor:
    """|F(a) - a| + |G(b) - b|: each generator fed with an image of its own target domain.

    Args:
        a, same_a: images of domain A, and what the generator *to A* made of them.
        b, same_b: images of domain B, and what the generator *to B* made of them.
    Returns:
        Scalar in [0, 2].
    Source: Zhu et al. 2017, section 5.2, "Photo generation from paintings".
    """
    return (same_a - a).abs().mean() + (same_b - b).abs().mean()


def linear_decay(optimizer: torch.optim.Optimizer, learning_rate: float, step: int, num_steps: int) -> None:
    """Constant step size for the first half, then a straight line to zero; 0 steps keep it constant.

    Source: Zhu et al. 2017, section 4.
    """
    share = min(1.0, step / num_steps) if num_steps else 0.0
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * min(1.0, 2 * (1 - share))


class CycleGANAlgorithm(CountingAlgorithm):
    """Two generators, two discriminators, one update step.

    Adam with betas (0.5, 0.999) and lambda_identity = 0.5 lambda_cycle are the paper's. Where the domains
    differ in channels no generator can be fed with its own target domain, and the identity loss is off.

    Args:
        generator_ab, generator_ba: from A to B and back; see `ResNetGenerator`.
        discriminator_a, discriminator_b: `discriminator_b` judges domain B; see `PatchDiscriminator`.
        lambda_cycle, lambda_identity, lambda_adversarial: weights of the losses; 0 leaves one out.
        warmup_steps: updates over which lambda_cycle rises from 0 in a straight line; 0: at once, as in the
            paper. A cycle closes just as well around a wrong map (bright and dark exchanged, say), and
            once closed it resists the discriminators; they speak first this way.
        learning_rate: Adam's step size.
        decay_steps: updates of the whole run; the step size falls in the second half. 0: it does not.
        pool_size: images in each history pool; 0 for none.
        ema: share of the averages that is kept in a step, in [0, 1).
        betas: Adam's averaging.
    Raises:
        ValueError: a number out of its range.
    """

    memory_format = torch.contiguous_format  # padding by reflection copies other layouts: a tenth faster

    def __init__(
        self,
        generator_ab: nn.Module,
        generator_ba: nn.Module,
        discriminator_a: nn.Module,
        discriminator_b: nn.Module,
        lambda_cycle: float = 10.0,
        lambda_identity: float = 5.0,
        lambda_adversarial: float = 1.0,
        warmup_steps: int = 0,
        learning_rate: float = 2e-4,
        decay_steps: int = 0,
        pool_size: int = 50,
        ema: float = 0.99,
        betas: tuple[float, float] = (0.5, 0.999),
    ):
        check_between("lambda_cycle", lambda_cycle, 0, math.inf)
        check_between("lambda_identity", lambda_identity, 0, math.inf)
        check_between("lambda_adversarial", lambda_adversarial, 0, math.inf)
        if not 0 <= ema < 1:
            raise ValueError(f"ema is {ema}; give the share that is kept in a step, 0 <= ema < 1.")
        same_channels = generator_ab.config["in_channels"] == generator_ab.config["out_channels"]
        self.generator_ab, self.generator_ba = generator_ab, generator_ba
        self.discriminator_a, self.discriminator_b = discriminator_a, discriminator_b
        self.averages = [copy.deepcopy(g).requires_grad_(False) for g in (generator_ab, generator_ba)]
        self.lambda_cycle, self.warmup_steps = lambda_cycle, warmup_steps
        self.lambda_adversarial = lambda_adversarial
        self.lambda_identity = lambda_identity if same_channels else 0.0
        self.learning_rate, self.decay_steps, self.ema = learning_rate, decay_steps, ema
        self.pool_a, self.pool_b = ImagePool(pool_size, seed=0), ImagePool(pool_size, seed=1)
        self.config = {**generator_ab.config, "kind": "cyclegan"}
        self.networks = {
            "generator_ab": generator_ab,
            "generator_ba": generator_ba,
            "discriminator_a": discriminator_a,
            "discriminator_b": discriminator_b,
            "generator_ab_ema": self.averages[0],
            "generator_ba_ema": self.averages[1],
        }
        players = {
            "generators": (generator_ab, generator_ba),
            "discriminators": (discriminator_a, discriminator_b),
        }
        self.optimizers = {
            name: torch.optim.Adam(nn.ModuleList(pair).parameters(), learning_rate, betas, fused=True)
            for name, pair in players.items()
        }

    def step(self, batch: Batch, backward: Backward) -> dict[str, Tensor]:
        """The generators' move against frozen discriminators; then the discriminators', on pooled images."""
        for optimizer in self.optimizers.values():
            linear_decay(optimizer, self.learning_rate, self.steps, self.decay_steps)
        fake_a, fake_b, logs = self.update_generators(batch["a"], batch["b"], backward)
        shown_a, shown_b = self.pool_a.swap(fake_a), self.pool_b.swap(fake_b)
        logs |= self.update_discriminators(batch["a"], shown_a, batch["b"], shown_b, backward)
        self.steps += 1
        follow(self.averages[0], self.generator_ab, self.ema, self.steps)
        follow(self.averages[1], self.generator_ba, self.ema, self.steps)
        return logs

    def update_generators(
        self, a: Tensor, b: Tensor, backward: Backward
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """One update of both; also returns the translations (B, C, H, W), without a graph."""
        fake_b, same_b = self.forward_pass(self.generator_ab, a, b)
        fake_a, same_a = self.forward_pass(self.generator_ba, b, a)
        again_a, again_b = self.generator_ba.translate(fake_b), self.generator_ab.translate(fake_a)

        judges = (self.discriminator_a, self.discriminator_b)
        for judge in judges:
            judge.requires_grad_(False)  # the gradient passes through and leaves none behind
        adversarial = squared_generator(judges[0](fake_a)) + squared_generator(judges[1](fake_b))
        cycle = cycle_loss(a, again_a, b, again_b)
        warmth = min(1.0, self.steps / self.warmup_steps) if self.warmup_steps else 1.0
        loss = self.lambda_adversarial * adversarial + warmth * self.lambda_cycle * cycle
        logs = {"loss/adversarial": adversarial, "loss/cycle": cycle}
        if self.lambda_identity:
            logs["loss/identity"] = identity_loss(a, same_a, b, same_b)
            loss = loss + self.lambda_identity * logs["loss/identity"]
        logs["loss/generators"] = loss
        self.optimizers["generators"].zero_grad()
        backward(loss)
        for judge in judges:
            judge.requires_grad_(True)
        self.optimizers["generators"].step()
        return fake_a.detach(), fake_b.detach(), {name: value.detach() for name, value in logs.items()}

    def forward_pass(self, generator: nn.Module, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Translation of `source` and identity of `target` in one pass; no layer mixes images."""
        if not self.lambda_identity:
            return generator.translate(source), target
        both = generator.translate(torch.cat([source, target]))
        return both[: len(source)], both[len(source) :]

    def update_discriminators(
        self, a: Tensor, fake_a: Tensor, b: Tensor, fake_b: Tensor, backward: Backward
    ) -> dict[str, Tensor]:
        """One pass of each over real and generated images together, one update of both."""
        on_a, on_fake_a = self.discriminator_a(torch.cat([a, fake_a])).split([len(a), len(fake_a)])
        on_b, on_fake_b = self.discriminator_b(torch.cat([b, fake_b])).split([len(b), len(fake_b)])
        losses = squared_discriminator(on_a, on_fake_a), squared_discriminator(on_b, on_fake_b)
        self.optimizers["discriminators"].zero_grad()
        backward(losses[0] + losses[1])
        self.optimizers["discriminators"].step()
        return {"loss/discriminator_a": losses[0].detach(), "loss/discriminator_b": losses[1].detach()}

    def state_dict(self) -> dict:
        """Adds the pools."""
        pools = [self.pool_a.state_dict(), self.pool_b.state_dict()]
        return {**super().state_dict(), "pools": pools}

    def load_state_dict(self, state: dict) -> None:
        """Takes over the pools too."""
        super().load_state_dict(state)
        for pool, kept in zip((self.pool_a, self.pool_b), state["pools"], strict=True):
            pool.load_state_dict(kept)
