import hashlib
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import mlflow
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from kedro.io import DatasetError

import layerwise
from layerwise.cli import cli
from layerwise.data import DataError
from layerwise.inference import ModelError
from layerwise.tracking import find_model

TABLE = "data/01_raw/forest_fires/forestfires_uci.csv"


@pytest.fixture(scope="module")
def trained(project):
    """The id of a run whose binary network chose its threshold on validation rows."""
    project.run(
        "mlp",
        env="forest_fires_size",
        problem={"name": "fires"},
        evaluation={"baselines": False, "threshold": "f1"},
        to_nodes=["reporting.write_model_card_mlp", "evaluation.predict_test_rows_mlp"],
    )
    return project.last_run()[0]


def predicted(project, model, rows, name, **settings):
    output = project.path / f"{name}_predictions.csv"
    given = {"model": model, "input": str(rows), "output": str(output), **settings}
    project.run("predict", predict=given)
    return pd.read_csv(output)


@pytest.fixture(scope="module")
def raw(project):
    return pd.read_csv(project.path / TABLE)


def test_the_raw_file_gets_the_predictions_of_the_test_rows(project, trained, raw):
    found = predicted(project, trained, project.path / TABLE, "whole")
    catalog = project.catalog(env="forest_fires_size", problem={"name": "fires"})
    expected, rows = catalog.load("mlp.predictions"), catalog.load("mlp.split").test
    assert found["prediction"].iloc[rows].tolist() == expected["predicted"].tolist()
    np.testing.assert_allclose(
        found["probability_large"].iloc[rows], expected["probability_large"], atol=1e-5
    )
    pd.testing.assert_frame_equal(found[list(raw)], raw)
    assert found["error"].isna().all()
    # The counts are those of the written file, and the run names its model.
    run, status = project.last_run()
    assert status == "FINISHED"
    metrics = dict(project.query("select key, value from latest_metrics where run_uuid=?", run))
    assert (metrics["predict/rows"], metrics["predict/refused"]) == (len(raw), 0)
    assert metrics["predict/seconds"] > 0
    tags = dict(project.query("select key, value from tags where run_uuid=?", run))
    assert tags["model.run"] == trained
    assert tags["predict.input"] == str(project.path / TABLE)


def test_the_decision_is_that_of_the_threshold_chosen_on_validation_rows(project, trained):
    found = predicted(project, trained, project.path / TABLE, "threshold")
    threshold = project.json("08_reporting/fires/mlp/metrics.json")["threshold"]
    assert threshold != 0.5
    np.testing.assert_allclose(found["threshold"], threshold, rtol=1e-6)
    is_large = found["prediction"] == "large"
    assert (is_large == (found["probability_large"] >= threshold)).all()


def test_a_model_is_found_by_run_alias_version_and_folder_alike(project, trained):
    uri = f"sqlite:///{project.path}/mlflow.db"
    found = [
        find_model(name, uri)
        for name in (
            trained,
            f"runs:/{trained}/model",
            "fires@champion",
            "fires/1",
            "models:/fires/1",
            "fires",
        )
    ]
    assert len({each.sha256 for each in found}) == 1
    assert found[0].manifest.run_id == trained
    folder = project.path / "data/06_models/fires/mlp/model"
    assert find_model(str(folder), uri).sha256 == found[0].sha256
    pd.testing.assert_frame_equal(
        predicted(project, str(folder), project.path / TABLE, "by_folder"),
        predicted(project, "fires@champion", project.path / TABLE, "by_alias"),
    )


def test_extra_and_reordered_columns_change_nothing(project, trained, raw):
    frame = raw[list(raw)[::-1]].assign(comment="é, with a comma")
    frame.to_csv(project.path / "reordered.csv", index=False)
    found = predicted(project, trained, project.path / "reordered.csv", "reordered", chunk_rows=100)
    expected = predicted(project, trained, project.path / TABLE, "in_order")
    columns = ["prediction", "probability_large", "probability_small", "positive", "threshold", "error"]
    pd.testing.assert_frame_equal(found[columns], expected[columns])
    assert (found["comment"] == "é, with a comma").all()


