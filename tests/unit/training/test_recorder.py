"""The flight recorder: it changes nothing, tells what was, and survives an interruption."""

import numpy as np
import pytest
import torch

from medgen_course.batches.sampling import Sampler
from medgen_course.datasets.sources import Split
from medgen_course.models.gan import Discriminator, GANAlgorithm, Generator
from medgen_course.training.checkpoints import RunError, save_tensors
from medgen_course.training.loop import fit
from medgen_course.training.recorder import Recorder, Recording, spaced_moments

RNG = np.random.default_rng(0)
SPLIT = Split(RNG.integers(0, 256, (64, 1, 28, 28), dtype=np.uint8), np.arange(64) % 2)


def gan() -> GANAlgorithm:
    torch.manual_seed(0)
    return GANAlgorithm(
        Generator(1, 28, 8, 2, width=4),
        Discriminator(1, 28, 2, width=4, spectral_norm=True),
        learning_rate=0.02,
    )


def recorder(algorithm, moments=(1, 3, 8), **options) -> Recorder:
    return Recorder(algorithm, SPLIT.images[:20], SPLIT.labels[:20], moments, **options)


def train(algorithm, callback=None, epochs=2):
    return fit(algorithm, Sampler(SPLIT, 16), epochs, callback=callback, device="cpu", progress=False)


def test_training_is_the_same_with_and_without_a_recorder():
    plain, watched = gan(), gan()
    train(plain)
    train(watched, recorder(watched, measure=lambda images: {"mean": float(images.mean())}))
    for name, network in plain.networks.items():
        for a, b in zip(
            network.state_dict().values(), watched.networks[name].state_dict().values(), strict=True
        ):
            assert torch.equal(a, b)


def test_what_is_recorded_is_what_was():
    algorithm = gan()
    watch = recorder(algorithm, num_samples=6, measure=lambda images: {"count": len(images)})
    history = train(algorithm, watch)
    recording = watch.recording()
    assert recording.moments.tolist() == [1, 3, 8]
    assert recording.samples.shape == (3, 6, 1, 28, 28) and recording.samples.dtype == np.uint8
    assert recording.real.shape == recording.fake.shape == (3, 20)
    assert recording.metrics["count"].tolist() == [20, 20, 20] and "variety" in recording.metrics
    means = recording.curves["loss/discriminator"].reshape(2, 4).mean(1)
    assert means.tolist() == pytest.approx(history["loss/discriminator"])
    # The last moment is the end of training: the networks can be asked again.
    samples, real, fake, _ = watch.look()
    assert np.array_equal(samples, recording.samples[-1])
    assert np.array_equal(real, recording.real[-1]) and np.array_equal(fake, recording.fake[-1])
    assert not np.array_equal(recording.samples[0], recording.samples[-1])


def test_a_file_gives_back_what_was_saved(tmp_path):
    algorithm = gan()
    watch = recorder(algorithm, about={"title": "a run"})
    train(algorithm, watch)
    recording = watch.recording()
    recording.save(tmp_path / "recording.safetensors")
    again = Recording.load(tmp_path / "recording.safetensors")
    assert again.about == recording.about and again.about["title"] == "a run"
    assert np.array_equal(again.samples, recording.samples)
    assert np.array_equal(again.moments, recording.moments)
    np.testing.assert_allclose(again.real, recording.real, rtol=1e-3, atol=1e-6)
    assert set(again.curves) == set(recording.curves)
    np.testing.assert_allclose(again.curves["real"], recording.curves["real"], rtol=1e-3, atol=1e-6)


def test_an_interrupted_run_is_recorded_in_one_piece(tmp_path):
    whole, file = gan(), tmp_path / "recording.safetensors"
    watch = recorder(whole, range(1, 13))
    train(whole, watch, epochs=3)

    def part(epochs, resume):
        algorithm = gan()
        callback = recorder(algorithm, range(1, 13), path=file)
        options = {"out": tmp_path / "run", "resume": resume, "device": "cpu", "progress": False}
        fit(algorithm, Sampler(SPLIT, 16), epochs, callback=callback, **options)

    part(1, False)
    part(3, True)
    joined, expected = Recording.load(file), watch.recording()
    assert joined.moments.tolist() == list(range(1, 13))
    assert np.array_equal(joined.samples, expected.samples)
    np.testing.assert_allclose(joined.curves["fake"], expected.curves["fake"], rtol=1e-3, atol=1e-4)


def test_other_files_are_refused(tmp_path):
    file = tmp_path / "model.safetensors"
    save_tensors(file, {"weight": torch.zeros(3)})
    with pytest.raises(RunError, match="expected a flight recording, found other tensors"):
        Recording.load(file)
    with pytest.raises(FileNotFoundError):
        Recording.load(tmp_path / "none.safetensors")


def test_before_the_first_moment_there_is_nothing():
    with pytest.raises(ValueError, match="the first moment is step 3"):
        recorder(gan(), (3, 5)).recording()


@pytest.mark.parametrize(("steps", "count"), [(0, 0), (1, 1), (10, 10), (5000, 40)])
def test_moments_begin_with_the_first_step_and_end_with_the_last(steps, count):
    moments = spaced_moments(steps)
    assert len(moments) <= count and moments == sorted(set(moments))
    assert not moments or (moments[0] == 1 and moments[-1] == steps)
