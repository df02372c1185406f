"""What recommends items with a network of ratings, and how well it ranks them."""

import logging

from kedro.pipeline import Node
from torch import nn

from layerwise.data import DataSpec, TensorData
from layerwise.data.sources import RatingsPreprocessor
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.evaluation.unsupervised import (
    RankingReport,
    evaluate_ranking,
    fit_recommender as fit,
    rating_matrix,
)
from layerwise.models import Recommender
from layerwise.pipelines.stage import Stage

log = logging.getLogger(__name__)


def create_recommendation(pipeline: str, network: str) -> Node:
    """Return the node of a pipeline that trains a network of ratings."""
    inputs = [network, "training", "validation", "test", "data_spec", "preprocessor"]
    outputs = ["recommender", "ranking", "metrics_ranking"]
    return Stage("evaluation", pipeline).node(fit_recommender, inputs, outputs)


def fit_recommender(
    network: nn.Module,
    training: TensorData,
    validation: TensorData,
    test: TensorData,
    columns: DataSpec,
    preprocessor: RatingsPreprocessor,
) -> tuple[Recommender, RankingReport, LoggedMetrics]:
    """Rank what users have not rated, beside popularity and neighbors, and return what a model needs for it."""
    by_items, levels = preprocessor.state["by_items"], columns.levels
    recommender, expected, item_knn = fit(network.cpu(), training.inputs, validation.inputs, levels, by_items)
    given, *others = (rating_matrix(part.inputs, levels, by_items) for part in (training, validation, test))
    interest = recommender.interest(~given.isnan())
    found = evaluate_ranking(recommender.weigh(interest, expected), item_knn, given, *others)
    log.info(found)
    return recommender, found, LoggedMetrics.of(found.metrics(), prefix="test/")
