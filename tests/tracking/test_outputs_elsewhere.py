"""What a run wrote to a store: figures become artifacts of the run, the rest stays there alone."""

import pytest
from helpers.remote_files import empty_memory_store
from helpers.tables import saved, table
from kedro.io import DataCatalog

from layerwise.tracking import find_model
from layerwise.tracking.run_outputs import artifact_files, copy_outputs


@pytest.fixture
def store(tmp_path, monkeypatch):
    return empty_memory_store(tmp_path, monkeypatch)


@pytest.fixture
def catalog():
    metadata = {"mlflow": {"artifact_path": "figures"}}
    text = "kedro_datasets.text.TextDataset"
    return DataCatalog.from_config(
        {
            "mlp.{figure}": {"type": text, "filepath": "memory:///out/{figure}.svg", "metadata": metadata},
            "mlp.note": {"type": text, "filepath": "memory:///07_model_output/note.txt"},
        }
    )


def test_a_figure_elsewhere_is_an_artifact_of_the_run(store, catalog):
    assert artifact_files(catalog, "mlp.curve") is None
    catalog.get("mlp.curve").save("<svg/>")
    folder, (file,) = artifact_files(catalog, "mlp.curve")
    assert (folder, file.name, file.read_text()) == ("figures", "curve.svg", "<svg/>")
    catalog.get("mlp.curve").save("<svg>2</svg>")
    assert artifact_files(catalog, "mlp.curve")[1][0].read_text() == "<svg>2</svg>"


def test_what_was_written_elsewhere_gets_no_second_copy(store, catalog, tmp_path):
    catalog.get("mlp.note").save("long")
    copy_outputs(catalog, ["mlp.note"], tmp_path / "data", tmp_path / "into")
    assert not (tmp_path / "into").exists()
    assert not list((tmp_path / "data").rglob("note.txt"))


def test_a_models_folder_may_be_elsewhere(store, tmp_path):
    sha256 = saved(tmp_path / "model", table(20)).sha256
    store.put(str(tmp_path / "model"), "/bucket/model", recursive=True)
    found = find_model("memory://bucket/model", "")
    assert (found.name, found.sha256) == ("memory://bucket/model", sha256)
