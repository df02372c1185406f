"""The project's own commands, and how errors are shown on the command line."""

from __future__ import annotations

import click

from layerwise.cli.compare import compare
from layerwise.cli.configuration import configuration_error
from layerwise.cli.errors import ErrorMessageHook, show_user_errors_as_messages
from layerwise.cli.jobs import run_begin, run_end
from layerwise.cli.problem import problem
from layerwise.cli.registry import registry
from layerwise.cli.run import run
from layerwise.cli.serve import champion, serve
from layerwise.cli.sweep import sweep
from layerwise.tracking import collect_garbage_rarely, disable_telemetry

__all__ = [
    "ErrorMessageHook",
    "champion",
    "cli",
    "compare",
    "configuration_error",
    "problem",
    "registry",
    "run",
    "run_begin",
    "run_end",
    "serve",
    "show_user_errors_as_messages",
    "sweep",
]


# Kedro imports this module before it or MLflow could report a command.
disable_telemetry()
# A command imports a lot: with the garbage collector's usual thresholds torch alone takes a sixth longer.
collect_garbage_rarely()


@click.group(name="layerwise")
def cli() -> None:
    """Commands of the project's own beside Kedro's."""


for command in (run, run_begin, run_end, registry, serve, champion, problem, compare, sweep):
    cli.add_command(command)
