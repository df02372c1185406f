"""The density of latent and reconstruction error, against SciPy's normal distributions and scikit-learn's AUC."""

import numpy as np
import pytest
import torch
from helpers.seeded import seeded
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.metrics import roc_auc_score

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.evaluation.unsupervised import (
    AnomalyReference,
    RowDensity,
    detect_each_class,
    fit_pca,
    make_scorer,
)
from layerwise.models.autoencoder import Autoencoder, AutoencoderConfig
from layerwise.models.rbm import DBM, DBN, RBM, DBMConfig, DBNConfig, RBMConfig
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder


def columns(image_shape=None, class_names=("a", "b", "c")):
    return DataSpec(
        task="multiclass",
        n_inputs=4,
        n_outputs=3,
        feature_names=tuple("wxyz"),
        blocks=tuple(ColumnBlock(name=n, kind="real", start=k, stop=k + 1) for k, n in enumerate("wxyz")),
        target_names=("t",),
        class_names=class_names,
        image_shape=image_shape,
    )


@pytest.fixture
def linear():
    """An autoencoder that keeps the first two of four columns."""
    config = AutoencoderConfig(
        n_inputs=4, latent_size=2, latent_activation="linear", loss="squared", output="linear"
    )
    network = Autoencoder(config, seeded()).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(
                torch.eye(*parameter.shape) if parameter.dim() == 2 else torch.zeros(len(parameter))
            )
    return network


def clusters(n=120, seed=0):
    """Rows of three classes whose places are seen in the first two columns."""
    codes = torch.arange(n) % 3
    places = torch.tensor([[2.0, 2, 0, 0], [-2, 2, 0, 0], [0, -3, 0, 0]])
    return TensorData(places[codes] + 0.3 * torch.randn(n, 4, generator=seeded(seed)), codes)


def test_the_score_is_minus_the_log_density_of_a_mixture_of_normal_distributions(linear):
    rows = clusters().inputs
    found = RowDensity.fit(linear, rows, of_images=False)
    new = clusters(seed=1).inputs
    pca = fit_pca(rows[:, :2], 30)
    errors = np.log(new[:, 2:].square().sum(1, keepdim=True).numpy() + 4e-6)
    x = np.concatenate([pca.encode(new[:, :2]).numpy(), errors], 1) / np.array(found.scales)
    parts = [
        weight + multivariate_normal(mean, np.linalg.inv(np.array(factor) @ np.array(factor).T)).logpdf(x)
        for weight, mean, factor in zip(found.log_weights, found.means, found.factors, strict=True)
    ]
    assert len(parts) == 4
    assert sum(np.exp(found.log_weights)) == pytest.approx(1)
    np.testing.assert_allclose(
        found.scores(linear, new).numpy(), -logsumexp(parts, axis=0), rtol=1e-3, atol=1e-3
    )


def test_a_row_between_the_clusters_is_unusual_though_its_error_is_small(linear):
    density = RowDensity.fit(linear, clusters().inputs, of_images=False)
    between = torch.tensor([[0.0, 0.5, 0.2, 0.2]])
    usual = density.scores(linear, clusters(seed=1).inputs)
    assert float(density.scores(linear, between)) > float(usual.quantile(0.99))
    loss = linear.reconstruction_loss
    assert float(loss(between)) < float(loss(clusters(seed=1).inputs).median())


@pytest.mark.parametrize("of_images", [True, False])
def test_a_brighter_image_is_no_more_unusual_and_a_larger_row_is(linear, of_images):
    rows = clusters().inputs
    density = RowDensity.fit(linear, rows, of_images)
    same = torch.allclose(density.scores(linear, 3 * rows), density.scores(linear, rows), atol=0.01)
    assert same == of_images


def test_the_same_rows_have_the_same_density_and_it_survives_json(linear):
    first, second = (RowDensity.fit(linear, clusters().inputs, of_images=True) for _ in range(2))
    assert first == second
    assert RowDensity.model_validate_json(first.model_dump_json()) == first


def test_few_rows_and_a_latent_that_never_moves_have_a_density(linear):
    rows = torch.ones(3, 4)
    assert torch.isfinite(
        RowDensity.fit(linear, rows, of_images=False).scores(linear, clusters().inputs)
    ).all()


