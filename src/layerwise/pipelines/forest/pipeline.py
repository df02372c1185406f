"""A random forest: preprocessing, the fit, evaluation."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.composition import compose_scikit_learn


def create_pipeline() -> Pipeline:
    """Return the whole pipeline."""
    return compose_scikit_learn("forest", "forest")
