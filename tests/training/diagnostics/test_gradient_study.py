import pytest
import torch

from layerwise.data.tensors import Block, Description, Rows
from layerwise.datasets.sources import EmbeddedDigits
from layerwise.training.diagnostics.gradient_study import LaboratorySettings, cure_trials, run_trial, works

N_PIXELS = 784
COLUMNS = Description(
    task="multiclass",
    n_inputs=N_PIXELS,
    n_outputs=10,
    feature_names=tuple(str(k) for k in range(N_PIXELS)),
    blocks=(Block(name="pixels", kind="binary", start=0, stop=N_PIXELS),),
    target_names=("label",),
    class_names=tuple(str(k) for k in range(10)),
    image_shape=(28, 28),
)


@pytest.fixture(scope="module")
def digits():
    found = EmbeddedDigits().load()
    rows = Rows(
        torch.from_numpy(found.pixels.reshape(len(found.pixels), -1) / 255).float(),
        torch.from_numpy(found.labels),
    )
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(1))
    return rows[order[:2000]], rows[order[2000:3000]]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("sick", list(cure_trials(LaboratorySettings(), 2000)))
def test_each_cure_makes_a_sick_network_learn_better(digits, sick, seed):
    training, validation = digits
    trials = cure_trials(LaboratorySettings(), len(training))[sick]
    found = [run_trial(each, training, validation, COLUMNS, LaboratorySettings(), seed) for each in trials]
    assert not works(found[0], found[0])
    assert {each["name"]: works(each, found[0]) for each in found[1:]} == {
        each["name"]: True for each in found[1:]
    }
