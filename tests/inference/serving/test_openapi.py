"""The document that says what the server takes: it is right, and schemathesis finds no request that breaks it."""

import importlib.util
import json
from pathlib import Path

import pytest
from fastapi.openapi.models import OpenAPI
from helpers.running_server import ask, running

from layerwise.inference import ServerSettings, create_app, load_trained_model
from layerwise.inference.serving.responses import ERROR_CODES

TORTURE = Path(__file__).parents[3] / "benchmarks/torture"


@pytest.fixture(scope="module")
def document(tmp_path_factory, tables):
    folder = tmp_path_factory.mktemp("described") / "model"
    tables.saved(folder, tables.table())
    app = create_app(load_trained_model(folder), ServerSettings(openapi=True, max_rows=7))
    with running(app) as port:
        status, kind, text = ask(port, "openapi.json")
    assert (status, kind) == (200, "application/json")
    return json.loads(text)


def test_the_document_is_one_of_openapi_and_names_every_route_and_refusal(document):
    OpenAPI.model_validate(document)
    assert set(document["paths"]) == {"/ping", "/health", "/version", "/invocations"}
    refused = set(document["paths"]["/invocations"]["post"]["responses"]) - {"200"}
    assert refused == {"400", *(str(status) for status in ERROR_CODES if status != 404)}


def test_a_row_has_the_columns_of_the_model_and_the_limits_are_said(document, tables):
    row = document["components"]["schemas"]["Row"]
    assert set(row["required"]) == set(row["properties"]) <= set(tables.table().columns)
    bodies = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    records = next(each for each in bodies["oneOf"] if "dataframe_records" in each["properties"])
    assert records["properties"]["dataframe_records"]["maxItems"] == 7
    assert "predict" in document["components"]["schemas"]["Params"]["properties"]["task"]["enum"]


@pytest.mark.slow
def test_schemathesis_finds_no_fault(monkeypatch):
    pytest.importorskip("schemathesis", reason="schemathesis is not installed: pip install -e '.[fuzz]'")
    monkeypatch.syspath_prepend(str(TORTURE))
    spec = importlib.util.spec_from_file_location("openapi_fuzz", TORTURE / "openapi_fuzz.py")
    torture = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(torture)
    status, said = torture.attack(examples=20, seed=3)
    assert status == 0, said
