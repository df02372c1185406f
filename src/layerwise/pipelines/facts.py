"""The facts of a problem that a pipeline is composed for: what does not apply to it is not in the pipeline.

`create_pipeline` asks `current_facts()` when Kedro builds the pipelines, which is after a session has read its
parameters and its catalog, in Kedro-Viz and in notebooks too. Where no problem is known, as for
`kedro registry list`, every question is answered with yes and the pipeline is whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from layerwise.utils import kind_of_rows, look_up, run_parameters


@dataclass(frozen=True)
class ProblemFacts:
    """What is known of a problem before its rows are read.

    Args:
        rows: what kind they are: table, images, ratings or documents; None where no problem is known.
        parameters: the session's, as configured.
    """

    rows: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def has_rows(self, *kinds: str) -> bool:
        """Say whether the rows may be of one of these kinds."""
        return self.rows is None or self.rows in kinds

    def has_task(self, *tasks: str) -> bool:
        """Say whether the problem's task may be one of these."""
        return self.rows is None or self.parameter("problem.task") in tasks

    @property
    def are_dense(self) -> bool:
        """Whether the rows may be a table or images, whose every cell is there."""
        return self.has_rows("table", "images")

    @property
    def are_labelled(self) -> bool:
        """Whether rows may have labels: images do, and a table that has a target."""
        problem = self.parameters.get("problem") or {}
        return self.are_dense and (self.rows != "table" or bool(problem.get("target", "unknown")))

    @property
    def have_classes(self) -> bool:
        """Whether each row may have a label that is one of several classes."""
        return self.are_labelled and self.has_task("multiclass", "binary")

    @property
    def are_partly_labelled(self) -> bool:
        """Whether some rows may have no label: those of a table with an empty target, or of `problem.unlabelled`.

        Out of core they are left out.
        """
        return (self.has_rows("table") or self.has_unlabelled) and not self.parameter("compute.out_of_core")

    @property
    def has_unlabelled(self) -> bool:
        """Whether `problem.unlabelled` gives more rows, without labels."""
        return self.rows is not None and bool(self.parameter("problem.unlabelled"))

    def is_on(self, name: str) -> bool:
        """Say whether a switch among the parameters, such as `rbm.probe`, may be on."""
        return self.parameter(name) is not False

    def parameter(self, name: str) -> Any:
        """Return a parameter by its dotted name, None where it is not set."""
        return look_up(self.parameters, name)


def calibrates(facts: ProblemFacts) -> bool:
    """Return whether the probabilities of a network are calibrated."""
    return facts.parameter("evaluation.calibration") not in (None, "none")


def trained_network(facts: ProblemFacts) -> str:
    """Return the data set of the network as it was trained: the one that is kept may be calibrated."""
    return "trained_network" if calibrates(facts) else "network"


def current_facts() -> ProblemFacts:
    """Return the facts of the present session's problem."""
    return ProblemFacts(kind_of_rows(), run_parameters())
