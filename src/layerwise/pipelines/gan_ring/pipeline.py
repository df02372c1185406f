"""The `gan_ring` pipeline: GANs on the Gaussian-ring toy, with their modes, failures and remedies."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.gan_ring import nodes
from layerwise.pipelines.stage import Stage


def create_pipeline() -> Pipeline:
    """Return training, figures and the report; no rows are read."""
    training, reporting = Stage("training", "gan_ring"), Stage("reporting", "gan_ring")
    return Pipeline(
        [
            training.node(
                nodes.train_ring_gans,
                ["params:ring", "params:seed"],
                ["ring_results", "animation", "metrics_ring"],
            ),
            reporting.figure(nodes.plot_ring_samples, ["ring_results", "params:seed"]),
            reporting.figure(nodes.plot_sample_progress, ["animation"]),
            reporting.node(nodes.write_report, ["ring_results"], "report"),
        ]
    )
