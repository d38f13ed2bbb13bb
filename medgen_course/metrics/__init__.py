"""What is measured, in which unit, against which floor; here what every notebook needs."""

from medgen_course.metrics.reconstruction import bootstrap_interval, mse, psnr, ssim

__all__ = ["bootstrap_interval", "mse", "psnr", "ssim"]
