"""Whether the parts of a split have the rows that a pipeline's evaluation takes, asked before anything is trained."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from layerwise.data import DataError, DataSpec, Split, TensorData
from layerwise.data.preprocessing import Preprocessor
from layerwise.pipelines.facts import ProblemFacts
from layerwise.pipelines.preprocessing.nodes import preprocess_rows_with_example

# Takes the training, validation and test rows and what they are, and raises a DataError where they are too few.
RowRule = Callable[[TensorData, TensorData, TensorData, DataSpec], object]


def require_test_rows(
    training: TensorData, validation: TensorData, test: TensorData, columns: DataSpec
) -> None:
    """Refuse a single test row: other rows are compared with the distances between test rows, and with their spread.

    A refit has none, and compares nothing.
    """
    if len(test) == 1:
        raise DataError(
            "1 test row is too few to compare rows with, which takes at least 2: bring more, or raise "
            "split.test_fraction"
        )


def rules_of(facts: ProblemFacts, compares: bool) -> tuple[RowRule, ...]:
    """Return the rules of a pipeline.

    Args:
        facts: of the problem.
        compares: whether it compares rows of a table, such as generated ones, with the test rows.
    """
    return (require_test_rows,) if compares and facts.has_rows("table") else ()


def preprocess_sufficient_rows(
    rules: Sequence[RowRule], raw: Any, split: Split, preprocessor: Preprocessor
) -> tuple[TensorData, TensorData, TensorData, pd.DataFrame]:
    """Turn the raw rows into tensors, and keep an example of them; too few rows are refused."""
    found = preprocess_rows_with_example(raw, split, preprocessor)
    for rule in rules:
        rule(*found[:3], preprocessor.data_spec)
    return found
