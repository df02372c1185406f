"""Texts in folders of their classes: a table of a text and its label, from the proposal to the answers."""

import numpy as np
import pytest
import yaml
from helpers import doors
from kedro.io import AbstractDataset, DatasetError

from layerwise.data import DataError, PreprocessingSettings, Problem, SplitSettings, split_folds, split_raw
from layerwise.data.preprocessing import fit_preprocessor
from layerwise.data.reading import ChunkedReader
from layerwise.data.reading.cells import read_table
from layerwise.datasets import LabelledTexts
from layerwise.inference import ModelManifest, load_trained_model, save_trained_model
from layerwise.models import MLP, MLPConfig
from layerwise.profiling import propose_problem
from layerwise.utils import torch_rng

WORDS = {
    "sport": "goal match team win league",
    "food": "bread soup salt oven butter",
    "law": "court judge act",
}


def write(folder, classes=("sport", "food"), n=40, parts=("",)):
    rng = np.random.default_rng(0)
    for name in classes:
        for k in range(n):
            path = folder / parts[k % len(parts)] / name / f"{k}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            words = " ".join(rng.choice(WORDS[name].split(), 6))
            path.write_text(f'{words},\n\n"{name[0]}" ({k})\n')
    return folder


def trained(folder, tmp_path):
    """Return a model of random weights for a folder of texts, as its proposal has it, and the entry."""
    found = propose_problem("mine", folder, tmp_path)
    entry = yaml.safe_load(found.catalog)["raw"]
    problem, settings = Problem(**yaml.safe_load(found.parameters)["problem"]), PreprocessingSettings()
    rows = read_table(AbstractDataset.from_config("raw", entry).load(), problem, settings)
    split = split_raw(rows, problem, SplitSettings(), 0)
    fitted = fit_preprocessor(rows, split, problem, settings, 0)
    sizes = {"n_inputs": fitted.data_spec.n_inputs, "n_outputs": fitted.data_spec.n_outputs}
    network = MLP(MLPConfig(**sizes, hidden_sizes=(16,)), torch_rng(0, "w")).eval()
    save_trained_model(tmp_path / "model", network, fitted, ModelManifest(problem="mine", threshold=0.5))
    return load_trained_model(tmp_path / "model"), rows


def test_texts_in_folders_are_proposed_as_a_table_with_their_folder_as_the_target(tmp_path):
    found = propose_problem("mine", write(tmp_path / "t"), tmp_path).proposal
    assert found.entry["type"] == "layerwise.datasets.LabelledTexts"
    chosen = {each.key: each.value for each in found.choices if not each.is_suggestion}
    assert chosen == {
        "problem.name": "mine",
        "problem.task": "binary",
        "problem.target": "label",
        "problem.positive": "sport",
        "problem.reading.columns": {"text": "text"},
    }
    assert "its classes are food (40), sport (40)" in found.findings
    assert (
        propose_problem("mine", tmp_path / "t", tmp_path, "label").proposal.value("problem.task") == "binary"
    )
    three = propose_problem("mine", write(tmp_path / "t3", WORDS, 4), tmp_path).proposal
    assert three.value("problem.task") == "multiclass"


def test_topics_are_found_without_a_target_and_where_there_are_no_classes(tmp_path):
    found = propose_problem("mine", write(tmp_path / "t"), tmp_path, "none").proposal
    assert found.value("problem.task") == "documents"
    assert any("--target label learns the folder of a text" in each for each in found.findings)
    flat = write(tmp_path / "u", ("sport",))
    assert propose_problem("mine", flat, tmp_path).proposal.value("problem.task") == "documents"
    with pytest.raises(DataError, match="lie in no folders of classes"):
        propose_problem("mine", flat, tmp_path, "label")
    with pytest.raises(DataError, match=r"--target of a folder of texts is label, .* or none, for topics"):
        propose_problem("mine", flat, tmp_path, "kind")


