"""Rows that come back have cells like those of the training file, so that the model reads its own answers again."""

from io import StringIO

import numpy as np
import pandas as pd
import pytest
from helpers.small_models import network_of

from layerwise.data import DataError, PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.data.reading import ChunkedReader
from layerwise.data.reading.cells import read_table
from layerwise.datasets import SourceTable
from layerwise.estimators import TabularGAN
from layerwise.evaluation.unsupervised import AnomalyReference
from layerwise.inference import (
    ModelManifest,
    ModelParts,
    StreamedPredictions,
    load_trained_model,
    save_trained_model,
)
from layerwise.inference.tasks import answer_rows
from layerwise.parameters import TaskSettings


def cells(n=240, seed=0):
    """Every kind of text that means a number, a boolean or a date, some beside gaps."""
    rng = np.random.default_rng(seed)
    days = pd.to_datetime("2021-01-01") + pd.to_timedelta(rng.integers(0, 700, n), "D")

    def gaps(column):
        return np.where(rng.random(n) < 0.1, "", np.asarray(column, dtype=object))

    euros = pd.Series(rng.uniform(0, 9, n)).map("{:.2f}".format).str.replace(".", ",")
    return pd.DataFrame(
        {
            "flag": gaps(rng.choice(["True", "False"], n)),
            "answer": rng.choice(["yes", "no"], n),
            "letter": gaps(rng.choice(["Y", "N"], n)),
            "bit": rng.choice(["0", "1"], n),
            "count": gaps(rng.integers(0, 50, n).astype(str)),
            "day": days.strftime("%d/%m/%Y"),
            "iso": gaps(days.strftime("%Y-%m-%d")),
            "time": days.strftime("%Y-%m-%d 07:30"),
            "euros": euros,
            "rate": gaps(pd.Series(rng.uniform(0, 9, n)).map("{:.1f} %".format)),
            "wait": pd.Series(rng.integers(0, 300, n)).map(lambda m: f"{m // 60}:{m % 60:02d}"),
            "zip": pd.Series(rng.choice([1234, 20500, 433], n)).map("{:05d}".format),
            "kind": rng.choice(["a", "b"], n),
        }
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own_cells")
    cells().to_csv(folder / "t.csv", index=False)
    problem = Problem(name="t", task="binary", target="kind")
    source = SourceTable(
        path=str(folder), file={"name": "t.csv"}, reading=problem.reading.model_dump(mode="json")
    )
    settings = PreprocessingSettings()
    rows = read_table(source.load(), problem, settings)
    split = split_raw(rows, problem, SplitSettings(), 0)
    preprocessor = fit_preprocessor(rows, split, problem, settings, 0)
    training, validation, _ = preprocess_rows(rows, split, preprocessor)
    network, parts = network_of("autoencoder", preprocessor.data_spec)
    parts["reference"] = AnomalyReference.of(
        network, training.inputs, validation.inputs, preprocessor.data_spec
    )
    save_trained_model(
        folder / "m", network, preprocessor, ModelManifest(problem="t"), parts=ModelParts(**parts)
    )
    return load_trained_model(folder / "m")


def answered(model, frame, path, **settings):
    """Return the cells of the file that the pipeline writes of rows, as text."""
    frame.to_csv(path, index=False)
    written = StreamedPredictions(model, ChunkedReader(path), settings=TaskSettings(**settings))
    return pd.read_csv(StringIO("".join(written)), dtype=str, keep_default_na=False)


@pytest.fixture
def holes():
    """Rows of the file of which other cells are empty in each."""
    rows = cells(seed=1).head(9).drop(columns="kind")
    for row in range(len(rows)):
        rows.iloc[row, row :: len(rows)] = ""
    return rows


@pytest.mark.parametrize("task", ["impute", "sample"])
def test_only_empty_cells_are_filled_and_the_others_are_what_they_were(model, holes, tmp_path, task):
    settings = {"seed": 1, "steps": 2} if task == "sample" else {}
    found = answered(model, holes, tmp_path / "holes.csv", task=task, **settings)
    assert (found["error"] == "").all()
    assert (found[list(holes)] != "").all(axis=None)
    given = holes.replace({"rate": {r"^(\d+)\.0 %$": r"\1%", " ": ""}}, regex=True)
    given["euros"] = given["euros"].str.replace(r",?0+$", "", regex=True)
    same = (found[list(holes)] == given) | (holes == "")
    assert same.all(axis=None), found[list(holes)][~same].stack().tolist()


@pytest.mark.parametrize("task", ["impute", "sample", "reconstruct"])
def test_a_model_reads_its_own_answers_again(model, holes, tmp_path, task):
    rows = cells(seed=1).head(9).drop(columns="kind") if task == "reconstruct" else holes
    settings = {"seed": 1, "steps": 2} if task == "sample" else {}
    found = answered(model, rows, tmp_path / "rows.csv", task=task, **settings)[list(rows)]
    assert set(found["answer"]) <= {"yes", "no"}
    assert set(found["flag"]) <= {"True", "False"}
    assert set(found["letter"]) <= {"Y", "N"}
    assert found["count"].str.fullmatch(r"\d+").all()
    assert found["day"].str.fullmatch(r"\d\d/\d\d/\d{4}").all()
    assert answered(model, found, tmp_path / "again.csv", task="encode")["error"].tolist() == [""] * 9


def test_drawn_numbers_lie_within_those_of_the_training_rows(model):
    found = answer_rows(model, None, TaskSettings(task="sample", n=500, seed=0))
    euros = found["euros"].str.replace(",", ".").astype(float)
    assert (found["count"].min(), found["count"].max()) == (0, 49)
    assert euros.between(0, 9).all()
    assert found["rate"].str.fullmatch(r"\d(\.\d+)?%").all()


def test_typed_doors_have_booleans_and_whole_numbers(model, holes):
    found = answer_rows(model, holes.replace("", None), TaskSettings(task="impute"), strict=False)
    assert found["flag"].dtype == bool
    assert found["bit"].dtype == found["count"].dtype == np.int64
    assert set(found["answer"]) <= {"yes", "no"}


def test_a_generators_conditions_are_cells_of_the_training_file():
    rows = cells()[["answer", "flag", "bit", "day", "kind"]].replace("", None).dropna()
    sizes = {"generator_sizes": (8,), "discriminator_sizes": (8,), "latent_size": 4, "epochs": 1}
    gan = TabularGAN("kind", random_state=0, **sizes).fit(rows)
    given = {"answer": "no", "flag": "True", "bit": "1"}
    found = gan.sample(5, conditions=given)
    assert found[list(given)].astype(str).drop_duplicates().to_dict("records") == [given]
    assert found["day"].str.fullmatch(r"\d\d/\d\d/\d{4}").all()
    with pytest.raises(DataError, match="answer is no or yes, and holds 'perhaps'"):
        answer_rows(gan.model_, pd.DataFrame([{"answer": "perhaps"}]), TaskSettings(task="sample"))
