import pytest
import torch

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.datasets import EmbeddedDigits
from layerwise.training.diagnostics import (
    GradientStudySettings,
    TrialResult,
    remedy_trials,
    run_remedies,
    run_trial,
)

N_PIXELS = 784
COLUMNS = DataSpec(
    task="multiclass",
    n_inputs=N_PIXELS,
    n_outputs=10,
    feature_names=tuple(str(k) for k in range(N_PIXELS)),
    blocks=(ColumnBlock(name="pixels", kind="binary", start=0, stop=N_PIXELS),),
    target_names=("label",),
    class_names=tuple(str(k) for k in range(10)),
    image_shape=(28, 28),
)


@pytest.fixture(scope="module")
def digits():
    found = EmbeddedDigits().load()
    rows = TensorData(
        torch.from_numpy(found.pixels.reshape(len(found.pixels), -1) / 255).float(),
        torch.from_numpy(found.labels),
    )
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(1))
    return rows[order[:2000]], rows[order[2000:3000]]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("failing", list(remedy_trials(GradientStudySettings(), 2000)))
def test_each_remedy_makes_a_failing_network_learn_better(digits, failing, seed):
    training, validation = digits
    trials = remedy_trials(GradientStudySettings(), len(training))[failing]
    found = [run_trial(each, training, validation, COLUMNS, GradientStudySettings(), seed) for each in trials]
    assert not found[0].has_improved(found[0])
    assert {each.name: each.has_improved(found[0]) for each in found[1:]} == {
        each.name: True for each in found[1:]
    }


def result(loss):
    return TrialResult(
        name="", gradients=(), ratio=None, last_gradient=None, loss=loss, error=None, diagnoses=()
    )


def test_a_remedy_improves_on_a_network_that_diverged_unless_it_diverges_too():
    assert result(2.0).has_improved(result(2.5))
    assert not result(2.5).has_improved(result(2.5))
    assert result(9.0).has_improved(result(None))
    assert not result(None).has_improved(result(None))
    assert not result(None).has_improved(result(2.5))


@pytest.mark.parametrize(("rows", "rate"), [(201, 1e-3), (200, 1e30)])
def test_neither_a_lone_last_row_nor_networks_that_diverge_at_once_end_the_study(digits, rows, rate):
    training, validation = (part[:300] for part in digits)
    settings = GradientStudySettings(rows=rows, epochs=1, learning_rate=rate, width=4, failing_depth=3)
    found = run_remedies(training, validation, COLUMNS, settings, seed=0)
    results = [each for of in found.root.values() for each in of]
    assert "batch normalisation" in [each.name for each in results]
    assert all(len(each.gradients) > 1 for each in results)
    assert any(each.loss is None for each in results) == (rate > 1)
