import math
from functools import cache, reduce
from itertools import pairwise

import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from reproduction.page import document, interval
from reproduction.rows import FIGURES, PROJECT, Figure, own_figures, read_figures, read_report
from reproduction.runs import UnfinishedError, hash_of_settings, value_of

from layerwise.cli.run_parameters import parse_parameters
from layerwise.parameters import ParameterError, check_parameters

REPORT = read_report()


@cache
def parameters_of(env):
    """The parameters of an environment, before they are checked."""
    bootstrap_project(PROJECT)
    with KedroSession.create(PROJECT, env=env, save_on_close=False) as session:
        return dict(session.load_context().config_loader["parameters"])


def checked(row, params):
    """The parameters of a row's environment with some others, checked as a run checks them before any node."""
    return check_parameters(merge(parameters_of(row.env), parse_parameters(",".join(params.split()))))


def merge(first, second):
    both = dict(first)
    for key, value in second.items():
        both[key] = merge(both[key], value) if isinstance(value, dict) and key in both else value
    return both


def figure(row, seed, value):
    return Figure(
        seed=seed, value=value, command=row.command, cpu_seconds=90, date="2026-01-02", commit="abc1234",
        processor="a processor",
    )  # fmt: skip


def test_the_page_is_what_rows_and_figures_give():
    page = FIGURES.with_suffix(".md").read_text()
    assert page == document(REPORT, read_figures()), "run: python benchmarks/reproduce.py --page-only"


@pytest.mark.parametrize("row", REPORT.rows(), ids=lambda row: row.name)
def test_the_parameters_of_every_rows_command_are_accepted(row):
    loaded = checked(row, row.params)
    for pair in row.params.split():
        name, _, text = pair.partition("=")
        assert f"{name}={text}" in row.command
        first, *path = name.split(".")
        found = reduce(getattr, path, loaded[first])
        assert (list(found) if isinstance(found, tuple) else found) == parse_parameters(f"x={text}")["x"]


def test_a_misspelt_parameter_of_a_row_would_be_found():
    row = next(REPORT.rows())
    with pytest.raises(ParameterError, match="epochz"):
        checked(row, "finetuning.epochz=3")


def test_rows_have_names_of_their_own_and_every_figure_has_its_row():
    names = [row.name for row in REPORT.rows()]
    assert len(set(names)) == len(names)
    for name, found in read_figures().items():
        assert name in names
        assert all(before.seed < after.seed for before, after in pairwise(found))


def test_a_row_that_was_not_run_says_why_and_shows_no_figure():
    row = next(row for row in REPORT.rows() if row.not_run)
    page = document(REPORT, {})
    assert f"- `{row.name}`: {f'Short: {row.short}. ' if row.short else ''}Not run: {row.not_run}." in page
    assert (
        next(line for line in page.splitlines() if line.startswith(f"| `{row.name}` ")).count("not run") == 1
    )
    assert "Not run" not in document(REPORT, {row.name: [figure(row, 0, 1.0)] for row in REPORT.rows()})


def test_the_interval_over_seeds_is_students():
    mean, half = interval([1.0, 2.0, 3.0])
    assert mean == 2
    # 4.30265 is the quantile of 97.5 % with two degrees of freedom; the standard error is 1 / sqrt(3).
    assert half == pytest.approx(4.302653 / math.sqrt(3), abs=1e-5)
    assert math.isnan(interval([1.0])[1])


def test_the_page_scales_a_metric_and_shows_the_interval_of_several_seeds():
    group = REPORT.groups[0]
    row = group.rows[0]
    page = document(REPORT, {row.name: [figure(row, 0, 0.0120), figure(row, 1, 0.0130)]})
    line = next(line for line in page.splitlines() if line.startswith(f"| `{row.name}` "))
    # The t quantile of one degree of freedom is 12.706; the standard error of 1.20 and 1.30 is 0.05.
    assert "| 1.25 ± 0.64 | 2 | 1.5 | 2026-01-02, abc1234, a processor |" in line


def test_a_figure_of_another_command_does_not_count():
    row = next(REPORT.rows())
    other = figure(row, 0, 0.5).model_copy(update={"command": "kedro run"})
    assert own_figures(row, {row.name: [other, figure(row, 1, 0.1)]}) == [figure(row, 1, 0.1)]


def test_a_row_that_there_is_not_is_refused_with_the_nearest_name():
    with pytest.raises(SystemExit, match="did you mean 'movielens'"):
        REPORT.find(["movielense"])


def test_a_log_probability_whose_log_z_has_no_upper_bound_is_no_figure():
    row, name = REPORT.find(["dbm_bound"])[0], "test/log_prob_bound"
    held = {name: -94.3, f"{name}_low": -95.7, f"{name}_high": -92.8}
    assert value_of(row, held) == -94.3
    with pytest.raises(UnfinishedError, match=r"dbm_bound: -111.55 or less"):
        value_of(row, {name: -111.55, f"{name}_high": -111.55})
    with pytest.raises(
        UnfinishedError, match=r"no metric test/log_prob_bound; did you mean 'bound/log_prob_bound'"
    ):
        value_of(row, {"bound/log_prob_bound": -1.0})


def test_a_run_of_other_settings_is_none_of_the_row(tmp_path):
    for name, text in (("base", "rbm: {epochs: 3, steps: 1}\n"), ("mnist", "rbm: {epochs: 5}\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "parameters.yml").write_text(text)
    found = hash_of_settings("mnist", tmp_path)
    (tmp_path / "base/parameters.yml").write_text("# a word\nrbm:\n  steps: 1\n  epochs: 3\n")
    assert hash_of_settings("mnist", tmp_path) == found
    assert hash_of_settings("base", tmp_path) != found
    (tmp_path / "mnist/parameters.yml").write_text("rbm: {epochs: 6}\n")
    assert hash_of_settings("mnist", tmp_path) != found
