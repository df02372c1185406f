"""What `explain` says of a small network, beside `shap` on the same rows, function and background.

shap's exact explainer goes through all 2^10 sets of columns. Printed is the root mean squared difference from it, of
our permutations (two for each background row) and of shap's (two for all of them, over the same rows), and whether the
mean of ours over seeds is further from it than its standard error.

    pip install --no-deps --target peers shap slicer cloudpickle numba llvmlite
    PYTHONPATH=peers python benchmarks/shapley_peer.py
"""

import numpy as np
import shap
import torch
from sklearn.datasets import load_diabetes

from layerwise.data.reading import typical_inputs
from layerwise.estimators import NetworkRegressor
from layerwise.evaluation.shapley import antithetic_permutations, shapley_values

BACKGROUND = 50
ROWS = 20
REPEATS = 20


def main():
    """Print the differences, and what the contributions are like."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = NetworkRegressor((32,), epochs=30, random_state=0).fit(X, y).model_
    inputs = model.inputs(X[:ROWS])
    background = torch.from_numpy(typical_inputs(model.preprocessor, BACKGROUND, 0))
    n_columns = inputs.shape[1]

    def function(rows):
        with torch.no_grad():
            return torch.from_numpy(model.columns.raw_targets(model.block_scores(rows).numpy()))

    def ours(seed):
        orders = antithetic_permutations(BACKGROUND, n_columns, seed)
        return shapley_values(function, inputs, background, [[k] for k in range(n_columns)], orders)[0][
            ..., 0
        ]

    def rmse(values):
        return float(np.sqrt(np.mean((np.asarray(values) - exact) ** 2)))

    def call(rows):
        return function(torch.from_numpy(rows).float()).numpy()[:, 0]

    masker = shap.maskers.Independent(background.numpy(), max_samples=BACKGROUND)
    exact = shap.explainers.Exact(call, masker)(inputs.numpy(), silent=True).values
    repeated = np.stack([ours(seed) for seed in range(REPEATS)])
    error = repeated.std(0, ddof=1)
    # A permutation of shap's goes forth and back over the whole background: 2 * columns + 1 sets.
    permuted = shap.explainers.Permutation(call, masker, seed=0)(
        inputs.numpy(), max_evals=2 * n_columns + 1
    ).values
    biased = (repeated.mean(0) - exact) / (error / np.sqrt(REPEATS))
    print(f"contributions: root mean square {np.sqrt((exact**2).mean()):.3f}, in the units of the target")
    print(
        f"ours, {2 * BACKGROUND} permutations: {np.mean([rmse(each) for each in repeated]):.4f} from shap's exact"
    )
    print(f"shap's, a permutation there and back for all {BACKGROUND} rows: {rmse(permuted):.4f}")
    print(
        f"ours over {REPEATS} seeds: standard error of one {np.sqrt((error**2).mean()):.4f}; the mean is "
        f"{np.sqrt((biased**2).mean()):.2f} of its standard errors from exact (1 where nothing but chance)"
    )


if __name__ == "__main__":
    main()
