"""The classifier of a GAN's samples: its classes, with an output a class and with one of two classes; its error."""

import torch

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.training.gan import GANSettings, predict_classes, train_feature_classifier, train_image_gan
from layerwise.utils import torch_rng


def image_columns(task, class_names):
    pixels = tuple(ColumnBlock(name=f"pixel_{k}", kind="binary", start=k, stop=k + 1) for k in range(16))
    return DataSpec(
        n_inputs=16,
        n_outputs=1 if task == "binary" else len(class_names),
        task=task,
        feature_names=tuple(block.name for block in pixels),
        class_names=class_names,
        target_names=("class",),
        image_shape=(4, 4),
        blocks=pixels,
    )


def test_the_class_of_one_output_is_the_side_of_zero_that_it_is_on():
    classifier = MLP(MLPConfig(n_inputs=2, n_outputs=1, hidden_sizes=()), torch_rng(0, "classes"))
    with torch.no_grad():
        classifier.output.weight.copy_(torch.tensor([[1.0, -1.0]]))
        classifier.output.bias.zero_()
    rows = torch.tensor([[0.9, 0.1], [0.1, 0.9], [0.6, 0.4]])
    assert predict_classes(classifier, rows, batch_size=2).tolist() == [1, 0, 1]


def test_a_gan_of_images_of_two_classes_has_two_modes():
    rng = torch_rng(0, "rows")
    rows = TensorData(torch.rand(40, 16, generator=rng), torch.arange(40.0)[:, None] % 2)
    columns = image_columns("binary", ("dark", "bright"))
    classifier = MLP(MLPConfig(n_inputs=16, n_outputs=1, hidden_sizes=(3,)), torch_rng(0, "classifier"))
    settings = GANSettings(
        epochs=1, batch_size=20, latent_size=2, generator_sizes=(4,), discriminator_sizes=(4,)
    )
    found = train_image_gan(rows, rows, columns, settings, 0, classifier)
    assert found.history[-1]["samples/known_modes"] == 2


def noisy_rows(n, seed):
    """Two classes left and right of a line; a third of the labels are wrong."""
    rng = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, 4, generator=rng)
    wrong = torch.rand(n, generator=rng) < 0.33
    return TensorData(inputs, torch.where(wrong, inputs[:, 0] < 0, inputs[:, 0] > 0).long())


def test_the_error_is_that_of_the_network_which_is_returned_not_the_lowest_that_it_once_had():
    validation = noisy_rows(80, seed=2)
    columns = DataSpec(
        task="multiclass",
        n_inputs=4,
        n_outputs=2,
        feature_names=("a", "b", "c", "d"),
        blocks=(),
        target_names=("side",),
        class_names=("left", "right"),
    )
    network, error = train_feature_classifier(noisy_rows(100, seed=3), validation, columns, seed=0, epochs=30)
    with torch.no_grad():
        wrong = network(validation.inputs).argmax(1).ne(validation.targets).double().mean()
    assert error == float(wrong)
