"""fit(): learns, repeats itself, stops cleanly, resumes bit for bit, and serves adversarial algorithms."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from medgen_course.batches.sampling import Sampler
from medgen_course.models.algorithm import Algorithm
from medgen_course.models.autoencoder import Autoencoder, AutoencoderAlgorithm
from medgen_course.training.checkpoints import RunError, RunFolder
from medgen_course.training.loop import TrainingDiverged, fit


def split(n=64):
    images = np.random.default_rng(0).integers(0, 256, (n, 1, 8, 8), dtype=np.uint8)
    return SimpleNamespace(images=images, labels=np.zeros(n, np.int64))


def noisy_autoencoder():
    """An algorithm whose steps draw random numbers, as a VAE's do."""
    torch.manual_seed(0)
    return AutoencoderAlgorithm(
        Autoencoder(1, 8, 4, width=4), corrupt=lambda x: x + 0.1 * torch.randn_like(x)
    )


def weights(algorithm):
    return torch.cat([p.detach().flatten() for net in algorithm.networks.values() for p in net.parameters()])


def run(algorithm=None, num_epochs=4, **options):
    algorithm = algorithm or noisy_autoencoder()
    history = fit(algorithm, Sampler(split(), 16), num_epochs, device="cpu", progress=False, **options)
    return algorithm, history


def test_losses_fall_and_the_history_has_a_row_an_epoch():
    _, history = run(num_epochs=30)
    assert history["loss"][-1] < history["loss"][0] and len(history) == 30
    assert history["epoch"] == list(range(1, 31))
    assert all(rate > 0 for rate in history["images_per_second"])


def test_the_same_seed_gives_the_same_weights_and_the_callers_randomness_is_left_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    first, _ = run(seed=3)
    torch.manual_seed(7)
    second, _ = run(noisy_autoencoder(), seed=3)
    third, _ = run(seed=4)
    assert torch.equal(weights(first), weights(second)) and not torch.equal(weights(first), weights(third))
    algorithm = noisy_autoencoder()
    torch.manual_seed(7)
    run(algorithm)
    assert torch.equal(torch.rand(3), expected)


def test_bfloat16_computes_each_step_with_the_weights_of_that_step():
    """Autocast keeps the copies that it made of the weights until its block ends: one block, one step."""
    same, losses = split(), {"float32": [], "bfloat16": []}
    same.images[:] = same.images[0]  # so that a loss falls because of the weights alone
    for precision, found in losses.items():
        torch.manual_seed(0)
        algorithm = AutoencoderAlgorithm(Autoencoder(1, 8, 4, width=4), learning_rate=1e-2)
        note = lambda step, logs, found=found: found.append(logs["loss"].item())  # noqa: E731
        fit(algorithm, Sampler(same, 4), 1, 0, "cpu", precision, callback=note, progress=False)
    assert losses["float32"][-1] < 0.8 * losses["float32"][0]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.02)


def test_callback_counts_steps_and_sees_the_logs():
    seen = []
    run(num_epochs=2, callback=lambda step, logs: seen.append((step, logs["loss"].item())))
    assert [step for step, _ in seen] == list(range(1, 9)) and all(loss > 0 for _, loss in seen)


def test_a_run_in_two_parts_equals_an_uninterrupted_one(tmp_path):
    whole, _ = run(num_epochs=5)
    run(num_epochs=2, out=tmp_path)
    rest, history = run(num_epochs=5, out=tmp_path, resume=True)
    assert torch.equal(weights(whole), weights(rest)) and history["epoch"] == [1, 2, 3, 4, 5]
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"model.safetensors", "config.json", "history.csv", "resume.safetensors"}
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 6


