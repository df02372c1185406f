"""The `gan_ring` pipeline: GANs on the Gaussian-ring toy, with their modes, failures and remedies."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.gan_ring import nodes


def create_pipeline() -> Pipeline:
    """Return training, figures and the report; no rows are read."""
    whole = Pipeline(
        [
            Node(
                nodes.train_ring_gans,
                ["params:ring", "params:seed"],
                ["ring_results", "animation"],
                name="train_ring_gans",
            ),
            Node(
                nodes.plot_ring_samples,
                ["ring_results", "params:seed"],
                "figure_ring_samples",
                name="plot_ring_samples",
            ),
            Node(
                nodes.plot_sample_progress,
                ["animation"],
                "figure_sample_progress",
                name="plot_sample_progress",
            ),
            Node(nodes.write_report, ["ring_results"], "report", name="write_report"),
        ]
    )
    parameters = {each for each in whole.inputs() if each.startswith("params:")}
    return Pipeline(whole, namespace="gan_ring", parameters=parameters)
