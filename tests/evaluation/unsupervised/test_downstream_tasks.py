import math
from itertools import count

import numpy as np
import pytest
import torch
from helpers.seeded import seeded
from sklearn.decomposition import PCA

from layerwise.data import ColumnBlock, DataSpec
from layerwise.evaluation.metrics import compute_metrics
from layerwise.evaluation.unsupervised import (
    active_units,
    choose_iterations,
    decoder_bytes,
    evaluate_detection,
    fit_pca,
    imputation_errors,
    impute,
    impute_with_baselines,
    jpeg_bytes,
    jpeg_rate_distortion,
    latent_rate_distortion,
    latent_statistics,
    mask_cells,
    peak_signal_to_noise_ratio,
    structural_similarity,
    synthetic_anomalies,
)
from layerwise.evaluation.unsupervised.compression import jpeg, quantize


def test_principal_components_are_those_of_scikit_learn():
    rows = torch.randn(80, 6, generator=seeded()) @ torch.randn(6, 6, generator=seeded(1)) + 2
    pca = PCA(3).fit(rows.numpy())
    expected = pca.inverse_transform(pca.transform(rows.numpy()))
    found = fit_pca(rows, 3)
    np.testing.assert_allclose(found.decode(found.encode(rows)).numpy(), expected, atol=1e-4)
    whole = fit_pca(rows, 6)
    torch.testing.assert_close(whole.decode(whole.encode(rows)), rows, rtol=1e-4, atol=1e-4)


def test_as_many_components_are_kept_as_explain_the_fraction_asked_for():
    stds = torch.tensor([10, 5, 1, 0.1, 0.1, 0.1]).double()
    rows = torch.randn(300, 6, generator=seeded(), dtype=torch.float64) * stds
    pca = PCA(0.95, svd_solver="full").fit(rows.numpy())
    found = fit_pca(rows, 0.95)
    assert found.directions.shape == pca.components_.shape == (2, 6)
    np.testing.assert_allclose(found.fractions.numpy(), pca.explained_variance_ratio_, rtol=1e-9)
    new = rows[:3] + 1
    np.testing.assert_allclose(
        np.abs(found.encode(new).numpy()), np.abs(pca.transform(new.numpy())), atol=1e-8
    )
    assert (found.directions.gather(1, found.directions.abs().argmax(1, keepdim=True)) > 0).all()
    assert len(fit_pca(rows, 0.999999).directions) > 3
    assert len(fit_pca(rows, 9).directions) == 6


def test_quantized_latents_take_few_values_and_their_error_falls_with_the_bits():
    latents = torch.rand(500, 4, generator=seeded())
    assert len(quantize(latents, latents, 2)[:, 0].unique()) == 4
    points = latent_rate_distortion(latents, latents, latents, lambda latents: latents)
    assert [point.bytes for point in points] == [1, 1.5, 2, 3, 4]
    errors = [point.squared_error for point in points]
    assert errors == sorted(errors, reverse=True)
    # Rounding to steps of 1/255 leaves a twelfth of the squared step a unit; the bounds of 99 % add a little.
    assert errors[-1] == pytest.approx(4 * (0.99 / 255) ** 2 / 12, rel=0.5)


def test_the_size_of_a_jpeg_is_that_of_its_scan():
    image = (torch.rand(28, 28, generator=seeded()) * 255).to(torch.uint8).numpy()
    decoded, size = jpeg(image, 90)
    assert decoded.shape == (28, 28)
    _, flat_size = jpeg(np.zeros((28, 28), dtype=np.uint8), 90)
    # 16 blocks of one colour: 2 bits for no change and 4 for the end of the block.
    assert flat_size == pytest.approx(16 * 6 / 8, abs=2)
    assert size > 10 * flat_size
    points = jpeg_rate_distortion(torch.from_numpy(image.reshape(1, -1) / 255).float(), (28, 28))
    assert [p.bytes for p in points] == sorted(p.bytes for p in points)


def test_the_peak_signal_to_noise_ratio_of_a_constant_error():
    rows = torch.zeros(2, 10)
    assert peak_signal_to_noise_ratio(rows, rows + 0.1).tolist() == pytest.approx([20, 20], rel=1e-4)


