"""Does each latent stand for one known factor? Asked of codes whose images have known factors."""

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mutual_info_score

BINS = 20


def mutual_information(codes: np.ndarray, factors: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Share of each factor's entropy that each latent tells, from histograms.

    Args:
        codes: (N, latent_dim), posterior means.
        factors: (N, F), each column a factor; none may be constant.
        bins: quantile bins a column; a column with fewer values keeps its values.
    Returns:
        (latent_dim, F), each entry I(z_j; v_k) / H(v_k) in [0, 1].
    Raises:
        ValueError: the numbers of rows differ, or a factor is constant.
    """
    if len(codes) != len(factors):
        raise ValueError(f"{len(codes)} codes and {len(factors)} rows of factors; each code needs its row.")
    latents = [_binned(column, bins) for column in codes.T]
    targets = [_binned(column, bins) for column in factors.T]
    entropies = np.array([mutual_info_score(v, v) for v in targets])
    if not entropies.all():
        constant = np.flatnonzero(entropies == 0).tolist()
        raise ValueError(f"factor columns {constant} are constant: there is nothing to tell. Leave them out.")
    return np.array([[mutual_info_score(z, v) for v in targets] for z in latents]) / entropies


def mig(codes: np.ndarray, factors: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Mutual information gap: how far the best latent of a factor is ahead of the second best.

    Args:
        codes: (N, latent_dim >= 2), posterior means.
        factors: (N, F).
        bins: see `mutual_information`; few images and many bins inflate the terms, not the gap between them.
    Returns:
        (F,), each in [0, 1]; 1 when one latent tells the factor and no other does. Its mean is the MIG.
    Source: Chen, Li, Grosse & Duvenaud 2018, equation 6.
    """
    information = np.sort(mutual_information(codes, factors, bins), axis=0)
    return information[-1] - information[-2]


def linear_probe(
    codes: np.ndarray, factors: np.ndarray, test_codes: np.ndarray, test_factors: np.ndarray
) -> np.ndarray:
    """R^2 on other images of a linear regression from code to factor; 1 is perfect, 0 is the mean.

    Args:
        codes, factors: (N, latent_dim) and (N, F) to fit on.
        test_codes, test_factors: the same for the images that are scored.
    Returns:
        (F,), at most 1.
    Source: Alain & Bengio 2017.
    """
    predicted = LinearRegression().fit(codes, factors).predict(test_codes)
    residual = np.square(test_factors - predicted).sum(0)
    return 1 - residual / np.square(test_factors - test_factors.mean(0)).sum(0)


def _binned(column: np.ndarray, bins: int) -> np.ndarray:
    values, inverse = np.unique(column, return_inverse=True)
    if len(values) <= bins:
        return inverse
    edges = np.quantile(column, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, column)
