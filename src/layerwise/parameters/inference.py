"""The pipelines predict and evaluate: a trained model and new rows."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator

from layerwise.utils import Config, setting


class TaskSettings(Config):
    """What a trained model is asked. The names are those of `predict.`, of MLflow's `params` and of a request's."""

    task: str | None = setting(
        None,
        "what the model is asked: predict, encode, ...; null: the first thing that it does, which is predict for a "
        "supervised network",
        by_rule=True,
    )
    seed: int = setting(
        -1,
        "of an answer that is drawn by chance; -1: drawn, and reported",
        "to draw the same again",
        ge=-1,
        lt=2**63,
    )
    n: int = setting(
        10, "rows to sample where no rows are given; items to recommend to each user", "", ge=1, le=100_000
    )
    steps: int = setting(
        1000,
        "Gibbs steps from the start of a chain to a sample",
        "more where units are slow to mix",
        ge=1,
        le=100_000,
    )
    label: str = setting(
        "", "of sampled rows: the class that they are drawn of, by an RBM with label units; empty: any"
    )
    samples: int = setting(
        32,
        "explain: made-up rows that a row is compared with; log_probability: draws of hidden states or latents",
        "more for answers that depend less on the seed",
        ge=2,
        le=10_000,
    )
    contamination: float = setting(
        0.05, "the fraction of normal rows that is called anomalous", "what false alarms cost", gt=0, le=0.5
    )
    error_columns: bool = setting(
        False, "the error of each raw column (of each pixel: the error picture) beside the anomaly score"
    )

    @field_validator("label", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """A class called 3 may come as the number."""
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class PredictSettings(TaskSettings):
    """What `kedro run --pipelines=predict` reads, with which model, and where the predictions go."""

    model: str | None = setting(
        None, "a run's id, a registered name@alias or name/version, or a model's folder"
    )
    input: str | None = setting(
        None,
        "the rows: a table (csv, tsv, xlsx, Parquet, JSON lines, packed or not; a folder of Parquet files), told by "
        "its content; for images also idx, npy, npz, a picture or a folder of pictures; or the name "
        "of a catalog entry, such as raw",
    )
    output: str | None = setting(
        None,
        "the file of predictions: CSV, or Parquet where its name ends in .parquet; null: a CSV file in "
        "data/07_model_output, by the model's problem and the input's path",
    )
    chunk_rows: int = setting(20_000, "rows in memory at a time", "fewer for wide tables", ge=1)
    strict: bool = setting(
        True,
        "refuse a row with an empty cell, category or sign that its column never had in the training file; false: "
        "impute it",
        "false where every row needs a prediction",
    )


class EvaluateSettings(Config):
    """What `kedro run --pipelines=evaluate` measures: a model on new labelled rows."""

    model: str | None = setting(None, "as predict.model")
    input: str | None = setting(None, "new rows with their targets, in the forms of predict.input")
    labels: str | None = setting(None, "an idx or npy file with the labels of images", "", "tables")
    chunk_rows: int = setting(20_000, "rows in memory at a time", "fewer for wide tables", ge=1)
    strict: bool = setting(True, "as predict.strict; refused rows are counted and not measured")
    bootstrap: int = setting(1000, "resamples of the rows for each interval; 0 for none", "", ge=0)
    labelled: bool = setting(
        True,
        "the rows have their targets; false: their drift is measured alone",
        "false for rows whose targets are not known yet, such as a server's log",
    )
    limits: dict[str, float] = setting(
        {},
        "the worst value of a metric, or of `drift` (the largest index of a column that drifted), by name; a worse one "
        "ends the command with an error, after everything was measured and stored",
        "{accuracy: 0.8, drift: 0.25} where somebody has to be told",
    )
