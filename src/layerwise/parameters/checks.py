"""What is wrong with parameters, said in one message before any node runs."""

from __future__ import annotations

from typing import Any

from layerwise.utils import UserError, check_number, describe_value


class ParameterError(UserError, ValueError):
    """A parameter has a wrong name, type or value."""


def check_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters as their models, top-level key by top-level key.

    Kedro does the same for what a pipeline's nodes ask for; this also finds a key that no node asks for because
    its name is misspelt, and says what a parameter of the first edition is called now.

    Raises:
        ParameterError: one message that lists every wrong name and value.
    """
    from pydantic import TypeAdapter, ValidationError

    from layerwise.parameters.keys import PARAMETERS
    from layerwise.parameters.other_names import suggest_whole_name, take_other_names
    from layerwise.parameters.renames import find_renames
    from layerwise.parameters.rules import find_conflicts

    parameters, wrong = find_renames(parameters)
    parameters, elsewhere = take_other_names(parameters)
    wrong += elsewhere
    wrong += [
        f"unknown parameter '{key}'{suggest_whole_name(str(key))}"
        for key in parameters
        if key not in PARAMETERS
    ]
    right = {}
    for key, kind in PARAMETERS.items():
        if key not in parameters:
            wrong.append(f"{key} is missing: conf/base/parameters.yml has its default")
            continue
        try:
            check_number(parameters[key], kind)
            right[key] = TypeAdapter(kind).validate_python(parameters[key])
        except ValidationError as error:
            for each in error.errors():
                wrong.append(f"{'.'.join([key, *map(str, each['loc'])])}: {describe_value(each)}")
        except ValueError as error:
            wrong.append(f"{key}: {error}")
    wrong = wrong or find_conflicts(right)
    if wrong:
        raise ParameterError("wrong parameters: " + "; ".join(wrong))
    return right
