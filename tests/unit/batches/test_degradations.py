"""What was measured is kept, and nothing else is touched more than needed."""

import pytest
import torch

from medgen_course import phantom
from medgen_course.batches.degradations import Coarse, Hole, LowDose, Rician
from medgen_course.batches.kspace import Lines, lines
from medgen_course.batches.tasks import STRENGTHS, TELLS, degradation
from medgen_course.batches.transforms import to_unit

GENERATOR = torch.Generator
NOISY = (Rician(0.1), LowDose(30.0))
EXACT = (Coarse(2), Coarse(4), Hole(0.1), Lines(0.25))


def slices(count=12, size=64):
    return to_unit(torch.from_numpy(phantom.generate(count, size, 3, "val").t1w))


def measured(worse, x, seed=0):
    return worse.measure(x, GENERATOR().manual_seed(seed))


@pytest.mark.parametrize("worse", [*NOISY, *EXACT], ids=str)
def test_a_measurement_is_repeated_by_its_seed_and_makes_a_guess(worse):
    x = slices()
    y = measured(worse, x)
    assert torch.equal(y, measured(worse, x))
    guess = worse.guess(y)
    assert guess.shape == x.shape and guess.dtype == torch.float32
    assert guess.min() >= 0 and guess.max() <= 1
    assert (guess - x).square().mean() > 1e-4  # something was taken away


@pytest.mark.parametrize("worse", EXACT, ids=str)
def test_the_truth_fits_and_any_answer_is_brought_to_fit(worse):
    x, wrong = slices(), slices(24)[12:]
    y = measured(worse, x)
    assert worse.misfit(x, y).max() < 1e-12
    before, kept = worse.misfit(wrong, y), worse.project(wrong, y)
    assert before.min() > 1e-3
    # less than half a grey level, root mean square; blocks and rectangle to what float32 knows
    limit = (0.5 / 255) ** 2 if isinstance(worse, Lines) else 1e-12
    assert worse.misfit(kept, y).max() < limit
    assert kept.min() >= 0 and kept.max() <= 1
    assert torch.allclose(worse.project(x, y), x, atol=1e-5)  # what fits is left alone
    nearer = (kept - x).square().mean((1, 2, 3)) < (wrong - x).square().mean((1, 2, 3))
    assert nearer.all()  # a projection onto a convex set that holds the truth


def test_without_the_cut_measured_lines_are_exactly_kept():
    x, wrong, worse = slices(), slices(24)[12:], Lines(0.25)
    mask, y = worse.mask(64), measured(worse, x)
    once = torch.fft.ifft2(torch.where(mask, y, torch.fft.fft2(wrong, norm="ortho")), norm="ortho")
    assert once.imag.abs().max() < 1e-6  # lines k and -k are both there, so the image stays real
    assert worse.misfit(once.real, y).max() < 1e-12


def test_kspace_there_and_back_and_a_quarter_of_it():
    x = slices()
    whole = Lines(1.0)
    odd = slices(size=63)
    assert whole.mask(63).all() and torch.allclose(whole.guess(measured(whole, odd)), odd, atol=1e-6)
    y = measured(Lines(0.25), x)
    energy = torch.view_as_real(y).square().sum()
    assert 0 < energy < x.square().sum()  # Parseval: a part of the image's own
    mask = lines(64, 0.25)
    assert 14 <= mask.sum() <= 16 and mask[:4].all() and (mask == mask.roll(-1).flip(0)).all()
    assert not torch.equal(mask, lines(64, 0.25, seed=1))
    assert lines(28, 0.25).sum() == 7


def test_blocks_are_shifted_as_little_as_possible():
    worse, x = Coarse(2), torch.tensor([[0.0, 0.2], [0.6, 1.0]])[None, None]
    kept = worse.project(x, torch.tensor([[[[0.55]]]]))
    assert torch.allclose(kept.mean(), torch.tensor(0.55), atol=1e-6)
    # the brightest is cut at 1, the three others share what is left: (2.2 - 1 - 0.8) / 3
    assert torch.allclose(kept[0, 0], torch.tensor([[0.1333, 0.3333], [0.7333, 1.0]]), atol=1e-3)


def test_a_hole_is_filled_and_nothing_else():
    worse, x = Hole(0.1), slices()
    y = measured(worse, x)
    known = y[:, -1:] > 0
    area = (~known).float().mean((1, 2, 3))
    assert ((area - 0.1).abs() < 0.02).all()
    answer = worse.project(torch.zeros_like(x), y)
    assert torch.equal(answer[known], x[known]) and (answer[~known] == 0).all()


@pytest.mark.parametrize("worse", NOISY, ids=str)
def test_noise_explains_so_much_and_no_more(worse):
    x = slices(64)
    y = measured(worse, x)
    explained = worse.explained(y).flatten()
    distance = (x - y).square().mean((1, 2, 3)).sqrt()
    assert (distance < 1.02 * explained).all() and (distance > 0.6 * explained).all()
    far = worse.project(torch.ones_like(x), y)
    assert torch.allclose((far - y).square().mean((1, 2, 3)).sqrt(), explained, rtol=1e-4)
    smooth = torch.nn.functional.avg_pool2d(y, 3, 1, 1)
    near = (smooth - y).square().mean((1, 2, 3)).sqrt() < explained
    assert near.any() and torch.equal(worse.project(smooth, y)[near], smooth[near])


def test_a_rician_misfit_does_not_ask_for_grey_air():
    worse, air = Rician(0.1), torch.zeros(8, 1, 64, 64)
    y = measured(worse, air)
    grey = torch.full_like(air, float(y.mean()))
    assert (worse.misfit(air, y) < worse.misfit(grey, y)).all()


def test_names_and_strengths():
    assert set(STRENGTHS) == set(TELLS)
    assert degradation("denoise") == Rician(0.1) and degradation("superres", 4.0) == Coarse(4)
    for words, task, strength in (
        ("task is 'sharpen'; give one of denoise", "sharpen", None),
        ("is 3; give 2 or 4", "superres", 3.0),
        ("sigma, must lie between 0 and 1", "denoise", -1.0),
        ("a share of k-space, must lie between", "mri", 2.0),
        ("fraction of the area, must lie", "inpaint", 0.9),
        ("photons, must lie between", "lowdose", 0.0),
    ):
        with pytest.raises(ValueError, match=words):
            degradation(task, strength)
    with pytest.raises(ValueError, match=r"30 x 30 pixels have no whole blocks of 4 x 4"):
        Coarse(4).measure(torch.zeros(1, 1, 30, 30))
