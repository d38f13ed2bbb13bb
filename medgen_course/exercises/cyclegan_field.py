"""Check of notebook 04: which pixels one logit of a discriminator sees."""

import math
from collections.abc import Callable, Sequence

from medgen_course.exercises.verdict import Finding, Verdict, call, judge, not_attempted

# kernels, strides and paddings of stacks, first layer first, and the number of a logit
STACKS = (
    ((3,), (1,), (1,), 7),
    ((4, 4), (2, 2), (1, 1), 1),
    ((4, 4, 4), (2, 1, 1), (1, 1, 1), 4),  # this and the next two are PatchGANs
    ((4, 4, 4, 4), (2, 2, 1, 1), (1, 1, 1, 1), 0),
    ((4, 4, 4, 4, 4), (2, 2, 2, 1, 1), (1, 1, 1, 1, 1), 2),
    ((7, 3, 3), (1, 2, 2), (3, 1, 0), 4),
    ((5, 1, 3, 2), (3, 1, 2, 1), (0, 2, 1, 0), 3),
    ((), (), (), 7),
)


def check_receptive_field(fn: Callable[[list[int], list[int], list[int], int], tuple[int, int]]) -> Verdict:
    """Check which pixels one output of a stack of convolutions sees, along one side of the image.

    Args:
        fn: (kernels, strides, paddings, i), one number a layer, first layer first, and the number of the
            output, to the first and the last pixel; both may lie outside the image.
    """
    praise = "Each patch where it lies, and 16, 34 and 70 pixels wide for the three PatchGANs."
    return judge("receptive field", fn, _examine_field, praise)


def _patch(
    kernels: Sequence[int], strides: Sequence[int], paddings: Sequence[int], i: int
) -> tuple[int, int]:
    first = last = i
    for kernel, stride, padding in zip(kernels[::-1], strides[::-1], paddings[::-1], strict=True):
        first, last = first * stride - padding, last * stride - padding + kernel - 1
    return first, last


def _width(kernels: Sequence[int], strides: Sequence[int], paddings: Sequence[int]) -> int:
    first, last = _patch(kernels, strides, paddings, 0)
    return last - first + 1


def _moved(begin: Callable[[Sequence[int], Sequence[int], Sequence[int], int], int]) -> Callable:
    """Patches of the right width that begin elsewhere."""
    return lambda k, s, p, i: (begin(k, s, p, i), begin(k, s, p, i) + _width(k, s, p) - 1)


FIELD_MISTAKES = {
    "it runs from the wrong end of the stack: a logit comes out of the last layer": lambda k, s, p, i: _patch(
        k[::-1], s[::-1], p[::-1], i
    ),
    "the padding is left out: with it, output 0 begins before its input": lambda k, s, p, i: _patch(
        k, s, [0] * len(k), i
    ),
    "the padding goes the other way: it comes before what a layer sees": lambda k, s, p, i: _patch(
        k, s, [-one for one in p], i
    ),
    "a layer's padding is counted in its own inputs, which can be several pixels apart": _moved(
        lambda k, s, p, i: i * math.prod(s) - sum(p)
    ),
    "neighbouring logits look further apart: the strides of all layers multiply": _moved(
        lambda k, s, p, i: _patch(k, s, p, 0)[0] + i * (s[-1] if s else 1)
    ),
    "the patch of every logit is the same; it should move with i": lambda k, s, p, i: _patch(k, s, p, 0),
    "the patch has the right width, but its middle is not at i times the product of the strides": _moved(
        lambda k, s, p, i: i * math.prod(s) - _width(k, s, p) // 2
    ),
    "it begins at the right pixel; in its width the strides are missing": lambda k, s, p, i: (
        _patch(k, s, p, i)[0],
        _patch(k, s, p, i)[0] + sum(k) - len(k),
    ),
    "the last pixel is one too far: a kernel of 3 that begins at 6 sees 6, 7 and 8": lambda k, s, p, i: (
        _patch(k, s, p, i)[0],
        _patch(k, s, p, i)[1] + 1,
    ),
    "it is cut off at the image's border; say where the patch lies, though it begins in the padding": (
        lambda k, s, p, i: (max(_patch(k, s, p, i)[0], 0), _patch(k, s, p, i)[1])
    ),
    "pixels and logits are counted from 0": lambda k, s, p, i: tuple(end + 1 for end in _patch(k, s, p, i)),
    "the two ends are exchanged: the first pixel comes first": lambda k, s, p, i: _patch(k, s, p, i)[::-1],
}


def _ends(answer: object, case: str) -> tuple[float, ...]:
    """What a student's function returned, as two numbers."""
    try:
        first, last = (float(end) for end in answer)
    except (TypeError, ValueError) as error:
        raise Finding(
            f"{case} you have {answer!r}: return two numbers, the first and the last pixel."
        ) from error
    return first, last


def _examine_field(fn: Callable) -> None:
    answers = [call(fn, *map(list, stack), i) for *stack, i in STACKS]
    if all(answer is None for answer in answers):
        raise not_attempted()
    cases = [
        f"For kernels {list(k)}, strides {list(s)}, paddings {list(p)} and logit {i}" for k, s, p, i in STACKS
    ]
    found = [_ends(*pair) for pair in zip(answers, cases, strict=True)]
    expected = [_patch(*stack) for stack in STACKS]
    wrong = next((n for n, ends in enumerate(found) if ends != expected[n]), None)
    if wrong is None:
        return
    same = (text for text, rule in FIELD_MISTAKES.items() if [rule(*stack) for stack in STACKS] == found)
    hint = next(same, "")
    first, last = (f"{end:g}" for end in found[wrong])
    raise Finding(
        f"{cases[wrong]} you have pixels {first} to {last}, expected {expected[wrong][0]} to "
        f"{expected[wrong][1]}{hint and ': '}{hint}."
    )
