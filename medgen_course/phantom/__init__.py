"""An MR brain phantom made by code: axial slices with known factors, paired T1w and T2w, lesion masks."""

from medgen_course.phantom.anatomy import FACTORS
from medgen_course.phantom.slices import COLUMN, SPLITS, Phantom, draw_factors, generate, ventricle_masks

__all__ = ["COLUMN", "FACTORS", "SPLITS", "Phantom", "draw_factors", "generate", "ventricle_masks"]
