import math

import pytest
import torch
from helpers.seeded import seeded
from sklearn import metrics
from torch import distributions, nn
from torch.nn import functional

from layerwise.data import TensorData
from layerwise.training import TrainingError
from layerwise.training.supervised import LOSSES, TASKS, probabilities, resolve_loss
from layerwise.training.supervised.losses import (
    check_targets,
    class_weight_tensor,
    row_loss,
    task_error,
    task_loss,
)


def random_values(*shape, seed=0):
    return 2 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


OUTPUTS, CLASSES = random_values(30, 4), torch.arange(30) % 4
VALUES = random_values(30, 4, seed=1)
LABELS = (VALUES > 0).double()


def rows(n=24, task="multiclass", k=3):
    inputs = torch.randn(n, 4, generator=seeded(1), dtype=torch.float64)
    if task == "multiclass":
        return TensorData(inputs, torch.randint(0, k, (n,), generator=seeded(2)))
    values = torch.randn(n, k, generator=seeded(2), dtype=torch.float64)
    return TensorData(inputs, values if task == "regression" else (values > 0).double())


def test_each_loss_of_values_is_torchs_own():
    for name, theirs in {
        "squared": nn.MSELoss(reduction="none"),
        "absolute": nn.L1Loss(reduction="none"),
        "huber": nn.HuberLoss(reduction="none", delta=0.7),
    }.items():
        found = row_loss(name, OUTPUTS, VALUES, huber_delta=0.7)
        torch.testing.assert_close(found, theirs(OUTPUTS, VALUES).sum(1))
    torch.testing.assert_close(row_loss("log_cosh", OUTPUTS, VALUES), (OUTPUTS - VALUES).cosh().log().sum(1))
    assert float(row_loss("log_cosh", torch.tensor([[900.0]]), torch.zeros(1, 1))) == pytest.approx(
        900 - math.log(2)
    )


def test_the_poisson_loss_is_the_negative_log_probability_up_to_what_the_target_alone_decides():
    rates, counts = OUTPUTS.exp(), VALUES.abs().round()
    exact = -distributions.Poisson(rates).log_prob(counts) - torch.lgamma(counts + 1)
    torch.testing.assert_close(row_loss("poisson", rates, counts), exact.sum(1))
    # Its best constant is the mean of the counts.
    best = row_loss("poisson", counts.mean(0).expand_as(counts), counts).mean()
    for change in (0.9, 1.1):
        assert row_loss("poisson", change * counts.mean(0).expand_as(counts), counts).mean() > best


def test_hinge_of_two_answers_is_one_minus_the_margin():
    signs = 2 * LABELS - 1
    torch.testing.assert_close(row_loss("hinge", OUTPUTS, LABELS), (1 - signs * OUTPUTS).clamp(min=0).sum(1))


def test_hinge_of_classes_compares_with_the_best_wrong_class():
    found = row_loss("hinge", OUTPUTS, CLASSES)
    for scores, k, value in zip(OUTPUTS.tolist(), CLASSES.tolist(), found.tolist(), strict=True):
        wrong = max(s for j, s in enumerate(scores) if j != k)
        assert value == pytest.approx(max(0.0, 1 + wrong - scores[k]))


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_focal_weighs_the_cross_entropy_by_how_unsure_the_answer_is(gamma):
    p = OUTPUTS.softmax(1)[torch.arange(30), CLASSES]
    torch.testing.assert_close(
        row_loss("focal", OUTPUTS, CLASSES, focal_gamma=gamma), -((1 - p) ** gamma) * p.log()
    )
    right = torch.where(LABELS > 0, OUTPUTS.sigmoid(), 1 - OUTPUTS.sigmoid())
    torch.testing.assert_close(
        row_loss("focal", OUTPUTS, LABELS, focal_gamma=gamma), (-((1 - right) ** gamma) * right.log()).sum(1)
    )


@pytest.mark.parametrize("gamma", [0.0, 0.25, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("gap", [5.0, 17.0, 40.0, 200.0])
def test_the_gradient_of_focal_is_finite_on_confident_rows(gamma, gap):
    logits = torch.tensor([[gap, 0.0], [0.0, gap]], requires_grad=True)
    row_loss("focal", logits, torch.tensor([0, 0]), focal_gamma=gamma).sum().backward()
    assert logits.grad.isfinite().all()
    labels = torch.tensor([[gap, -gap]], requires_grad=True)
    row_loss("focal", labels, torch.tensor([[1.0, 0.0]]), focal_gamma=gamma).sum().backward()
    assert labels.grad.isfinite().all()
    exact = torch.tensor([[gap, 0.0]], dtype=torch.float64, requires_grad=True)
    p = exact.softmax(1)[0]
    (-(p[1] ** gamma) * p[0].log()).backward()
    if gap < 10:
        torch.testing.assert_close(logits.grad[0].double(), exact.grad[0], rtol=2e-2, atol=1e-9)


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "auto"])
def test_every_loss_agrees_with_finite_differences(name):
    task = TASKS[name][-1]
    targets = {"multiclass": CLASSES, "multilabel": LABELS, "regression": VALUES.abs()}[task]
    outputs = OUTPUTS.exp() if name == "poisson" else OUTPUTS
    assert torch.autograd.gradcheck(lambda x: row_loss(name, x, targets), (outputs.clone().requires_grad_(),))


