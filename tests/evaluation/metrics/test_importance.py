import pytest
import torch

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.evaluation.metrics import permutation_importance


def problem(n=4000):
    rng = torch.Generator().manual_seed(0)
    inputs = torch.randn(n, 4, generator=rng)
    inputs[:, 2:] = torch.eye(2)[torch.randint(2, (n,), generator=rng)]
    blocks = (
        ColumnBlock(name="needed", kind="real", start=0, stop=1),
        ColumnBlock(name="useless", kind="real", start=1, stop=2),
        ColumnBlock(name="kind", kind="categorical", start=2, stop=4, categories=("a", "b")),
    )
    data_spec = DataSpec(
        task="regression",
        n_inputs=4,
        n_outputs=1,
        feature_names=("needed", "useless", "kind_a", "kind_b"),
        blocks=blocks,
        target_names=("y",),
    )
    return TensorData(inputs, 3 * inputs[:, :1] + inputs[:, 2:3]), data_spec


def predict(inputs):
    # Dummies that do not add to 1 would show up as an enormous error.
    impossible = (inputs[:, 2:].sum(1, keepdim=True) != 1).float() * 1000
    return 3 * inputs[:, :1] + inputs[:, 2:3] + impossible


def test_the_importance_of_a_column_is_that_of_the_closed_form():
    rows, data_spec = problem()
    found = permutation_importance(predict, rows, data_spec)
    assert [importance.name for importance in found] == ["needed", "kind", "useless"]
    # RMSE after a shuffle is the root of twice the variance of the column's part.
    assert found[0].mean == pytest.approx(3 * 2**0.5, rel=0.05)
    assert found[1].mean == pytest.approx(0.5**0.5, rel=0.05)
    assert found[2].mean == 0


def test_importance_is_positive_for_metrics_that_are_better_high():
    rows, data_spec = problem()
    assert permutation_importance(predict, rows, data_spec, metric="r2")[0].mean > 0


def test_the_rows_are_left_as_they_were():
    rows, data_spec = problem(50)
    before = rows.inputs.clone()
    permutation_importance(predict, rows, data_spec)
    assert torch.equal(rows.inputs, before)


def test_an_unknown_metric_is_named():
    rows, data_spec = problem(50)
    with pytest.raises(ValueError, match="no metric 'f1'; known: mae, r2, rmse"):
        permutation_importance(predict, rows, data_spec, metric="f1")


def test_the_parts_of_a_date_are_shuffled_together_under_its_name():
    rng = torch.Generator().manual_seed(0)
    angle = torch.rand(500, generator=rng) * 6.28
    blocks = (
        ColumnBlock(name="when_sin", kind="real", start=0, stop=1, raw="when"),
        ColumnBlock(name="x", kind="real", start=1, stop=2),
        ColumnBlock(name="when_cos", kind="real", start=2, stop=3, raw="when"),
    )
    _, data_spec = problem(10)
    data_spec = data_spec.model_copy(update={"blocks": blocks, "n_inputs": 3})
    rows = TensorData(
        torch.stack([angle.sin(), torch.randn(500, generator=rng), angle.cos()], 1), angle[:, None]
    )

    def off_the_circle(inputs):
        radius = inputs[:, [0, 2]].square().sum(1, keepdim=True)
        return rows.targets + 1000 * (radius - 1).abs()

    found = permutation_importance(off_the_circle, rows, data_spec)
    assert {importance.name for importance in found} == {"when", "x"}
    assert all(abs(importance.mean) < 0.01 for importance in found)