def test_faulty_rows_are_rejected_one_by_one_and_the_others_predicted(project, trained, raw):
    lines = (project.path / TABLE).read_text().splitlines()
    at = lines[0].split(",").index("temp")

    def with_temp(line, value):
        cells = line.split(",")
        cells[at] = value
        return ",".join(cells)

    lines[2], lines[3], lines[4] = with_temp(lines[2], "hot"), with_temp(lines[3], ""), lines[4] + ",1"
    lines[5], lines[6] = with_temp(lines[5], "inf"), with_temp(lines[6], "99999")
    (project.path / "faulty.csv").write_text("\n".join(lines) + "\n")
    found = predicted(project, trained, project.path / "faulty.csv", "faulty", chunk_rows=50)
    assert len(found) == len(raw)
    reasons = found["error"].dropna()
    assert reasons.index.tolist() == [1, 2, 3, 4, 5]
    for reason, words in zip(
        reasons,
        [
            "temp is a number, and holds 'hot'",
            "temp is empty",
            "the row has 14 cells",
            "infinite",
            "far outside",
        ],
        strict=True,
    ):
        assert words in reason
    assert found["prediction"].isna().sum() == 5
    expected = predicted(project, trained, project.path / TABLE, "right").drop(index=reasons.index)
    np.testing.assert_allclose(
        found["probability_large"].drop(index=reasons.index), expected["probability_large"], rtol=1e-5
    )


def test_a_missing_column_is_named_and_nothing_is_written(project, trained, raw):
    raw.drop(columns=["temp", "wind"]).to_csv(project.path / "short.csv", index=False)
    with pytest.raises(DatasetError, match=r"missing input column\(s\): 'temp', 'wind'"):
        predicted(project, trained, project.path / "short.csv", "short")
    assert not list(project.path.glob(".short*"))


def test_predictions_of_two_files_of_one_name_stand_beside_each_other(project, trained, raw, caplog):
    caplog.set_level("INFO")
    places = []
    for folder, n in (("first", 3), ("second", 5)):
        (project.path / folder).mkdir()
        raw.head(n).to_csv(project.path / folder / "same.csv", index=False)
        caplog.clear()
        project.run("predict", predict={"model": trained, "input": str(project.path / folder / "same.csv")})
        said = next(text for text in caplog.messages if text.startswith("The predictions are in "))
        places.append(said.removeprefix("The predictions are in "))
    assert [len(pd.read_csv(place)) for place in places] == [3, 5]
    assert places[0] != places[1]


def test_every_reason_for_which_rows_were_rejected_is_said_with_its_count(project, trained, raw, caplog):
    columns = ["FFMC", "DMC", "DC", "ISI", "temp", "RH", "wind"]
    rows = raw.head(20).copy().astype(dict.fromkeys(columns, object))
    for k, name in enumerate(columns):
        rows.loc[2 * k : 2 * k + 1, name] = "hot"
    rows.to_csv(project.path / "hot.csv", index=False)
    caplog.set_level("INFO")
    predicted(project, trained, project.path / "hot.csv", "hot")
    rejected = [text for text in caplog.messages if text.startswith("Rejected")]
    assert len(rejected) == len(columns)
    for name in columns:
        assert any(text.startswith(f"Rejected 2 row(s): {name} is a number") for text in rejected)


