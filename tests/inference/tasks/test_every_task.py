"""Every task of every kind of rows at every door: the pipeline, MLflow's pyfunc and HTTP agree to the bit."""

from contextlib import ExitStack

import mlflow
import numpy as np
import pandas as pd
import pytest
from helpers.model_doors import assert_same_cells, from_port
from helpers.running_server import running
from helpers.small_models import ROWS, small_model

from layerwise.data.reading import ChunkedReader
from layerwise.datasets import PredictionsDataset
from layerwise.inference import create_app
from layerwise.inference.tasks import offered_tasks
from layerwise.inference.tasks.base import TASKS
from layerwise.parameters import PredictSettings
from layerwise.pipelines.predict.nodes import predict_rows, sample_rows

UNSUPERVISED = ("encode", "reconstruct", "impute", "anomaly", "log_probability", "sample", "free sample")
TASKS_OF = {
    "mlp": ("predict", "explain"),
    "rbm": ("classify", *UNSUPERVISED),
    "autoencoder": ("denoise", *UNSUPERVISED),
    "gan": ("sample", "free sample"),
}
CASES = [
    (rows, kind, task)
    for rows in ROWS
    for kind, tasks in TASKS_OF.items()
    for task in tasks
    if (task != "explain" and kind != "gan") or rows in ("wine", "mixed")
]
# Their rows are ratings and texts; their own tests ask at every door.
OTHERS = {"recommend", "topics"}
SETTINGS = {
    "anomaly": {"contamination": 0.2, "error_columns": True},
    "explain": {"samples": 4, "seed": 1},
    "log_probability": {"samples": 3, "seed": 1},
    "sample": {"seed": 4, "steps": 3},
    "free sample": {"seed": 4, "steps": 3, "n": 5},
}


@pytest.fixture(scope="module")
def doors_of(tmp_path_factory):
    """Return a function that makes a model once: what is asked of it, its pyfunc, and the port of its server."""
    with ExitStack() as servers:
        found = {}

        def make(rows, kind):
            if (rows, kind) not in found:
                small = small_model(tmp_path_factory.mktemp(f"{rows}_{kind}"), rows, kind)
                port = servers.enter_context(running(create_app(small.model)))
                found[rows, kind] = small, mlflow.pyfunc.load_model(str(small.folder)), port
            return found[rows, kind]

        yield make


def with_holes(small, folder):
    """Return rows with empty cells, and their file."""
    frame = small.rows.astype(dict.fromkeys(small.rows.select_dtypes("number"), float))
    frame.iloc[::3, 1], frame.iloc[1::4, 2] = None, None
    if small.model.has_image_inputs:
        np.save(folder / "holes.npy", frame.to_numpy().reshape(-1, *small.model.columns.image_shape))
        return frame, folder / "holes.npy"
    frame.to_csv(folder / "holes.csv", index=False)
    return frame, folder / "holes.csv"


@pytest.mark.parametrize(("rows", "kind", "case"), CASES)
def test_every_door_gives_the_same_answer(doors_of, tmp_path, rows, kind, case):
    small, pyfunc, port = doors_of(rows, kind)
    task, frame, file = case.removeprefix("free "), small.rows, small.file
    if case == "impute" or (
        case == "sample" and kind != "gan"
    ):  # a generator's conditions are filled cells alone
        frame, file = with_holes(small, tmp_path)
    elif case == "free sample":
        frame = file = None
    settings = {"task": task} | SETTINGS.get(case, {})
    if kind == "gan" or (kind == "autoencoder" and case == "free sample"):
        del settings["steps"]
    status, response = from_port(port, frame, **settings)
    assert status == 200, response
    asked = PredictSettings(**settings)
    written = (
        sample_rows(small.model, asked)
        if file is None
        else predict_rows(small.model, ChunkedReader(file), asked)
    )
    output = tmp_path / "answers.csv"
    PredictionsDataset(file=str(output), input_path=file and str(file)).save(written)
    found = {
        "pyfunc": pyfunc.predict(pd.DataFrame() if frame is None else frame, params=settings),
        "http": pd.DataFrame(response["predictions"]),
        "pipeline": pd.read_csv(output),
    }
    assert len(found["pyfunc"]) == len(found["pipeline"]) == (5 if frame is None else len(frame))
    assert_same_cells(found, list(found["pyfunc"]))


def test_no_task_is_left_out(doors_of):
    for rows, kind in {(rows, kind) for rows, kind, _ in CASES}:
        asked = {case.removeprefix("free ") for r, k, case in CASES if (r, k) == (rows, kind)}
        assert {task.name for task in offered_tasks(doors_of(rows, kind)[0].model)} == asked, (rows, kind)
    assert {case.removeprefix("free ") for _, _, case in CASES} == set(TASKS.all()) - OTHERS
