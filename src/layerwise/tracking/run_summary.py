"""What a run says of itself in three lines, as its description in MLflow: what it is, how good, and beside what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layerwise.evaluation.metrics import LOWER_IS_BETTER

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

TITLES = {
    "dbn": "Deep belief network, pretrained without labels and fine-tuned",
    "dbm": "Deep Boltzmann machine, pretrained without labels and fine-tuned",
    "sae": "Stacked autoencoders, pretrained without labels and fine-tuned",
    "mlp": "Multilayer perceptron",
    "rbm": "Restricted Boltzmann machine",
    "autoencoder": "Autoencoder",
    "gan": "Generative adversarial network",
    "gan_ring": "GANs of several objectives on a ring of Gaussians",
    "gan_applications": "GANs that translate, sharpen and continue images",
    "gradients": "Study of vanishing and exploding gradients",
    "forest_fires_classic": "Neural network of the forest fires exercise",
    "predict": "Predictions of a trained model",
    "evaluate": "Evaluation of a trained model on new rows",
}
# By which runs of a pipeline are compared: the first one that a run has, then what is shown beside it.
HEADLINES = (
    "log_prob", "frechet_distance", "error", "roc_auc", "rmse", "log_loss", "r2", "mae", "parzen_log_prob",
    "reconstruction_sse", "loss", "anomaly_auc", "recall",
)  # fmt: skip
N_SHOWN = 4
ERRORS = {*LOWER_IS_BETTER, "frechet_distance", "reconstruction_sse", "loss"}
# What a metric of the test rows is measured beside, by the names of the other metrics.
REFERENCES: dict[str, Mapping[str, str]] = {
    "reconstruction_sse": {"PCA of as many components": "pca_reconstruction_sse"},
    "error": {
        "a linear model of the raw inputs": "probe/raw/error",
        "of principal components": "probe/pca/error",
    },
    "anomaly_auc": {"isolation forest": "anomalies/isolation_forest_auc"},
}


def describe_run(
    run: Run,
    pipeline: str,
    problem: str,
    base_rates: Mapping[str, float],
    earlier: float | None,
    prefix: str = "",
) -> str:
    """Return the three lines, in Markdown.

    Args:
        run: with its metrics, parameters and tags.
        pipeline: its name.
        problem: its name.
        base_rates: what the best constant prediction gets, by metric; empty where there is none.
        earlier: the best headline metric of the earlier runs of this problem and pipeline; None without one.
        prefix: of the names of the pipeline's metrics, in a run of several pipelines.
    """
    tags = run.data.tags
    counts = {part: tags.get(f"data.{part}_rows") for part in ("training", "validation", "test")}
    rows = [f"{count} {part}" for part, count in counts.items() if count]
    seed = f", seed {run.data.params['seed']}" if "seed" in run.data.params else ""
    title = TITLES.get(pipeline, pipeline)
    what = f"{title}, on {problem}" + (f": {', '.join(rows)} rows" if rows else "") + seed + "."
    found = metrics_of_test_rows(run, prefix)
    shown = [name for name in HEADLINES if name in found][:N_SHOWN]
    if not shown:
        return what
    good = "On the test rows: " + ", ".join(f"{name} {found[name]:.4g}" for name in shown) + "."
    return "\n\n".join([what, good, _beside(found, shown, base_rates, earlier)])


def metrics_of_test_rows(run: Run, prefix: str = "") -> dict[str, float]:
    """Return a run's metrics of the test rows, by their names without `test/`."""
    start = f"{prefix}test/"
    return {
        name.removeprefix(start): value for name, value in run.data.metrics.items() if name.startswith(start)
    }


def _beside(
    found: Mapping[str, float], shown: Sequence[str], base_rates: Mapping[str, float], earlier: float | None
) -> str:
    sentences = []
    for name in shown:
        parts = [f"the best constant prediction {base_rates[name]:.4g}"] if name in base_rates else []
        parts += [
            f"{label} {found[other]:.4g}"
            for label, other in REFERENCES.get(name, {}).items()
            if other in found
        ]
        # Baselines of tables stand as <model>/<metric> among the metrics of the test rows.
        baselines = {
            key.partition("/")[0]: value
            for key, value in found.items()
            if key.count("/") == 1 and key.endswith(f"/{name}")
        }
        parts += [f"{model.replace('_', ' ')} {value:.4g}" for model, value in baselines.items()]
        if name == shown[0] and earlier is not None:
            parts.append(f"the best earlier run of this problem and pipeline {earlier:.4g}")
        if parts:
            sentences.append(f"{name}: {', '.join(parts)}")
    return "Beside it: " + ("; ".join(sentences) if sentences else "nothing yet, this is the first run") + "."


def note_of(
    client: MlflowClient,
    run_id: str,
    pipelines: Sequence[str],
    problem: str,
    metrics: Mapping[str, Mapping[str, Any]],
) -> str:
    """Return a finished run's description.

    Args:
        client: of the tracking server.
        run_id: the run.
        pipelines: the names of its pipelines.
        problem: its name.
        metrics: by pipeline those of its model, by name, with base rates where there are some.
    """
    run = client.get_run(run_id)
    parts = []
    for pipeline in pipelines:
        prefix = f"{pipeline}/" if len(pipelines) > 1 else ""
        rates = {
            name: of.get("base_rate")
            for name, of in metrics.get(pipeline, {}).items()
            if isinstance(of, dict)
        }
        base_rates = {name: rate for name, rate in rates.items() if rate is not None}
        earlier = _best_earlier(client, run, "+".join(pipelines), prefix)
        parts.append(describe_run(run, pipeline, problem, base_rates, earlier, prefix))
    return "\n\n".join(parts)


def _best_earlier(client: MlflowClient, run: Run, pipeline: str, prefix: str) -> float | None:
    """Return the best headline metric of the finished runs of this problem and pipeline; None without one."""
    found = metrics_of_test_rows(run, prefix)
    headline = next((name for name in HEADLINES if name in found), None)
    if headline is None:
        return None
    metric = f"{prefix}test/{headline}"
    best = client.search_runs(
        [run.info.experiment_id],
        f"tags.pipeline = '{pipeline}' and attributes.status = 'FINISHED' and metrics.`{metric}` > -1e300",
        max_results=1,
        order_by=[f"metrics.`{metric}` {'ASC' if headline in ERRORS else 'DESC'}"],
    )
    return float(best[0].data.metrics[metric]) if best else None
