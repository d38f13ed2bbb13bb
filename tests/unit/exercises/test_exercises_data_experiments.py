import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from medgen_course import exercises
from medgen_course.batches import transforms
from medgen_course.metrics import psnr


def leak(train, known, exam, truth, share):
    n = round(share * len(exam))
    memory = KNeighborsClassifier(1).fit(
        np.concatenate([train, exam[:n]]), np.concatenate([known, truth[:n]])
    )
    return memory.score(exam, truth)


def without(train, known, exam, truth, share):
    return KNeighborsClassifier(1).fit(train, known).score(exam, truth)


def smaller_exam(train, known, exam, truth, share):
    n = min(round(share * len(exam)), len(exam) - 1)
    memory = KNeighborsClassifier(1).fit(
        np.concatenate([train, exam[:n]]), np.concatenate([known, truth[:n]])
    )
    return memory.score(exam[n:], truth[n:])


def dose(x, photons):
    return psnr(transforms.poisson_noise(x, photons, film=True), x).mean()


@pytest.mark.parametrize(
    ("check", "fn", "status", "words"),
    [
        ("check_leak", leak, "right", "whole exam"),
        ("check_leak", lambda *_: None, "not attempted", "None"),
        ("check_leak", without, "not yet right", "without a leak"),
        ("check_leak", smaller_exam, "not yet right", "out of the exam"),
        ("check_leak", lambda *given: 100 * leak(*given), "not yet right", "in percent"),
        ("check_leak", lambda *given: "0.5x", "not yet right", "one number"),
        ("check_leak", lambda *given: 1 / 0, "raised an error", "ZeroDivisionError"),
        ("check_dose", dose, "right", "from white downwards"),
        ("check_dose", lambda x, photons: None, "not attempted", "None"),
        ("check_dose", lambda x, n: psnr(transforms.poisson_noise(x, n), x).mean(), "not yet right", "film"),
        ("check_dose", lambda x, n: -dose(x, n), "not yet right", "sign"),
        ("check_dose", lambda x, n: 10 ** (-dose(x, n) / 10), "not yet right", "squared error"),
    ],
)
def test_a_measurement_is_checked(check, fn, status, words, capsys):
    verdict = getattr(exercises, check)(fn)
    assert verdict.status == status and words in verdict.message
    capsys.readouterr()
