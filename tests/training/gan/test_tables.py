import numpy as np
import pandas as pd
import pytest
import torch

from layerwise.data import PreprocessingSettings, Problem, TensorData
from layerwise.data.preprocessing import encode, fit_encoding
from layerwise.models.heads import gumbel_softmax
from layerwise.training.gan.tables import (
    ConditionSampler,
    condition_loss,
    output_blocks,
    target_consistency_loss,
)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 1000
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "kind": rng.choice(["common", "rare"], n, p=[0.95, 0.05]),
            "colour": rng.choice(["red", "green", "blue"], n),
            "y": (rng.random(n) < 0.2).astype(int),
        }
    )
    problem = Problem(name="t", task="binary", target="y")
    encoding = fit_encoding(frame, np.arange(n), problem, PreprocessingSettings(), 5, seed=0)
    return encoding, torch.from_numpy(encode(frame, encoding, seed=0))


def test_every_row_is_conditional_on_its_target_and_one_further_category(table):
    encoding, rows = table
    condition_sampler = ConditionSampler(encoding, rows, log_frequency=False)
    batch, condition = condition_sampler(TensorData(rows[:200]), torch.Generator().manual_seed(0))
    assert torch.equal(batch, rows[:200])
    assert (condition.sum(1) == 2).all()
    target = condition_sampler.slices[condition_sampler.target]
    assert torch.equal(
        condition[:, target], rows[:200, encoding.columns[-1].start : encoding.columns[-1].stop]
    )
    assert (condition_sampler.training_conditions(torch.Generator().manual_seed(0)).sum(1) == 2).all()


def test_resampled_rows_fit_their_conditions_and_categories_are_drawn_by_log_frequency(table):
    encoding, rows = table
    condition_sampler = ConditionSampler(encoding, rows, log_frequency=True)
    batches, conditions = [], []
    rng = torch.Generator().manual_seed(1)
    for _ in range(20):
        batch, condition = condition_sampler(TensorData(rows), rng)
        batches.append(batch)
        conditions.append(condition)
    sampled, conditions = torch.cat(batches), torch.cat(conditions)
    own_slice, column = condition_sampler.slices[0], encoding.categorical_columns[0]
    fixed = conditions[:, own_slice].sum(1) > 0
    assert torch.equal(sampled[fixed][:, column.start : column.stop], conditions[fixed][:, own_slice])
    counts = rows[:, column.start : column.stop].sum(0)
    expected = torch.log1p(counts) / torch.log1p(counts).sum()
    found = conditions[fixed][:, own_slice].mean(0)
    error = float((expected[0] * expected[1] / fixed.sum()).sqrt())
    assert float((found - expected).abs().max()) < 4 * error


def test_validation_rows_are_not_resampled(table):
    encoding, rows = table
    condition_sampler = ConditionSampler(encoding, rows[:500], log_frequency=True)
    found, condition = condition_sampler.without_resampling(
        TensorData(rows[500:]), torch.Generator().manual_seed(0)
    )
    assert torch.equal(found, rows[500:])
    assert (condition.sum(1) == 2).all()


def test_the_condition_loss_is_the_cross_entropy_of_its_categories(table):
    encoding, rows = table
    condition_sampler = ConditionSampler(encoding, rows, log_frequency=False)
    _, condition = condition_sampler(TensorData(rows[:50]), torch.Generator().manual_seed(0))
    logits = torch.randn(50, encoding.width, generator=torch.Generator().manual_seed(2))
    expected = torch.zeros(50)
    for own_slice, column in zip(condition_sampler.slices, encoding.categorical_columns, strict=True):
        fixed = condition[:, own_slice].sum(1) > 0
        distribution = torch.distributions.Categorical(logits=logits[:, column.start : column.stop])
        expected += torch.where(fixed, -distribution.log_prob(condition[:, own_slice].argmax(1)), 0.0)
    torch.testing.assert_close(
        condition_loss(condition_sampler)(logits, logits, rows[:50], condition), expected
    )


def test_real_rows_are_consistent_with_their_target_and_moved_rows_are_not(table):
    encoding, rows = table
    condition_sampler = ConditionSampler(encoding, rows, log_frequency=False)
    column = encoding.columns[-1]

    def classifier(x):  # reads the normalised value of x, which stands first
        return torch.stack([-5 * x[:, 0], 5 * x[:, 0]], dim=1)

    loss = target_consistency_loss(
        classifier, column, condition_sampler.slices[condition_sampler.target], 1.0
    )
    condition = condition_sampler.condition_vectors(rows, None)
    assert float(loss(rows, rows, rows, condition).sum()) == 0
    moved = rows.clone()
    moved[:, 0] = 1
    assert float(loss(rows, moved, rows, condition).mean()) > 0.1


def test_outputs_are_a_value_and_a_mode_or_a_category(table):
    encoding, _ = table
    found = [(block.kind, block.size) for block in output_blocks(encoding)]
    modes = encoding.columns[0].modes.n_modes
    assert found == [("tanh", 1), ("softmax", modes), ("softmax", 2), ("softmax", 3), ("softmax", 2)]


def test_the_largest_entry_of_gumbel_softmax_is_an_exact_sample():
    probabilities = torch.tensor([0.1, 0.2, 0.7])
    rows = gumbel_softmax(probabilities.log().expand(40_000, 3), 0.7, torch.Generator().manual_seed(0))
    torch.testing.assert_close(rows.sum(1), torch.ones(40_000))
    found = torch.bincount(rows.argmax(1), minlength=3) / 40_000
    error = (probabilities * (1 - probabilities) / 40_000).sqrt()
    assert ((found - probabilities).abs() < 4 * error).all()


def test_gumbel_softmax_nears_one_hot_as_it_cools():
    logits = torch.zeros(500, 4)
    warm, cold = (
        gumbel_softmax(logits, t, torch.Generator().manual_seed(0)).max(1).values for t in (5.0, 0.05)
    )
    assert float(cold.mean()) > 0.95 > 0.6 > float(warm.mean())