def test_a_fault_in_the_middle_leaves_the_old_predictions(project, trained, monkeypatch):
    predicted(project, trained, project.path / TABLE, "kept")
    before = (project.path / "kept_predictions.csv").read_bytes()
    seen = []

    def breaks(*arguments):
        seen.append(arguments)
        if len(seen) == 3:
            raise OSError(28, "No space left on device")
        return real(*arguments)

    from layerwise.inference import batch_predict

    real = batch_predict.answer_chunk
    monkeypatch.setattr(batch_predict, "answer_chunk", breaks)
    with pytest.raises(DatasetError, match="No space left"):
        predicted(project, trained, project.path / TABLE, "kept", chunk_rows=100)
    assert (project.path / "kept_predictions.csv").read_bytes() == before
    assert not list(project.path.glob(".kept*"))
    assert project.last_run()[1] == "FAILED"


def test_the_predictions_lie_with_the_models_problem_unless_named(project, trained):
    project.run("predict", predict={"model": trained, "input": str(project.path / TABLE)})
    folder = project.path / "data/07_model_output/fires/predict"
    assert len(list(folder.glob("forestfires_uci_*_predictions.csv"))) == 1
    run, status = project.last_run()
    assert status == "FINISHED"
    tags = dict(project.query("select key, value from tags where run_uuid=?", run))
    assert (tags["problem"], tags["model.run"]) == ("fires", trained)
    metrics = dict(project.query("select key, value from metrics where run_uuid=?", run))
    assert (metrics["predict/rows"], metrics["predict/refused"]) == (517, 0)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("fire", "no model is registered as 'fire'.*did you mean 'fires'"),
        ("fires@champoin", "no alias 'champoin'; did you mean 'champion'"),
        ("fires/99", "'fires' has no version 99; the last one is"),
        ("0" * 31 + "a", "there is no run"),
        ("a/b/c", "is no folder and no model's name"),
        ("data/01_raw", "holds no model"),
    ],
)
def test_a_model_that_is_not_there_is_one_clear_message(project, trained, model, words):
    with pytest.raises(ModelError, match=words):
        predicted(project, model, project.path / TABLE, "none")


def test_an_rbm_whose_run_was_stopped_before_its_figures_is_no_model(project):
    project.run("rbm", rbm={"classification_rbm": False, "probe": False}, to_nodes=["training.train_rbm_rbm"])
    with pytest.raises(
        ModelError, match=r"has no model \(pipeline rbm, FINISHED\); finished runs of the pipelines dbn"
    ):
        predicted(project, project.last_run()[0], project.path / TABLE, "none")


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"input": None}, DatasetError, "predict.input is not set"),
        ({"input": "rowz.csv"}, DataError, "there is no file"),
        ({"model": None}, DatasetError, "predict.model is not set"),
        ({"output": TABLE}, DatasetError, "holds the rows themselves"),
    ],
)
def test_what_the_command_lacks_is_named(project, trained, settings, error, words):
    given = {"model": trained, "input": TABLE} | settings
    with pytest.raises((error, DatasetError), match=words):
        project.run("predict", predict=given)


def test_images_are_predicted_from_arrays_and_from_columns_of_pixels(finished):
    catalog = finished.catalog()
    raw, split = catalog.load("raw"), catalog.load("dbn.split").test
    expected = catalog.load("dbn.predictions")["predicted"].tolist()
    pixels, labels = raw.pixels[split], raw.labels[split]
    np.savez(finished.path / "digits.npz", images=pixels, labels=labels)
    flat = pd.DataFrame(pixels.reshape(1000, -1).astype(int), columns=[f"p{k}" for k in range(784)])
    flat.insert(0, "label", labels)
    flat.iloc[3, 5] = 300
    flat.to_csv(finished.path / "digits.csv", index=False)
    model = str(finished.path / "data/06_models/digits/dbn/model")
    arrays = predicted(finished, model, finished.path / "digits.npz", "from_npz", chunk_rows=300)
    assert arrays["prediction"].tolist() == expected
    assert arrays["row"].tolist() == list(range(1000))
    columns = predicted(finished, model, finished.path / "digits.csv", "from_csv")
    assert columns["error"].dropna().to_dict() == {3: "a pixel is not a number from 0 to 255"}
    assert columns["prediction"].drop(3).astype(int).tolist() == [e for k, e in enumerate(expected) if k != 3]


