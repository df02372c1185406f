import joblib
import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV

from layerwise.models import (
    EstimatorConfig,
    EstimatorNetwork,
    fit_estimator,
    fit_models,
    load_network,
    model_scores,
    save_network,
)

SMALL = {"random_state": 0}
CASES = [
    ("binary", LogisticRegression()),
    ("binary", RandomForestClassifier(5, **SMALL)),
    ("binary", HistGradientBoostingClassifier(max_iter=5, **SMALL)),
    ("multiclass", LogisticRegression()),
    ("multiclass", HistGradientBoostingClassifier(max_iter=3, **SMALL)),
    ("multilabel", RandomForestClassifier(5, **SMALL)),
    ("regression", RidgeCV()),
    ("regression", RandomForestRegressor(5, **SMALL)),
    ("regression", HistGradientBoostingRegressor(max_iter=5, **SMALL)),
]


def rows(task):
    rng = torch.Generator().manual_seed(0)
    inputs = torch.randn(200, 4, generator=rng)
    if task == "regression":
        return inputs, inputs[:, :2] + 0.1 * torch.randn(200, 2, generator=rng), 2
    if task == "multiclass":
        return inputs, inputs[:, :3].argmax(1), 3
    k = 1 if task == "binary" else 2
    return inputs, (inputs[:, :k] > 0).float(), k


def predicted(task, network, inputs):
    outputs = network(inputs)
    if task == "regression":
        return outputs.numpy()
    return (outputs.softmax(1) if task == "multiclass" else outputs.sigmoid()).numpy()


@pytest.mark.parametrize(("task", "model"), CASES)
def test_a_model_answers_as_scikit_learn_does_also_after_it_was_saved(tmp_path, task, model):
    from sklearn.base import clone

    inputs, targets, k = rows(task)
    network = fit_estimator(model, "a model", task, inputs, targets, k)
    x = inputs.numpy()
    if task == "multiclass":
        expected = clone(model).fit(x, targets.numpy()).predict_proba(x)
    elif task == "regression":
        expected = np.stack([clone(model).fit(x, y).predict(x) for y in targets.numpy().T], 1)
    else:
        expected = np.stack([clone(model).fit(x, y).predict_proba(x)[:, 1] for y in targets.numpy().T], 1)
    np.testing.assert_allclose(predicted(task, network, inputs), expected, atol=3e-6)
    save_network(network, tmp_path)
    back = load_network(tmp_path)
    assert torch.equal(back(inputs), network(inputs))
    assert back.config.name == "a model"


def test_weights_count_rows():
    inputs, targets, k = rows("regression")
    counts = torch.randint(1, 4, (200,), generator=torch.Generator().manual_seed(0))
    model = RidgeCV(alphas=[1e-6])
    weighted = fit_estimator(model, "r", "regression", inputs, targets, k, counts.float())
    repeated = fit_estimator(
        model,
        "r",
        "regression",
        inputs.repeat_interleave(counts, 0),
        targets.repeat_interleave(counts, 0),
        k,
    )
    torch.testing.assert_close(weighted(inputs), repeated(inputs), atol=1e-4, rtol=0)


def test_a_class_that_no_row_has_gets_no_probability():
    inputs, _, _ = rows("binary")
    targets = torch.where(inputs[:, 0] > 0, 2, 0)
    network = fit_estimator(LogisticRegression(), "l", "multiclass", inputs, targets, 3)
    assert float(network(inputs).softmax(1)[:, 1].max()) < 1e-5


def test_labels_that_are_all_the_same_are_predicted():
    inputs, _, _ = rows("binary")
    targets = torch.stack([torch.ones(200), torch.zeros(200)], 1)
    chances = fit_estimator(LogisticRegression(), "l", "multilabel", inputs, targets, 2)(inputs).sigmoid()
    assert float(chances[:, 0].min()) > 0.999
    assert float(chances[:, 1].max()) < 0.001


def test_types_that_are_not_trusted_are_refused():
    import skops.io

    class Unknown:
        pass

    content = skops.io.dumps([Unknown()])
    config = EstimatorConfig(name="u", task="regression", n_inputs=1, n_outputs=1, n_bytes=len(content))
    network = EstimatorNetwork(config)
    network.skops.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
    with pytest.raises(ValueError, match="types that are not trusted"):
        network(torch.zeros(1, 1))


class CountingModel(BaseEstimator):
    """Keeps how many threads it may be fitted in."""

    def fit(self, x, y):
        self.threads_ = joblib.effective_n_jobs(None)
        return self


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_a_model_is_fitted_in_as_many_threads_as_torch_has(two_threads):
    inputs, targets, _ = rows("regression")
    (fitted,) = fit_models(CountingModel(), "regression", inputs.numpy(), [targets[:, 0].numpy()])
    assert fitted.threads_ == 2
    assert joblib.effective_n_jobs(None) == 1  # and asked in one


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_forest_of_two_threads_is_that_of_one(two_threads, task):
    inputs, targets, k = rows(task)
    x, y = inputs.numpy(), targets[:, 0].numpy()
    kind = RandomForestRegressor if task == "regression" else RandomForestClassifier
    fitted = fit_models(kind(20, **SMALL), task, x, [y])
    alone = [kind(20, **SMALL).fit(x, y)]
    np.testing.assert_array_equal(model_scores(fitted, task, x, k), model_scores(alone, task, x, k))
    assert fitted[0].n_jobs is None
