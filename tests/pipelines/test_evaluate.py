import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError
from layerwise.evaluation import LimitError
from layerwise.parameters import ParameterError

TABLE = "data/01_raw/forest_fires/forestfires_uci.csv"
REPORTS = "08_reporting/evaluated"


@pytest.fixture(scope="module")
def trained(project):
    project.run(
        "mlp",
        env="forest_fires_size",
        problem={"name": "evaluated"},
        evaluation={"baselines": False},
        to_nodes=["reporting.write_model_card_mlp", "evaluation.predict_test_rows_mlp"],
    )
    return project.last_run()[0]


def test_the_test_rows_get_the_metrics_that_they_got_in_training(project, trained, caplog):
    catalog = project.catalog(env="forest_fires_size", problem={"name": "evaluated"})
    raw = pd.read_csv(project.path / TABLE)
    raw.iloc[catalog.load("mlp.split").test].to_csv(project.path / "test_rows.csv", index=False)
    project.run("evaluate", evaluate={"model": trained, "input": "test_rows.csv", "bootstrap": 20})
    again = project.json(f"{REPORTS}/evaluate/metrics.json")
    before = project.json(f"{REPORTS}/mlp/metrics.json")["network"]
    assert again.keys() == before.keys()
    for name, metric in before.items():
        assert again[name]["value"] == pytest.approx(metric["value"], abs=1e-6), name
    run, status = project.last_run()
    assert status == "FINISHED"
    metrics = dict(project.query("select key, value from metrics where run_uuid=?", run))
    assert metrics["evaluate/roc_auc"] == pytest.approx(before["roc_auc"]["value"])
    assert "drift/temp" in metrics
    error = again["error"]
    shown = (
        f"{error['value']:.4f} [{error['low']:.4f}, {error['high']:.4f}] (base rate {error['base_rate']:.4f})"
    )
    assert f"On the new rows: error {shown}, roc_auc 0." in caplog.text
    assert f"The report: data/{REPORTS}/evaluate/report.html; the run: `mlflow ui`" in caplog.text
    assert (project.path / "data" / REPORTS / "evaluate/report.html").exists()
    assert metrics["evaluate/rows"] == len(catalog.load("mlp.split").test)
    repeats = next(note for note in catalog.load("mlp.data_spec").notes if "repeat a training row" in note)
    # Test rows that repeat a training or a validation row's inputs; the note counts training rows alone.
    assert int(repeats.split()[0]) <= metrics["evaluate/seen"] < 10
    tags = dict(project.query("select key, value from tags where run_uuid=?", run))
    assert (tags["model.run"], tags["evaluate.input"]) == (trained, "test_rows.csv")


def test_rows_that_the_model_was_trained_on_are_said(project, trained, caplog):
    catalog = project.catalog(env="forest_fires_size", problem={"name": "evaluated"})
    split, raw = catalog.load("mlp.split"), pd.read_csv(project.path / TABLE)
    rows = np.concatenate([split.validation[:10], split.test[:30], split.training[:60]])
    raw.iloc[rows].to_csv(project.path / "mixed.csv", index=False)
    project.run("evaluate", evaluate={"model": trained, "input": "mixed.csv", "bootstrap": 20})
    metrics = dict(project.query("select key, value from metrics where run_uuid=?", project.last_run()[0]))
    assert 70 <= metrics["evaluate/seen"] < 73
    sentence = f"The model was trained or validated on {metrics['evaluate/seen']:.0f} of these 100 rows"
    assert sentence in caplog.text
    assert f"**{sentence}" in (project.path / "data" / REPORTS / "evaluate/report.md").read_text()


def test_shifted_columns_and_faulty_rows_are_reported(project, trained):
    frame = pd.read_csv(project.path / TABLE)
    frame["temp"] = frame["temp"] + 12
    frame["area"] = frame["area"].astype(object)
    frame.loc[0, "area"] = "much"
    frame["wind"] = frame["wind"].astype(object)
    frame.loc[1, "wind"] = "strong"
    frame.to_csv(project.path / "warmer.csv", index=False)
    project.run("evaluate", evaluate={"model": "evaluated@champion", "input": "warmer.csv", "bootstrap": 20})
    drift = {each["column"]: each for each in project.json(f"{REPORTS}/evaluate/drift.json")}
    assert drift["temp"]["level"] == "drift"
    assert drift["temp"]["details"].startswith("median ")
    assert {name for name, each in drift.items() if each["level"] != "stable"} == {"temp"}
    report = (project.path / "data" / REPORTS / "evaluate/report.md").read_text()
    assert "1 of " in report
    assert "temp: drift" in report
    assert "515 rows measured, 2 refused" in report
    for figure in ("drift", "predictions", "calibration"):
        assert (project.path / "data" / REPORTS / f"evaluate/{figure}.png").exists()


