"""What is reported of a trained network on the test rows."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from layerwise.utils import Config, setting


class EvaluationSettings(Config):
    """What is reported of the trained network on the test rows."""

    threshold: Literal["half", "f1", "accuracy", "cost"] = setting(
        "half", "the probability from which a binary answer is yes: 0.5, or the best on validation rows by a metric",
        "f1 or cost for rare classes", "tasks other than binary",
    )  # fmt: skip
    false_positive_cost: float = setting(
        1.0, "what a wrong yes costs", "threshold: cost", "other thresholds", ge=0
    )
    false_negative_cost: float = setting(
        1.0, "what a wrong no costs", "threshold: cost", "other thresholds", ge=0
    )
    calibration: Literal["none", "temperature", "isotonic"] = setting(
        "none",
        "make scores probabilities on the validation rows: divide the logits by a number, or map each probability by "
        "an increasing function; a part of the model",
        "temperature where the calibration error is high; isotonic with a thousand validation rows",
        "regression",
    )
    interval_coverage: float | None = setting(
        None,
        "the fraction of new rows whose true number lies within the interval that each prediction comes with; "
        "null: none",
        "0.9 where a number without its uncertainty misleads",
        "classes and labels",
        gt=0,
        lt=1,
    )
    interval_method: Literal["constant", "quantiles"] = setting(
        "constant",
        "how wide these intervals are: all alike (split conformal), or by the row, around the quantiles that gradient "
        "boosting predicts (conformalized quantile regression)",
        "quantiles where some rows are far less certain than others",
        "interval_coverage: null",
    )
    bootstrap: int = setting(1000, "resamples of the test rows for each interval; 0 for none", "", ge=0)
    baselines: bool | Literal["auto"] = setting(
        "auto",
        "fit the usual models on the same rows and compare; auto: a linear model, a random forest and gradient "
        "boosting for tables, of many classes the linear model alone, the nearest neighbors for images",
        "true for small sets of images, and for tables of over 50 classes: the linear model and boosting too",
    )
    importance_repeats: int = setting(
        5, "shuffles of each column for its permutation importance", "", "images", ge=1
    )
    segments: tuple[str, ...] = setting(
        (),
        "columns, inputs or not, by whose values the test rows are measured too, numbers by quarters; evaluate does "
        "it for new rows",
        "groups of people, places or times that a network must not fail",
        "images",
    )
    samples: int = setting(64, "samples that a stack draws for its figure", "", ge=1, le=400)
    sampling_steps: int = setting(200, "Gibbs steps of each of these samples", "", ge=1)

    @model_validator(mode="after")
    def _settings_have_a_use(self) -> EvaluationSettings:
        costs = self.changed("false_positive_cost") or self.changed("false_negative_cost")
        if costs and self.threshold != "cost":
            raise ValueError(f"threshold {self.threshold} has no use for costs; set threshold: cost")
        if self.changed("interval_method") and self.interval_coverage is None:
            raise ValueError("interval_coverage: null has no use for interval_method; set interval_coverage")
        return self
