"""The pipelines by name. A bare `kedro run` trains the deep belief network."""

import re

from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

from layerwise.utils import UserError, nearest

RUNNABLE = (
    "dbn", "mlp", "rbm", "autoencoder", "sae", "gradients",
    "gan", "gan_ring", "gan_applications", "predict", "evaluate",
    "forest_fires_classic",
)  # fmt: skip


class UnknownPipelineError(UserError, ValueError):
    """There is no pipeline of that name."""


def register_pipelines() -> dict[str, Pipeline]:
    """Return the pipelines that can be run; Kedro imports only those that were asked for."""
    try:
        found = find_pipelines(raise_errors=True)
    except ImportError as error:
        asked = re.search(r"'layerwise\.pipelines\.(\w+)'", str(error))
        if error.__cause__ is not None or asked is None:  # the pipeline is there, and something in it fails
            raise
        name = asked[1]
        raise UnknownPipelineError(f"unknown pipeline '{name}'{nearest(name, list(RUNNABLE))}") from error
    runnable = {name: found[name] for name in RUNNABLE if name in found}
    runnable["__default__"] = runnable.get("dbn") or _default()
    return runnable


def _default() -> Pipeline:
    from layerwise.pipelines.dbn.pipeline import create_pipeline

    return create_pipeline()
