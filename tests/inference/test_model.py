import hashlib
import json
import pickle

import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError
from layerwise.data.reading import ChunkedReader
from layerwise.inference import (
    ModelError,
    ModelManifest,
    evaluate_chunks,
    load_trained_model,
    save_trained_model,
)
from layerwise.inference.manifest import MODEL_FORMAT
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.tracking import find_model
from layerwise.utils import torch_rng


def test_a_binary_networks_decision_follows_the_saved_threshold(tmp_path, tables):
    frame = tables.table()
    model = tables.saved(tmp_path, frame, threshold=0.0)
    found = model.predict(frame.drop(columns="left"))
    assert list(found) == ["prediction", "probability_no", "probability_yes", "positive", "threshold"]
    assert set(found["positive"]) == {"yes"}
    assert set(found["prediction"]) == {"yes"}
    np.testing.assert_allclose(found["probability_no"] + found["probability_yes"], 1, rtol=1e-6)


def test_a_regressions_predictions_are_in_the_targets_own_units(tmp_path, tables):
    frame = tables.table()
    model = tables.saved(tmp_path, frame, task="regression", target="cost", drop=["left"])
    found = model.predict(frame)
    assert list(found) == ["prediction"]
    assert found["prediction"].between(500, 1500).all()


def test_a_target_learnt_as_a_logarithm_is_answered_by_its_median_and_its_mean(tmp_path, tables):
    frame = tables.table()
    logged = {"task": "regression", "target": "cost", "drop": ["left"], "target_transform": "log1p"}
    model = tables.saved(tmp_path / "a", frame, smearing=(1.5,), **logged)
    found = model.predict(frame)
    assert list(found) == ["prediction", "prediction_mean"]
    np.testing.assert_allclose(found["prediction_mean"] + 1, 1.5 * (found["prediction"] + 1), rtol=1e-5)
    assert list(tables.saved(tmp_path / "b", frame, **logged).predict(frame)) == ["prediction"]


def test_each_of_several_labels_has_a_prediction_and_a_probability(tmp_path, tables):
    frame = tables.table()
    found = tables.saved(tmp_path, frame, task="multilabel", target=["a", "b"]).predict(frame)
    assert list(found) == ["prediction_a", "prediction_b", "probability_a", "probability_b"]
    assert ((found["probability_a"] >= 0.5) == found["prediction_a"].astype(bool)).all()


def test_a_row_alone_gets_the_prediction_that_it_gets_among_others(tmp_path, tables):
    frame = tables.table()
    model = tables.saved(tmp_path, frame)
    alone = pd.concat([model.predict(frame.iloc[[k]]) for k in range(5)], ignore_index=True)
    pd.testing.assert_frame_equal(alone, model.predict(frame).head(5), rtol=1e-6)


def test_rows_that_cannot_be_predicted_are_named(tmp_path, tables):
    frame = tables.table()
    model = tables.saved(tmp_path, frame)
    frame["city"] = frame["city"].astype(object)
    frame.loc[3, "city"] = "atlantis"
    with pytest.raises(
        DataError, match=r"1 of 200 row\(s\) cannot be predicted: row 3: city holds 'atlantis'"
    ):
        model.predict(frame)
    with pytest.warns(UserWarning, match="atlantis"):
        assert len(model.predict(frame, strict=False)) == 200


def flip_a_byte(folder):
    file = folder / "network.safetensors"
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)


def put_a_pickle_in(folder):
    (folder / "preprocessor/scaler.pkl").write_bytes(pickle.dumps(print))


def put_code_in(folder):
    (folder / "network.py").write_text("raise SystemExit('ran')")


def take_a_file_out(folder):
    (folder / "preprocessor/preprocessor.json").unlink()


def turn_a_file_into_a_link(folder):
    (folder / "network.json").rename(folder.parent / "elsewhere.json")
    (folder / "network.json").symlink_to(folder.parent / "elsewhere.json")
    (folder.parent / "elsewhere.json").write_text("{}")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (flip_a_byte, "network.safetensors was changed"),
        (put_a_pickle_in, "preprocessor/scaler.pkl is not among the model's files"),
        (put_code_in, "network.py is not among the model's files"),
        (take_a_file_out, "preprocessor/preprocessor.json is missing"),
        (turn_a_file_into_a_link, "network.json is no plain file"),
        (lambda folder: (folder / "model.json").write_text("{"), "model.json cannot be read"),
        (lambda folder: (folder / "model.json").unlink(), "there is no model.json"),
    ],
)
def test_a_changed_model_is_refused_with_what_is_wrong(tmp_path, tables, change, words):
    folder = tmp_path / "model"
    tables.saved(folder, tables.table())
    change(folder)
    with pytest.raises(ModelError, match=words):
        load_trained_model(folder)


