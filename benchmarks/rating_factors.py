"""The error of MovieLens's held-out ratings by factors of users and films, on the reproduction report's splits.

    LAYERWISE_DATA=... python benchmarks/rating_factors.py --seeds 3

The carefully tuned "SVD" that an RBM of ratings is compared with (Salakhutdinov, Mnih and Hinton 2007): the means of
user and film, and a product of factors fitted to what they leave over, by alternating least squares whose penalty grows
with the number of ratings. Validation ratings choose the number of factors and the penalty; test ratings are read once.
"""

import argparse
import os
from itertools import product
from pathlib import Path
from statistics import fmean

import torch

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.sources import RatingsPreprocessor, read_ratings
from layerwise.evaluation.unsupervised import rating_matrix

FACTORS, PENALTIES, SWEEPS = (2, 4, 8, 16, 32), (0.02, 0.05, 0.1, 0.2), 20


def means(ratings, penalty=5.0, sweeps=10):
    """Return the global mean plus an offset for each row and column, each shrunk as by `penalty` ratings of 0."""
    there, filled = ~ratings.isnan(), ratings.nan_to_num()
    mean, rows, columns = ratings.nanmean(), 0.0, ratings.new_zeros(ratings.shape[1])
    for _ in range(sweeps):
        rows = ((filled - mean - columns) * there).sum(1) / (there.sum(1) + penalty)
        columns = ((filled - mean - rows[:, None]) * there).sum(0) / (there.sum(0) + penalty)
    return mean + rows[:, None] + columns


def solve(left, there, other, penalty):
    """Return the factors of each row that fit `left` (rows, columns) best, given the columns' (columns, k)."""
    k = other.shape[1]
    outer = (there @ (other[:, :, None] * other[:, None]).flatten(1)).view(-1, k, k)
    counts = there.sum(1).clamp_min(1)[:, None, None]
    return torch.linalg.solve(outer + penalty * counts * torch.eye(k), left @ other)


def factor(ratings, n_factors, penalty):
    """Return predictions of all ratings, (users, films)."""
    base = means(ratings)
    there = (~ratings.isnan()).float()
    left = (ratings - base).nan_to_num()
    items = 0.1 * torch.randn(ratings.shape[1], n_factors, generator=torch.Generator().manual_seed(0))
    for _ in range(SWEEPS):
        users = solve(left, there, items, penalty)
        items = solve(left.t(), there.t(), users, penalty)
    return base + users @ items.t()


def rmse(predicted, ratings):
    """Return the root mean squared error of the ratings that are there, in stars."""
    there = ~ratings.isnan()
    return float((predicted.clamp(1, 5)[there] - ratings[there]).square().mean().sqrt())


def main():
    """Print the error for each seed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    raw = read_ratings(Path(os.environ["LAYERWISE_DATA"], "movielens_100k/u.data"))
    problem, found = Problem(name="movielens", task="ratings"), []
    for seed in range(parser.parse_args().seeds):
        split = split_raw(raw, problem, SplitSettings(test_fraction=0.1, validation_fraction=0.05), seed)
        preprocessor = RatingsPreprocessor.fit(raw, split.training, problem, PreprocessingSettings())
        levels, by_items = preprocessor.data_spec.levels, preprocessor.state["by_items"]
        training, validation, test = (
            rating_matrix(part.inputs, levels, by_items).float() for part in preprocessor.parts(raw, split)
        )
        tried = {each: rmse(factor(training, *each), validation) for each in product(FACTORS, PENALTIES)}
        best = min(tried, key=tried.__getitem__)
        found.append(rmse(factor(training, *best), test))
        print(
            f"seed {seed}: {found[-1]:.4f}, the means alone {rmse(means(training), test):.4f}; {best}",
            flush=True,
        )
    print(f"mean {fmean(found):.4f}")


if __name__ == "__main__":
    main()
