from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
import yaml
from kedro.config import OmegaConfigLoader
from make_parameters import document
from pydantic import TypeAdapter, ValidationError

from layerwise.parameters import PARAMETERS, check_parameters, is_model, without_empty_keys
from layerwise.parameters.keys import default_of
from layerwise.training.gan import GANSettings
from layerwise.utils import Registered

CONF = Path(__file__).parent.parent / "conf"
TEXT = (CONF / "base/parameters.yml").read_text()
BASE = yaml.safe_load(TEXT)
MODELS = {key: kind for key, kind in PARAMETERS.items() if is_model(kind)}
PROBLEMS = sorted(folder.name for folder in CONF.iterdir() if folder.is_dir() and folder.name != "base")


def outcome(kind, given):
    """Return the settings, or the messages that refuse them."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        return [(each["loc"], each["msg"]) for each in error.errors()]


def with_open_sizes(kind):
    """Return a key's defaults, with null for what the rows decide."""
    return kind.model_validate(dict.fromkeys(kind.names_by_rule()))


def names_of(kind, metadata=()):
    """Yield every value of a field that is chosen by name."""
    for each in metadata:
        if isinstance(each, Registered):
            yield from each.names()
    if get_origin(kind) is Literal:
        yield from get_args(kind)
    elif get_origin(kind) is not tuple:
        for each in get_args(kind):
            yield from names_of(each)


def test_the_base_configuration_is_what_the_models_say():
    assert document() == TEXT, "run: make parameters"


def test_it_shows_every_parameter():
    def fields(kind, values):
        assert set(values) == set(kind.model_fields)
        for name, field in kind.model_fields.items():
            if is_model(field.annotation):
                fields(field.annotation, values[name])

    assert list(BASE) == list(PARAMETERS)
    for key, kind in MODELS.items():
        fields(kind, BASE[key])


def test_its_values_are_the_models_defaults():
    for key, kind in PARAMETERS.items():
        if key != "problem":
            right = TypeAdapter(kind).validate_python(BASE[key])
            assert right == (with_open_sizes(kind) if is_model(kind) else default_of(key)), key
    assert GANSettings().r1 == 1
    assert BASE["gan"]["r1"] is None


def test_every_parameter_has_a_meaning_and_no_line_is_too_long():
    def described(kind):
        for name, field in kind.model_fields.items():
            if is_model(field.annotation):
                described(field.annotation)
            else:
                assert field.description, name

    for kind in MODELS.values():
        described(kind)
    assert max(map(len, TEXT.splitlines())) <= 120


def test_it_tunes_nothing_for_a_problem_which_has_to_say_its_name_and_task():
    refused = dict(outcome(PARAMETERS["problem"], BASE["problem"]))
    assert list(refused) == [("name",), ("task",)]
    assert all("every problem says its own, in conf/<environment>" in text for text in refused.values())


@pytest.mark.parametrize("key", [key for key in MODELS if key != "problem"])
def test_a_default_that_is_written_down_changes_nothing(key):
    kind = MODELS[key]
    for name, field in kind.model_fields.items():
        for value in names_of(field.annotation, field.metadata):
            by_rule = dict.fromkeys(kind.names_by_rule())
            assert outcome(kind, BASE[key] | {name: value}) == outcome(kind, by_rule | {name: value}), name


@pytest.mark.parametrize("key", [key for key in MODELS if key != "problem"])
def test_a_key_with_nothing_under_it_is_read_as_empty(key):
    kind = MODELS[key]
    assert kind.model_validate(None) == kind()
    filled = without_empty_keys({key: None, "synthesize": None})
    assert kind.model_validate(filled[key]) == with_open_sizes(kind)
    assert filled["synthesize"] is None


def test_settings_within_settings_may_be_empty_too():
    assert GANSettings.model_validate({"table": None}) == GANSettings()


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_problem_says_its_name_and_task_and_where_its_rows_come_from(problem):
    own = yaml.safe_load((CONF / problem / "parameters.yml").read_text())
    assert own["problem"]["name"] == problem
    assert own["problem"]["task"]
    assert "raw" in yaml.safe_load((CONF / problem / "catalog.yml").read_text())


# An exercise as it is taught says each of its values, whatever the defaults are.
@pytest.mark.parametrize("problem", [problem for problem in PROBLEMS if not problem.endswith("_classic")])
def test_a_problem_repeats_no_default(problem):
    def repeated(own, base, path):
        for name, value in own.items():
            if isinstance(value, dict):
                yield from repeated(value, base[name], f"{path}{name}.")
            elif value == base[name]:
                yield path + name

    own = yaml.safe_load((CONF / problem / "parameters.yml").read_text())
    assert list(repeated(own, BASE, "")) == []


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_problems_parameters_are_right(problem):
    merged = OmegaConfigLoader(
        str(CONF),
        base_env="base",
        default_run_env="digits",
        env=problem,
        merge_strategy={"parameters": "soft"},
    )["parameters"]
    right = check_parameters(merged)  # rules across keys included
    assert list(right) == list(PARAMETERS)
    said = yaml.safe_load((CONF / problem / "parameters.yml").read_text())
    assert right["problem"].name == said["problem"]["name"] == problem
