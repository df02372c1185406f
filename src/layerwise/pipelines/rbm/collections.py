"""Nodes that evaluate an RBM of ratings or of documents; nothing for other rows."""

import logging
from typing import Any

from layerwise.data import DataSpec, SparseTensorData, TensorData
from layerwise.evaluation.unsupervised import (
    lda_perplexity,
    perplexity,
    rating_errors,
    top_words,
    unigram_perplexity,
)
from layerwise.models.rbm import RBM
from layerwise.parameters import RBMSettings
from layerwise.utils import report_metrics, torch_rng

log = logging.getLogger(__name__)

DOCUMENT_CHAINS = 5


def recommend(
    rbm: RBM, training: TensorData, test: TensorData, columns: DataSpec, preprocessor: Any
) -> dict[str, float]:
    """Predict the test ratings from the training ratings, beside mean baselines."""
    if columns.task != "ratings":
        return {}
    levels = [float(level) for level in columns.class_names]
    row_and_column = ("item", "user") if preprocessor.state["by_items"] else ("user", "item")
    found = rating_errors(rbm.cpu(), training.inputs, test.inputs, levels, row_and_column)
    report_metrics({f"test/{name}": value for name, value in found.items()})
    means = ", ".join(f"{name.replace('_', ' ')} {found[name]:.4f}" for name in found if "mean" in name)
    log.info("RMSE on held-out ratings: %.4f (%s)", found["rmse"], means)
    return found


def find_topics(
    rbm: RBM,
    training: SparseTensorData,
    test: SparseTensorData,
    columns: DataSpec,
    settings: RBMSettings,
    seed: int,
) -> dict[str, Any]:
    """Return the perplexity of test documents, beside LDA with as many topics and independent words, and top words."""
    if columns.task != "documents":
        return {}
    rbm, rows = rbm.cpu(), test[slice(0, settings.perplexity_documents)].inputs
    sums = training.column_sums()
    by_ais, by_reverse_ais = perplexity(
        rbm,
        rows,
        sums,
        torch_rng(seed, "perplexity"),
        temperatures=settings.likelihood.temperatures,
        chains=DOCUMENT_CHAINS,
        reverse_steps=settings.likelihood.reverse_steps,
    )
    found = {
        "perplexity": by_ais,
        "perplexity_reverse_ais": by_reverse_ais,
        "unigram_perplexity": unigram_perplexity(rows, sums),
        "lda_perplexity": lda_perplexity(training.matrix, rows, rbm.config.n_hidden, seed),
    }
    report_metrics({f"test/{name}": value for name, value in found.items()})
    log.info(
        "Perplexity of %d test documents: %.0f by AIS, %.0f by reverse AIS; LDA %.0f, independent words %.0f",
        len(rows),
        by_ais,
        by_reverse_ais,
        found["lda_perplexity"],
        found["unigram_perplexity"],
    )
    return found | {"documents": len(rows), "top_words": top_words(rbm, columns.feature_names)}