def test_rows_without_targets_have_their_drift_measured_alone_against_its_limit(project, trained, caplog):
    frame = pd.read_csv(project.path / TABLE).drop(columns="area")
    frame["temp"] = frame["temp"] + 12
    frame.to_json(project.path / "served.jsonl", orient="records", lines=True)
    asked = {"model": "evaluated@champion", "input": "served.jsonl", "labelled": False}
    (project.path / "data" / REPORTS / "evaluate/report.md").unlink(missing_ok=True)
    with pytest.raises(
        LimitError, match=r"^beyond evaluate\.limits: temp drifted by \d\.\d+ \(limit 0\.25\)$"
    ):
        project.run("evaluate", evaluate=asked | {"limits": {"drift": 0.25}})
    run, status = project.last_run()
    assert status == "FAILED"
    names = {name for (name,) in project.query("select key from metrics where run_uuid=?", run)}
    assert "drift/temp" in names
    assert "evaluate/roc_auc" not in names
    report = (project.path / "data" / REPORTS / "evaluate/report.md").read_text()
    assert "517 rows measured, 0 refused" in report
    assert "metric" not in report
    caplog.clear()
    project.run("evaluate", evaluate=asked | {"limits": {"drift": 9.0}})
    assert f"The report: data/{REPORTS}/evaluate/report.html" in caplog.text
    assert "On the new rows" not in caplog.text
    assert project.last_run()[1] == "FINISHED"


def test_a_metric_worse_than_its_limit_ends_with_an_error(project, trained):
    asked = {"model": "evaluated@champion", "input": TABLE, "bootstrap": 0}
    with pytest.raises(LimitError, match=r"roc_auc is 0\.\d+ \(limit 0\.999\)"):
        project.run("evaluate", evaluate=asked | {"limits": {"roc_auc": 0.999, "accuracy": 0.0}})
    with pytest.raises(DataError, match=r"evaluate\.limits: there is no roc_acu; did you mean 'roc_auc'"):
        project.run("evaluate", evaluate=asked | {"limits": {"roc_acu": 0.9}})


def test_images_with_labels_are_measured_and_a_darker_set_drifts(finished):
    catalog = finished.catalog()
    raw, split = catalog.load("raw"), catalog.load("dbn.split").test
    before = finished.json("08_reporting/digits/dbn/metrics.json")["network"]
    np.savez(finished.path / "labelled.npz", images=raw.pixels[split], labels=raw.labels[split])
    model = str(finished.path / "data/06_models/digits/dbn/model")
    finished.run("evaluate", evaluate={"model": model, "input": "labelled.npz", "bootstrap": 20})
    again = finished.json("08_reporting/digits/evaluate/metrics.json")
    assert again["error"]["value"] == pytest.approx(before["error"]["value"])
    np.savez(finished.path / "darker.npz", images=raw.pixels[split] // 2, labels=raw.labels[split])
    finished.run("evaluate", evaluate={"model": model, "input": "darker.npz", "bootstrap": 20})
    drift = {each["column"]: each for each in finished.json("08_reporting/digits/evaluate/drift.json")}
    assert drift["brightness"]["level"] == drift["contrast"]["level"] == "drift"


def test_test_rows_and_new_rows_are_measured_by_segment(project):
    settings = {"env": "forest_fires_size", "problem": {"name": "parts"}, "finetuning": {"epochs": 1}}
    evaluation = {"baselines": False, "segments": ["month", "temp"]}
    wanted = [
        "reporting.write_model_card_mlp",
        "reporting.plot_segments_mlp",
        "evaluation.predict_test_rows_mlp",
    ]
    project.run("mlp", **settings, evaluation=evaluation, to_nodes=wanted)
    found = project.json("08_reporting/parts/mlp/segments.json")
    n_test = len(project.catalog(env="forest_fires_size", problem={"name": "parts"}).load("mlp.split").test)
    assert [each["column"] for each in found].count("temp") == 4
    for column in ("month", "temp"):
        assert sum(each["rows"] for each in found if each["column"] == column) == n_test
    card = (project.path / "data/08_reporting/parts/mlp/model_card.md").read_text()
    assert "## By segment" in card
    august = next(each for each in found if each["value"] == "aug")
    error = august["metrics"]["error"]
    assert f"| month | aug | {august['rows']} | {error['base_rate']:.4f} | {error['value']:.4f} [" in card
    assert (project.path / "data/08_reporting/parts/mlp/segments.png").exists()
    # The problem of the environment, digits, has no columns; the model's has.
    project.run(
        "evaluate",
        evaluation={"segments": ["day"]},
        evaluate={"model": "parts@champion", "input": TABLE, "bootstrap": 20},
    )
    days = project.json("08_reporting/parts/evaluate/segments.json")
    assert {each["value"] for each in days} == {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
    assert sum(each["rows"] for each in days) == len(pd.read_csv(project.path / TABLE))
    assert "| day | fri |" in (project.path / "data/08_reporting/parts/evaluate/report.md").read_text()


def test_images_have_no_segments(finished):
    np.savez(finished.path / "black.npz", images=np.zeros((3, 28, 28), np.uint8), labels=[1, 2, 3])
    given = {"model": str(finished.path / "data/06_models/digits/dbn/model"), "input": "black.npz"}
    with pytest.raises(
        DataError, match=r"evaluation.segments \(day\) is for tables, and this model takes images"
    ):
        finished.run("evaluate", evaluation={"segments": ["day"]}, evaluate=given)


def test_segments_of_images_stop_before_training(project):
    with pytest.raises(
        ParameterError, match=r"evaluation\.segments is for tables, and this problem's rows are images"
    ):
        project.run("mlp", problem={"name": "no_table"}, evaluation={"segments": ["day"]})
    assert not (project.path / "data/06_models/no_table").exists()


def test_a_wrong_segment_stops_before_training(project):
    with pytest.raises(
        DataError, match=r"evaluation.segments: column 'mnth' is not in the table; did you mean 'month'"
    ):
        project.run("mlp", env="forest_fires", problem={"name": "wrong"}, evaluation={"segments": ["mnth"]})
    assert not (project.path / "data/06_models/wrong/mlp/network").exists()
