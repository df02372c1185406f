"""What the tests' quick reading of a configuration gives is what OmegaConf gives."""

from pathlib import Path

import pytest
from helpers.quick_configuration import files_read_by_omegaconf
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from layerwise.settings import CONFIG_LOADER_ARGS, ProblemConfigLoader

CONF = Path(__file__).parent.parent / "conf"
PROBLEMS = sorted(folder.name for folder in CONF.iterdir() if folder.is_dir() and folder.name != "base")
GIVEN = {"mlp": {"hidden_sizes": (3, 4), "activation": None}, "problem": {"name": "given"}, "seed": 7}


def read(problem, given):
    loader = ProblemConfigLoader(str(CONF), env=problem, runtime_params=given, **CONFIG_LOADER_ARGS)
    return {key: loader[key] for key in ("parameters", "catalog")}


@pytest.mark.parametrize("given", [{}, GIVEN])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_problem_is_read_as_omegaconf_reads_it(problem, given):
    quick = read(problem, given)
    with files_read_by_omegaconf():
        assert quick == read(problem, given)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"a": {"b": 1}}, {"a": None}),
        ({"a": {"b": 1}}, {"a": {}}),
        ({"a": {"b": 1}}, {"a": 3}),
        ({"a": [1, {"b": 2}]}, {"a": []}),
        ({"a": None}, {"a": {"b": [1]}}),
        ({"a": 1}, {"a": {"b": 2}, "c": 0.5}),
        ({"a": 1, "b": "${a}"}, {"a": 2}),
        ({1: 2}, {1: {2: 3}}),
    ],
)
def test_two_files_are_merged_as_omegaconf_merges_them(first, second):
    quick = OmegaConf.to_container(OmegaConf.unsafe_merge(first, second), resolve=True)
    with files_read_by_omegaconf():
        assert quick == OmegaConf.to_container(OmegaConf.unsafe_merge(first, second), resolve=True)


@pytest.mark.parametrize(
    ("first", "second"),
    [({"a": {"b": 1}}, {"a": [3]}), ({"a": 1}, {"a": object()}), ({"a": 1}, {"b": "${c}"})],
)
def test_what_omegaconf_refuses_is_refused(first, second):
    with pytest.raises(OmegaConfBaseException):
        OmegaConf.to_container(OmegaConf.unsafe_merge(first, second), resolve=True)
