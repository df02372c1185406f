"""The project's own commands, and how errors are shown on the command line."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.hooks import hook_impl
from kedro.framework.project import pipelines

from layerwise.utils import UserError, nearest

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata
    from kedro.pipeline import Pipeline

RUNNERS = ["SequentialRunner", "ThreadRunner", "ParallelRunner"]


@click.group(name="layerwise")
def cli() -> None:
    """Commands of the project's own beside Kedro's."""


class RunCommand(click.Command):
    """Kedro's `run`, which says in one line what name there is not, and which one is nearest."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run, or raise what is wrong with the names that were given."""
        try:
            return super().invoke(ctx)
        except (ValueError, AttributeError, ImportError) as error:
            if isinstance(error, UserError):
                raise
            # Kedro looks names up before any node runs. An error with all names known is another one.
            wrong = next(_wrong_names(ctx.params, error), None)
            if wrong is None:
                raise
            raise click.ClickException(wrong) from None


run = RunCommand(kedro_run.name, callback=kedro_run.callback, params=kedro_run.params, help=kedro_run.help)
cli.add_command(run)


def _wrong_names(given: Mapping[str, Any], error: Exception) -> Iterator[str]:
    """Yield a message for each name among a command's options that there is not."""
    runner = given["runner"]
    if runner and "." not in runner and runner not in RUNNERS:
        yield f"unknown runner '{runner}'{nearest(runner, RUNNERS)}"
    if runner and isinstance(error, (AttributeError, ImportError)) and runner.split(".")[0] in str(error):
        yield f"unknown runner '{runner}': {error}"
    names = [given["pipeline"]] if given["pipeline"] else given["pipelines"] or ["__default__"]
    shown = ", ".join(name.replace("__default__", "dbn") for name in names)
    parts: list[Pipeline] = [pipelines[name] for name in names]
    nodes = [node for part in parts for node in part.nodes]
    known = {
        "node": sorted(node.name for node in nodes),
        "tag": sorted({tag for node in nodes for tag in node.tags}),
        "namespace": sorted({node.namespace for node in nodes if node.namespace}),
        "data set": sorted({name for part in parts for name in part.datasets()}),
    }
    options = {
        "node": ("from_nodes", "to_nodes", "node_names"),
        "tag": ("tags",),
        "namespace": ("namespaces",),
        "data set": ("from_inputs", "to_outputs"),
    }
    for kind, those in options.items():
        for name in (each for option in those for each in given[option] or ()):
            if name not in known[kind]:
                yield f"unknown {kind} '{name}' in {shown}{_nearest(name, known[kind])}"
    if "no nodes after applying" in str(error):
        yield "no node is left to run: the options that choose nodes have none in common"
    missing = re.search(r"Pipeline input\(s\) \{(.*)\} not found", str(error))
    if missing:
        yield f"nothing gives {missing[1]}, which is kept in memory alone: run the nodes that make it too"


def _nearest(name: str, known: list[str]) -> str:
    # A node's action alone, and its earlier full name, end in what the full name holds.
    holding = [each for each in known if name.rsplit(".", 1)[-1] in each]
    return f"; did you mean '{holding[0]}'?" if len(holding) == 1 else nearest(name, known)


@cli.command()
@click.argument("model")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=5001, show_default=True, help="The port; 0 takes a free one.")
@click.pass_obj
def serve(metadata: ProjectMetadata, model: str, host: str, port: int) -> None:
    """Answer for a trained MODEL over HTTP, with the routes of MLflow's scoring server.

    MODEL is a registered name with its alias or version (digits@champion, digits/3), a run's id, or a model's folder.
    """
    # Imported here: Kedro reads this module for each of its commands.
    from layerwise.inference import load_trained_model, serve as serve_model
    from layerwise.tracking import find_model, tracking_uri

    try:
        found = find_model(model, tracking_uri(metadata.project_path))
        serve_model(load_trained_model(found.folder, found.sha256), found.name, host, port)
    except UserError as error:
        raise click.ClickException(str(error)) from None


@cli.command()
@click.argument("model")
@click.option("--back", is_flag=True, help="Move it back to the version that was the champion before.")
@click.pass_obj
def champion(metadata: ProjectMetadata, model: str, back: bool) -> None:
    """Make a version the champion: MODEL is digits/3; digits alone lists the versions."""
    from layerwise.tracking import move_champion, tracking_uri

    try:
        click.echo(move_champion(tracking_uri(metadata.project_path), model, back=back))
    except UserError as error:
        raise click.ClickException(str(error)) from None


class ErrorMessageHook:
    """Shows user errors as their message alone, from the moment that a session knows its project."""

    @hook_impl(tryfirst=True)
    def after_context_created(self) -> None:
        """Replace Python's handler of uncaught errors."""
        show_user_errors_as_messages()


def show_user_errors_as_messages() -> None:
    """Show an uncaught error that the user can correct as its message alone; any other keeps its traceback."""
    previous = sys.excepthook
    if getattr(previous, "shows_user_errors_as_messages", False):
        return

    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if not _is_user_error(error):
            previous(kind, error, trace)
            return
        from rich.console import Console

        Console(stderr=True, soft_wrap=True, highlight=False).print(
            f"Error: {error}", style="bold red", markup=False
        )

    hook.shows_user_errors_as_messages = True  # type: ignore[attr-defined]
    sys.excepthook = hook


def _is_user_error(error: BaseException) -> bool:
    # Kedro's own errors about data, configuration and validation say what is wrong too.
    if type(error).__module__.startswith(("kedro.io", "kedro.validation", "kedro.config")):
        return True
    unknown_pipeline = isinstance(error, ValueError) and "find the pipeline named" in str(error)
    return isinstance(error, UserError) or unknown_pipeline
