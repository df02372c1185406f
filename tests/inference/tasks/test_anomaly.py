import numpy as np
import pandas as pd
import pytest
from helpers.model_doors import answers, assert_same_numbers, from_pipeline, registered

from layerwise.data import raw_columns
from layerwise.data.reading import ChunkedReader
from layerwise.datasets import TypedDataset
from layerwise.inference.tasks import answer_rows
from layerwise.inference.tasks.anomaly import Anomaly, attribute_scores, score_columns
from layerwise.parameters import PredictSettings, TaskSettings
from layerwise.pipelines.predict.figure_nodes import plot_unusual_rows
from layerwise.pipelines.predict.nodes import detect_anomalies


def ask(model, rows, **settings):
    return answer_rows(model, rows, TaskSettings(task="anomaly", **settings), strict=False)


@pytest.mark.parametrize("kind", ["rbm", "autoencoder"])
def test_every_door_scores_a_tables_rows_alike(project, fires, table_file, kind):
    found = answers(project, f"asked.{kind}", table_file, fires, task="anomaly", contamination=0.1)
    assert_same_numbers({door: answer.fillna({"unusual_columns": ""}) for door, answer in found.items()})


def test_every_door_scores_images_alike_with_their_error_pictures(project, images):
    file, frame = images
    found = answers(project, "asked_digits.autoencoder", file, frame, task="anomaly", error_columns=True)
    assert_same_numbers(found)
    assert found["pyfunc"]["anomaly_probability"].between(0, 1, inclusive="neither").all()
    assert [name for name in found["pyfunc"] if name.startswith("error_pixel_")][-1] == "error_pixel_27_27"


def test_an_rbms_score_is_its_free_energy(project, fires):
    model = registered(project, "asked.rbm")
    rows = model.inputs(model.select_inputs(fires))
    expected = model.network.free_energy(rows).numpy()
    np.testing.assert_allclose(ask(model, fires)["anomaly_score"], expected, rtol=1e-4)


def test_as_many_validation_rows_are_anomalous_as_contamination_says(project, fires):
    model = registered(project, "asked.autoencoder")
    catalog = project.catalog(env="forest_fires_size", problem={"name": "asked"})
    rows = fires.iloc[catalog.load("autoencoder.split").validation]
    for contamination in (0.05, 0.2, 0.5):
        found = ask(model, rows, contamination=contamination)
        assert found["is_anomaly"].sum() == pytest.approx(contamination * len(rows), abs=1)
    assert found["anomaly_quantile"].min() == 0
    assert found["anomaly_quantile"].max() == 1


def test_a_column_out_of_place_is_named_first(project, fires):
    model = registered(project, "asked.autoencoder")
    odd = fires.head(1).assign(wind=fires["wind"].max() * 4)
    usual, found = (ask(model, rows).iloc[0] for rows in (fires.head(1), odd))
    assert found["unusual_columns"].startswith("wind ")
    assert found["anomaly_score"] > usual["anomaly_score"]


def test_the_column_of_an_outlier_is_named_first_whatever_it_does_to_the_other_columns(project, fires):
    model = registered(project, "asked.autoencoder")
    numbers = ["FFMC", "DMC", "DC", "ISI", "temp", "RH", "wind"]
    named = []
    for k, name in enumerate(numbers):
        low, high = fires[name].min(), fires[name].max()
        odd = fires.iloc[10 * k : 10 * k + 10].assign(**{name: high + (high - low) / 2})
        found = ask(model, odd, contamination=0.5)
        named += [text.startswith(f"{name} ") for text in found["unusual_columns"][found["is_anomaly"]]]
    assert len(named) > 50
    assert np.mean(named) > 0.9


def test_a_column_adds_what_the_score_falls_by_when_it_alone_is_typical(project, fires, monkeypatch):
    model = registered(project, "asked.autoencoder")
    inputs = model.inputs(model.select_inputs(fires.head(40)))
    whole = attribute_scores(model, inputs)
    monkeypatch.setattr(
        "layerwise.evaluation.unsupervised.anomalies.scores.MOST_NUMBERS",
        7 * whole.shape[1] * inputs.shape[1],
    )
    pd.testing.assert_frame_equal(attribute_scores(model, inputs), whole)  # of seven rows at a time
    scores = score_columns(model, inputs)[0]
    for name, blocks in raw_columns(model.columns.blocks).items():
        changed = inputs.clone()
        for block in blocks:
            changed[:, block.start : block.stop] = model.typical_row[block.start : block.stop]
        np.testing.assert_array_equal(whole[name], scores - score_columns(model, changed)[0])
    assert (whole == 0).to_numpy().any(), "no row has a typical value"


