"""What a sweep makes small or large: a metric of the validation rows that no setting of its space can inflate."""

from __future__ import annotations

from typing import Any

from layerwise.utils import Config

# What decides which rows are measured, and how much chance is in the figure.
ROWS = ("problem", "split", "labelled_rows", "seed", "seeds", "grid")


class Objective(Config):
    """The metric of a pipeline's trials, read from the history that its training leaves.

    Args:
        metric: its name, as the training reports it after each epoch.
        history: the data set that a trial ends with, without the pipeline's name; it has `epochs`.
        maximize: whether more is better.
        fixed: parameters, or whole keys, that no trial may change, since they change what the metric means.
    """

    metric: str
    history: str
    maximize: bool = False
    fixed: tuple[str, ...] = ()

    def is_fixed(self, name: str) -> bool:
        """Return whether a parameter stays as it is in every trial."""
        return any(f"{name}.".startswith(f"{each}.") for each in (*ROWS, *self.fixed))

    def value(self, history: Any) -> float:
        """Return the metric of the epoch whose weights the network has, the last one unless the history says which.

        Raises:
            KeyError: the metric is not measured on this problem.
        """
        # 0 is the last epoch.
        return float(history.epochs[getattr(history, "best_epoch", 0) - 1][self.metric])


# Of networks that learn targets: the loss of their task. Another loss would be another number.
SUPERVISED = Objective(
    metric="validation/loss",
    history="finetuning_history",
    fixed=(
        "finetuning.loss",
        "finetuning.focal_gamma",
        "finetuning.huber_delta",
        "preprocessing.scale_target",
    ),
)
