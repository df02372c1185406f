"""The pipelines predict and evaluate: a trained model and new rows."""

from __future__ import annotations

from layerwise.utils import Config, setting


class PredictSettings(Config):
    """What `kedro run --pipelines=predict` reads, with which model, and where the predictions go."""

    model: str | None = setting(
        None, "a run's id, a registered name@alias or name/version, or a model's folder"
    )
    input: str | None = setting(
        None,
        "the rows: a table (csv, tsv, xlsx, Parquet, packed or not), told by its content; for images also idx, npy, "
        "npz, a picture or a folder of pictures; or the name of a catalog entry, such as raw",
    )
    output: str | None = setting(
        None,
        "the CSV file of predictions; null: in data/07_model_output, by the model's problem and the input's name",
    )
    chunk_rows: int = setting(20_000, "rows in memory at a time", "fewer for wide tables", ge=1)
    strict: bool = setting(
        True,
        "refuse a row with an empty cell, category or sign that its column never had in training; false: impute it",
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
