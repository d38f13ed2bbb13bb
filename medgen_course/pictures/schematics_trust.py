"""Schematics of notebook 13: who was in the training set, and how one image's influence is bounded."""

from medgen_course.pictures.pen import OTHER_IMAGE, RADIUS, SIDE, SMALL, Pen
from medgen_course.pictures.style import Figure

HALF = SIDE / 2


def membership() -> Figure:
    """Members and held-out images through one trained model to a score, held against a threshold."""
    pen = Pen(
        280,
        "Membership inference. A model was trained on the members. The attacker shows it members and images "
        "that were held out, one by one. The model gives each a score s, such as its ELBO; higher speaks for "
        "a member. Who lies above the threshold t is called a member. The threshold comes from other "
        "held-out images, so that hardly any outsider is accused. The null: two halves of the held-out "
        "images are told apart by the same score, where there is nothing to find.",
    )
    upper, lower, middle = 205, 95, 150
    pen.image((52, upper), "$x$", "members")
    pen.image((52, lower), "$x'$", "held out", OTHER_IMAGE)
    pen.network((225, middle), "trained on the\nmembers alone", 96, 96, 130)
    score = pen.variable((390, middle), "$s$")
    pen.text((390, middle + 52), "score, such\nas the ELBO", size=SMALL)
    pen.arrow((52 + HALF, upper), (155, 170))
    pen.arrow((52 + HALF, lower), (155, 130))
    pen.arrow((294, middle), (score[0] - RADIUS - 2, middle))
    pen.text((585, upper - 14), "“member” if $s > t$")
    pen.text((585, lower + 14), "“not” otherwise")
    pen.arrow((score[0] + RADIUS, middle + 12), (500, upper - 18))
    pen.arrow((score[0] + RADIUS, middle - 12), (500, lower + 18))
    pen.loss((225, 252), "training: members only", (52 + HALF, upper + 12), (225, middle + 48))
    pen.loss((530, 252), "$t$: from other held-out images", (462, middle + 32))
    pen.loss((300, 26), "null: the held-out images in two halves, the same score, nothing to find",
             (84, lower - HALF - 12), (score[0], middle - RADIUS - 2))  # fmt: skip
    return pen.figure


def private_step() -> Figure:
    """DP-SGD: each image's gradient, clipped; their sum; noise as large as one image may be; one update."""
    pen = Pen(
        260,
        "One step of DP-SGD, from left to right. Each image of a random batch gives a gradient of its own. "
        "Every gradient that is longer than C is shortened to the length C. The gradients are added. Normal "
        "noise with the standard deviation sigma times C is added to the sum, as large as what one image can "
        "contribute. Divided by the expected batch size it moves the weights. The accountant counts steps, "
        "sampling rate and sigma, and says epsilon for a stated delta.",
    )
    rows = (200, 130, 60)
    for i, y in enumerate(rows, 1):
        pen.variable((60, y), f"$x_{i}$", observed=True)
        pen.text((176, y), rf"$g_{i}=\nabla \ell(x_{i})$")
        pen.text((326, y), rf"$g_{i}\cdot\min(1, C/|g_{i}|)$")
        pen.arrow((60 + RADIUS + 2, y), (124, y))
        pen.arrow((228, y), (252, y))
        pen.arrow((402, y), (458, 130 + (y - 130) * 0.25))
    pen.text((56, 18), "random batch", size=SMALL)
    pen.text((176, 18), "one gradient each", size=SMALL)
    pen.text((326, 18), "clipped to length $C$", size=SMALL)
    pen.variable((486, 130), r"$\Sigma$")
    pen.text((600, 130), "divided by\nthe expected\nbatch size:\none update", size=SMALL)
    pen.arrow((486 + RADIUS + 2, 130), (558, 130))
    pen.loss((486, 226), r"noise $\mathcal{N}(0, \sigma^2C^2)$", (486, 130 + RADIUS))
    counted = "accountant: steps, rate, $\\sigma$\ngive $\\epsilon$ at a stated $\\delta$"
    pen.loss((560, 36), counted, (500, 106))
    return pen.figure
