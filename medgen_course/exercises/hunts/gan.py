"""Mistakes in one training step of a GAN whose discriminator has BatchNorm (notebook 03)."""

MISTAKES = {
    "range": "Real images are stretched to [-1, 1], generated ones not: D can win by the range alone.",
    "batch": "Real and generated images share a batch of BatchNorm: a verdict depends on its neighbours.",
    "detach": "Without detach D's wish stays in G's gradients and is added to G's own.",
    "swapped": "D is told that generated images are real, so it has nothing to tell apart.",
    "wish": "G is moved towards images that D finds out, not towards images that D takes for real.",
    "kept": "G's gradients are never cleared, so that each update repeats all earlier ones.",
}
OWN = ("range", "batch", "detach")


def cells(mistakes: frozenset[str]) -> tuple[str, ...]:
    """The sources with these mistakes."""
    detach = "" if "detach" in mistakes else ".detach()"
    made = f"generator(z).sigmoid(){detach}"
    start = f"    real, fake = 2 * real - 1, {made}" if "range" in mistakes else f"    fake = {made}"
    apart = "discriminator(real), discriminator(fake)"
    judged = "discriminator(torch.cat([real, fake])).chunk(2)" if "batch" in mistakes else apart
    on_fake = "-on_fake" if "swapped" in mistakes else "on_fake"
    wish = "" if "wish" in mistakes else "-"
    clear = "    for optimizer in optimizers.values():\n        optimizer.zero_grad()"
    if "kept" in mistakes:
        clear = '    optimizers["discriminator"].zero_grad()'
    return (
        f"""\
def my_step(generator, discriminator, optimizers, real, z):
    softplus = torch.nn.functional.softplus
{clear}
{start}
    on_real, on_fake = {judged}
    (softplus(-on_real).mean() + softplus({on_fake}).mean()).backward()
    optimizers["discriminator"].step()
    loss = softplus({wish}discriminator(generator(z).sigmoid())).mean()
    loss.backward()
    optimizers["generator"].step()


exercises.check_gan_bug_hunt(my_step)""",
    )