def test_structural_similarity_of_constant_and_of_equal_images():
    rows = torch.rand(3, 400, generator=seeded())
    assert structural_similarity(rows, rows, (20, 20)).tolist() == pytest.approx([1, 1, 1])
    dark, light = torch.full((1, 400), 0.2), torch.full((1, 400), 0.6)
    c1 = 0.01**2
    expected = (2 * 0.2 * 0.6 + c1) / (0.2**2 + 0.6**2 + c1)
    assert float(structural_similarity(dark, light, (20, 20))) == pytest.approx(expected, rel=1e-4)
    assert float(structural_similarity(rows, 1 - rows, (20, 20)).max()) < 0


def test_structural_similarity_weighs_the_window():
    x = torch.rand(1, 121, generator=seeded(), dtype=torch.float64)
    y = torch.rand(1, 121, generator=seeded(1), dtype=torch.float64)
    line = torch.exp(-((torch.arange(11) - 5.0) ** 2) / (2 * 1.5**2)).double()
    w = torch.outer(line, line).flatten() / line.sum() ** 2
    mx, my = (w * x).sum(), (w * y).sum()
    vx, vy, cov = (w * (x - mx) ** 2).sum(), (w * (y - my) ** 2).sum(), (w * (x - mx) * (y - my)).sum()
    c1, c2 = 1e-4, 9e-4
    expected = (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    assert float(structural_similarity(x, y, (11, 11))) == pytest.approx(float(expected))


def test_detection_metrics_are_the_auc_and_the_rates_above_the_threshold():
    validation = torch.arange(100.0)
    scores = torch.tensor([10.0, 50, 96, 97, 200, 20])
    is_anomaly = torch.tensor([False, False, False, True, True, True])
    found = evaluate_detection(validation, scores, is_anomaly)
    assert found.auc == pytest.approx((3 + 3 + 1) / 9)
    assert 94 < found.threshold < 95
    assert (found.recall, found.false_positive_rate) == (pytest.approx(2 / 3), pytest.approx(1 / 3))


def test_detection_metrics_have_an_interval_and_the_precision_of_the_highest_scores():
    from sklearn.metrics import average_precision_score

    scores = torch.tensor([0.1, 0.2, 0.3, 0.9, 0.9, 0.8, 0.4, 0.9])
    is_anomaly = torch.tensor([False, False, False, True, False, True, False, False])
    found = evaluate_detection(scores[:4], scores, is_anomaly)
    assert found.average_precision == pytest.approx(average_precision_score(is_anomaly, scores))
    # Three rows share the highest score, one of them an anomaly: two of them count.
    assert found.precision_at_n == pytest.approx((2 / 3) / 2)
    assert found.auc_low < found.auc < found.auc_high


def test_the_interval_of_a_detection_has_as_many_resamples_as_asked_for():
    scores = torch.rand(60, generator=seeded())
    is_anomaly = torch.arange(60) % 3 == 0
    ranks = (scores.argsort().argsort() + 1) / 60
    for n in (50, 400):
        found = evaluate_detection(scores, scores, is_anomaly, seed=3, n_bootstrap=n)
        expected = compute_metrics("binary", is_anomaly.double(), ranks.double(), seed=3, n_bootstrap=n)
        assert found.auc_low == pytest.approx(expected["roc_auc"].low, rel=1e-9)
        assert found.auc_high == pytest.approx(expected["roc_auc"].high, rel=1e-9)


def test_synthetic_anomalies_hold_values_of_their_columns_in_new_rows():
    rows = torch.arange(200).reshape(50, 4).float()
    found = synthetic_anomalies(rows, torch.tensor([0, 1, 1, 2]), seeded())
    assert (found % 4 == rows % 4).all()
    assert (found[:, 1] + 1 == found[:, 2]).all()
    assert 0.3 < float((found != rows).float().mean()) < 0.7


def test_no_synthetic_anomaly_is_a_real_row():
    rows = torch.randint(0, 3, (2000, 3), generator=seeded()).float() + torch.rand(
        2000, 1, generator=seeded()
    )
    rows[:, 1:] = rows[:, 1:].floor()
    rows[:, 0] = torch.arange(2000.0)
    found = synthetic_anomalies(rows, torch.tensor([0, 1, 2]), seeded())
    # The first column says which row the others belong to.
    own = rows[found[:, 0].long()]
    assert not bool((found == own).all(1).any())
    assert len(found) > 1900


def test_rows_of_one_group_of_columns_have_no_synthetic_anomalies():
    rows = torch.rand(20, 2, generator=seeded())
    assert len(synthetic_anomalies(rows, torch.tensor([0, 0]), seeded())) == 0


BLOCKS = (
    ColumnBlock(name="a", kind="real", start=0, stop=1),
    ColumnBlock(name="b", kind="real", start=1, stop=2),
    ColumnBlock(name="c", kind="categorical", start=2, stop=4, categories=("x", "y", "z")),
)


def test_cells_are_masked_by_block():
    cells, columns = mask_cells(500, BLOCKS, 0.2, seeded())
    assert torch.equal(columns[:, 2], columns[:, 3])
    assert torch.equal(columns[:, :3], cells)
    assert float(cells.float().mean()) == pytest.approx(0.2, abs=0.05)


def test_missing_cells_are_imputed_from_the_rows_principal_component():
    a = torch.randn(100, 1, generator=seeded())
    rows = torch.cat([a, 2 * a], 1)
    pca = fit_pca(rows, 1)
    missing = torch.zeros_like(rows, dtype=torch.bool)
    missing[:, 1] = True
    imputed = impute(lambda x: pca.decode(pca.encode(x)), rows, missing, rows.mean(0), n_iterations=200)
    torch.testing.assert_close(imputed, rows, rtol=1e-3, atol=1e-3)
    assert torch.equal(imputed[:, 0], rows[:, 0])


def test_as_many_reconstructions_fill_cells_as_fill_those_of_validation_rows_best():
    factor = torch.randn(300, 1, generator=torch.Generator().manual_seed(0))
    rows = factor @ torch.tensor([[1.0, 2, -1, 0.5]])
    pca, means = fit_pca(rows, 1), rows.mean(0)
    blocks = tuple(ColumnBlock(name=f"x{k}", kind="real", start=k, stop=k + 1) for k in range(4))
    columns = DataSpec(
        task="regression",
        n_inputs=4,
        n_outputs=1,
        feature_names=tuple(block.name for block in blocks),
        blocks=blocks,
        target_names=("t",),
    )

    def knows(x):
        return pca.decode(pca.encode(x))

    assert choose_iterations(knows, rows, means, columns) == 20
    # The first one is right, and each further one farther off.
    offset = count()
    assert choose_iterations(lambda x: rows + next(offset), rows, means, columns) == 1
    # What copies ends where it began, and what makes it larger far off: the means stay.
    assert choose_iterations(lambda x: x.clone(), rows, means, columns) == 0
    assert choose_iterations(lambda x: 3 * x + 1, rows, means, columns) == 0
    assert choose_iterations(lambda x: x * torch.nan, rows, means, columns) == 0


def test_imputation_errors_are_of_masked_cells_alone():
    rows = torch.tensor([[1.0, 0, 0, 0], [3, 5, 1, 0], [5, 9, 0, 1]])
    imputed = torch.tensor([[2.0, 7, 0, 0], [3, 5, 0, 0.2], [5, 9, 0.1, 0.8]])
    means = torch.tensor([0.0, 0, 0.2, 0.2]).expand(3, 4)
    cells = torch.tensor([[True, False, False], [False, False, True], [False, False, True]])
    found = imputation_errors(rows, {"autoencoder": imputed, "mean": means}, cells, BLOCKS)
    assert [each.column for each in found.root] == ["a", "c"]
    assert found.root[0].errors == {"autoencoder": 1, "mean": 1}
    # Row 2 is y and was imputed as x (the rest); row 3 is z both times. The baseline is x.
    assert found.root[1].errors == {"autoencoder": 0.5, "mean": 1}
    assert "of 2 columns: better than mean in 1" in str(found)


RAW_BLOCKS = (
    ColumnBlock(name="when_days", kind="real", start=0, stop=1, raw="when"),
    ColumnBlock(name="when_month_sin", kind="real", start=1, stop=2, raw="when"),
    ColumnBlock(name="x", kind="real", start=2, stop=3, raw="x"),
    ColumnBlock(name="other", kind="real", start=3, stop=4),
    ColumnBlock(name="x_missing", kind="binary", start=4, stop=5, raw="x", is_indicator=True),
)


def test_what_comes_from_one_raw_column_is_masked_together():
    cells, columns = mask_cells(500, RAW_BLOCKS, 0.3, seeded())
    assert cells.shape == (500, 3)
    assert torch.equal(columns[:, 0], columns[:, 1])
    assert torch.equal(columns[:, 2], columns[:, 4])
    assert bool((columns[:, 2] != columns[:, 3]).any())


def test_a_date_has_one_error_and_cells_that_were_empty_have_none():
    rows = torch.tensor([[0.0, 0, 1, 0, 0], [0, 0, 2, 0, 1], [0, 0, 3, 0, 0]])
    imputed = rows + torch.tensor([3.0, 4, 1, 0, 0.5])
    imputed[1, 2] = 99
    cells = torch.ones(3, 3, dtype=torch.bool)
    report = imputation_errors(rows, {"a": imputed}, cells, RAW_BLOCKS)
    found = {each.column: each.errors for each in report.root}
    assert list(found) == ["when", "x", "other"]
    assert found["when"]["a"] == pytest.approx(12.5**0.5)
    assert found["x"]["a"] == pytest.approx(1)


def test_the_baselines_of_imputation_are_scikit_learns_imputers():
    from sklearn.impute import KNNImputer

    rng = seeded()
    training = torch.randn(300, 1, generator=rng) @ torch.ones(1, 4)
    training += 0.1 * torch.randn(300, 4, generator=rng)
    rows = training[:50] + 0.01
    missing = torch.rand(50, 4, generator=rng) < 0.3
    missing[missing.all(1), 0] = False
    found = impute_with_baselines(training, rows, missing, 0)
    holes = rows.masked_fill(missing, torch.nan).numpy()
    assert found["knn"].numpy() == pytest.approx(
        KNNImputer().fit(training.numpy()).transform(holes), abs=1e-5
    )
    torch.testing.assert_close(found["mean"], torch.where(missing, training.mean(0), rows))
    errors = {name: float((each - rows)[missing].square().mean()) for name, each in found.items()}
    assert errors["iterative"] < errors["mean"] / 10
    assert errors["knn"] < errors["mean"] / 10


def test_the_bytes_of_a_decoder_are_those_of_the_parameters_that_decoding_needs():
    encoder, decoder = torch.nn.Linear(10, 3), torch.nn.Linear(3, 10)
    latents = encoder(torch.rand(5, 10)).detach()
    found = decoder_bytes(decoder, latents, [*encoder.parameters(), *decoder.parameters()])
    assert found == 4 * (3 * 10 + 10) + 2 * 4 * 3


def test_the_bytes_of_a_jpeg_are_headers_and_data():
    import io

    import numpy as np
    from PIL import Image

    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=50)
    headers, data = jpeg_bytes(pixels, 50)
    assert headers + data == len(buffer.getvalue())
    assert headers > 300 > data > 0
    assert jpeg_bytes(np.zeros((28, 28), np.uint8), 50)[0] == headers