KILLER = """
import os, random, signal, sys, time
from pathlib import Path
import lightning_fabric  # here, not in every child
sys.path.insert(0, {folder!r})
from test_training import run
out, moments, kills = Path(sys.argv[1]), random.Random(0), 0

def start():
    child = os.fork()  # nothing has run in parallel yet, so it is safe; it saves importing all again
    if child == 0:
        run(num_epochs=80, out=out, resume=True)
        os._exit(0)
    return child

for mark in ("config.json", "resume.safetensors", "resume.safetensors", "resume.safetensors"):
    file, child = out / mark, start()
    before = file.stat().st_mtime_ns if file.exists() else None
    while not file.exists() or file.stat().st_mtime_ns == before:
        time.sleep(0.001)
    if mark != "config.json":  # that one is killed before its first epoch ends
        time.sleep(moments.random() * 0.1)
    os.kill(child, signal.SIGKILL)
    kills += os.waitpid(child, 0)[1] == signal.SIGKILL
print(kills)
assert os.waitpid(start(), 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has neither fork nor SIGKILL")
def test_resume_after_kill_nine_is_bit_for_bit(tmp_path):
    """Kill the run before its first epoch and at random moments; compare with one that was never killed."""
    script = KILLER.format(folder=os.path.dirname(__file__))
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert int(done.stdout.split()[0]) == 4, "the run was over before it could be killed"
    whole, _ = run(num_epochs=80)
    resumed = noisy_autoencoder()
    RunFolder(tmp_path).load_model(resumed.networks)
    assert torch.equal(weights(resumed), weights(whole))


def test_an_existing_run_is_not_overwritten_and_another_one_not_resumed(tmp_path):
    run(num_epochs=1, out=tmp_path)
    with pytest.raises(RunError, match="a run is there already"):
        run(num_epochs=1, out=tmp_path)
    with pytest.raises(RunError, match="seed was 0 and is 1"):
        run(num_epochs=1, out=tmp_path, resume=True, seed=1)


def test_nan_stops_with_step_loss_and_advice_and_keeps_the_last_epoch(tmp_path):
    algorithm = noisy_autoencoder()

    def poison(step, logs):
        if step == 6:
            with torch.no_grad():
                next(algorithm.model.parameters()).fill_(float("nan"))

    with pytest.raises(TrainingDiverged, match=r"step 7: loss is nan.*learning rate"):
        run(algorithm, callback=poison, out=tmp_path)
    assert RunFolder(tmp_path).load_resume()["history"]["epoch"] == [1]


def test_an_interrupt_returns_what_was_learnt(capsys):
    algorithm, start = noisy_autoencoder(), None

    def stop(step, logs):
        if step == 6:
            raise KeyboardInterrupt

    start = weights(algorithm).clone()
    algorithm, history = run(algorithm, callback=stop)
    assert history.interrupted and len(history) == 1 and "Interrupted" in capsys.readouterr().out
    assert not torch.equal(weights(algorithm), start) and not algorithm.model.training


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu"}, "device is 'tpu'"),
        ({"precision": "float8"}, "precision is 'float8'"),
        ({"devices": 0}, "devices is 0"),
        ({"num_epochs": -1}, "num_epochs is -1"),
        ({"resume": True}, "needs out="),
    ],
)
def test_bad_arguments_are_named(options, message):
    options = {"num_epochs": 1, "device": "cpu", **options}
    with pytest.raises(ValueError, match=message):
        fit(noisy_autoencoder(), Sampler(split(), 16), progress=False, **options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the GPU that the error is about")
def test_a_missing_gpu_is_named():
    with pytest.raises(ValueError, match=r"no CUDA GPU.*device='auto'"):
        fit(noisy_autoencoder(), Sampler(split(), 16), 1, device="cuda")


class ToyGAN(Algorithm):
    """Conditional, alternating, with a frozen discriminator, a gradient penalty, BatchNorm and an average."""

    def __init__(self):
        torch.manual_seed(0)
        generator = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 64))
        discriminator = nn.Sequential(nn.Linear(66, 16), nn.Softplus(), nn.Linear(16, 1))
        average = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 64))
        average.load_state_dict(generator.state_dict())
        self.networks = {"generator": generator, "discriminator": discriminator, "average": average}
        self.optimizers = {
            n: torch.optim.Adam(self.networks[n].parameters(), 1e-3) for n in list(self.networks)[:2]
        }
        self.config, self.pool = {"kind": "toy"}, torch.zeros(0, 64)

    def state_dict(self):
        return {**super().state_dict(), "pool": self.pool}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.pool = state["pool"]

    def step(self, batch, backward):
        generator, discriminator, average = self.networks.values()
        real = torch.cat([batch["x"].flatten(1), nn.functional.one_hot(batch["label"] % 2, 2)], 1)
        images = generator(torch.randn(len(real), 4))
        self.pool = torch.cat([self.pool, images.detach()])[-50:]
        fake = torch.cat([images, real[:, 64:]], 1)
        point = real.clone().requires_grad_()
        [slope] = torch.autograd.grad(discriminator(point).sum(), point, create_graph=True)
        loss_d = (discriminator(fake.detach()) - discriminator(real)).mean() + slope.square().sum(1).mean()
        self.optimizers["discriminator"].zero_grad()
        backward(loss_d)
        self.optimizers["discriminator"].step()
        discriminator.requires_grad_(False)
        loss_g = -discriminator(fake).mean()
        self.optimizers["generator"].zero_grad()
        backward(loss_g)
        self.optimizers["generator"].step()
        discriminator.requires_grad_(True)
        for slow, fast in zip(average.parameters(), generator.parameters(), strict=True):
            slow.data.lerp_(fast.data, 0.1)
        return {"loss/discriminator": loss_d.detach(), "loss/generator": loss_g.detach()}


def test_an_adversarial_algorithm_with_memory_resumes_bit_for_bit(tmp_path):
    whole, _ = run(ToyGAN(), num_epochs=4)
    run(ToyGAN(), num_epochs=2, out=tmp_path)
    rest, _ = run(ToyGAN(), num_epochs=4, out=tmp_path, resume=True)
    assert torch.equal(weights(whole), weights(rest)) and torch.equal(whole.pool, rest.pool)


PARALLEL = """
import sys
sys.path.insert(0, {folder!r})
import torch
from torch.distributed import destroy_process_group, get_rank, get_world_size
from test_training import ToyGAN, noisy_autoencoder, run, weights
for make in (noisy_autoencoder, ToyGAN):
    algorithm, history = run(make(), num_epochs=2)
    torch.save(weights(algorithm), f"{{sys.argv[1]}}/{{make.__name__}}-{{get_rank()}}.pt")
assert get_world_size() == 2
destroy_process_group()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="torchrun's gloo rendezvous is not built for Windows")
def test_two_processes_stay_in_step_under_torchrun(tmp_path):
    script = tmp_path / "parallel.py"
    script.write_text(PARALLEL.format(folder=os.path.dirname(__file__)))
    command = [
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        str(script),
        str(tmp_path),
    ]
    subprocess.run([sys.executable, *command], check=True, capture_output=True, timeout=300)
    for name in ("noisy_autoencoder", "ToyGAN"):
        a, b = (torch.load(tmp_path / f"{name}-{rank}.pt", weights_only=True) for rank in range(2))
        assert torch.equal(a, b), f"{name}: the processes drifted apart"
