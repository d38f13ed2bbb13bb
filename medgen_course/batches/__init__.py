"""What happens to a batch: scaling, augmentation, checks, and the samplers that draw it."""

from medgen_course.batches.sampling import Sampler, derive_seed
from medgen_course.batches.transforms import to_uint8, to_unit

__all__ = ["Sampler", "derive_seed", "to_uint8", "to_unit"]
