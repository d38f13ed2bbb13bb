"""Mistakes in an audit (notebook 13): an attack, a private gradient, an explanation; one of three in each."""

MISTAKES = {
    "same": "The threshold is chosen on the images that it is then judged on: no false alarm rate is kept.",
    "members": "The threshold is a quantile of the members' scores: how many outsiders are accused is open.",
    "below": "The images that the model likes least are called members.",
    "batch": "The batch's mean is clipped, not each image's gradient: one image moves it too far.",
    "value": "Each number is clipped by itself, so a gradient may be many times as long as the clip.",
    "unscaled": "The noise does not grow with the clip, so it hides less than the accountant says.",
    "class": "Another class is explained than the one that was asked for.",
    "end": "Only the gradient at the image is used, where the network is saturated.",
    "mean": "The gradient is that of the batch's mean, so a map fades with the number of images beside it.",
}
PARTS = (("same", "members", "below"), ("batch", "value", "unscaled"), ("class", "end", "mean"))
OWN = ("same", "batch", "class")


def cells(mistakes: frozenset[str]) -> tuple[str, ...]:
    """The sources with these mistakes: the attack and the gradient, then the explanation."""
    return _private(mistakes), _explained(mistakes)


def _private(mistakes: frozenset[str]) -> str:
    chosen = "held" if "same" in mistakes else "known_members" if "members" in mistakes else "known_held"
    side = "<" if "below" in mistakes else ">"
    if "batch" in mistakes:
        clipped = """\
        mean = gradients.mean(0)
        clipped = mean * (clip / mean.norm()).clamp(max=1)"""
    elif "value" in mistakes:
        clipped = "        clipped = gradients.clamp(-clip, clip).mean(0)"
    else:
        clipped = """\
        norms = gradients.norm(dim=1, keepdim=True).clamp(min=1e-12)
        clipped = (gradients * (clip / norms).clamp(max=1)).mean(0)"""
    scale = "sigma" if "unscaled" in mistakes else "sigma * clip"
    return f'''\
class MyPrivacy:
    def accused(self, known_members, known_held, members, held):
        """Which members and held-out images are called members, at 5 % false alarms; higher is member."""
        cut = np.quantile({chosen}, 0.95)
        return members {side} cut, held {side} cut

    def gradient(self, gradients, clip, sigma, noise):
        """Gradients (B, D) of single images to the private one (D,); noise (D,) is standard normal."""
{clipped}
        return clipped + {scale} * noise / len(gradients)'''


def _explained(mistakes: frozenset[str]) -> str:
    picked = "1 - label" if "class" in mistakes else "label"
    total = "mean" if "mean" in mistakes else "sum"
    places = "[1.0]" if "end" in mistakes else "(np.arange(steps) + 0.5) / steps"
    return f'''\
class MyAudit(MyPrivacy):
    def saliency(self, model, x, label, steps=32):
        """Integrated gradients from black of the logit of `label`, 0 or 1: the shape of x (B, 1, H, W)."""
        gradients = torch.zeros_like(x)
        places = {places}
        for place in places:
            at = (place * x).requires_grad_()
            logits = model(at)[:, {picked}]
            gradients += torch.autograd.grad(logits.{total}(), at)[0]
        return x * gradients / len(places)


MyAudit()'''
