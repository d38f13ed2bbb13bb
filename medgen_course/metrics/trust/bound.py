"""What differential privacy allows any attack to find, as a number that a measured attack may not pass.

Training is (epsilon, delta)-private where, with an image or without it, no event is more than e^epsilon times
as likely, but for a chance of delta. "This image is called a member" is such an event. So the bound holds for
attacks that nobody has thought of, and one attack that passes it proves that the training was not what its
accountant took it for.
"""

import math

import numpy as np

from medgen_course.batches.checks import check_between
from medgen_course.models.private_vae import spent

DELTAS = np.geomspace(1e-6, 0.8, 40)  # chances at which the accountant is asked


def most(fpr: float, epsilon: float, delta: float) -> float:
    """The largest share of members that any attack finds at a rate of false alarms.

    The smaller one of e^epsilon FPR + delta and 1 - e^-epsilon (1 - delta - FPR): the second is the first
    with the sides changed over, who is called an outsider.

    Args:
        fpr, delta: in [0, 1].
        epsilon: at least 0; infinity allows everything.
    Source: Kairouz, Oh & Viswanath 2015, section 2.
    """
    check_between("fpr", fpr, 0, 1)
    check_between("delta", delta, 0, 1)
    if epsilon == math.inf:
        return 1.0
    check_between("epsilon", epsilon, 0, math.inf)
    grown = math.exp(min(epsilon, 700.0)) * fpr + delta  # above 700 is more than a float holds
    return min(1.0, grown, 1 - math.exp(-epsilon) * max(0.0, 1 - delta - fpr))


def most_of_training(fpr: float, noise_multiplier: float, rate: float, steps: int) -> float:
    """The same for DP-SGD, whose accountant knows an epsilon for every delta: the strictest pair counts.

    One pair is what is published. At a few false alarms another pair of the same training may say much more:
    a large delta with a small epsilon.

    Args:
        fpr: in [0, 1].
        noise_multiplier, rate, steps: as for `private_vae.spent`.
    """
    pairs = ((spent(noise_multiplier, rate, steps, float(delta)), float(delta)) for delta in DELTAS)
    return min(most(fpr, max(0.0, epsilon), delta) for epsilon, delta in pairs)
