"""The pipelines by name. A bare `kedro run` trains the deep belief network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline

from layerwise.pipelines.facts import ProblemFacts, current_facts
from layerwise.utils import UserError, nearest

if TYPE_CHECKING:
    from layerwise.sweeping import Objective

RUNNABLE = (
    "dbn", "mlp", "rbm", "autoencoder", "sae", "dbm", "gradients",
    "gan", "gan_ring", "gan_applications", "predict", "evaluate",
    "forest_fires_classic", "linear", "forest", "boosting", "compare",
)  # fmt: skip
# They are the same stages composed; every other one has a folder of its name.
SUPERVISED = ("dbn", "mlp", "sae", "dbm", "linear", "forest", "boosting")
# Those whose module names an OBJECTIVE, by which a sweep compares trials.
SEARCHED = ("dbn", "mlp", "sae", "dbm", "rbm", "autoencoder", "gan")
# Kedro's name of the pipeline of a bare `kedro run`.
DEFAULT = "__default__"


class UnknownPipelineError(UserError, ValueError):
    """There is no pipeline of that name."""


class ProblemPipelines(Mapping[str, Pipeline]):
    """The pipelines as they are composed for the present session's problem.

    Kedro keeps what `register_pipelines` returned for all sessions of a process; here a session with another
    problem or other parameters gets its own. A pipeline is imported and composed when it is asked for.
    """

    def __init__(self) -> None:
        self._facts: ProblemFacts | None = None
        self._composed: dict[str, Pipeline] = {}

    def __getitem__(self, name: str) -> Pipeline:
        name = "dbn" if name == DEFAULT else name
        if name not in RUNNABLE:
            raise UnknownPipelineError(f"unknown pipeline '{name}'{nearest(name, list(RUNNABLE))}")
        facts = current_facts()
        if facts != self._facts:
            self._composed, self._facts = {}, facts
        if name not in self._composed:
            self._composed[name] = create_pipeline(name)
        return self._composed[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*RUNNABLE, DEFAULT])

    def __len__(self) -> int:
        return len(RUNNABLE) + 1


def create_pipeline(name: str) -> Pipeline:
    """Return a pipeline as it is for the present session's problem."""
    if name in SUPERVISED:
        from layerwise.pipelines.composition import compose_supervised

        return compose_supervised(name)
    found: Pipeline = import_module(f"layerwise.pipelines.{name}").create_pipeline()
    return found


def find_objective(name: str) -> Objective:
    """Return what a sweep of the pipeline makes small or large.

    Raises:
        UnknownPipelineError: there is no such pipeline, or it names no objective.
    """
    if name not in SEARCHED:
        raise UnknownPipelineError(
            f"kedro sweep has no objective for '{name}'{nearest(name, list(SEARCHED))}"
        )
    module = "composition" if name in SUPERVISED else f"{name}.pipeline"
    objective: Objective = import_module(f"layerwise.pipelines.{module}").OBJECTIVE
    return objective


def register_pipelines() -> Mapping[str, Pipeline]:
    """Return the pipelines that can be run."""
    from layerwise.tracking import collect_garbage_rarely

    # Here as well as in a hook, since Kedro-Viz has pipelines without a session.
    collect_garbage_rarely()
    return ProblemPipelines()
