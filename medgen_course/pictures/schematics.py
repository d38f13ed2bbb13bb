"""One drawing for each model: what goes in, what comes out, and which loss pulls where.

Blue is a network that learns, grey and yellow are images, green are numbers that are drawn at random or
computed, red with dotted lines is a loss and what it looks at. Every function takes nothing and returns a
figure of 700 pixels' width, whose `alt` says the same in words.
"""

from medgen_course.pictures.pen import BLUE, OTHER_IMAGE, RADIUS, RED, SIDE, SMALL, Pen
from medgen_course.pictures.schematics_trust import membership, private_step
from medgen_course.pictures.style import Figure

__all__ = [
    "anomaly", "autoencoder", "cyclegan", "enhancer", "gan", "growing", "membership", "pix2pix",
    "private_step", "semi_vae", "vae",
]  # fmt: skip
HALF = SIDE / 2 + 3


def autoencoder() -> Figure:
    """The hourglass: image, encoder, short code, decoder, image; one loss that moves both networks."""
    pen = Pen(
        230,
        "Autoencoder, from left to right: the image x enters the encoder f, which narrows to the code z, "
        "a few numbers. The decoder g widens again to the reconstruction x-hat. One loss, the squared "
        "error between x and x-hat, moves the weights of both networks.",
    )
    y = 92
    x, z, x_hat = pen.image((48, y), "$x$", "image"), (350, y), pen.image((652, y), r"$\hat x$", "rebuilt")
    pen.network((192, y), "encoder $f$", 118, 40, 170)
    pen.network((508, y), "decoder $g$", 40, 118, 170)
    pen.variable(z, "$z$")
    pen.text((350, y - 44), "code: a few numbers", size=SMALL)
    for start, end in ((48 + HALF, 105), (279, 350 - RADIUS - 2), (350 + RADIUS + 2, 421), (595, 652 - HALF)):
        pen.arrow((start, y), (end, y))
    text = r"loss $\Vert x - \hat x\Vert^2$: moves the weights of $f$ and $g$"
    pen.loss((350, 202), text, (x[0], y + HALF - 3), (x_hat[0], y + HALF - 3), bend=0.12)
    return pen.figure


def vae() -> Figure:
    """The graphical model: a solid arrow that generates, a dashed one that infers, and the two losses."""
    pen = Pen(
        300,
        "VAE as a graphical model: two circles, the latent z on the left and the observed image x on the "
        "right. A solid arrow from z to x is the generative model, the decoder p(x given z). A dashed "
        "arrow back from x to z is the inference model, the encoder q(z given x). The prior p(z), a "
        "standard normal, stands over z. The KL loss pulls q(z given x) to the prior and moves the "
        "encoder. The reconstruction loss, minus log p(x given z), moves both networks.",
    )
    z, x = pen.variable((170, 150), "$z$"), pen.variable((530, 150), "$x$", observed=True)
    pen.text((170, 268), r"prior $p(z) = \mathcal{N}(0, I)$")
    pen.arrow((170, 256), (170, 150 + RADIUS + 2))
    gap = RADIUS - 4
    pen.arrow((z[0] + gap, 164), (x[0] - gap, 164), bend=-0.42)
    pen.arrow((x[0] - gap, 136), (z[0] + gap, 136), dashed=True, bend=-0.42)
    pen.text((350, 184), "decoder $p_\\theta(x\\,|\\,z)$\ngenerates: solid", BLUE)
    pen.text((350, 116), "encoder $q_\\phi(z\\,|\\,x)=\\mathcal{N}(\\mu, \\sigma_z^2)$\ninfers: dashed", BLUE)
    pen.text((170 - RADIUS - 10, 150), "code,\nnever seen", size=SMALL, ha="right")
    pen.text((530 + RADIUS + 10, 150), "image,\nobserved", size=SMALL, ha="left")
    kl = r"$\mathrm{KL}(q_\phi(z\,|\,x)\,\Vert\,p(z))$" + "\npulls each $q$ to the prior;\nmoves the encoder"
    pen.loss((170, 46), kl, (170, 150 - RADIUS))
    fit = (
        r"$-\log p_\theta(x\,|\,z)$, $z \sim q_\phi(z\,|\,x)$" + "\npulls what is rebuilt to $x$;\nmoves both"
    )
    pen.loss((530, 46), fit, (530, 150 - RADIUS))
    return pen.figure


