"""Every way to a registered model's answer: the pipeline, MLflow's pyfunc, and HTTP."""

import json

import mlflow
import numpy as np
import pandas as pd
from helpers.running_server import ask, running

from layerwise.inference import create_app, load_trained_model
from layerwise.tracking import find_model


def tracking_uri(project):
    return f"sqlite:///{project.path}/mlflow.db"


def registered(project, name):
    """Return the champion of a name as the project reads it."""
    found = find_model(f"{name}@champion", tracking_uri(project))
    return load_trained_model(found.folder, found.sha256)


def pyfunc(project, name):
    """Return the champion of a name as MLflow loads it."""
    mlflow.set_tracking_uri(tracking_uri(project))
    try:
        return mlflow.pyfunc.load_model(f"models:/{name}@champion")
    finally:
        # It holds for the process, where later tests have projects of their own.
        mlflow.set_tracking_uri(None)


def from_pipeline(project, name, file, env=None, **settings):
    """Return what the pipeline writes; `file` may be None, or the entry of an environment."""
    output = project.path / f"{name}_{settings.get('task')}.csv"
    given = {"model": f"{name}@champion", "input": file and str(file), "output": str(output)}
    project.run("predict", env=env, predict=given | settings)
    return pd.read_csv(output)


def from_http(model, frame, **params):
    """Return the response to the rows of a frame, None for none."""
    with running(create_app(model)) as port:
        return from_port(port, frame, **params)


def from_port(port, frame, **params):
    """Return the response of a running server to the rows of a frame, None for none."""
    body = {"params": params}
    if frame is not None:
        cells = frame.astype(object).where(frame.notna(), None)
        body["dataframe_split"] = {"columns": list(frame), "data": cells.to_numpy().tolist()}
    status, _, text = ask(port, body=json.dumps(body).encode())
    return status, json.loads(text)


def answers(project, name, file, frame, **settings):
    """Return the answers of all three doors as frames."""
    status, response = from_http(registered(project, name), frame, **settings)
    assert status == 200, response
    return {
        "pipeline": from_pipeline(project, name, file, **settings),
        "pyfunc": pyfunc(project, name).predict(frame, params=settings),
        "http": pd.DataFrame(response["predictions"]),
    }


def assert_same_numbers(found):
    """Check that all doors give the same numbers in the columns of pyfunc's answer."""
    expected = found["pyfunc"]
    for door, answer in found.items():
        for column in expected:
            values, wanted = answer[column].to_numpy(), expected[column].to_numpy()
            np.testing.assert_array_equal(values, wanted, err_msg=f"{door}: {column}")


def assert_same_cells(found, columns):
    """Check that every door's cells are those of pyfunc, as text and numbers of a file read back."""
    for door, answer in found.items():
        for name in columns:
            wanted = found["pyfunc"][name]
            if pd.api.types.is_numeric_dtype(wanted):
                cells, expected = answer[name].astype(float), wanted.astype(float)
                np.testing.assert_array_equal(cells, expected, err_msg=f"{door} {name}")
            elif pd.api.types.is_datetime64_dtype(wanted):
                assert pd.to_datetime(answer[name]).tolist() == wanted.tolist(), (door, name)
            else:  # a class such as "3" comes back from a file as a number
                assert answer[name].fillna("").astype(str).tolist() == wanted.tolist(), (door, name)
