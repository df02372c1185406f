"""What is answered in raw units, at every door, of images and of a second table."""

import numpy as np
import pandas as pd
import pytest
from helpers.model_doors import (
    answers,
    assert_same_numbers,
    from_http,
    from_pipeline,
    pyfunc,
    registered,
)
from helpers.small_collections import write_environment
from sklearn.datasets import load_wine


@pytest.fixture(scope="module")
def wine(project):
    """A VAE of the wine table of scikit-learn, all of whose columns are numbers; return a file and its first rows."""
    frame = load_wine(as_frame=True).frame
    frame.to_csv(project.path / "data/01_raw/wine.csv", index=False)
    source = {"file": {"name": "wine.csv"}}
    problem = {"name": "asked_wine", "task": "multiclass", "target": "target"}
    settings = {"variant": "variational", "downstream_tasks": False, "probe": False}
    write_environment(project, "asked_wine", "SourceTable", source, "multiclass", problem=problem)
    project.run("autoencoder", env="asked_wine", autoencoder=settings)
    rows = frame.head(25).drop(columns="target").astype(float)
    rows.to_csv(project.path / "wine_rows.csv", index=False)
    return project.path / "wine_rows.csv", rows


@pytest.mark.parametrize("task", ["denoise", "reconstruct", "anomaly", "encode"])
def test_every_door_answers_the_same_of_a_second_table(project, wine, task):
    file, rows = wine
    assert_same_numbers(answers(project, "asked_wine.autoencoder", file, rows, task=task))


@pytest.mark.parametrize("task", ["impute", "sample"])
def test_empty_cells_of_a_second_table_are_filled_alike(project, wine, task):
    file, rows = wine
    holes = rows.copy()
    holes.iloc[::3, 1], holes.iloc[1::4, 5] = np.nan, np.nan
    part = file.with_name("wine_holes.csv")
    holes.to_csv(part, index=False)
    settings = {"seed": 4, "steps": 3} if task == "sample" else {}
    found = answers(project, "asked_wine.autoencoder", part, holes, task=task, **settings)
    numbers = {door: answer[list(rows)] for door, answer in found.items()}
    assert_same_numbers(numbers)
    filled = numbers["pyfunc"]
    assert not filled.isna().any(axis=None)
    np.testing.assert_array_equal(filled.to_numpy()[holes.notna()], holes.to_numpy()[holes.notna()])


@pytest.mark.parametrize("task", ["denoise", "reconstruct"])
def test_every_door_denoises_images_alike(project, images, task):
    file, frame = images
    found = answers(project, "asked_digits.autoencoder", file, frame, task=task)
    assert_same_numbers(found)
    pixels = found["pyfunc"].to_numpy()
    assert pixels.shape == (12, 784)
    assert 0 <= pixels.min() < pixels.max() <= 255


@pytest.mark.parametrize("task", ["impute", "sample"])
def test_every_door_fills_empty_pixels_alike(project, images, task):
    file, frame = images
    holes = frame.copy()
    holes.iloc[:, :392] = np.nan
    part = file.with_name("holes.npy")
    np.save(part, holes.to_numpy().reshape(-1, 28, 28))
    settings = {"seed": 4, "steps": 3} if task == "sample" else {}
    found = answers(project, "asked_digits.autoencoder", part, holes, task=task, **settings)
    numbers = {door: answer[list(frame)] for door, answer in found.items()}
    assert_same_numbers(numbers)
    filled = numbers["pyfunc"].to_numpy()
    np.testing.assert_array_equal(filled[:, 392:], frame.to_numpy()[:, 392:])
    assert np.isfinite(filled).all()


def test_every_door_draws_the_same_images(project, images):
    name, settings = "asked_digits.autoencoder", {"task": "sample", "n": 3, "seed": 7}
    _, response = from_http(registered(project, name), None, **settings)
    found = {
        "pipeline": from_pipeline(project, name, None, **settings),
        "pyfunc": pyfunc(project, name).predict(pd.DataFrame(), params=settings),
        "http": pd.DataFrame(response["predictions"]),
    }
    assert_same_numbers(found)
    assert found["pyfunc"].shape == (3, 784)