def semi_vae() -> Figure:
    """M2: a class and a code draw the image; the class is put in where it is known, else summed out."""
    pen = Pen(
        360,
        "M2 as a graphical model: the class y on the upper left, the code z on the lower left, the observed "
        "image x on the right. Solid arrows from y and from z to x are the decoder p(x given y, z). A dashed "
        "arrow from x to y is the classifier q(y given x), dashed arrows from x and from y to z are the "
        "encoder q(z given x, y). Images with a label: y is put in, the bound and the cross-entropy move the "
        "networks. Images without: every class is tried, and q(y given x) says how much each bound counts.",
    )
    y, z, x = (190, 236), (190, 96), (500, 166)
    pen.variable(y, "$y$")
    pen.variable(z, "$z$")
    pen.variable(x, "$x$", observed=True)
    pen.text((148, 236), "class, known\nfor a few", size=SMALL, ha="right")
    pen.text((148, 96), "code,\nnever seen", size=SMALL, ha="right")
    pen.text((538, 166), "image,\nobserved", size=SMALL, ha="left")
    pen.arrow((216, 228), (474, 176), bend=-0.12)
    pen.arrow((216, 104), (474, 156), bend=0.12)
    pen.arrow((492, 193), (218, 246), dashed=True, bend=0.28)
    pen.arrow((492, 139), (218, 86), dashed=True, bend=-0.28)
    pen.arrow((190, 208), (190, 125), dashed=True)
    pen.text((352, 166), "decoder $p_\\theta(x\\,|\\,y, z)$\ngenerates: solid", BLUE)
    pen.text((330, 278), "classifier $q_\\phi(y\\,|\\,x)$", BLUE)
    pen.text((352, 42), "encoder $q_\\phi(z\\,|\\,x, y)$\ninfers: dashed", BLUE)
    known = "label known: $y$ is put in; bound on\n$\\log p(x, y)$, and cross-entropy of $q_\\phi(y\\,|\\,x)$"
    pen.loss((160, 322), known, (190, 236 + RADIUS))
    tried = "label unknown: each $y$ is tried;\n$q_\\phi(y\\,|\\,x)$ says how much each bound counts"
    pen.loss((508, 322), tried, (500, 166 + RADIUS))
    pen.text((110, 38), r"$p(y)$ even, $p(z) = \mathcal{N}(0, I)$", size=SMALL)
    return pen.figure


def gan() -> Figure:
    """Two players: the generator's images and real ones go to the discriminator; a loss for each player."""
    pen = Pen(
        300,
        "GAN with two players. The generator G turns random numbers z into a made image. The "
        "discriminator D gets real images x and made ones, and says how real each looks. D's loss, real "
        "up and made down, moves the weights of D alone. G's loss, made up, runs back through D but moves "
        "the weights of G alone.",
    )
    low, high = 118, 232
    pen.variable((40, low), "$z$")
    pen.text((40, low - 42), r"$z \sim \mathcal{N}(0, I)$", size=SMALL)
    pen.network((160, low), "generator $G$", 40, 84, 130)
    made, real = pen.image((300, low), "$G(z)$", "made"), pen.image((300, high), "$x$", "real")
    judge, verdict = (450, 175), pen.variable((578, 175), "$D$")
    pen.network(judge, "discriminator $D$", 96, 44, 140)
    pen.arrow((40 + RADIUS + 2, low), (95, low))
    pen.arrow((225, low), (made[0] - HALF, low))
    pen.arrow((real[0] + HALF, high), (380, 196))
    pen.arrow((made[0] + HALF, low), (380, 154))
    pen.arrow((520, 175), (verdict[0] - RADIUS - 2, 175))
    pen.text((614, 175), "how real\nit looks", size=SMALL, ha="left")
    pen.loss((560, 268), "$D$'s loss: real up, made down;\nmoves $D$ alone", (578, 175 + RADIUS))
    pen.loss((480, 36), "$G$'s loss: made up;\nruns back through $D$, moves $G$ alone", (578, 175 - RADIUS))
    pen.arrow((352, 32), (170, low - 40), dashed=True, bend=-0.2, colour=RED)
    return pen.figure


