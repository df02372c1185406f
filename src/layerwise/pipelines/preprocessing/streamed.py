"""The preprocessing stage of a table that is larger than the memory: a sample in memory, all rows block by block."""

from collections.abc import Callable
from typing import Any

import pandas as pd
from kedro.pipeline import Node

from layerwise.data import DataError, PreprocessingSettings, Problem, Split, SplitSettings
from layerwise.data.out_of_core import StreamedRows, divide_rows, fit_on_sample, sample_rows
from layerwise.data.preprocessing import LabelledPreprocessor, Preprocessor
from layerwise.data.reading import TableBlocks
from layerwise.data.row_hashes import TEST, TRAINING, VALIDATION
from layerwise.parameters import ComputeSettings
from layerwise.pipelines.preprocessing import nodes
from layerwise.pipelines.stage import UNREAD, Stage, sampled

PARTS = {"training": TRAINING, "validation": VALIDATION, "test": TEST}


def read_sampled_rows(
    raw: Any, problem: Problem, settings: PreprocessingSettings, compute: ComputeSettings, seed: int
) -> pd.DataFrame:
    """Read a uniform sample of a table's rows, or all where they are no more than `compute.sample_rows`."""
    if not isinstance(raw, TableBlocks):
        raise DataError(
            "compute.out_of_core reads a table in Parquet files: have raw in catalog.yml be a "
            "layerwise.datasets.SourceTable"
        )
    return sample_rows(raw, problem, settings, compute.sample_rows, seed)


def divide_all_rows(
    raw: TableBlocks, rows: pd.DataFrame, problem: Problem, settings: SplitSettings, seed: int
) -> pd.DataFrame:
    """Find the part of each row by its hash: training, validation or test, or left out."""
    return divide_rows(raw, rows, problem, settings, seed)


def fit_preprocessor(
    rows: pd.DataFrame,
    split: Split,
    parts: pd.DataFrame,
    problem: Problem,
    settings: PreprocessingSettings,
    seed: int,
) -> Preprocessor:
    """Fit scaling, dummies, imputation and class names on the training rows of the sample; count those of the table."""
    return fit_on_sample(rows, split, parts, problem, settings, seed)


def stream_rows(
    raw: TableBlocks, parts: pd.DataFrame, preprocessor: LabelledPreprocessor
) -> tuple[StreamedRows, StreamedRows, StreamedRows]:
    """Return the rows of each part, which become tensors while they are written."""
    codes = parts["part"].to_numpy()
    training, validation, test = (StreamedRows(raw, codes, part, preprocessor) for part in PARTS.values())
    return training, validation, test


def streamed_nodes(stage: Stage, split: Callable[..., object], problem: str) -> list[Node]:
    """Return the nodes from raw rows in files to training, validation and test rows in files, and a sample of each.

    Args:
        stage: of the preprocessing.
        split: splits the sample.
        problem: the data set of the problem.
    """
    columns, seed = [problem, "params:preprocessing"], "params:seed"
    by_hash = [problem, "params:split", seed]
    return [
        stage.node(read_sampled_rows, [UNREAD, *columns, "params:compute", seed], "rows", "sample_rows"),
        stage.node(split, ["rows", *by_hash], "split", "split_rows"),
        stage.node(divide_all_rows, [UNREAD, "rows", *by_hash], "row_parts", "divide_rows"),
        stage.node(fit_preprocessor, ["rows", "split", "row_parts", *columns, seed], "preprocessor"),
        stage.node(
            nodes.preprocess_rows_with_example,
            ["rows", "split", "preprocessor"],
            [*(sampled(name) for name in PARTS), "input_example"],
            "preprocess_sample",
        ),
        stage.node(stream_rows, [UNREAD, "row_parts", "preprocessor"], list(PARTS), "preprocess_rows"),
        stage.node(nodes.describe_rows, ["preprocessor"], "data_spec"),
    ]
