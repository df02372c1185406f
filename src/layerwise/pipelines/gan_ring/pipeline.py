"""Games on a ring of eight normal distributions: collapse, vanishing gradients and a game that goes well."""

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines.gan_ring import nodes


def create_pipeline() -> Pipeline:
    """Return the games, their picture, their animation and the report; no rows are read."""
    whole = Pipeline(
        [
            Node(nodes.play_games, ["params:ring", "params:seed"], ["games", "film"], name="play_games"),
            Node(nodes.draw_games, ["games", "params:seed"], "figure_games", name="draw_games"),
            Node(nodes.draw_stages, ["film"], "figure_stages", name="draw_stages"),
            Node(nodes.write_report, ["games"], "report", name="write_report"),
        ]
    )
    parameters = {each for each in whole.inputs() if each.startswith("params:")}
    return Pipeline(whole, namespace="gan_ring", parameters=parameters)
