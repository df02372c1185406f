"""Rows that come back in raw units: reconstructed, denoised, imputed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from helpers import doors
from helpers.model_doors import answers, assert_same_cells, from_http, registered
from helpers.new_problems import N, kept_rows

from layerwise.data import Problem
from layerwise.evaluation.unsupervised import impute
from layerwise.inference.tasks import answer_rows
from layerwise.inference.tasks.raw_rows import within_range
from layerwise.parameters import TaskSettings


def ask(model, rows, **settings):
    return answer_rows(model, rows, TaskSettings(**settings), strict=False)


@pytest.mark.parametrize(("kind", "task"), [("rbm", "reconstruct"), ("autoencoder", "denoise")])
def test_every_door_reconstructs_a_tables_rows_alike(project, fires, table_file, kind, task):
    found = answers(project, f"asked.{kind}", table_file, fires, task=task)
    columns = [name for name in fires if name != "area"]
    assert list(found["pyfunc"]) == columns
    assert_same_cells(found, columns)
    # What the network does not read stands before, as it was.
    assert found["pipeline"]["area"].tolist() == fires["area"].tolist()
    assert set(found["pyfunc"]["month"]) <= set(fires["month"])


def test_every_door_reconstructs_images_alike_in_pixel_values(project, images):
    file, frame = images
    found = answers(project, "asked_digits.autoencoder", file, frame, task="reconstruct")
    assert_same_cells(found, list(frame))
    model = registered(project, "asked_digits.autoencoder")
    means = model.network.reconstruct(model.inputs(frame.to_numpy())).detach().numpy()
    assert np.abs(found["pyfunc"].to_numpy(float) - 255 * means).max() <= 0.51


@pytest.fixture
def holes(fires):
    """Four rows of which three cells are empty."""
    rows = fires.head(4).astype({"RH": float})
    rows.loc[0, "temp"] = np.nan
    rows.loc[1, ["month", "RH"]] = [None, np.nan]
    return rows


@pytest.mark.parametrize("kind", ["rbm", "autoencoder"])
def test_every_door_fills_the_empty_cells_alone(project, holes, tmp_path, kind):
    file = tmp_path / f"holes_{kind}.csv"
    holes.to_csv(file, index=False)
    found = answers(project, f"asked.{kind}", file, holes, task="impute")
    columns = [name for name in holes if name != "area"]
    assert_same_cells(found, [*columns, "imputed"])
    filled = found["pyfunc"]
    assert filled["imputed"].tolist() == ["temp", "month; RH", "", ""]
    assert filled[columns].notna().all(axis=None)
    given = holes[columns].notna()
    for name in columns:
        assert filled[name][given[name]].tolist() == holes[name][given[name]].tolist()


def test_a_filled_number_is_the_fixed_rows_reconstruction(project, fires):
    model = registered(project, "asked.autoencoder")
    rows = fires.head(1).assign(temp=np.nan)
    inputs = model.inputs(model.select_inputs(fires.head(1)))
    block = next(each for each in model.columns.blocks if each.name == "temp")
    missing = inputs != inputs
    missing[:, block.start] = True
    reference = model.parts.reference
    start, n = inputs.new_tensor(reference.input_means), reference.imputation_iterations
    expected = impute(lambda x: model.network.reconstruct(x).detach(), inputs, missing, start, n)
    restored = model.preprocessor.restore_inputs(expected.numpy())
    assert ask(model, rows, task="impute")["temp"][0] == pytest.approx(restored["temp"][0], rel=1e-4)


@pytest.mark.parametrize("n_iterations", [0, 5])
def test_cells_are_filled_by_as_many_reconstructions_as_the_model_says(project, fires, n_iterations):
    model = registered(project, "asked.rbm")
    reference = model.parts.reference.model_copy(update={"imputation_iterations": n_iterations})
    changed = replace(model, parts=replace(model.parts, reference=reference))
    found = ask(changed, fires.head(20).assign(temp=np.nan), task="impute")["temp"]
    assert (found.nunique() == 1) == (n_iterations == 0)
    if n_iterations == 0:
        assert found[0] == pytest.approx(fires["temp"].mean(), rel=0.05)


def test_an_empty_pixel_is_filled_and_the_others_stay(project, images):
    model = registered(project, "asked_digits.autoencoder")
    frame = images[1].head(2).copy()
    frame.iloc[0, 400:420] = np.nan
    found = ask(model, frame, task="impute").drop(columns="imputed")
    assert found.iloc[0, 400:420].between(0, 255).all()
    np.testing.assert_array_equal(found.iloc[1], frame.iloc[1])
    np.testing.assert_array_equal(found.iloc[0, :400], frame.iloc[0, :400])


def test_text_for_a_number_is_no_empty_cell(project, holes):
    status, response = from_http(
        registered(project, "asked.rbm"),
        holes.astype({"temp": object}).replace({18.0: "warm"}),
        task="impute",
    )
    assert status == 200
    first, second, *_ = response["predictions"]
    assert second == {"error": "temp is a number, and holds 'warm'"}
    assert first["imputed"] == "temp"


def test_each_of_two_numbers_in_a_cell_stays_between_those_of_training(tmp_path):
    rng = np.random.default_rng(5)
    frame = kept_rows(
        bp=[f"{a}/{b}" for a, b in zip(rng.integers(100, 180, N), rng.integers(60, 99, N), strict=True)]
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    problem = Problem(name="p", task="binary", target="kept", reading={"columns": {"bp": "pair"}})
    model, _ = doors.train(tmp_path / "t.csv", tmp_path / "model", problem)
    both = frame["bp"].str.split("/", expand=True).astype(int)
    found = within_range(model, pd.DataFrame({"bp": ["150/80", "999/1", "1/999", None], "a": 0.0, "b": 0.0}))
    assert found["bp"].tolist()[0] == "150/80"
    low, high = both[0].max(), both[1].min()
    first, second = (int(each) for each in found["bp"][1].split("/"))
    # The smallest and the largest of the training rows.
    assert 150 < first <= low
    assert 80 > second >= high
    assert found["bp"].isna().tolist() == [False, False, False, True]
