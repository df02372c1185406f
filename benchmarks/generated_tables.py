"""Generated rows of the churn table as `sdmetrics` reports on them, beside the project's own figures.

    pip install --no-deps --target peers sdmetrics copulas plotly
    PYTHONPATH=peers LAYERWISE_DATA=... python benchmarks/generated_tables.py [--epochs 100]

Its quality report compares the shapes of columns and the trends of pairs with those of test rows (1 is alike), its
diagnostic report says whether values and types are valid. Ours are the mean distances of columns and of associations (0
is alike). Beside the generator stand as many training rows, which none should exceed, and rows whose columns are
drawn each for itself.
"""

from __future__ import annotations

import argparse
import os
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

from layerwise.estimators import TabularGAN
from layerwise.evaluation.generative import compare_columns

DROPPED = ["RowNumber", "CustomerId", "Surname"]
NUMBERS = ["CreditScore", "Age", "Balance", "EstimatedSalary"]


def reports(real: pd.DataFrame, generated: pd.DataFrame) -> list[float]:
    """Return the scores of sdmetrics: shapes of columns, trends of pairs, valid values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sdmetrics.reports.single_table import DiagnosticReport, QualityReport

        kinds = {name: "numerical" if name in NUMBERS else "categorical" for name in real}
        metadata: dict[str, Any] = {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}
        quality, diagnostic = QualityReport(), DiagnosticReport()
        quality.generate(real, generated, metadata, verbose=False)
        diagnostic.generate(real, generated, metadata, verbose=False)
    shapes, trends = quality.get_properties()["Score"]
    return [shapes, trends, diagnostic.get_properties()["Score"].iloc[0]]


def main() -> None:
    """Train, and print a line for each kind of rows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=100)
    given = parser.parse_args()
    (file,) = Path(os.environ["LAYERWISE_DATA"], "churn").glob("*.csv")
    rows = pd.read_csv(file).drop(columns=DROPPED)
    training, test = train_test_split(rows, test_size=0.2, random_state=0, stratify=rows["Exited"])
    gan = TabularGAN("Exited", epochs=given.epochs, random_state=0).fit(training)
    n = len(test)
    compared = {
        "training rows": training.sample(n, random_state=0),
        "generated rows": gan.sample(n),
        "columns drawn apart": pd.DataFrame(
            {name: training[name].sample(n, random_state=k).to_numpy() for k, name in enumerate(training)}
        ),
    }
    print("| rows | column shapes | pair trends | valid | ours: columns | ours: associations |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, each in compared.items():
        own = compare_columns(each.reset_index(drop=True), training, test.reset_index(drop=True))
        figures = [*reports(test, each), own.marginal, own.pairwise]
        print(f"| {name} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |", flush=True)


if __name__ == "__main__":
    main()
