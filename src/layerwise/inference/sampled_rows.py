"""Rows that a model draws without any to begin with, as the lines of a CSV file."""

from __future__ import annotations

from collections.abc import Iterator

from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.inference.model import TrainedModel
from layerwise.inference.tasks import answer_rows, find_task, with_seed
from layerwise.parameters import TaskSettings


class SampledRows:
    """The lines of a CSV file of sampled rows; a run says how many there are, and the seed that drew them.

    Args:
        model: draws.
        settings: what is asked: the number of rows, the seed, the steps.

    Raises:
        TaskError: the model states no distribution.
    """

    def __init__(self, model: TrainedModel, settings: TaskSettings) -> None:
        self.model = model
        self.settings = with_seed(find_task(model, settings), settings)

    def __iter__(self) -> Iterator[str]:
        """Yield the lines in one piece."""
        yield answer_rows(self.model, None, self.settings).to_csv(index=False)

    def run_tags(self) -> dict[str, str]:
        """Return what a run says of the model and of the seed."""
        return self.model.run_tags() | {"predict.seed": str(self.settings.seed)}

    @property
    def logged_metrics(self) -> LoggedMetrics:
        """How many rows there are."""
        return LoggedMetrics.of({"rows": self.settings.n}, prefix="predict/")
