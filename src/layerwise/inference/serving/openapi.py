"""What the server says of its requests and responses, as an OpenAPI document: a client can be made or tested by it.

The document says the form of a body. Which cells a model takes is found row by row, and a response says it.
https://spec.openapis.org/oas/v3.1.0
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from layerwise.inference.model import TrainedModel
from layerwise.inference.serving.responses import BAD_REQUEST, ERROR_CODES, JSON, MAX_MESSAGE
from layerwise.inference.serving.settings import MAX_COLUMNS, ServerSettings
from layerwise.inference.tasks import offered_tasks
from layerwise.parameters import TaskSettings

CELL = {"type": ["number", "string", "boolean", "null"]}
# The statuses of refusals, of `/invocations` and of every other route.
ERROR_STATUSES = {
    "/invocations": (400, 405, 408, 413, 415, 503),
    "": (405, 503),
}


def describe_server(model: TrainedModel, settings: ServerSettings) -> str:
    """Return the OpenAPI document of a server, as JSON.

    Args:
        model: what it answers for.
        settings: its limits.
    """
    name = model.manifest.registered_name
    # Their bodies are those of MLflow's server: text under the type of JSON.
    texts = {"/ping": "the model is loaded", "/health": "the model is loaded", "/version": "MLflow's version"}
    paths: dict[str, Any] = {
        path: {
            "get": {
                "operationId": path[1:],
                "responses": {"200": {"description": said}} | _error_responses(""),
            }
        }
        for path, said in texts.items()
    }
    paths["/invocations"] = {"post": _invocations(model, settings)}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": name,
            "version": version("layerwise"),
            "description": f"What the model {name} ({model.kind}) answers.",
        },
        "paths": paths,
        "components": {"schemas": {"Row": _row(model), "Params": _params(model), "Error": _error()}},
    }
    return json.dumps(document, allow_nan=False)


def _invocations(model: TrainedModel, settings: ServerSettings) -> dict[str, Any]:
    rows = {"type": "array", "minItems": 1, "maxItems": settings.max_rows}
    records = rows | {"items": {"$ref": "#/components/schemas/Row"}}
    cells = {"type": "array", "items": CELL}
    names = {"type": "array", "items": {"type": "string"}, "maxItems": MAX_COLUMNS, "uniqueItems": True}
    split = {
        "type": "object",
        "properties": {"columns": names, "data": rows | {"items": cells}},
        "required": ["columns", "data"],
    }
    by_column = {"type": "object", "minProperties": 1, "additionalProperties": rows | {"items": CELL}}
    forms = {
        "dataframe_records": records,
        "dataframe_split": split,
        "instances": {"anyOf": [records, rows | {"items": cells}]},
        "inputs": {"anyOf": [by_column, records]},
    }
    bodies = [
        {
            "type": "object",
            "properties": {form: table, "params": {"$ref": "#/components/schemas/Params"}},
            "required": [form],
            "additionalProperties": False,
        }
        for form, table in forms.items()
    ]
    answer = {
        "type": "object",
        "properties": {
            "predictions": {"type": "array", "items": {"type": "object"}},
            "seed": {"type": "integer", "minimum": 0},
        },
        "required": ["predictions"],
        "additionalProperties": False,
    }
    found = {"200": {"description": "an answer for each row", "content": {JSON: {"schema": answer}}}}
    return {
        "operationId": "invocations",
        "summary": f"Ask the model to {', '.join(task.name for task in offered_tasks(model))}",
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": {"oneOf": bodies}}, "text/csv": {"schema": {"type": "string"}}},
        },
        "responses": found | _error_responses("/invocations"),
    }


def _row(model: TrainedModel) -> dict[str, Any]:
    names = model.raw_names
    return {"type": "object", "properties": dict.fromkeys(names, CELL), "required": names}


def _params(model: TrainedModel) -> dict[str, Any]:
    """Return the settings of what is asked, with the tasks of this model."""
    found = TaskSettings.model_json_schema()
    found["properties"]["task"] = {"enum": [None, *(task.name for task in offered_tasks(model))]}
    return found


def _error() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "error_code": {"enum": [BAD_REQUEST, *ERROR_CODES.values()]},
            "message": {"type": "string", "minLength": 1, "maxLength": MAX_MESSAGE},
        },
        "required": ["error_code", "message"],
        "additionalProperties": False,
    }


def _error_responses(path: str) -> dict[str, Any]:
    content = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        str(status): {"description": ERROR_CODES.get(status, BAD_REQUEST).lower(), "content": content}
        for status in ERROR_STATUSES[path]
    }
