"""`kedro run-begin` and `kedro run-end`: a run whose nodes are processes of their own, as an orchestrator's are."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from layerwise.cli.run import run
from layerwise.utils import RUN_ID_VARIABLE, RunPart, UserError, part_of_run

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata


@click.command()
@click.pass_obj
def run_begin(metadata: ProjectMetadata, /, **given: Any) -> None:
    """Open a run for nodes in processes of their own, and print its id.

    With the id in LAYERWISE_RUN_ID, `kedro run --nodes=...` of the same pipelines, environment and parameters reports
    into the run, until `kedro run-end`.
    """
    from layerwise.checkpointing import CONCURRENT_PIPELINES, opened_run_id
    from layerwise.tracking import pipeline_names
    from layerwise.utils import problem

    for name in set(CONCURRENT_PIPELINES) & {*given["pipelines"]}:
        raise click.ClickException(
            f"{name} is one node, whose run is never opened: kedro run --pipelines={name}"
        )
    try:
        _run_no_node(metadata, RunPart(ends=False), **given)
    except UserError as error:
        raise click.ClickException(str(error)) from None
    pipeline = "+".join(pipeline_names({"pipeline_names": given["pipelines"]}))
    click.echo(opened_run_id(metadata.project_path, problem(), pipeline))


@click.command()
@click.option("--failed", is_flag=True, help="It counts as failed, whatever its nodes did.")
@click.pass_obj
def run_end(metadata: ProjectMetadata, /, failed: bool, **given: Any) -> None:
    """End the run that LAYERWISE_RUN_ID names, as `kedro run` does after its last node.

    Its models are registered, and it is FINISHED; where a node has not finished it is FAILED.
    """
    run_id = os.environ.get(RUN_ID_VARIABLE, "")
    if not run_id:
        raise click.ClickException(f"{RUN_ID_VARIABLE} is not set: it is what kedro run-begin has printed")
    from layerwise.checkpointing import UnfinishedNodesError

    try:
        _run_no_node(metadata, RunPart(run_id, failed=failed), **given)
    except UnfinishedNodesError as error:
        if not failed:
            raise click.ClickException(f"{error}. The run is FAILED") from None
    except UserError as error:
        raise click.ClickException(str(error)) from None


# What says which run it is, as `kedro run` takes it.
for command in (run_begin, run_end):
    command.params += [each for each in run.params if each.name in ("pipelines", "env", "params")]


def _run_no_node(
    metadata: ProjectMetadata, part: RunPart, pipelines: list[str], env: str | None, params: dict[str, Any]
) -> None:
    """Do what a run does before its nodes, or after them."""
    from kedro.framework.session import KedroSession

    from layerwise.cli.no_nodes import NoNodesRunner

    # What is logged goes to the standard output, which has the id alone.
    with (
        redirect_stdout(sys.stderr),
        part_of_run(part),
        KedroSession.create(metadata.project_path, env=env, runtime_params=params) as session,
    ):
        # That no node has run is neither a success nor a warning.
        for logger in ("kedro", "kedro_viz"):
            logging.getLogger(logger).setLevel(logging.ERROR)
        run_pipelines: Any = session.run
        run_pipelines(pipeline_names=sorted(set(pipelines)), runner=NoNodesRunner())
