from dataclasses import replace

import pytest
import torch

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.evaluation.metrics import compute_metrics, most_sensitive_columns, permutation_importance
from layerwise.utils import torch_rng


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


def binary_problem(n, seed=0):
    """Return rows whose label follows the first column with noise, and whose second column says nothing."""
    rng = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, 2, generator=rng)
    targets = (inputs[:, :1] + torch.randn(n, 1, generator=rng) > 0).double()
    blocks = tuple(ColumnBlock(name=name, kind="real", start=k, stop=k + 1) for k, name in enumerate("xu"))
    _, data_spec = problem(10)
    data_spec = data_spec.model_copy(
        update={"task": "binary", "blocks": blocks, "n_inputs": 2, "feature_names": ("x", "u")}
    )
    return TensorData(inputs, targets), data_spec


def from_both(inputs):
    """A network that also reads the useless column, a little."""
    return torch.sigmoid(2 * inputs[:, :1] + 0.1 * inputs[:, 1:])


def test_the_loss_is_of_the_metric_by_which_the_test_rows_are_compared():
    rows, data_spec = binary_problem(1000)
    found = permutation_importance(from_both, rows, data_spec)
    assert [(each.name, each.metric) for each in found] == [("x", "roc_auc"), ("u", "roc_auc")]
    auc = compute_metrics("binary", rows.targets, from_both(rows.inputs), n_bootstrap=0)["roc_auc"].value
    assert found[0].mean == pytest.approx(auc - 0.5, abs=0.03)  # shuffled, what is left ranks by chance
    ones = TensorData(rows.inputs, torch.ones(1000, 1))
    assert {each.metric for each in permutation_importance(from_both, ones, data_spec)} == {"log_loss"}
    regression, columns = problem(100)
    assert {each.metric for each in permutation_importance(predict, regression, columns)} == {"rmse"}


def test_the_interval_leaves_0_out_for_a_column_that_is_needed_and_not_for_one_that_is_not():
    rows, data_spec = binary_problem(400)
    needed, useless = permutation_importance(from_both, rows, data_spec)
    assert 0 < needed.low < needed.mean < needed.high
    assert useless.low < 0 < useless.high
    without = permutation_importance(from_both, rows, data_spec, n_bootstrap=0)
    assert [(each.low, each.high) for each in without] == [(None, None)] * 2
    assert [each.mean for each in without] == [needed.mean, useless.mean]


def test_the_interval_covers_the_importance_on_many_rows():
    many, data_spec = binary_problem(10_000, seed=99)
    truth = permutation_importance(from_both, many, data_spec, n_bootstrap=0, n_repeats=20)[0].mean
    covered = 0
    for seed in range(60):
        rows, data_spec = binary_problem(200, seed)
        found = permutation_importance(from_both, rows, data_spec, seed=seed, n_bootstrap=100)
        needed = next(each for each in found if each.name == "x")
        covered += needed.low <= truth <= needed.high
    assert covered >= 52  # of 95 % 60 x .95 = 57; 52 is below the 1 % quantile


def test_rows_that_count_twice_are_as_rows_that_stand_twice():
    rows, data_spec = binary_problem(300)
    weights = torch.ones(300)
    weights[:100] = 2
    found = permutation_importance(from_both, replace(rows, weights=weights), data_spec, n_bootstrap=0)
    order = torch.randperm(300, generator=torch_rng(0, "importance", "x"))
    shuffled = rows.inputs.clone()
    shuffled[:, 0] = rows.inputs[order, 0]
    twice = torch.cat([torch.arange(300), torch.arange(100)])
    whole, without = (
        compute_metrics("binary", rows.targets[twice], from_both(inputs)[twice], n_bootstrap=0)[
            "roc_auc"
        ].value
        for inputs in (rows.inputs, shuffled)
    )
    one = permutation_importance(
        from_both, replace(rows, weights=weights), data_spec, n_bootstrap=0, n_repeats=1
    )
    assert one[0].mean == pytest.approx(whole - without)
    assert found[0].name == "x"


def test_of_many_columns_fewer_rows_are_asked():
    asked = set()

    def seen(inputs):
        asked.add(len(inputs))
        return predict(inputs)

    rows, data_spec = problem(3000)
    permutation_importance(seen, rows, data_spec, n_bootstrap=0)
    assert asked == {3000}
    asked.clear()
    permutation_importance(seen, rows, data_spec, n_repeats=50, n_bootstrap=0)
    # 400,000 answers: 3 columns, 50 shuffles.
    assert asked == {400_000 // 150}


def wide_problem(n_columns):
    """Return rows of normal numbers, each column with its own standard deviation, and a linear network of them."""
    inputs = torch.randn(500, n_columns, generator=torch.Generator().manual_seed(0))
    inputs *= torch.linspace(0.5, 2, n_columns)
    blocks = tuple(
        ColumnBlock(name=f"x{k}", kind="real", start=k, stop=k + 1, raw="pair" if k < 2 else "")
        for k in range(n_columns)
    )
    _, data_spec = problem(10)
    data_spec = data_spec.model_copy(update={"blocks": blocks, "n_inputs": n_columns})
    network = torch.nn.Linear(n_columns, 2)
    return TensorData(inputs, inputs[:, -2:] * 3), data_spec, network


def test_of_many_columns_those_are_chosen_that_the_outputs_change_most_with():
    rows, data_spec, network = wide_problem(12)
    with torch.no_grad():
        # Slope times standard deviation is 4 and -4 in the first two, which are one raw column, and 5 in the last.
        scales = rows.inputs.std(0)
        network.weight.copy_(torch.full((2, 12), 0.1) / scales)
        network.weight[0, :2] = torch.tensor([4.0, -4.0]) / scales[:2]
        network.weight[1, 11] = 5 / scales[11]
    assert most_sensitive_columns(network, rows, data_spec, most=2) == ("pair", "x11")
    # The pair has 4² + 4², which is more than 5².
    assert most_sensitive_columns(network, rows, data_spec, most=1) == ("pair",)
    assert len(most_sensitive_columns(network, rows, data_spec, most=11)) == 11


def test_a_network_without_slopes_has_all_its_columns_chosen():
    rows, data_spec, _ = wide_problem(12)
    assert len(most_sensitive_columns(lambda inputs: inputs.detach(), rows, data_spec, most=1)) == 11


def test_chosen_columns_have_the_importance_that_they_have_among_all():
    rows, data_spec = problem(300)
    whole = {each.name: each for each in permutation_importance(predict, rows, data_spec)}
    some = permutation_importance(predict, rows, data_spec, among=("needed", "kind"))
    assert some == [whole["needed"], whole["kind"]]


def test_the_work_on_a_wide_table_is_bounded():
    rows, data_spec, _ = wide_problem(600)
    answered = 0

    def count(inputs):
        nonlocal answered
        answered += inputs.numel()
        return inputs[:, -1:]

    rows = TensorData(rows.inputs, rows.targets[:, 1:])
    rows = replace(rows, inputs=rows.inputs.repeat(10, 1), targets=rows.targets.repeat(10, 1))
    permutation_importance(count, rows, data_spec, n_bootstrap=0, among=[f"x{k}" for k in range(2, 102)])
    # 500 shuffles and the rows as they are; 2,000 rows of 600 inputs each would be 601 million.
    assert 450e6 < answered < 501e6 * 1.003