def test_a_row_that_is_not_anomalous_has_no_unusual_columns(project, fires):
    found = ask(registered(project, "asked.rbm"), fires, contamination=0.1)
    assert (found["unusual_columns"][~found["is_anomaly"]] == "").all()
    assert (found["unusual_columns"][found["is_anomaly"]] != "").mean() > 0.9


def test_the_errors_of_the_columns_are_those_of_the_reconstruction(project, images):
    model = registered(project, "asked_digits.autoencoder")
    frame = images[1]
    found = ask(model, frame, error_columns=True)
    rows = model.inputs(model.select_inputs(frame))
    expected = (model.network.reconstruct(rows) - rows).square().detach().numpy()
    errors = found[[f"error_{name}" for name in frame]].to_numpy()
    np.testing.assert_allclose(errors, expected, atol=1e-5)
    assert isinstance(found, pd.DataFrame)


def drawn(model, reader, tmp_path, *, asynchronous=False):
    """Return the figure of the rows that are found unusual while the answers are written."""
    predictions, search = detect_anomalies(model, reader, PredictSettings(task="anomaly"))
    entry = TypedDataset(
        model="layerwise.pipelines.predict.unusual_rows.UnusualRows", filepath=str(tmp_path / "unusual.json")
    )
    if asynchronous:
        entry.save(search)
    for _ in predictions:
        pass
    if not asynchronous:
        entry.save(search)
    return plot_unusual_rows(model, reader, entry.load())


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_pipeline_draws_the_most_unusual_rows(project, fires, images, tmp_path, asynchronous):
    model = registered(project, "asked_digits.autoencoder")
    figure = drawn(model, ChunkedReader(images[0], chunk_rows=5), tmp_path, asynchronous=asynchronous)
    scores = ask(model, images[1])["anomaly_score"]
    order = scores.sort_values(ascending=False).index
    captions = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert captions == [f"row {k}\n{scores[k]:.1f}" for k in order[:10]]
    model = registered(project, "asked.autoencoder")
    few, file = fires.head(120), tmp_path / "few.csv"
    few.to_csv(file, index=False)
    scores = ask(model, few)["anomaly_score"].sort_values(ascending=False, kind="stable")
    for chunk_rows in (7, 50, 1000):
        figure = drawn(model, ChunkedReader(file, chunk_rows), tmp_path, asynchronous=asynchronous)
        names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
        assert names == [f"row {k}, score {score:.1f}" for k, score in scores[:20].items()], chunk_rows


def test_the_rows_are_answered_once_for_the_answers_and_the_figure(project, fires, table_file, monkeypatch):
    answered = []

    def counted(self, model, rows, settings, answer=Anomaly.answer):
        answered.append(len(rows))
        return answer(self, model, rows, settings)

    monkeypatch.setattr(Anomaly, "answer", counted)
    from_pipeline(project, "asked.autoencoder", table_file, task="anomaly")
    assert sum(answered) == len(fires)


@pytest.mark.figures
def test_a_file_without_a_right_row_has_no_figure(project, fires, table_file, tmp_path, caplog):
    from_pipeline(project, "asked.autoencoder", table_file, task="anomaly")
    figure = project.path / "data/08_reporting/asked/predict/unusual_rows.png"
    assert figure.exists()
    wrong = tmp_path / "wrong.csv"
    fires.assign(wind="much").to_csv(wrong, index=False)
    with caplog.at_level("WARNING"):
        found = from_pipeline(project, "asked.autoencoder", wrong, task="anomaly")
    assert found["error"].notna().all()
    assert len(found) == len(fires)
    assert not figure.exists()
    assert caplog.text.count("no row has an anomaly score") == 1
    run, _ = project.last_run()
    assert not list((project.path / "mlruns").glob(f"**/{run}/artifacts/figures/*"))


@pytest.mark.figures
def test_the_figure_of_unusual_rows_is_drawn_by_a_run_of_its_own(project, table_file):
    from_pipeline(project, "asked.autoencoder", table_file, task="anomaly")
    figure = project.path / "data/08_reporting/asked/predict/unusual_rows.png"
    before = figure.read_bytes()
    figure.unlink()
    given = {"model": "asked.autoencoder@champion", "input": str(table_file), "task": "anomaly"}
    project.run("predict", predict=given, tags=["figures"])
    assert figure.read_bytes() == before


def test_the_figure_of_unusual_rows_is_logged_with_the_run(project, fires, table_file):
    from_pipeline(project, "asked.autoencoder", table_file, task="anomaly")
    run, _ = project.last_run()
    assert list((project.path / "mlruns").glob(f"**/{run}/artifacts/figures/unusual_rows.png"))
