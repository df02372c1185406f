"""Nodes that evaluate an RBM of ratings or of documents."""

import logging

from layerwise.data import DataSpec, SparseTensorData, TensorData
from layerwise.data.sources import RatingsPreprocessor
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.evaluation.unsupervised import (
    RatingErrors,
    TopicReport,
    evaluate_topics,
    rating_errors,
)
from layerwise.models.rbm import RBM
from layerwise.parameters import RBMSettings

log = logging.getLogger(__name__)


def recommend(
    rbm: RBM, training: TensorData, test: TensorData, columns: DataSpec, preprocessor: RatingsPreprocessor
) -> tuple[RatingErrors, LoggedMetrics]:
    """Predict the test ratings from the training ratings, beside mean baselines."""
    row_and_column = ("item", "user") if preprocessor.state["by_items"] else ("user", "item")
    found = RatingErrors(
        rating_errors(rbm.cpu(), training.inputs, test.inputs, columns.levels, row_and_column)
    )
    log.info(found)
    return found, LoggedMetrics.of(found.root, prefix="test/")


def find_topics(
    rbm: RBM,
    training: SparseTensorData,
    test: SparseTensorData,
    columns: DataSpec,
    settings: RBMSettings,
    seed: int,
) -> tuple[TopicReport, LoggedMetrics]:
    """Return the perplexity of test documents, beside LDA with as many topics and independent words, and top words."""
    documents = test[slice(0, settings.perplexity_documents)].inputs
    found = evaluate_topics(rbm.cpu(), training, documents, columns.feature_names, settings.likelihood, seed)
    log.info(found)
    return found, LoggedMetrics.of(found.metrics(), prefix="test/")