def as_the_first_edition_saved_it(folder):
    """Change a manifest back to the keys and the format of the first edition."""
    manifest = json.loads((folder / "model.json").read_text())
    old = {
        "run_id": "run",
        "layerwise_version": "layerwise",
        "test_rows_sha256": "test_rows",
        "metrics": "measures",
    }
    manifest = {old.get(name, name): value for name, value in manifest.items()} | {
        "format": 1,
        "pipeline": "mlp",
    }
    (folder / "model.json").write_text(json.dumps(manifest))


def test_a_model_of_the_first_edition_is_refused_with_what_to_do(tmp_path, tables):
    tables.saved(tmp_path, tables.table())
    as_the_first_edition_saved_it(tmp_path)
    with pytest.raises(
        ModelError, match=r"by the first edition of layerwise.*train it anew with kedro run --pipelines=mlp"
    ):
        load_trained_model(tmp_path)


def test_a_first_edition_model_from_mlflow_is_refused_by_its_format_too(tmp_path, tables):
    tables.saved(tmp_path / "data/model", tables.table())
    as_the_first_edition_saved_it(tmp_path / "data/model")
    loader = {"loader_module": "layerwise.serving", "data": "data/model"}
    (tmp_path / "MLmodel").write_text(json.dumps({"flavors": {"python_function": loader}}))
    with pytest.raises(ModelError, match="by the first edition of layerwise"):
        find_model(str(tmp_path), uri="")


def test_a_model_of_a_later_format_is_refused(tmp_path, tables):
    tables.saved(tmp_path, tables.table())
    manifest = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(manifest | {"format": MODEL_FORMAT + 1}))
    with pytest.raises(ModelError, match=rf"has format {MODEL_FORMAT + 1}; .* reads format {MODEL_FORMAT}"):
        load_trained_model(tmp_path)


def test_a_change_that_the_manifest_was_fitted_to_is_found_by_the_manifests_own_hash(tmp_path, tables):
    model = tables.saved(tmp_path, tables.table())
    manifest = json.loads((tmp_path / "model.json").read_text())
    flip_a_byte(tmp_path)
    manifest["files"]["network.safetensors"] = hashlib.sha256(
        (tmp_path / "network.safetensors").read_bytes()
    ).hexdigest()
    (tmp_path / "model.json").write_text(json.dumps(manifest))
    load_trained_model(tmp_path)  # other numbers, and still no code
    with pytest.raises(ModelError, match="not the one that was registered"):
        load_trained_model(tmp_path, model.sha256)


def test_types_that_could_run_code_are_refused_in_the_fitted_scalers_too(tmp_path, tables):
    import skops.io

    class Tool:
        pass

    tables.saved(tmp_path, tables.table())
    skops.io.dump({"scaler": Tool()}, tmp_path / "preprocessor/fitted.skops")
    manifest = json.loads((tmp_path / "model.json").read_text())
    raw = (tmp_path / "preprocessor/fitted.skops").read_bytes()
    manifest["files"]["preprocessor/fitted.skops"] = hashlib.sha256(raw).hexdigest()
    (tmp_path / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="types that are not trusted"):
        load_trained_model(tmp_path)


def test_a_network_without_a_target_is_read_and_cannot_be_evaluated(tmp_path, tables):
    preprocessor = tables.fitted(tables.table())
    rbm = RBM(RBMConfig(n_visible=preprocessor.data_spec.n_inputs, n_hidden=2), torch_rng(0, "w"))
    save_trained_model(tmp_path / "model", rbm, preprocessor, ModelManifest(problem="t"))
    model = load_trained_model(tmp_path / "model")
    assert (model.kind, model.is_supervised) == ("rbm", False)
    tables.table().to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(DataError, match="of the kind 'rbm' predicts no targets"):
        evaluate_chunks(model, ChunkedReader(tmp_path / "rows.csv"))


def test_a_models_problem_cannot_lead_out_of_the_data_folder():
    with pytest.raises(ValueError, match="problem"):
        ModelManifest(problem="../../elsewhere")
