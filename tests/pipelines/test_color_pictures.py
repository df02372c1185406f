"""A problem of color pictures from its folder to a registered model."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

NAMES = ("green", "red")
# Of equal luma: gray pictures of both are alike.
COLORS = ((0, 122, 0), (200, 20, 0))
CATALOG = """
raw:
  type: layerwise.datasets.ImageFiles
  path: {path}
  images: {{name: pictures}}
"""


@pytest.fixture(scope="module")
def trained(project):
    """A project after `mlp` on pictures whose class is told by color alone."""
    rng, folder = np.random.default_rng(0), project.path / "pictures"
    for k in range(120):
        pixels = np.array(COLORS[k % 2]) * rng.uniform(0.4, 1.0) + rng.normal(0, 8, (8, 8, 3))
        path = folder / NAMES[k % 2] / f"{k:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
    environment = project.path / "conf/colors"
    environment.mkdir()
    (environment / "catalog.yml").write_text(CATALOG.format(path=project.path))
    (environment / "parameters.yml").write_text("problem: {name: colors, task: multiclass}\n")
    project.run(
        "mlp",
        env="colors",
        finetuning={"epochs": 20, "batch_size": 10},
        evaluation={"baselines": False, "bootstrap": 20},
    )
    return project


def test_the_network_reads_colors_and_says_so(trained):
    measured = json.loads((trained.path / "data/08_reporting/colors/mlp/network_metrics.json").read_text())
    assert measured["accuracy"]["value"] > 0.95
    card = (trained.path / "data/08_reporting/colors/mlp/model_card.md").read_text()
    assert "images of 8 x 8 pixels in color" in card


def test_the_registered_model_answers_for_the_pictures(trained):
    output = trained.path / "answers.csv"
    trained.run(
        "predict",
        predict={
            "model": "colors@champion",
            "input": str(trained.path / "pictures"),
            "output": str(output),
        },
    )
    found = pd.read_csv(output)
    assert found["error"].isna().all()
    right = found["prediction"] == found["file"].str.split("/").str[0]
    assert right.mean() > 0.95


@pytest.mark.figures
def test_the_filters_are_drawn_in_color(trained):
    with Image.open(trained.path / "data/08_reporting/colors/mlp/features.png") as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
    assert (pixels.max(1) - pixels.min(1)).max() > 100
