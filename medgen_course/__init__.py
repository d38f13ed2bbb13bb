"""Deep generative models for medical images: a course and the package behind it."""
