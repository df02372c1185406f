"""The adversarial network: preprocessing, a classifier to judge by, the game, its judgement, figures."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from layerwise.evaluation.reports import gan as writing
from layerwise.pipelines import preprocessing
from layerwise.pipelines.gan import evaluation as judging
from layerwise.pipelines.gan import figure_nodes as draw
from layerwise.pipelines.gan import nodes


def create_pipeline() -> Pipeline:
    """Return the whole pipeline; everything but the raw rows and the parameters lives in the namespace `gan`."""
    settings = ["params:gan", "params:seed"]
    own = Pipeline(
        [
            Node(
                nodes.train_classifier,
                ["training", "validation", "description", "params:gan", "params:seed"],
                ["classifier", "classifier_history"],
                name="train_classifier",
            ),
            Node(
                nodes.train_gan,
                [
                    "raw", "split", "training", "validation", "description", "classifier",
                    "params:problem", "params:preparation", *settings,
                ],
                ["generator", "discriminator", "game_history", "film", "conditions", "encoding"],
                name="train_gan",
            ),
            Node(
                judging.judge,
                [
                    "generator", "conditions", "encoding", "raw", "split", "preparation", "training", "validation",
                    "test", "description", "classifier", *settings,
                ],
                "judgement",
                name="judge",
            ),
            Node(
                nodes.synthesize,
                [
                    "generator", "conditions", "encoding", "preparation", "description",
                    "params:synthesize", "params:seed",
                ],
                "synthetic",
                name="synthesize",
            ),
            Node(
                writing.write_report,
                ["judgement", "game_history", "classifier_history", "description"],
                "report",
                name="write_report",
            ),
            _figure(draw.draw_game, ["game_history"]),
            _figure(
                draw.draw_samples,
                ["generator", "conditions", "encoding", "raw", "split", "description", *settings],
            ),
            _figure(draw.draw_stages, ["film"]),
            _figure(draw.draw_classes, ["judgement", "description"]),
            _figure(
                draw.draw_memory,
                [
                    "generator", "conditions", "encoding", "preparation", "training", "test", "description",
                    "params:seed",
                ],
            ),
        ]
    )  # fmt: skip
    whole = preprocessing.create_pipeline(pretrained=False) + own
    parameters = {each for each in whole.inputs() if each.startswith("params:")}
    return Pipeline(whole, namespace="gan", inputs={"raw"}, parameters=parameters)


def _figure(function: Callable[..., object], inputs: list[str]) -> Node:
    name = function.__name__
    return Node(function, inputs, name.replace("draw_", "figure_"), name=name)
