import base64
import json
import subprocess
import sys
from io import BytesIO

import pytest
from PIL import Image

LAYERS = ["raw", "feature", "model_input", "models", "model_output", "reporting"]
STAGES = ["preprocessing", "pretraining", "finetuning", "evaluation", "reporting"]
FIGURES = (
    "calibration",
    "latent_map",
    "features",
    "learning_curves",
    "predictions",
    "reconstructions",
    "samples",
)


@pytest.fixture(scope="module")
def site(finished):
    """Return what `kedro viz build` writes for the browser: the graph, and each node's details by its name."""
    command = [sys.executable, "-m", "kedro", "viz", "build", "--include-previews"]
    done = subprocess.run(command, cwd=finished.path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = finished.path / "build/api"
    graph = json.loads((folder / "main").read_text())
    details = {}
    for node in graph["nodes"]:
        path = folder / "nodes" / node["id"]
        if path.exists():
            details[node["name"]] = json.loads(path.read_text())
    return graph, details


def test_the_layers_stand_in_the_order_of_the_data(site):
    assert site[0]["layers"] == LAYERS


def test_the_pipeline_folds_into_a_box_for_each_stage(site):
    assert set(site[0]["modular_pipelines"]) == {"__root__", *STAGES}


def test_the_exercise_has_its_layers_and_its_box_too(site, finished):
    graph = json.loads((finished.path / "build/api/pipelines/forest_fires_classic").read_text())
    assert graph["layers"] == LAYERS
    assert set(graph["modular_pipelines"]) == {"__root__", *STAGES} - {"pretraining"}


@pytest.mark.parametrize(
    ("node", "first", "last"),
    [("pretrain_stack_dbn", "bernoulli inputs", "hidden 2"), ("finetune_network_dbn", "inputs", "softmax")],
)
def test_a_node_that_trains_shows_its_network(site, node, first, last):
    preview = site[1][node]["preview"]
    assert preview["kind"] == "mermaid"
    lines = preview["content"].splitlines()
    assert lines[0] == "graph LR"
    boxes = [line for line in lines if '["' in line]
    assert first in boxes[0]
    assert "784 units" in boxes[0]
    assert "40 units" in boxes[1]
    assert last in boxes[-1]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_shows_its_image(site, name):
    details = site[1][f"dbn.figure_{name}"]
    assert details["preview_type"] == "ImagePreview"
    with Image.open(BytesIO(base64.b64decode(details["preview"]))) as image:
        assert min(image.size) > 200


def test_metrics_and_predictions_can_be_read_there(site, finished):
    metrics = finished.json("08_reporting/digits/dbn/metrics.json")
    shown = site[1]["dbn.metrics"]
    assert shown["preview_type"] == "JSONPreview"
    assert json.loads(shown["preview"]) == metrics
    assert site[1]["dbn.predictions"]["preview"]["columns"][:2] == ["true", "predicted"]
