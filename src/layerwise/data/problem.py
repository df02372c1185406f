"""What a problem is: its task and columns, how its rows are split and preprocessed."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator, model_validator

from layerwise.data.reading import ReadingSettings
from layerwise.data.row_rules import RuleSettings
from layerwise.data.target_transforms import TransformName
from layerwise.utils import Config, setting

# The last two have no targets: what is held out are ratings, or whole documents.
Task = Literal["multiclass", "binary", "multilabel", "regression", "ratings", "documents"]


class Problem(Config):
    """A problem's name, task and columns: what an environment's folder has to say."""

    name: str = setting(
        ...,
        "letters, digits, _ and -: a part of every path that the run writes to",
        pattern=r"^[A-Za-z0-9_-]+$",
    )
    task: Task = setting(..., "what is learnt; the output layer, the loss and the metrics follow from it")
    target: str | tuple[str, ...] = setting(
        "",
        "the target column, or a list of them; empty for images, whose labels come with them, and for a table without "
        "labels (rbm, autoencoder); rows in which it is empty pretrain alone",
    )
    drop: tuple[str, ...] = setting((), "columns that are no inputs", "row numbers, names")
    weights: str | None = setting(
        None,
        "a column of sample weights: how much a row counts in the loss of fine-tuning and in all metrics; no input",
        "rows that stand for many, or were sampled with other chances",
        "images, ratings, documents",
    )
    unlabelled: str | None = setting(
        None,
        "more rows, without labels, to pretrain on: a file that is read as raw is, or an entry of the catalog",
        "few rows have labels and many have none",
        "ratings and documents",
    )
    positive: str | int | None = setting(
        None,
        "the class that counts as 1; null: the one that reads 1, true, t, yes, y, ja, j, positive or +, else the rarer "
        "one of all rows",
        "always: the answers, F1 and the thresholds are of it",
        "tasks other than binary",
    )
    anomalies: tuple[str, ...] = setting(
        (),
        "classes of the target that are known anomalies: answers of the task anomaly then have a probability, too",
        "a table with a column of known frauds, faults, ...: the column is the target, its class named here",
        "tasks other than binary and multiclass",
    )
    target_transform: TransformName = setting(
        "none",
        "of a regression's target before it is learnt: log(1 + y), its root, the power that makes it most normal, or "
        "its normal quantile",
        "long tails",
        "other tasks",
    )
    derive: Literal["none", "forest_fires_size", "forest_fires_classic"] = setting(
        "none", "a target that the raw table does not hold, or the 31 columns of the forest fires exercise"
    )
    allow_leak: bool = setting(
        False,
        "warn of a column that alone decides the target, instead of stopping with an error",
        "to repeat an exercise that has one",
    )

    reading: ReadingSettings = ReadingSettings()
    rules: RuleSettings = RuleSettings()

    @field_validator("target", mode="before")
    @classmethod
    def _no_target(cls, value: Any) -> Any:
        return "" if value is None else value

    @field_validator("anomalies", mode="before")
    @classmethod
    def _names_of_classes(cls, value: Any) -> Any:
        return tuple(map(str, value)) if isinstance(value, list | tuple) else value

    @field_validator("name", "task", mode="before")
    @classmethod
    def _require_a_value(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("every problem says its own, in conf/<environment>/parameters.yml")
        return value

    @model_validator(mode="after")
    def _check_the_task(self) -> Problem:
        if self.target_transform != "none" and self.task != "regression":
            raise ValueError(f"target_transform is for regression, and the task is {self.task}")
        if self.positive is not None and self.task != "binary":
            raise ValueError(f"positive is for a binary task, and the task is {self.task}")
        if self.anomalies and self.task not in ("multiclass", "binary"):
            raise ValueError(f"anomalies names classes, and a {self.task} task has none")
        if len(self.targets) > 1 and self.task in ("multiclass", "binary"):
            raise ValueError(f"a {self.task} task has one target column, not {len(self.targets)}")
        both = sorted(set(self.targets) & set(self.drop))
        if both:
            raise ValueError(f"drop names the target '{both[0]}', which is never an input anyway")
        if self.weights is not None and (not self.targets or self.weights in self.targets):
            raise ValueError(
                "weights names a column of a table that has a target, beside the target: leave it out"
            )
        return self

    def without_inputs(self, names: tuple[str, ...]) -> Problem:
        """Return the problem whose inputs these columns are not."""
        added = tuple(name for name in names if name not in self.drop)
        return self.model_copy(update={"drop": (*self.drop, *added)}) if added else self

    @property
    def targets(self) -> tuple[str, ...]:
        """The target columns; empty for images, whose labels come with them."""
        return (self.target,) if isinstance(self.target, str) and self.target else tuple(self.target)


class SplitSettings(Config):
    """How rows are split; an official test set takes the place of `test_fraction`."""

    method: Literal["sampled", "hash"] = setting(
        "sampled",
        "as many test rows as asked for, drawn of all; or each row by a hash of its inputs (of its group) and the seed "
        "alone, so that it stays in its part when rows are added, and equal rows are in one",
        "hash for tables that grow, or of a million rows",
        "images, ratings, documents, time, folds",
    )
    test_fraction: float = setting(
        0.2, "test rows, as a fraction of all rows", "", "an official test set", gt=0, lt=1
    )
    test_rows: int | None = setting(None, "their number; null: by test_fraction", "", ge=1)
    validation_fraction: float = setting(
        0.1, "validation rows, as a fraction of the rows that are not test rows", "", gt=0, lt=1
    )
    validation_rows: int | None = setting(None, "their number; null: by validation_fraction", "", ge=1)
    validation_tail: bool = setting(
        False,
        "validation rows are the last ones that are not test rows, neither sampled nor stratified",
        "true repeats validation_split of the classic Keras exercises",
    )
    stratify: bool = setting(True, "sample the same fraction of every class", "always for classes")
    seed: int | None = setting(
        None, "of the split alone; null: the run's seed", "to keep a split over several seeds", ge=0, lt=2**32
    )
    groups: str | None = setting(
        None,
        "a column: rows with the same value stay on one side of the split; it is no input",
        "several rows of one patient, customer or house",
        "images, ratings, documents, time",
    )
    time: str | None = setting(
        None,
        "a column of dates or numbers: the test rows are the last, the validation rows the last before them",
        "what is predicted lies in the future",
        "images, ratings, documents, groups",
    )
    folds: int | None = setting(
        None,
        "train and measure so many times more, each row a test row once, for a mean with its interval; null: don't",
        "fewer than 1,000 rows",
        "ratings, documents",
        ge=2,
        le=50,
    )
    repeats: int = setting(
        1,
        "folds: draw them so many times",
        "a narrower interval at so many times the work",
        "time",
        ge=1,
        le=20,
    )

    def _without_use(self) -> list[str]:
        wrong = super()._without_use()
        if self.groups is not None and self.time is not None:
            wrong.append("groups and time are two ways to split, and one can be taken: leave one of them out")
        linked = "groups" if self.groups is not None else "time" if self.time is not None else ""
        if linked and self.validation_tail:
            wrong.append(
                f"{linked} says which rows are for validation, and validation_tail does too: leave one out"
            )
        if self.method == "hash":
            counted = ("test_rows", "validation_rows", "validation_tail", "time", "folds")
            for name in (name for name in counted if self.changed(name)):
                wrong.append(
                    f"method: hash takes each row by itself, and has no use for {name}: leave one of them out"
                )
        if self.repeats > 1 and self.folds is None:
            wrong.append("repeats is of folds, and there are none: set folds, such as 5")
        if self.repeats > 1 and self.time is not None:
            wrong.append("time makes the folds the same each time: repeats has no use; set repeats: 1")
        return wrong

    @property
    def not_inputs(self) -> tuple[str, ...]:
        """The columns that the split is made by and that are no inputs: groups that a model meets are new ones."""
        return () if self.groups is None else (self.groups,)


class PreprocessingSettings(Config):
    """How columns become numbers; everything is fitted on the training rows, and of a table on the validation rows
    too where `fitted_on` says so; never on test rows.

    `date_columns` names dates that do not show by themselves: a date type, or text that is all
    ISO dates, does. `categorical_columns` names numbers that are categories, such as codes or small counts.
    `binarize` of images: `static` samples each pixel once with its grey value as probability, `dynamic` samples
    anew for every batch, `threshold` cuts at one half. Regression targets are standardised while `scale_target`
    is true. `ratings_by` says whose ratings make a row.
    """

    scaling: Literal["standard", "quantile", "minmax", "none"] = setting(
        "standard",
        "of number columns: mean 0 and standard deviation 1; by their quantiles to a normal distribution; from 0 to 1",
        "standard; quantile for long tails",
        "quantile: scaled_columns: all",
    )
    scaled_columns: Literal["numbers", "all"] = setting(
        "numbers",
        "scale number columns alone, or booleans and dummies too",
        "all repeats the classic exercises",
    )
    fitted_on: Literal["training", "all_but_test"] = setting(
        "training",
        "rows that scaling, categories and imputation of a table are fitted on",
        "all_but_test repeats the classic exercises, which split validation rows off later",
    )
    drop_first: bool = setting(
        False,
        "leave the first dummy of each category out; a category that training never saw then reads as the first one",
        "true repeats the classic exercises",
    )
    missing: Literal["impute", "refuse"] = setting(
        "impute", "empty cells: the median or most frequent value with an indicator, or an error"
    )
    date_columns: tuple[str, ...] = setting((), "columns that are dates and do not show it")
    categorical_columns: tuple[str, ...] = setting((), "numbers that are categories", "codes, small counts")
    max_dummies: int = setting(50, "values of a category up to which each has a dummy", "", ge=2)
    many_values: Literal["target", "frequent", "drop"] = setting(
        "target",
        "a category of more values: the mean target of each, cross-fitted; dummies of the most frequent; or left out",
        "frequent where the target is not to be in an input",
    )
    texts: Literal["encode", "drop"] = setting(
        "encode", "free text: numbers of skrub's StringEncoder, or left out", "drop where text says nothing"
    )
    text_components: int = setting(30, "numbers that free text becomes", "", ge=1)
    binarize: Literal["none", "threshold", "static", "dynamic"] = setting(
        "none", "pixels as 0 or 1: by a threshold of one half, sampled once, or sampled for each batch",
        "dynamic for likelihoods", "tables",
    )  # fmt: skip
    scale_target: bool = setting(
        True, "standardise the target of a regression", "nearly always", "the loss poisson"
    )
    ratings_by: Literal["items", "users"] = setting(
        "items",
        "whose ratings make a row of a table of ratings",
        "items where there are fewer users",
        "other rows",
    )

    @model_validator(mode="after")
    def _check_columns(self) -> PreprocessingSettings:
        for name in ("date_columns", "categorical_columns"):
            columns = getattr(self, name)
            if len(set(columns)) != len(columns):
                raise ValueError(f"{name} names a column twice")
        if self.scaled_columns == "all" and self.scaling in ("none", "quantile"):
            raise ValueError("scaled_columns: all needs a scaling: standard or minmax")
        both = sorted(set(self.date_columns) & set(self.categorical_columns))
        if both:
            raise ValueError(f"'{both[0]}' cannot be among date_columns and categorical_columns")
        return self
