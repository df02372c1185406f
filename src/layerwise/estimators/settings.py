"""An estimator's arguments as the settings of the pipelines: one set of names, limits and messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sklearn.base import BaseEstimator

from layerwise.parameters import ParameterError
from layerwise.utils import Config, nearest


def typed_settings(
    estimator: BaseEstimator, arguments: Mapping[str, str], models: Mapping[str, type[Config]]
) -> dict[str, Any]:
    """Return an estimator's settings by key, each as the pipelines have it; a null is left to the rule of sizes.

    Args:
        estimator: with the arguments, and a nested `settings` of all others, such as `{"finetuning": {"l2": 0.1}}`.
        arguments: the setting, `<key>.<name>`, that each argument is.
        models: of the keys.

    Raises:
        ParameterError: a name that there isn't, one that is an argument, or a wrong value.
    """
    nested, wrong = estimator.settings or {}, []
    argument_of = {setting: argument for argument, setting in arguments.items()}
    if not isinstance(nested, Mapping):
        raise ParameterError(f"settings: a dict of {', '.join(models)}, not {type(nested).__name__}")
    found: dict[str, Any] = {}
    for key in nested:
        if key not in models:
            wrong.append(f"settings: unknown '{key}'{nearest(str(key), list(models))}")
    for key, model in models.items():
        given = nested.get(key) or {}
        if not isinstance(given, Mapping):
            wrong.append(f"settings: {key} is a dict of {', '.join(model.model_fields)}")
            continue
        own = {
            setting.partition(".")[2]: getattr(estimator, argument)
            for argument, setting in arguments.items()
            if setting.startswith(f"{key}.")
        }
        wrong += [
            f"settings: {key}.{name} is the argument {argument_of[f'{key}.{name}']}"
            for name in given
            if name in own
        ]
        try:
            found[key] = model(**dict.fromkeys(model.names_by_rule()) | dict(given) | own)
        except ValidationError as error:
            wrong += describe_errors(error, {n: argument_of[f"{key}.{n}"] for n in own}, key)
    if wrong:
        raise ParameterError("wrong arguments: " + "; ".join(dict.fromkeys(wrong)))
    return found


def settings_under(key: str, *names: str) -> dict[str, str]:
    """Return the settings of a key by the arguments that are called as they are, for `typed_settings`."""
    return {name: f"{key}.{name}" for name in names}


def describe_errors(error: ValidationError, arguments: Mapping[str, str], key: str = "") -> list[str]:
    """Return a sentence for each wrong value, under the argument's name where the setting is one.

    Args:
        error: of a settings model.
        arguments: the argument that each setting's name is.
        key: of the model, for settings that are no arguments.
    """
    found = []
    for each in error.errors():
        first, *rest = [str(part) for part in each["loc"]] or [""]
        first = arguments.get(first, f"settings: {key}.{first}" if key and first else first)
        at = ".".join([first, *rest]) if first else key
        message = each["msg"].removeprefix("Value error, ")
        found.append(f"{at}: {message}" if at else message)
    return found