def growing() -> Figure:
    """One block fades in, in both players, while the rest goes on learning."""
    pen = Pen(
        360,
        "A GAN that grows, while its 64-pixel block fades in. Upper row, the generator: random numbers z "
        "pass the blocks for 8, 16 and 32 pixels, which were trained before. From there two paths lead to "
        "the made image: the old one doubles the 32-pixel image and has the weight 1 minus alpha, the new "
        "one passes the block for 64 pixels and has the weight alpha. Lower row, the discriminator, the "
        "same from right to left: the image, real or made, is judged through the new block with alpha and, "
        "halved, without it with 1 minus alpha. Deviation within the batch is shown to its last block. "
        "Alpha rises from 0 to 1.",
    )
    up, down = 270, 90
    pen.variable((34, up), "$z$")
    for x, name, y, low, high in (
        (112, "$8$", up, 30, 44), (200, "$16$", up, 44, 58), (288, "$32$", up, 58, 72),
        (112, "$8$", down, 30, 44), (200, "$16$", down, 44, 58), (288, "$32$", down, 58, 72),
    ):  # fmt: skip
        pen.network((x, y), name, low, high, 52)
    pen.network((420, up - 34), "new: $64$", 58, 72, 100)
    pen.network((420, down - 34), "new: $64$", 58, 72, 100)
    pen.text((200, up + 66), "generator $G$: trained before, and still learning", size=SMALL)
    pen.text((200, down + 62), "discriminator $D$: its mirror image", size=SMALL)
    pen.text((420, up + 46), "doubled, to grey", size=SMALL)
    pen.text((420, down + 46), "halved, from grey", size=SMALL)
    made, judged = pen.image((622, up), "$G(z)$", "made"), pen.image((622, down), "$x$", "real or made")
    verdict = pen.variable((34, down), "$D$")
    pen.arrow((34 + RADIUS + 2, up), (84, up))
    for left, right in ((138, 174), (226, 262)):
        pen.arrow((left, up), (right, up))
        pen.arrow((right, down), (left, down))
    pen.arrow((84, down), (verdict[0] + RADIUS + 2, down))
    pen.arrow((314, up + 10), (made[0] - HALF, up + 10), bend=-0.12)
    pen.arrow((314, up - 12), (370, up - 30))
    pen.arrow((470, up - 34), (made[0] - HALF, up - 12))
    pen.text((540, up + 46), r"$1-\alpha$", BLUE)
    pen.text((536, up - 52), r"$\alpha$", BLUE)
    pen.arrow((judged[0] - HALF, down + 10), (314, down + 10), bend=0.12)
    pen.arrow((judged[0] - HALF, down - 12), (470, down - 34))
    pen.arrow((370, down - 30), (314, down - 12))
    pen.text((540, down + 46), r"$1-\alpha$", BLUE)
    pen.text((536, down - 52), r"$\alpha$", BLUE)
    pen.text((112, down - 46), "deviation in\nthe batch comes in", size=SMALL)
    pen.text((350, 180), r"$\alpha$ rises from 0 to 1; then the $64$ px are held, and the next block comes")
    pen.text((560, 157), "losses of $G$ and $D$: those of any GAN", RED, SMALL)
    return pen.figure


