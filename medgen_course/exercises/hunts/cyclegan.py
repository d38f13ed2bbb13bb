"""Mistakes in one training step of CycleGAN (notebook 04)."""

MISTAKES = {
    "judge": "Each discriminator holds its domain against the wrong generator: it learns A from B.",
    "detach": "The discriminators' loss runs on into the generators; `retain_graph=True` hides it.",
    "identity": "The identity loss holds on the source domain and works against every translation.",
    "cycle": "The way back ends at an image of the other domain, as if the two were a pair.",
    "wish": "The generators are moved towards images that are found out.",
    "kept": "The generators' gradients are never cleared, so that each update repeats all earlier ones.",
}
OWN = ("judge", "detach", "identity")


def cells(mistakes: frozenset[str]) -> tuple[str, ...]:
    """The sources with these mistakes."""
    clear = "    for optimizer in optimizers.values():\n        optimizer.zero_grad()"
    if "kept" in mistakes:
        clear = '    optimizers["discriminators"].zero_grad()'
    kind = "fake" if "detach" in mistakes else "shown"
    to_a, to_b = (f"{kind}_b", f"{kind}_a") if "judge" in mistakes else (f"{kind}_a", f"{kind}_b")
    loss = f"squared_discriminator(d_a(a), d_a({to_a})) + squared_discriminator(d_b(b), d_b({to_b}))"
    learn = f"    loss_d = {loss}\n    loss_d.backward(retain_graph=True)"
    if "detach" not in mistakes:
        learn = f"    shown_a, shown_b = fake_a.detach(), fake_b.detach()\n    ({loss}).backward()"
    wish = "squared_generator(d_a(fake_a)) + squared_generator(d_b(fake_b))"
    if "wish" in mistakes:
        wish = "d_a(fake_a).square().mean() + d_b(fake_b).square().mean()"
    home_a, home_b = ("b", "a") if "cycle" in mistakes else ("a", "b")
    to, back = ("a", "b") if "identity" in mistakes else ("b", "a")
    return (
        f"""\
def my_step(g_ab, g_ba, d_a, d_b, optimizers, a, b):
    fake_a, fake_b = g_ba(b), g_ab(a)
{clear}
{learn}
    optimizers["discriminators"].step()
    adversarial = {wish}
    cycle = (g_ba(fake_b) - {home_a}).abs().mean() + (g_ab(fake_a) - {home_b}).abs().mean()
    identity = (g_ab({to}) - {to}).abs().mean() + (g_ba({back}) - {back}).abs().mean()
    (adversarial + 10 * cycle + 5 * identity).backward()
    optimizers["generators"].step()


exercises.check_cyclegan_bug_hunt(my_step)""",
    )
