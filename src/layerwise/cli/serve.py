"""`kedro serve`: a trained model over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from layerwise.utils import UserError

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata


@click.command()
@click.argument("model")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=5001, show_default=True, help="The port; 0 takes a free one.")
@click.option("--max-bytes", type=int, help="Of a body; 8 MiB unless it is set.")
@click.option("--max-rows", type=int, help="Of a request; 50,000 unless it is set.")
@click.option("--max-connections", type=int, help="At a time; 256 unless it is set.")
@click.option("--metrics", is_flag=True, default=None, help="Answer GET /metrics for Prometheus.")
@click.option(
    "--openapi", is_flag=True, default=None, help="Answer GET /openapi.json, what is taken and answered."
)
@click.option("--access-log", metavar="FILE", help="A line of JSON for each request; - for standard output.")
@click.option("--row-log", metavar="FOLDER", help="A line of JSON for each row with its prediction.")
@click.option("--row-log-bytes", type=int, help="Of all files of the row log; 256 MiB unless it is set.")
@click.option(
    "--row-log-column", "row_log_columns", multiple=True, help="A column to log too, such as a key."
)
@click.pass_obj
def serve(metadata: ProjectMetadata, /, model: str, host: str, port: int, **settings: Any) -> None:
    """Answer for a trained MODEL over HTTP, with the routes of MLflow's scoring server.

    MODEL is a registered name with its alias or version (digits@champion, digits/3), a run's id, or a model's folder.
    """
    # Imported here: Kedro reads this module for each of its commands.
    from pydantic import ValidationError

    from layerwise.inference import ServerSettings, load_trained_model, serve as serve_model
    from layerwise.tracking import find_model, tracking_uri

    try:
        limits = ServerSettings(**{name: value for name, value in settings.items() if value is not None})
        found = find_model(model, tracking_uri(metadata.project_path))
        serve_model(load_trained_model(found.folder, found.sha256), found.name, host, port, limits)
    except ValidationError as error:
        wrong = error.errors()[0]
        option = str(wrong["loc"][0]).replace("_", "-")
        raise click.ClickException(f"--{option}: {wrong['msg']}") from None
    except UserError as error:
        raise click.ClickException(str(error)) from None


@click.command()
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
