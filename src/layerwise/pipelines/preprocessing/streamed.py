"""The preprocessing stage of a table that is larger than the memory: a sample in memory, all rows block by block."""

from collections.abc import Callable
from typing import Any

import pandas as pd
from kedro.pipeline import Node

from layerwise.data import DataError, PreprocessingSettings, Problem
from layerwise.data.out_of_core import (
    PART,
    PART_NAMES,
    StreamedRows,
    StreamedTable,
    divide_rows,
    fit_on_sample,
    sample_rows,
)
from layerwise.data.preprocessing import LabelledPreprocessor
from layerwise.data.reading import TableBlocks
from layerwise.parameters import ComputeSettings
from layerwise.pipelines.preprocessing import nodes
from layerwise.pipelines.stage import UNREAD, Stage, sampled


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


def stream_rows(
    raw: TableBlocks, parts: pd.DataFrame, preprocessor: LabelledPreprocessor
) -> tuple[StreamedRows, StreamedRows, StreamedRows]:
    """Return the rows of each part, which become tensors while they are written, all in one pass."""
    whole = StreamedTable(raw, parts[PART].to_numpy(), preprocessor)
    training, validation, test = map(whole.part, PART_NAMES)
    return training, validation, test


def streamed_nodes(stage: Stage, split: Callable[..., object], problem: str) -> list[Node]:
    """Return the nodes from raw rows in files to training, validation and test rows in files, and a sample of each.

    Args:
        stage: of the preprocessing.
        split: splits the sample.
        problem: the data set of the problem.
    """
    columns, seed = [problem, "params:preprocessing"], "params:seed"
    names = list(PART_NAMES.values())
    by_hash = [problem, "params:split", seed]
    return [
        stage.node(read_sampled_rows, [UNREAD, *columns, "params:compute", seed], "rows", "sample_rows"),
        stage.node(split, ["rows", *by_hash], "split", "split_rows"),
        stage.node(divide_rows, [UNREAD, "rows", *by_hash], "row_parts", "divide_rows"),
        stage.node(
            fit_on_sample, ["rows", "split", "row_parts", *columns, seed], "preprocessor", "fit_preprocessor"
        ),
        stage.node(
            nodes.preprocess_rows_with_example,
            ["rows", "split", "preprocessor"],
            [*(sampled(name) for name in names), "input_example"],
            "preprocess_sample",
        ),
        stage.node(stream_rows, [UNREAD, "row_parts", "preprocessor"], names, "preprocess_rows"),
        stage.node(nodes.describe_rows, ["preprocessor"], "data_spec"),
    ]