def test_each_class_is_scored_by_a_density_of_the_others(linear):
    training, validation, test = clusters(), clusters(45, 1), clusters(60, 2)
    found = detect_each_class(linear, training, validation, test, columns(), 0)
    assert list(found.classes) == ["a", "b", "c"]
    for code, each in enumerate(found.classes.values()):
        others = training.inputs[training.targets != code]
        scores = RowDensity.fit(linear, others, of_images=False).scores(linear, test.inputs)
        assert each.auc == pytest.approx(roc_auc_score(test.targets == code, scores))
        assert each.auc > 0.95
        assert each.auc_low < each.auc <= each.auc_high
        assert each.n_anomalies == 20
    logged = found.metrics()
    assert logged["classes_auc"] == pytest.approx(sum(each.auc for each in found.classes.values()) / 3)
    assert logged["class_b_auc"] == found.classes["b"].auc
    assert "has seen and the density has not" in str(found)


def test_a_class_with_a_single_row_is_left_out_and_there_may_be_none_at_all(linear):
    training, validation, test = clusters(), clusters(45, 1), clusters(60, 2)
    rare = TensorData(test.inputs, torch.where(test.targets == 2, 1, test.targets))
    found = detect_each_class(linear, training, validation, rare, columns(), 0)
    assert list(found.classes) == ["a", "b"]
    none = detect_each_class(linear, training, validation, test[slice(0, 1)], columns(), 0)
    assert none.classes == none.metrics() == {}
    assert "takes two test rows of it" in str(none)


def test_a_reference_holds_the_density_by_which_a_model_scores(linear):
    training, validation = clusters().inputs, clusters(45, 1).inputs
    found = AnomalyReference.of(linear, training, validation, columns())
    density = RowDensity.fit(linear, training, of_images=False)
    assert found.density == density
    scores = make_scorer(linear, columns(), found.density)(validation)[:, 0]
    torch.testing.assert_close(scores, density.scores(linear, validation))
    assert found.score_quantiles[0] == pytest.approx(float(scores.min()), rel=1e-5)
    assert found.threshold(0.1) == pytest.approx(float(scores.quantile(0.9)), rel=0.02)


def test_a_model_without_a_density_scores_as_it_did(linear):
    rows = clusters().inputs
    torch.testing.assert_close(
        make_scorer(linear, columns(), None)(rows)[:, 0], linear.reconstruction_loss(rows)
    )
    rbm = RBM(RBMConfig(n_visible=4, n_hidden=3), seeded())
    bits = rows.gt(0).float()
    assert AnomalyReference.of(rbm, bits, bits, columns()).density is None
    assert AnomalyReference.of(rbm, bits, bits, columns((2, 2))).density is not None
    torch.testing.assert_close(make_scorer(rbm, columns(), None)(bits)[:, 0], rbm.free_energy(bits))


@pytest.mark.parametrize("kind", ["rbm", "dbn", "dbm", "compression", "variational"])
def test_latents_and_reconstructions_are_those_of_the_network_itself(kind):
    rows = torch.rand(20, 4, generator=seeded())
    if kind == "rbm":
        network = RBM(RBMConfig(n_visible=4, n_hidden=3), seeded(1))
    elif kind == "dbn":
        network = DBN(DBNConfig(n_visible=4, hidden_sizes=(3, 2)), seeded(1))
    elif kind == "dbm":
        network = DBM(DBMConfig(n_visible=4, hidden_sizes=(3, 2)), seeded(1))
    else:
        settings = AutoencoderSettings(variant=kind, hidden_sizes=(3,), latent_size=2)
        network = build_autoencoder(settings, columns(), seeded(1)).eval()
    with torch.no_grad():
        latents, reconstructed = network.encode_and_reconstruct(rows)
        assert torch.equal(latents, network.encode(rows))
        assert torch.equal(reconstructed, network.reconstruct(rows))


def test_of_many_classes_those_with_the_most_test_rows_are_scored(linear, monkeypatch):
    monkeypatch.setattr("layerwise.evaluation.unsupervised.anomalies.each_class.MOST_CLASSES", 2)
    training, validation, test = clusters(), clusters(45, 1), clusters(60, 2)
    keep = (test.targets != 1) | (torch.arange(60) < 30)
    found = detect_each_class(linear, training, validation, test[keep.nonzero()[:, 0]], columns(), 0)
    assert list(found.classes) == ["a", "c"]
