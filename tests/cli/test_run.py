"""`kedro run`, before Kedro's own takes over."""

import pytest
from click.testing import CliRunner

from layerwise.cli.run import run


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [
        (
            ["--params=compute.ranks=3"],
            {},
            "compute.ranks=3, and torchrun has started 2 processes: leave compute.ranks out",
        ),
        (["--runner=ThreadRunner"], {}, "no ThreadRunner"),
        ([], {"LOCAL_WORLD_SIZE": "1", "TORCHELASTIC_MAX_RESTARTS": "3"}, "leave --max-restarts out"),
    ],
)
def test_what_does_not_fit_the_processes_of_torchrun_is_refused_before_they_meet(
    options, environment, message, monkeypatch
):
    given = {"TORCHELASTIC_RUN_ID": "none", "WORLD_SIZE": "2", "RANK": "0", "LOCAL_WORLD_SIZE": "2"}
    for name, value in (given | environment).items():
        monkeypatch.setenv(name, value)
    found = CliRunner().invoke(run, ["--pipelines=none_such", *options])
    assert found.exit_code == 1
    assert message in found.output


def test_a_single_process_of_torchrun_is_a_run_as_any(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "1")
    found = CliRunner().invoke(run, ["--pipelines=none_such"])
    assert found.exit_code == 1
    assert "torchrun" not in found.output
