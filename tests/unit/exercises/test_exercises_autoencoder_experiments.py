import pytest

from medgen_course import exercises
from medgen_course.metrics import compression, psnr


def bits(train, codes, step):
    rounded = (compression.quantise(z, step) for z in (codes, train))
    return compression.code_length(*rounded).mean()


def best_length(rebuild, clean, noisy, lengths):
    return max(lengths, key=lambda n: psnr(rebuild(noisy, n).clamp(0, 1), clean).mean())


def against_noisy(rebuild, clean, noisy, lengths):
    return min(lengths, key=lambda n: (rebuild(noisy, n) - noisy).square().mean())


def worst(rebuild, clean, noisy, lengths):
    return max(lengths, key=lambda n: (rebuild(noisy, n) - clean).square().mean())


@pytest.mark.parametrize(
    ("check", "fn", "status", "words"),
    [
        ("check_bits", bits, "right", "Summed over the code"),
        ("check_bits", lambda *_: None, "not attempted", "None"),
        ("check_bits", lambda a, b, s: bits(a, b, s) / b.shape[1], "not yet right", "one number of the code"),
        ("check_bits", lambda a, b, s: bits(a, b, s) * len(b), "not yet right", "average"),
        ("check_bits", lambda a, b, s: bits(a, b, s) * 0.6931, "not yet right", "nats"),
        ("check_bits", lambda a, b, s: bits(b, b, s), "not yet right", "their own histograms"),
        ("check_bits", lambda a, b, s: bits(b, a, s), "not yet right", "expected about"),
        ("check_bits", lambda a, b, s: 3.0, "not yet right", "expected about"),
        ("check_best_length", best_length, "right", "yardstick"),
        ("check_best_length", lambda *_: None, "not attempted", "None"),
        ("check_best_length", against_noisy, "not yet right", "keeps their noise"),
        ("check_best_length", worst, "not yet right", "largest"),
    ],
)
def test_a_measurement_is_checked(check, fn, status, words, capsys):
    verdict = getattr(exercises, check)(fn)
    assert verdict.status == status and words in verdict.message, verdict.message
    capsys.readouterr()
