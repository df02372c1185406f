"""The project's own commands, and how errors are shown on the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.hooks import hook_impl

from layerwise.utils import UserError

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata


@click.group(name="layerwise")
def cli() -> None:
    """Commands of the project's own beside Kedro's."""


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
