"""What is answered of images in raw units, at every door of the registered model."""

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