@pytest.mark.parametrize(
    ("task", "name"), [("regression", "hinge"), ("binary", "huber"), ("multiclass", "poisson")]
)
def test_a_loss_that_is_not_for_the_task_is_refused_with_those_that_are(task, name):
    with pytest.raises(TrainingError, match=f"{name} is no loss for a {task} task; for it: .*") as error:
        resolve_loss(task, name)
    named = str(error.value).split("for it: ")[1].split(", ")
    assert all(resolve_loss(task, each) == each for each in named)


def test_balanced_weights_make_every_class_count_the_same_and_average_one():
    targets = torch.tensor([0] * 12 + [1] * 6 + [2] * 2)
    weights = class_weight_tensor("balanced", "multiclass", TensorData(torch.zeros(20, 1), targets), 3)
    torch.testing.assert_close(weights[targets].mean(), torch.tensor(1.0))
    sums = torch.stack([weights[k] * (targets == k).sum() for k in range(3)])
    torch.testing.assert_close(sums, torch.full((3,), 20 / 3))


def test_balanced_weights_average_one_where_a_class_has_no_row():
    targets = torch.tensor([0, 0, 0, 0, 2, 2])
    weights = class_weight_tensor("balanced", "multiclass", TensorData(torch.zeros(6, 1), targets), 3)
    assert weights[[0, 2]].tolist() == [0.75, 1.5]
    assert float(weights[targets].mean()) == 1


def test_class_weights_are_for_classes_and_one_for_each():
    rows = TensorData(torch.zeros(4, 1), torch.zeros(4, 1))
    with pytest.raises(TrainingError, match="task is regression"):
        class_weight_tensor("balanced", "regression", rows, 1)
    with pytest.raises(TrainingError, match=r"3 value\(s\) for 2 classes"):
        class_weight_tensor((1.0, 2.0, 3.0), "binary", rows, 1)
    assert class_weight_tensor((1.0, 4.0), "binary", rows, 1).tolist() == [1, 4]


def test_counts_below_zero_are_refused():
    with pytest.raises(TrainingError, match="scale_target: false"):
        check_targets("poisson", TensorData(torch.zeros(1, 1), torch.tensor([[-0.5]])))
    check_targets("squared", TensorData(torch.zeros(1, 1), torch.tensor([[-0.5]])))


def test_the_cross_entropies_are_the_tasks_own():
    smooth = row_loss("categorical_cross_entropy", OUTPUTS, CLASSES, 0.1)
    torch.testing.assert_close(
        smooth, functional.cross_entropy(OUTPUTS, CLASSES, reduction="none", label_smoothing=0.1)
    )
    assert resolve_loss("multilabel") == "binary_cross_entropy"


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_of_classes_is_the_cross_entropy_with_smoothed_targets(smoothing):
    outputs, targets = 3 * rows(k=4).inputs, rows(k=4).targets
    q = (1 - smoothing) * torch.eye(4, dtype=torch.float64)[targets] + smoothing / 4
    expected = -(q * outputs.log_softmax(1)).sum(1)
    torch.testing.assert_close(task_loss("multiclass", outputs, targets, smoothing), expected)
    if not smoothing:
        p = probabilities("multiclass", outputs).numpy()
        assert float(expected.mean()) == pytest.approx(metrics.log_loss(targets.numpy(), p))


@pytest.mark.parametrize(("task", "k"), [("binary", 1), ("multilabel", 3)])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_of_labels_is_the_negative_log_probability_of_coins(task, k, smoothing):
    outputs, targets = 3 * rows().inputs[:, :k], rows(task=task, k=k).targets
    coins = distributions.Bernoulli(logits=outputs)
    right, wrong = -coins.log_prob(targets), -coins.log_prob(1 - targets)
    # Half of the smoothing goes to each of the two answers.
    expected = ((1 - smoothing / 2) * right + smoothing / 2 * wrong).sum(1)
    torch.testing.assert_close(task_loss(task, outputs, targets, smoothing), expected)
    torch.testing.assert_close(probabilities(task, outputs), coins.probs)


def test_the_loss_of_values_is_the_squared_error_summed_over_outputs():
    outputs, targets = rows(k=4).inputs, rows(task="regression", k=4).targets
    normal = distributions.Normal(outputs, 1.0)
    expected = -2 * normal.log_prob(targets).sum(1) - 4 * math.log(2 * math.pi)
    torch.testing.assert_close(task_loss("regression", outputs, targets), expected)
    assert probabilities("regression", outputs) is outputs


def test_losses_stay_finite_and_exact_for_certain_outputs():
    outputs = torch.tensor([[200.0]], dtype=torch.float64)
    assert float(task_loss("binary", outputs, torch.zeros(1, 1, dtype=torch.float64))) == 200
    assert float(task_loss("multiclass", torch.tensor([[500.0, 0]]), torch.tensor([1]))) == 500


def test_errors_agree_with_scikit_learn():
    outputs, targets = rows(k=4).inputs, rows(k=4).targets
    error = task_error("multiclass", outputs, targets)
    assert float(error.mean()) == pytest.approx(metrics.zero_one_loss(targets, outputs.argmax(1)))
    assert set(error.tolist()) == {0.0, 1.0}
    for task, k in (("binary", 1), ("multilabel", 3)):
        outputs, targets = rows().inputs[:, :k], rows(task=task, k=k).targets
        error = task_error(task, outputs, targets)
        chosen = probabilities(task, outputs) > 0.5
        assert error.shape == (24,)
        assert float(error.mean()) == pytest.approx(metrics.hamming_loss(targets.numpy(), chosen.numpy()))
    targets = rows(task="regression", k=4).targets
    error = task_error("regression", rows().inputs, targets)
    assert float(error.mean()) == pytest.approx(metrics.mean_squared_error(targets, rows().inputs))
