import torch

from layerwise.data import DataSpec, TensorData
from layerwise.training.gan import train_feature_classifier

COLUMNS = DataSpec(
    task="multiclass",
    n_inputs=4,
    n_outputs=2,
    feature_names=("a", "b", "c", "d"),
    blocks=(),
    target_names=("side",),
    class_names=("left", "right"),
)


def noisy_rows(n, seed):
    """Two classes left and right of a line; a third of the labels are wrong."""
    rng = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, 4, generator=rng)
    wrong = torch.rand(n, generator=rng) < 0.33
    return TensorData(inputs, torch.where(wrong, inputs[:, 0] < 0, inputs[:, 0] > 0).long())


def test_the_error_is_that_of_the_network_which_is_returned_not_the_lowest_that_it_once_had():
    validation = noisy_rows(80, seed=2)
    network, error = train_feature_classifier(noisy_rows(100, seed=3), validation, COLUMNS, seed=0, epochs=30)
    with torch.no_grad():
        wrong = network(validation.inputs).argmax(1).ne(validation.targets).double().mean()
    assert error == float(wrong)
