import base64
import json
from io import BytesIO

import pytest
from helpers.killed_runs import end_of, start_command
from PIL import Image

from layerwise.pipeline_registry import RUNNABLE, create_pipeline

LAYERS = ["01_raw", "04_feature", "05_model_input", "06_models", "07_model_output", "08_reporting"]
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
def site(finished, tmp_path_factory):
    """Return what `kedro viz build` writes for the browser: the graph, and each node's details by its name."""
    said = tmp_path_factory.mktemp("viz") / "said"
    assert end_of(start_command(["viz", "build", "--include-previews"], finished.path, said)) == 0, (
        said.read_text()
    )
    folder = finished.path / "build/api"
    graph = json.loads((folder / "main").read_text())
    details = {}
    for node in graph["nodes"]:
        path = folder / "nodes" / node["id"]
        if path.exists():
            details[node["name"]] = json.loads(path.read_text())
    return graph, details


def graph_of(finished, pipeline):
    return json.loads((finished.path / "build/api/pipelines" / pipeline).read_text())


def test_the_layers_stand_in_the_order_of_the_data(site):
    assert site[0]["layers"] == LAYERS


@pytest.mark.parametrize("pipeline", RUNNABLE)
def test_every_pipeline_has_layers_in_that_order_and_folds_into_its_stages(site, finished, pipeline):
    graph = graph_of(finished, pipeline)
    used = {node["layer"] for node in graph["nodes"] if node.get("layer")}
    assert len(used) >= 2
    assert [layer for layer in graph["layers"] if layer in used] == [each for each in LAYERS if each in used]
    boxes = {name for name in graph["modular_pipelines"] if name != "__root__"}
    assert boxes == {node.namespace for node in create_pipeline(pipeline).nodes}


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


@pytest.mark.parametrize("pipeline", RUNNABLE)
def test_every_data_set_stands_in_a_layer(site, finished, pipeline):
    without = {
        node["name"]
        for node in graph_of(finished, pipeline)["nodes"]
        if node["type"] == "data" and not node.get("layer")
    }
    # The scores of a stream of rows are kept in memory alone.
    assert without <= {"evaluate.scored_rows"}


def test_everything_that_a_run_wrote_has_a_preview(site, finished):
    names = {node["name"] for node in graph_of(finished, "dbn")["nodes"] if node["type"] == "data"}
    assert len(names) > 20
    # The text is shown with the node that writes it.
    written = {name for name in names if name != "raw"}
    assert {name for name in written if not site[1][name].get("preview")} == {"dbn.model_card"}
    text = site[1]["write_model_card_dbn"]["preview"]
    assert text["kind"] == "text"
    assert text["content"] == (finished.path / "data/08_reporting/digits/dbn/model_card.md").read_text()


def test_a_fitted_preprocessor_shows_what_was_fitted_and_cuts_long_lists(site, finished):
    shown = json.loads(site[1]["dbn.preprocessor"]["preview"])
    whole = finished.json("06_models/digits/dbn/preprocessor/preprocessor.json")
    assert set(shown) == set(whole)
    assert len(json.dumps(shown)) < len(json.dumps(whole)) / 5


def test_an_example_of_raw_rows_is_kept_only_where_a_model_takes_raw_rows(site, finished):
    keeping = {
        pipeline
        for pipeline in RUNNABLE
        for node in graph_of(finished, pipeline)["nodes"]
        if node["name"] == f"{pipeline}.input_example"
    }
    supervised = {"dbn", "dbm", "sae", "mlp", "forest_fires_classic", "linear", "forest", "boosting"}
    assert keeping == supervised | {"rbm", "autoencoder", "gan"}
