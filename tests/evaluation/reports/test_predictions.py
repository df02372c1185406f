import torch

from layerwise.data import DataSpec
from layerwise.evaluation.reports import make_prediction_table


def columns(task, n_outputs, targets=("y",), classes=()):
    return DataSpec(
        task=task,
        n_inputs=1,
        n_outputs=n_outputs,
        feature_names=("x",),
        blocks=(),
        target_names=targets,
        class_names=classes,
    )


def test_a_binary_row_is_positive_from_the_threshold_on():
    scores = torch.tensor([[0.25], [0.2499], [0.9]], dtype=torch.float64)
    table = make_prediction_table(
        columns("binary", 1, classes=("no", "yes")), torch.tensor([[0.0], [1.0], [1.0]]), scores, 0.25
    )
    assert table["true"].tolist() == ["no", "yes", "yes"]
    assert table["predicted"].tolist() == ["yes", "no", "yes"]
    assert table["probability_yes"].tolist() == scores[:, 0].tolist()
    assert table["probability_no"].tolist() == (1 - scores[:, 0]).tolist()


def test_the_class_of_the_highest_probability_is_predicted():
    scores = torch.tensor([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3]])
    table = make_prediction_table(
        columns("multiclass", 3, classes=("a", "b", "c")), torch.tensor([2, 0]), scores
    )
    assert table["true"].tolist() == ["c", "a"]
    assert table["predicted"].tolist() == ["b", "a"]
    assert list(table) == ["true", "predicted", "probability_a", "probability_b", "probability_c"]


def test_values_stand_beside_the_true_ones_by_target():
    targets, values = torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]])
    table = make_prediction_table(columns("regression", 2, ("u", "v")), targets, values)
    assert table.to_dict("records") == [{"true_u": 1, "true_v": 2, "predicted_u": 3, "predicted_v": 4}]
