"""The pipelines by name. A bare `kedro run` trains the deep belief network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

from layerwise.pipelines.facts import ProblemFacts, current_facts
from layerwise.utils import UserError, nearest

RUNNABLE = (
    "dbn", "mlp", "rbm", "autoencoder", "sae", "dbm", "gradients",
    "gan", "gan_ring", "gan_applications", "predict", "evaluate",
    "forest_fires_classic", "linear", "forest", "boosting", "compare",
)  # fmt: skip

# Kedro's name of the pipeline of a bare `kedro run`.
DEFAULT = "__default__"


class UnknownPipelineError(UserError, ValueError):
    """There is no pipeline of that name."""


class ProblemPipelines(Mapping[str, Pipeline]):
    """The pipelines as they are composed for the present session's problem.

    Kedro keeps what `register_pipelines` returned for all sessions of a process; here a session with another
    problem or other parameters gets its own.
    """

    def __init__(self) -> None:
        self._facts: ProblemFacts | None = None
        self._composed: dict[str, Pipeline] = {}

    def __getitem__(self, name: str) -> Pipeline:
        found = self._current()
        # Composed when it is asked for: predicting is answered a second sooner without it.
        if name == DEFAULT and name not in found:
            found[name] = found.get("dbn") or _default()
        return found[name]

    def __iter__(self) -> Iterator[str]:
        return iter([*(name for name in self._current() if name != DEFAULT), DEFAULT])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _current(self) -> dict[str, Pipeline]:
        facts = current_facts()
        if facts != self._facts:
            self._composed, self._facts = compose_pipelines(), facts
        return self._composed


def register_pipelines() -> Mapping[str, Pipeline]:
    """Return the pipelines that can be run."""
    from layerwise.tracking import collect_garbage_rarely

    # Here as well as in a hook, since `kedro registry list` has no session.
    collect_garbage_rarely()
    return ProblemPipelines()


def compose_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines of the present session's problem; Kedro imports only those that were asked for."""
    try:
        found = find_pipelines(raise_errors=True)
    except ImportError as error:
        asked = re.search(r"'layerwise\.pipelines\.(\w+)'", str(error))
        if error.__cause__ is not None or asked is None:  # the pipeline is there, and something in it fails
            raise
        name = asked[1]
        raise UnknownPipelineError(f"unknown pipeline '{name}'{nearest(name, list(RUNNABLE))}") from error
    return {name: found[name] for name in RUNNABLE if name in found}


def _default() -> Pipeline:
    from layerwise.pipelines.dbn.pipeline import create_pipeline

    return create_pipeline()
