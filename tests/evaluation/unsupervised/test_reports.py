"""The typed results of an autoencoder's and an RBM's evaluation, against what they are by definition."""

import pytest
import torch

from layerwise.data import ColumnBlock, DataError, DataSpec, TensorData
from layerwise.evaluation.unsupervised import (
    ImputationReport,
    compare_compression,
    evaluate_denoising,
    evaluate_detector,
    evaluate_reconstructions,
    evaluate_sequences,
    rows_without_class,
)
from layerwise.models.autoencoder import Autoencoder, AutoencoderConfig

ROWS = torch.rand(60, 4, generator=torch.Generator().manual_seed(0))
CLASSES = torch.arange(60) % 3


def columns(task="multiclass", n_outputs=3, class_names=("a", "b", "c")):
    names = tuple("wxyz")
    return DataSpec(
        task=task,
        n_inputs=4,
        n_outputs=n_outputs,
        feature_names=names,
        blocks=tuple(ColumnBlock(name=n, kind="real", start=k, stop=k + 1) for k, n in enumerate(names)),
        target_names=("t",),
        class_names=class_names,
    )


def parts():
    rows = TensorData(ROWS, CLASSES)
    return rows[slice(0, 30)], rows[slice(30, 45)], rows[slice(45, 60)]


@pytest.fixture
def identity():
    """An autoencoder whose latent is the row itself."""
    config = AutoencoderConfig(
        n_inputs=4, latent_size=4, latent_activation="linear", loss="squared", output="linear"
    )
    network = Autoencoder(config, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.eye(4) if parameter.dim() == 2 else torch.zeros(4))
    return network


@pytest.mark.parametrize(("name", "held_out"), [("a", 0), (None, 2)])
def test_a_class_is_taken_out_of_the_rows_to_learn_from_alone(name, held_out):
    training, validation, test = parts()
    found = rows_without_class(training, validation, test, columns(), name, 0)
    assert torch.equal(found.training, training.inputs[training.targets != held_out])
    assert torch.equal(found.validation, validation.inputs[validation.targets != held_out])
    assert torch.equal(found.test, test.inputs)
    assert torch.equal(found.is_anomaly, test.targets == held_out)
    assert found.name == f"class {'abc'[held_out]}"


def test_without_classes_anomalies_are_made_of_pairs_of_test_rows():
    found = rows_without_class(*parts(), columns("regression", 1, ()), None, 0)
    assert len(found.training) == 30
    assert found.is_anomaly.tolist() == [False] * 15 + [True] * 15
    assert torch.equal(found.test[:15], ROWS[45:])
    for k in range(4):
        assert set(found.test[15:, k].tolist()) <= set(ROWS[45:, k].tolist())
    assert not torch.equal(found.test[15:], ROWS[45:])


@pytest.mark.parametrize(
    ("task", "name", "message"),
    [("multiclass", "d", "no class 'd'; known: a, b, c"), ("regression", "a", "a regression task has none")],
)
def test_a_class_that_there_is_not_is_refused(task, name, message):
    with pytest.raises(DataError, match=message):
        rows_without_class(*parts(), columns(task), name, 0)


def test_a_detector_that_reconstructs_everything_knows_nothing(identity):
    rows = rows_without_class(*parts(), columns(), "a", 0)
    found = evaluate_detector(identity, rows, columns(), 0)
    assert found.methods["reconstruction"].auc == pytest.approx(0.5)
    assert found.is_anomaly == tuple((CLASSES[45:] == 0).tolist())
    logged = found.metrics()
    assert logged["anomaly_auc"] == logged["anomalies/density_auc"]
    assert logged["anomalies/isolation_forest_auc"] == found.methods["isolation_forest"].auc


def test_a_perfect_autoencoder_has_no_error_and_as_many_components_have_none_either(identity):
    found = evaluate_reconstructions(identity, ROWS[:30], ROWS[45:], columns())
    assert found.reconstruction["reconstruction_sse"] == 0
    assert found.pca.components == 4
    assert found.pca.reconstruction_sse == pytest.approx(0, abs=1e-10)
    assert found.jacobian_norm == pytest.approx(2.0)  # of the identity in 4 dimensions
    logged = found.metrics()
    assert logged["latent/units"] == 4
    assert logged["pca_reconstruction_sse"] == found.pca.reconstruction_sse
    assert logged["jacobian_norm"] == found.jacobian_norm


def test_a_report_knows_whether_components_are_better(identity):
    found = evaluate_reconstructions(identity, ROWS[:30], ROWS[45:], columns())
    assert not found.is_worse_than_components
    with_error = found.model_copy(update={"reconstruction": {"reconstruction_sse": 0.5}})
    assert with_error.is_worse_than_components


def test_compression_takes_latents_as_large_as_the_row_too(identity):
    found = compare_compression(identity, ROWS[:30], ROWS[45:], columns())
    assert set(found.curves) == {"autoencoder", "pca"}
    assert [point.bytes for point in found.curves["autoencoder"]] == [1, 1.5, 2, 3, 4]
    errors = [point.squared_error for point in found.curves["autoencoder"]]
    assert errors == sorted(errors, reverse=True)
    # Eight bits over a range of at most 1: a step of 1/255, whose squared error is at most a quarter of its square.
    assert found.metrics()["autoencoder_error"] == min(errors)


def test_denoising_compares_images_before_and_after():
    clean = torch.zeros(5, 121)
    found = evaluate_denoising(lambda x: x / 10, clean, {"gray": torch.full((5, 121), 0.1)}, (11, 11))
    assert found.root["gray"]["before"].psnr == pytest.approx(20.0, abs=1e-4)
    assert found.root["gray"]["after"].psnr == pytest.approx(40.0, abs=1e-4)
    assert set(found.metrics()) == {"gray/psnr", "gray/ssim"}
    assert found.metrics()["gray/psnr"] == found.root["gray"]["after"].psnr


class LastLine:
    """Reconstructs exactly, and repeats the last line."""

    def reconstruct(self, past):
        return past

    def predict(self, past, n):
        return past[:, -1:].expand(-1, n, -1)


def test_sequences_are_measured_beside_the_mean_and_the_last_line():
    training = torch.zeros(3, 4, 2)
    test = torch.ones(2, 4, 2)
    test[:, 1] = 3.0  # the last line that is given
    found = evaluate_sequences(LastLine(), training, test, 2)
    assert found.reconstruction_sse == 0
    assert found.prediction_sse == found.last_line_sse == 4 * (3 - 1) ** 2
    assert found.mean_sse == 4 * 1


def test_imputation_is_counted_and_logged_by_column():
    lines = [
        {"column": "x", "metric": "rmse", "errors": {"autoencoder": 0.5, "mean": 1.0, "knn": 0.6}},
        {"column": "y", "metric": "error", "errors": {"autoencoder": 0.5, "mean": 0.25, "knn": 0.7}},
    ]
    found = ImputationReport.model_validate(lines)
    assert found.metrics() == {"x": 0.5, "y": 0.5}
    assert str(found) == "Imputation, of 2 columns: better than mean in 1, knn in 2"
    assert ImputationReport.model_validate_json(found.model_dump_json()) == found