def cyclegan() -> Figure:
    """Two loops: there and back from each domain, a cycle loss around each, a judge in each domain."""
    pen = Pen(
        430,
        "CycleGAN, two loops. Upper loop: a real image a of domain A goes through the generator A to B "
        "and becomes a translated b; the generator B to A brings it back to domain A. The cycle loss "
        "compares what came back with a. The discriminator of domain B compares the translated b with "
        "a real image b of another patient. Lower loop: the same from b over domain A, with the same two "
        "generators and the discriminator of domain A. Between the loops the identity loss: an image of a "
        "generator's target domain should stay as it is. These losses move the generators; each "
        "discriminator has its own loss.",
    )
    _loop(pen, 330, ("a", "b"), ("G", "F"), ("#e6e6e6", OTHER_IMAGE), up=True)
    _loop(pen, 100, ("b", "a"), ("F", "G"), (OTHER_IMAGE, "#e6e6e6"), up=False)
    pen.text((97, 215), "the same two generators\nin both loops", size=SMALL)
    pen.loss((330, 215), r"identity loss $\Vert G(b) - b\Vert_1 + \Vert F(a) - a\Vert_1$")
    return pen.figure


def _loop(pen: Pen, y: float, names: tuple, ways: tuple, colours: tuple, up: bool) -> None:
    """There and back along a row, the cycle loss outside, the judge between the rows."""
    (start, there), (first, second), (own, other) = names, ways, colours
    sign = 1 if up else -1
    begin = pen.image((44, y), f"${start}$", "", own)
    middle = pen.image((350, y), rf"$\tilde {there}$", "", other)
    back = pen.image((656, y), rf"$\hat {start}$", "", own)
    pen.network((197, y), f"${first}$", 60, 60, 110)
    pen.network((503, y), f"${second}$", 60, 60, 110)
    for left, right in ((44 + HALF, 142), (252, 350 - HALF), (350 + HALF, 448), (558, 656 - HALF)):
        pen.arrow((left, y), (right, y))
    ends = [(place[0], y + sign * SIDE / 2) for place in (begin, back)]
    cycle = rf"cycle loss $\lambda\,\Vert \hat {start} - {start}\Vert_1$: back where it came from"
    pen.loss((350, y + sign * 78), cycle, *ends, bend=sign * 0.1)
    judge = rf"$D_{there.upper()}$: does $\tilde {there}$ look like a real ${there}$?"
    real = pen.image((592, y - sign * 72), f"${there}$", "", other)
    pen.text((real[0] + HALF + 4, real[1]), "real", size=SMALL, ha="left")
    ends = [(middle[0], y - sign * SIDE / 2), (real[0] - HALF, real[1])]
    pen.loss((350, y - sign * 72), judge, *ends, colour=BLUE)


def pix2pix() -> Figure:
    """Translation with pairs: the truth is known, so one loss compares with it, and a judge sees pairs."""
    pen = Pen(
        260,
        "pix2pix, translation with pairs. The image a enters the generator G, a U-Net, which makes a "
        "translated b. The true b of the same pair is known: the L1 loss compares the two and moves G. "
        "The discriminator D sees a together with the true b or with the translated one, and says which "
        "pair is real.",
    )
    y = 92
    pen.image((48, y), "$a$", "given")
    pen.network((190, y), "generator $G$\n(U-Net)", 74, 74, 140)
    made = pen.image((332, y), r"$\tilde b$", "translated", OTHER_IMAGE)
    true = pen.image((332, 212), "$b$", "", OTHER_IMAGE)
    pen.text((290, 212), "true partner of $a$", size=SMALL, ha="right")
    pen.network((500, 150), "discriminator $D$\nof pairs", 100, 50, 140)
    for start, end in (
        ((48 + HALF, y), (120, y)),
        ((260, y), (made[0] - HALF, y)),
        ((made[0] + HALF, y), (430, 134)),
        ((true[0] + HALF, 212), (430, 166)),
        ((570, 150), (612, 150)),
    ):
        pen.arrow(start, end)
    pen.text((655, 150), "pair real\nor not", size=SMALL)
    pen.arrow((48, y - HALF - 20), (500, 98), dashed=True, bend=0.25)
    pen.text((488, 36), "$D$ sees $a$ too", size=SMALL)
    pen.loss((170, 160), r"$\lambda\,\Vert \tilde b - b\Vert_1$: moves $G$", (302, y + 24), (302, 200))
    pen.loss((610, 40), "adversarial losses:\none for $G$, one for $D$", (655, 134))
    return pen.figure