def test_texts_below_test_are_the_official_test_rows(tmp_path):
    folder = write(tmp_path / "t", n=20, parts=("train", "test", "train"))
    found = propose_problem("mine", folder, tmp_path)
    frame = AbstractDataset.from_config("raw", yaml.safe_load(found.catalog)["raw"]).load()
    assert frame["label"].value_counts().to_dict() == {"food": 20, "sport": 20}
    assert "14 texts below test/ are the official test rows" in found.proposal.findings
    below = {path.read_text() for path in (folder / "test").rglob("*.txt")}
    problem = Problem(**yaml.safe_load(found.parameters)["problem"])
    rows = read_table(frame, problem, PreprocessingSettings())
    split = split_raw(rows, problem, SplitSettings(), 0)
    assert set(rows["text"].iloc[split.test]) == {text.strip() for text in below}
    assert len(split.test) == len(below) == 14
    folds = split_folds(rows, problem, SplitSettings(folds=3), 0)
    assert max(part.test.max() for part in folds.root) < 26
    unsupervised = split_raw(rows, problem.model_copy(update={"target": ()}), SplitSettings(), 0)
    assert unsupervised.test.tolist() == split.test.tolist()
    with pytest.raises(DataError, match="would mix the official test rows"):
        split_raw(rows, problem, SplitSettings(method="hash"), 0)


def test_parts_without_a_test_folder_are_rows_alike(tmp_path):
    found = propose_problem("mine", write(tmp_path / "t", n=6, parts=("train", "valid")), tmp_path)
    frame = AbstractDataset.from_config("raw", yaml.safe_load(found.catalog)["raw"]).load()
    assert frame["label"].value_counts().to_dict() == {"food": 6, "sport": 6}
    assert any("train and validation, are rows alike" in each for each in found.proposal.findings)


def test_a_model_of_texts_answers_alike_at_every_door(tmp_path):
    folder = write(tmp_path / "t")
    model, rows = trained(folder, tmp_path)
    assert rows["text"].str.contains("\n").all()
    (chunk,) = ChunkedReader(folder).chunks()
    assert chunk.lines[0] == "food/0.txt"
    by_file = doors.by_predict(model, folder)
    assert len(by_file) == 80
    assert not any("error" in answer for answer in by_file)
    # The same texts as a table, and by HTTP.
    rows.to_csv(tmp_path / "t.csv", index=False)
    assert doors.by_predict(model, tmp_path / "t.csv") == by_file
    assert doors.by_http_csv(model, tmp_path / "t.csv") == by_file
    assert doors.by_http_json(model, tmp_path / "t.csv") == by_file
    assert doors.by_pyfunc(model, tmp_path / "t.csv", list(range(80))) == by_file
    assert doors.by_evaluate(model, folder) == (by_file, 0)


def test_texts_without_folders_are_answered_and_an_empty_one_is_refused_alone(tmp_path):
    model, _ = trained(write(tmp_path / "t"), tmp_path)
    new = tmp_path / "new"
    new.mkdir()
    for name, text in (("a", "goal match"), ("b", " \n"), ("c", "soup and butter")):
        (new / f"{name}.txt").write_text(text)
    first, second, third = doors.by_predict(model, new)
    assert "error" not in first
    assert "error" not in third
    assert second["error"] == "text is empty, and never was in training"


def test_texts_beside_the_folders_and_no_folder_are_refused(tmp_path):
    folder = write(tmp_path / "t", n=2)
    (folder / "x.txt").write_text("stray")
    with pytest.raises(DatasetError, match=r"1 texts .* lie in no folder of a class, the first is x.txt"):
        LabelledTexts(path=str(tmp_path), texts={"name": "t"}).load()
    with pytest.raises(DatasetError):
        LabelledTexts(path=str(tmp_path), texts={"name": "nothing"}).load()
    assert propose_problem("mine", folder, tmp_path).proposal.value("problem.task") == "documents"
