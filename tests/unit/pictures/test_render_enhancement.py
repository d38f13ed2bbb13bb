"""Pictures of an enhancement: a line around a lesion covers none of it, and healthy slices have none."""

import numpy as np

from medgen_course.pictures.render_enhancement import magnified, outlined
from medgen_course.pictures.render_translation import LESION


def test_lesions_are_outlined_and_not_covered():
    images = np.full((2, 1, 16, 16), 100, np.uint8)
    masks = np.zeros((2, 1, 16, 16), np.uint8)
    masks[0, 0, 5:8, 6:9] = 1
    made = outlined(images, masks, scale=2)
    assert made.shape == (2, 3, 32, 32) and made.dtype == np.uint8
    line = (made[0].transpose(1, 2, 0) == LESION).all(-1)
    assert line.any() and not line[10:16, 12:18].any() and line[9:17, 11:19].sum() == line.sum()
    assert np.array_equal(made[1].transpose(1, 2, 0), magnified(images[1], 2))
