import inspect
import json
import math

import pytest
from kedro.io import DatasetError

from layerwise.data import ColumnBlock, DataSpec
from layerwise.datasets import MetricsDataset, TypedDataset
from layerwise.evaluation.likelihood import VariationalLikelihood
from layerwise.evaluation.metrics import LoggedMetrics

SPEC = DataSpec(
    task="regression",
    n_inputs=1,
    n_outputs=1,
    feature_names=("x",),
    blocks=(ColumnBlock(name="x", kind="real", start=0, stop=1),),
    target_names=("y",),
    target_means=(0.1 + 0.2,),
    target_scales=(1e-17,),
)


def typed(path, model="layerwise.data.DataSpec"):
    return TypedDataset(filepath=str(path), model=model)


def test_an_object_comes_back_equal_and_of_its_class(tmp_path):
    dataset = typed(tmp_path / "a" / "spec.json")
    assert not dataset.exists()
    dataset.save(SPEC)
    assert dataset.exists()
    assert dataset.load() == SPEC
    assert type(dataset.load()) is DataSpec


def test_an_object_of_another_class_is_not_written(tmp_path):
    dataset = typed(tmp_path / "spec.json")
    with pytest.raises(DatasetError, match=r"is for layerwise\.data\.DataSpec, not for dict"):
        dataset.save(SPEC.model_dump())
    assert not dataset.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"task": "regression"}', r"holds no layerwise\.data\.DataSpec: n_inputs: Field required"),
        ("{", "cannot be read"),
    ],
)
def test_a_file_of_something_else_is_named(tmp_path, text, message):
    (tmp_path / "spec.json").write_text(text)
    with pytest.raises(DatasetError, match=rf"spec\.json {message}"):
        typed(tmp_path / "spec.json").load()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("layerwise.data.DataSpek", "there is no class layerwise.data.DataSpek"),
        ("layerwise.nothing.DataSpec", "there is no class layerwise.nothing.DataSpec"),
        ("DataSpec", "there is no class DataSpec"),
        ("layerwise.data.split_raw", "layerwise.data.split_raw is no pydantic model"),
    ],
)
def test_an_entry_with_a_wrong_class_says_so(tmp_path, model, message):
    with pytest.raises(DatasetError, match=message):
        typed(tmp_path / "spec.json", model).save(SPEC)


def test_metrics_come_back_with_their_steps_and_every_bit(tmp_path):
    metrics = LoggedMetrics.of({"test/error": 0.1 + 0.2, "test/log_prob": -math.inf})
    metrics += LoggedMetrics.of({"train/loss": 1.5}, step=3)
    dataset = MetricsDataset(filepath=str(tmp_path / "metrics.json"))
    dataset.save(metrics)
    assert dataset.load() == metrics
    assert dataset.preview() == {
        "index": [0, 1, 2],
        "columns": ["name", "value", "step"],
        "data": [
            ["test/error", 0.1 + 0.2, None],
            ["test/log_prob", -math.inf, None],
            ["train/loss", 1.5, 3],
        ],
    }


@pytest.mark.parametrize(("kind", "name"), [(TypedDataset, "JSONPreview"), (MetricsDataset, "TablePreview")])
def test_kedro_viz_knows_the_kind_of_preview(kind, name):
    assert inspect.signature(kind.preview).return_annotation == name


def test_what_is_no_number_is_valid_json_and_comes_back(tmp_path):
    model = "layerwise.evaluation.likelihood.VariationalLikelihood"
    values = {"elbo": -math.inf, "reconstruction": 1.5, "kl_divergence": math.nan, "log_prob": -2.0}
    whole = VariationalLikelihood(**values, standard_error=None, samples=1, rows=1)
    entry = typed(tmp_path / "a.json", model)
    entry.save(whole)

    def refuse(name):
        raise AssertionError(name)

    written = json.loads((tmp_path / "a.json").read_text(), parse_constant=refuse)
    assert (written["elbo"], written["kl_divergence"], written["reconstruction"]) == ("-Infinity", "NaN", 1.5)
    found = entry.load()
    assert found.elbo == -math.inf
    assert math.isnan(found.kl_divergence)
