"""Checks that students' cells call: give one your function, and it says what is right or wrong with it.

One file per notebook, `verdict.py` for what all share. A check calls the function on small cases, shows a
`Verdict` at once and returns it. `hunts` draws bug hunts from a seed, `quiz` shows a question.
"""

from medgen_course.exercises import hunts
from medgen_course.exercises.anomaly import check_spot_score, check_volume_threshold
from medgen_course.exercises.anomaly_bug_hunt import check_anomaly_bug_hunt
from medgen_course.exercises.anomaly_experiments import check_scanner, check_smoothing
from medgen_course.exercises.autoencoder import (
    check_interpolate,
    check_reconstruction_loss,
    check_training_step,
)
from medgen_course.exercises.autoencoder_experiments import check_best_length, check_bits
from medgen_course.exercises.cyclegan import check_cycle_loss
from medgen_course.exercises.cyclegan_bug_hunt import check_cyclegan_bug_hunt
from medgen_course.exercises.cyclegan_experiments import check_shift_error, check_tell_apart
from medgen_course.exercises.cyclegan_field import check_receptive_field
from medgen_course.exercises.cyclegan_pool import check_image_pool
from medgen_course.exercises.data import check_balanced_accuracy, check_keep_first
from medgen_course.exercises.data_experiments import check_dose, check_leak
from medgen_course.exercises.enhancement import check_consistency, check_weight
from medgen_course.exercises.enhancement_bug_hunt import check_measure_bug_hunt
from medgen_course.exercises.enhancement_experiments import check_average_cost, check_gain
from medgen_course.exercises.few_labels import check_m2_cost, check_mean_dice
from medgen_course.exercises.few_labels_bug_hunt import check_few_labels_bug_hunt
from medgen_course.exercises.few_labels_experiments import check_silence, check_which_labels
from medgen_course.exercises.gan import check_non_saturating
from medgen_course.exercises.gan_bug_hunt import check_gan_bug_hunt
from medgen_course.exercises.gan_experiments import check_hidden_copies, check_truncation
from medgen_course.exercises.gan_penalty import check_gradient_penalty
from medgen_course.exercises.gan_step import check_alternating_step
from medgen_course.exercises.growing_adam import check_adam_groups
from medgen_course.exercises.growing_bug_hunt import check_growing_bug_hunt
from medgen_course.exercises.growing_deviation import check_deviations
from medgen_course.exercises.growing_experiments import check_sameness, check_scales
from medgen_course.exercises.quiz import Quiz, quiz
from medgen_course.exercises.trust import check_low_fpr, check_private_gradient
from medgen_course.exercises.trust_bug_hunt import check_trust_bug_hunt
from medgen_course.exercises.trust_experiments import check_fooled, check_leaks
from medgen_course.exercises.vae import check_elbo, check_kl
from medgen_course.exercises.vae_bug_hunt import check_bug_hunt
from medgen_course.exercises.vae_draw import check_reparameterise
from medgen_course.exercises.vae_experiments import check_fixed_sigma, check_latents_needed
from medgen_course.exercises.verdict import Verdict

__all__ = [
    "Quiz",
    "Verdict",
    "check_adam_groups",
    "check_alternating_step",
    "check_anomaly_bug_hunt",
    "check_average_cost",
    "check_balanced_accuracy",
    "check_best_length",
    "check_bits",
    "check_bug_hunt",
    "check_consistency",
    "check_cycle_loss",
    "check_cyclegan_bug_hunt",
    "check_deviations",
    "check_dose",
    "check_elbo",
    "check_few_labels_bug_hunt",
    "check_fixed_sigma",
    "check_fooled",
    "check_gain",
    "check_gan_bug_hunt",
    "check_gradient_penalty",
    "check_growing_bug_hunt",
    "check_hidden_copies",
    "check_image_pool",
    "check_interpolate",
    "check_keep_first",
    "check_kl",
    "check_latents_needed",
    "check_leak",
    "check_leaks",
    "check_low_fpr",
    "check_m2_cost",
    "check_mean_dice",
    "check_measure_bug_hunt",
    "check_non_saturating",
    "check_private_gradient",
    "check_receptive_field",
    "check_reconstruction_loss",
    "check_reparameterise",
    "check_sameness",
    "check_scales",
    "check_scanner",
    "check_shift_error",
    "check_silence",
    "check_smoothing",
    "check_spot_score",
    "check_tell_apart",
    "check_training_step",
    "check_truncation",
    "check_trust_bug_hunt",
    "check_volume_threshold",
    "check_weight",
    "check_which_labels",
    "hunts",
    "quiz",
]
