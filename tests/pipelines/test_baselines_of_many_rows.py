"""Of very many rows the baselines see a sample, which the report says; of fewer they see all."""

import pytest
import torch

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.evaluation.metrics import NamedMetrics, compute_metrics
from layerwise.evaluation.reports import EvaluationReport
from layerwise.parameters import EvaluationSettings
from layerwise.pipelines.evaluation import baseline_nodes
from layerwise.pipelines.evaluation.baseline_nodes import train_baselines

COLUMNS = DataSpec(
    task="binary",
    n_inputs=3,
    n_outputs=1,
    feature_names=("a", "b", "c"),
    blocks=tuple(ColumnBlock(name=n, kind="real", start=k, stop=k + 1) for k, n in enumerate("abc")),
    target_names=("y",),
    class_names=("no", "yes"),
)


def rows(n, seed):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 3, generator=rng)
    y = (x[:, 0] + torch.randn(n, generator=rng) > 0).float()[:, None]
    return TensorData(x, y, torch.rand(n, generator=rng) + 0.5)


def compared(labelled, test):
    scored = TensorData(torch.rand(len(test), 1), test.targets, test.weights)
    settings = EvaluationSettings(bootstrap=0)
    return train_baselines(scored, labelled, test, COLUMNS, settings, 0)


def test_baselines_of_few_rows_are_of_all_of_them():
    found = compared(rows(200, 0), rows(100, 1))
    assert set(found.metrics.root) == {"logistic regression", "random forest", "gradient boosting"}
    assert found.notes == ()


def test_baselines_of_many_rows_are_of_a_sample_and_say_so(monkeypatch):
    labelled, test = rows(300, 0), rows(200, 1)
    seen = {}

    def scores_of(training, measured, task, **options):
        seen.update(training=training, measured=measured, **options)
        return {"a baseline": measured.inputs[:, :1].sigmoid().numpy()}

    monkeypatch.setattr(baseline_nodes, "baseline_scores", scores_of)
    monkeypatch.setattr(baseline_nodes, "FITTED_ROWS", 90)
    monkeypatch.setattr(baseline_nodes, "MEASURED_ROWS", 50)
    found = compared(labelled, test)
    for part, whole, n in ((seen["training"], labelled, 90), (seen["measured"], test, 50)):
        assert len(part) == n
        index = torch.tensor([int((whole.inputs == row).all(1).nonzero()) for row in part.inputs])
        assert index.unique().equal(index)  # sorted, and none twice
        assert part.targets.equal(whole.targets[index])
        assert part.weights.equal(whole.weights[index])
    error = compute_metrics(
        "binary",
        seen["measured"].targets,
        seen["measured"].inputs[:, :1].sigmoid(),
        n_bootstrap=0,
        weights=seen["measured"].weights,
    )["error"]
    assert found.metrics.root["a baseline"].root["error"].value == pytest.approx(error.value)
    note = (
        "Baselines are fitted on 90 of the 300 labelled rows, and compared with the network on 50 of the 200 test "
        "rows, drawn at random."
    )
    assert found.notes == (note,)
    report = EvaluationReport.of(NamedMetrics({}), 0.5, found)
    assert note in report.notes
