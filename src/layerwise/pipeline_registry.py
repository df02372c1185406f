"""The pipelines by name. A bare `kedro run` trains the deep belief network."""

import warnings

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

RUNNABLE = ("dbn", "mlp")


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines that can be run; Kedro imports only those that were asked for."""
    # Kedro says of every node with a drawing that drawings are experimental.
    warnings.filterwarnings("ignore", message=".*'preview_fn' feature is experimental")
    found = find_pipelines(raise_errors=True)
    runnable = {name: found[name] for name in RUNNABLE if name in found}
    runnable["__default__"] = runnable.get("dbn") or _default()
    return runnable


def _default() -> Pipeline:
    from layerwise.pipelines.dbn import create_pipeline

    return create_pipeline()
