"""`kedro run`, before Kedro's own takes over."""

import pytest
from click.testing import CliRunner

from layerwise.cli.run import run


@pytest.mark.parametrize(("processes", "is_refused"), [("2", True), ("1", False)])
def test_a_run_that_torchrun_starts_several_times_is_refused_with_the_parameter_that_does_it(
    processes, is_refused, monkeypatch
):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", processes)
    found = CliRunner().invoke(run, ["--pipelines=none_such"])
    assert found.exit_code == 1
    assert (f"--params=compute.ranks={processes}" in found.output) == is_refused