def test_statistics_of_latents():
    latents = torch.tensor([[3.0, 0, 0, 1e-6], [0, 4, 0, 1e-6], [2, 0, 0, 1e-6], [0, 1, 0, 1e-6]])
    found = latent_statistics(latents)
    assert found["dead_units"] == 2
    assert found["zero_fraction"] == pytest.approx(0.5)
    assert found["sparseness"] == pytest.approx(1, abs=1e-4)
    even = latent_statistics(torch.ones(3, 4))
    assert even["sparseness"] == pytest.approx(0)
    assert math.isfinite(latent_statistics(torch.zeros(3, 4))["sparseness"])


def test_a_latent_unit_is_active_if_its_mean_varies():
    means = torch.randn(5000, 3, generator=seeded()) * torch.tensor([0.05, 0.2, 1.0])
    assert active_units(means) == 2


def test_components_of_more_columns_than_rows_are_the_singular_vectors():
    # Orthogonal patterns over the rows, each of mean 0, times orthogonal directions of 1,200 columns.
    patterns = torch.linalg.qr(torch.cat([torch.ones(8, 1), torch.randn(8, 3, generator=seeded())], 1))[0][
        :, 1:
    ]
    directions = torch.linalg.qr(torch.randn(1200, 3, generator=seeded(1)).double())[0].t()
    found = fit_pca(
        patterns.double() @ torch.diag(torch.tensor([3.0, 2.0, 1.0]).double()) @ directions + 5, 3
    )
    np.testing.assert_allclose((found.directions @ directions.t()).abs().numpy(), np.eye(3), atol=1e-6)
    np.testing.assert_allclose(found.fractions.numpy(), np.array([9, 4, 1]) / 14, rtol=1e-6)
