"""What a data set says of the run when it is saved: its metrics and its tags."""

from __future__ import annotations

from typing import Any

from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.utils import report_metrics, report_tags


def report_saved(data: Any) -> None:
    """Report the metrics and tags of a saved data set; most have neither.

    `LoggedMetrics` are metrics themselves. An object that learns its counts while it is written, such as a stream of
    predictions, has them as the property `logged_metrics`. A typed object with tags has the method `run_tags`. Both
    are looked for in the class, since an attribute of a table may be one of its columns.
    """
    kind = type(data)
    if hasattr(kind, "run_tags"):
        report_tags(data.run_tags())
    metrics = data.logged_metrics if hasattr(kind, "logged_metrics") else data
    if isinstance(metrics, LoggedMetrics):
        for step, values in metrics.by_step().items():
            report_metrics(values, step)