def anomaly() -> Figure:
    """Trained on healthy images: what differs from its reconstruction is called anomalous."""
    pen = Pen(
        260,
        "Anomaly detection by reconstruction. A network that was trained on healthy images alone rebuilds "
        "an image x with a lesion as x-hat, in which the lesion should be missing. The absolute difference "
        "of the two is the map m. Its mean, or the mean of its highest pixels, is the score s of the "
        "image, which is held against a threshold t that was chosen on healthy validation images.",
    )
    y = 150
    x = pen.image((50, y), "$x$", "with a lesion")
    pen.image((322, y), r"$\hat x$", "rebuilt: healthy?")
    pen.network((183, y), "trained on\nhealthy images", 92, 92, 150)
    difference = pen.image((470, y), "$m$", r"map $|x-\hat x|$", OTHER_IMAGE)
    score = pen.variable((580, y), "$s$")
    pen.text((580, y + 40), "score", size=SMALL)
    for start, end in (
        (50 + HALF, 106),
        (260, 322 - HALF),
        (322 + HALF, 470 - HALF),
        (470 + HALF, 580 - RADIUS - 2),
    ):
        pen.arrow((start, y), (end, y))
    pen.arrow((x[0], y + HALF), (difference[0], y + HALF), bend=-0.18)
    pen.text((256, 240), "the image itself", size=SMALL)
    pen.arrow((score[0] + RADIUS + 2, y), (652, y))
    pen.text((652, y + 30), "flagged\nif $s > t$", size=SMALL)
    pen.loss(
        (430, 40), "threshold $t$: from healthy validation images;\nnever from the test split", (640, y - 8)
    )
    return pen.figure


def enhancer() -> Figure:
    """What is measured, a first guess, the network's answer; a distance, and a judge that sees both."""
    pen = Pen(
        320,
        "Enhancement, from left to right: a true image x is measured by A, which leaves y, noisy, coarse or "
        "with parts missing. A first guess puts y on the image's grid. The U-Net corrects the guess to the "
        "answer x-hat. The distance between x-hat and x moves the U-Net. With a weight lambda above 0 a "
        "judge D sees guess and answer, or guess and true image, and the adversarial loss moves the U-Net "
        "too. Data consistency, which learns nothing, brings the answer back to what was measured.",
    )
    y = 200
    pen.image((44, y), "$x$", "true")
    pen.image((290, y), "$g(y)$", "first guess", OTHER_IMAGE)
    pen.image((536, y), r"$\hat x$", "answer")
    pen.variable((170, y), "$y$")
    pen.text((170, y - 50), "measured:\n$y = A(x)$ + noise", size=SMALL)
    pen.network((414, y), "U-Net", 96, 96, 110)
    pen.network((630, 106), "judge $D$", 64, 40, 90)
    for start, end in (
        ((44 + HALF, y), (170 - RADIUS - 2, y)),
        ((170 + RADIUS + 2, y), (290 - HALF, y)),
        ((290 + HALF, y), (357, y)),
        ((471, y), (536 - HALF, y)),
        ((548, y - HALF - 18), (590, 128)),
    ):
        pen.arrow(start, end)
    pen.arrow((300, y - HALF - 18), (586, 104), dashed=True, bend=0.12)
    pen.arrow((44, y - HALF - 18), (586, 92), dashed=True, bend=0.18)
    pen.text((384, 88), "the guess, with the answer", size=SMALL)
    pen.text((240, 52), "or with the true image: $D$ tells them apart", size=SMALL)
    pen.arrow((536 + HALF, y), (598, y))
    text = r"distance of $\hat x$ and $x$: moves the U-Net"
    pen.loss((290, 296), text, (44, y + HALF), (536, y + HALF), bend=0.1)
    pen.loss((530, 26), r"$\lambda$ · adversarial loss: moves the U-Net", (630, 78))
    pen.text((646, y), "data\nconsistency:\nback to $y$,\nnothing learnt", size=SMALL)
    return pen.figure
