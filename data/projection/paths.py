"""Draws of the days to come: equally likely paths that add up to the projected totals.

A draw's total is split over its days in random shares (a Dirichlet distribution around the
weekday profile): even where days are alike, nearly all on a few days where use comes in bursts.
Draws of several meters are paired by rank, so that meters which rose and fell together in the past
do so ahead, and each keeps its own distribution (Iman and Conover, 1982).  Seeded: equal input,
equal draws.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 200
SEED = 20_260_301
CERTAIN_WEEKS, USUAL_CORRELATION = 8, 0.3  # what few weeks say is mixed with what is usual


def day_paths(totals: Floats, shares: Floats, variation: float, *, whole: bool) -> Floats:
    """Paths, shape (draws, days), whose sums are the totals.

    `shares` of the days add up to 1; `variation` is the standard deviation of a day over its mean.
    """
    count = len(shares)
    if not count:
        return np.zeros((len(totals), 0))
    shape = np.clip(shares * count / max(variation, 0.05) ** 2, 1e-3, None)
    parts = np.random.default_rng(SEED).standard_gamma(shape, (len(totals), count))
    sums = parts.sum(axis=1, keepdims=True)
    parts = np.where(sums > 0, parts / np.where(sums > 0, sums, 1), shares)
    running = np.minimum(np.cumsum(parts, axis=1), 1)
    running[:, -1] = 1
    running *= totals[:, None]
    if whole:
        running = np.rint(running)
    return np.diff(running, axis=1, prepend=0)


def paired(weeks: Sequence[Floats]) -> list[NDArray[np.intp]]:
    """Which draw of each meter goes with which: ranks, shape (DRAWS,), one array a meter.

    `weeks`: the meters' sums of the weeks behind, oldest first, all ending on the same day.
    """
    meters = len(weeks)
    normal = np.random.default_rng(SEED + 1).standard_normal((DRAWS, meters))
    scores = normal @ np.linalg.cholesky(_correlation(weeks)).T
    return [np.argsort(np.argsort(column)) for column in scores.T]


def _correlation(weeks: Sequence[Floats]) -> Floats:
    """Of the weeks' ranks, mixed with the usual one: few weeks say little, constant ones nothing.

    Weighted by roots, so that it stays a correlation matrix (positive definite) in every mixture.
    """
    length = min(len(one) for one in weeks)
    recent = np.array([one[len(one) - length :] for one in weeks]).reshape(len(weeks), length)
    # How many weeks lie below each, less how many above: its rank, where equal weeks share theirs.
    ranks = np.sign(recent[:, :, None] - recent[:, None, :]).sum(axis=2)
    norms = np.linalg.norm(ranks, axis=1)
    moved = (norms > 0) & (length >= 3)
    ranks = ranks / np.where(moved, norms, 1)[:, None]
    trust = np.where(moved, length / (length + CERTAIN_WEEKS), 0)
    found = np.sqrt(np.outer(trust, trust)) * (ranks @ ranks.T)
    found += np.sqrt(np.outer(1 - trust, 1 - trust)) * USUAL_CORRELATION
    np.fill_diagonal(found, 1)
    return np.asarray(found)