def test_a_changed_model_in_the_store_is_refused_before_anything_is_written(project, trained):
    client = mlflow.MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    model_id = client.get_run(trained).outputs.model_outputs[0].model_id
    folder = project.path / "mlruns/models" / model_id / "artifacts"
    mlmodel = (folder / "MLmodel").read_text()
    for text, words in (
        (
            mlmodel.replace("layerwise.inference.server", "mlflow.pyfunc.model"),
            "another loader, mlflow.pyfunc.model",
        ),
        (
            mlmodel.replace("    loader_module", "    code: code\n    loader_module"),
            "names code to run, code",
        ),
    ):
        (folder / "MLmodel").write_text(text)
        with pytest.raises(ModelError, match=words):
            predicted(project, trained, project.path / TABLE, "tampered")
    (folder / "MLmodel").write_text(mlmodel)
    (folder / "python_model.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(ModelError, match=r"python_model\.pkl is not among the model's files"):
        predicted(project, trained, project.path / TABLE, "tampered")
    (folder / "python_model.pkl").unlink()
    manifest = folder / "data/model/model.json"
    right = manifest.read_text()
    manifest.write_text(json.dumps(json.loads(right) | {"threshold": 0.0}))
    with pytest.raises(ModelError, match="not the one that was registered"):
        predicted(project, "fires@champion", project.path / TABLE, "tampered")
    manifest.write_text(right)
    assert not (project.path / "tampered_predictions.csv").exists()


def test_a_threshold_written_into_the_manifest_is_served_at_no_door(project, trained):
    uri = f"sqlite:///{project.path}/mlflow.db"
    client = mlflow.MlflowClient(uri)
    (logged,) = (each.model_id for each in client.get_run(trained).outputs.model_outputs)
    store = Path(client.get_logged_model(logged).artifact_location.removeprefix("file://"))
    folders = [store / "data/model", project.path / "data/06_models/fires/mlp/model"]
    right = [(folder / "model.json").read_text() for folder in folders]
    assert hashlib.sha256(right[0].encode()).hexdigest() in (store / "MLmodel").read_text()
    mlflow.set_tracking_uri(uri)
    try:
        for folder in folders:
            edited = json.loads((folder / "model.json").read_text()) | {"threshold": 0.0}
            (folder / "model.json").write_text(json.dumps(edited))
        for name in ("fires@champion", trained, str(store), *map(str, folders)):
            with pytest.raises(ModelError, match=r"registered|run .* has logged"):
                layerwise.load(name, uri)
            done = CliRunner().invoke(
                cli, ["serve", name, "--port", "0"], obj=SimpleNamespace(project_path=project.path)
            )
            assert done.exit_code == 1, name
            assert "was not loaded" in done.output
        with pytest.raises(ModelError, match="not the one that was registered"):
            mlflow.pyfunc.load_model(f"models:/{logged}")
    finally:
        for folder, text in zip(folders, right, strict=True):
            (folder / "model.json").write_text(text)
    assert mlflow.pyfunc.load_model(f"models:/{logged}")


def test_a_folder_of_no_known_run_is_said_to_have_nobody_who_vouches_for_it(project, trained, caplog):
    uri = f"sqlite:///{project.path}/mlflow.db"
    folder = project.path / "data/06_models/fires/mlp/model"
    with caplog.at_level("WARNING", logger="layerwise"):
        find_model(str(folder), uri)
        assert not caplog.records
        copied = project.path / "copied"
        shutil.copytree(folder, copied)
        manifest = json.loads((copied / "model.json").read_text())
        (copied / "model.json").write_text(json.dumps(manifest | {"run_id": "", "threshold": 0.0}))
        find_model(str(copied), uri)
    assert "a model of no run that is known here" in caplog.text
