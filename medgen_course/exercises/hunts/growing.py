"""Mistakes in the parts of a GAN that grows (notebook 05)."""

MISTAKES = {
    "kept": "Alpha counts from the first fade and is never reset: every later block comes at once.",
    "axis": "The deviation is taken over channels, so a batch of one image again and again looks varied.",
    "constant": "The deviation is detached: D can see that G's images are alike, G never learns from it.",
    "swapped": "Alpha weighs the old path: what fades in is fading out, and the start is a jump.",
    "sharp": "Real images are sharp from the first step of a fade: D tells them apart by that alone.",
    "stage": "The averaged generator does not grow along: samples are those of the wrong stage.",
    "share": "The average keeps what it should give away: it is hardly an average any more.",
}
OWN = ("kept", "axis", "stage")


def cells(mistakes: frozenset[str]) -> tuple[str, ...]:
    """The sources with these mistakes: schedule, deviation and blend, then what uses them."""
    inside = "since" if "kept" in mistakes else "since % (fade + hold)"
    seen = "h.detach()" if "constant" in mistakes else "h"
    axis = 1 if "axis" in mistakes else 0
    order = "new, double(old)" if "swapped" in mistakes else "double(old), new"
    shown = "real" if "sharp" in mistakes else "self.blend(avg_pool2d(real, 2), real, alpha)"
    level = "" if "stage" in mistakes else "        average.level.copy_(generator.level)\n"
    share = "keep" if "share" in mistakes else "1 - keep"
    return (
        f"""\
class MyParts:
    def level_at(self, step, fade, hold):
        since = max(0, step - hold)
        alpha = min(1.0, ({inside} + 1) / fade)
        return 0.0 if step < hold else since // (fade + hold) + alpha

    def with_deviation(self, h):
        spread = {seen}.std({axis}, correction=0).mean()
        return torch.cat([h, spread.expand(len(h), 1, *h.shape[2:])], 1)

    def blend(self, old, new, alpha):
        return torch.lerp({order}, alpha)""",
        f"""\
class MyGrowing(MyParts):
    def show(self, real, alpha):
        return {shown}

    @torch.no_grad()
    def follow(self, average, generator, keep):
{level}        for mean, now in zip(average.parameters(), generator.parameters(), strict=True):
            mean.lerp_(now, {share})


exercises.check_growing_bug_hunt(MyGrowing)""",
    )
