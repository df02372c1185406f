import pytest

from layerwise.data import DataSpec, PreprocessingSettings, Problem
from layerwise.parameters import EvaluationSettings, used_settings
from layerwise.training.autoencoder import AutoencoderSettings
from layerwise.training.rbm import PretrainingSettings
from layerwise.training.supervised import FinetuningSettings, MLPSettings


def columns(task="binary", **more):
    return DataSpec(
        task=task,
        n_inputs=4,
        n_outputs=1,
        feature_names=tuple("abcd"),
        blocks=(),
        target_names=("y",),
        **more,
    )


IMAGES = columns("multiclass", image_shape=(2, 2))


@pytest.mark.parametrize(
    ("settings", "rows", "used", "without_use"),
    [
        (FinetuningSettings(optimizer="sgd"), columns(), {"learning_rate"}, {"momentum", "beta_1", "weight_decay"}),
        (FinetuningSettings(optimizer="adamw"), columns(), {"beta_1", "weight_decay"}, {"momentum", "rho"}),
        (FinetuningSettings(optimizer="momentum"), columns(), {"momentum"}, {"beta_1", "rho", "epsilon"}),
        (FinetuningSettings(), columns(), set(), {"augmentation"}),
        (FinetuningSettings(), IMAGES, {"augmentation"}, set()),
        (FinetuningSettings(schedule="step"), columns(), {"step_factor"}, {"plateau_factor"}),
        (PretrainingSettings(), columns(), {"learning_rate"}, {"chains", "temperatures", "sparsity_cost"}),
        (PretrainingSettings(chain="tempered"), columns(), {"chains", "temperatures"}, {"sparsity_cost"}),
        (MLPSettings(), columns(), {"activation"}, {"leaky_slope", "prelu_slopes", "bias_constant"}),
        (MLPSettings(activation="prelu"), columns(), {"prelu_slopes"}, {"leaky_slope"}),
        (EvaluationSettings(), columns(), {"threshold", "segments"}, {"false_positive_cost"}),
        (EvaluationSettings(threshold="cost"), columns(), {"false_positive_cost"}, set()),
        (EvaluationSettings(), IMAGES, {"bootstrap"}, {"threshold", "segments", "importance_repeats"}),
        (PreprocessingSettings(), columns(), {"scaling"}, {"binarize"}),
        (PreprocessingSettings(), IMAGES, {"binarize"}, set()),
        (AutoencoderSettings(variant="deep"), IMAGES, {"hidden_sizes"}, {"beta", "free_bits"}),
        (AutoencoderSettings(variant="variational"), IMAGES, {"beta", "free_bits"}, set()),
        (Problem(name="x", task="binary", target="y"), columns(), {"positive"}, {"target_transform"}),
    ],
)  # fmt: skip
def test_a_setting_that_another_value_would_be_refused_of_is_left_out(settings, rows, used, without_use):
    found = used_settings(settings, rows)
    assert used <= set(found)
    assert not without_use & set(found)
    plain = settings.model_dump(mode="json")
    assert all(plain[name] == value for name, value in found.items() if not isinstance(value, dict))


def test_what_was_changed_is_always_shown():
    changed = FinetuningSettings(epochs=3, dropout=0.4, max_norm=2.0)
    found = used_settings(changed, columns())
    assert (found["epochs"], found["dropout"], found["max_norm"]) == (3, 0.4, 2.0)


def test_a_plain_value_stays_as_it_is():
    assert used_settings(7, columns()) == 7
    assert used_settings([1, 2], columns()) == [1, 2]
