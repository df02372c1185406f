"""`kedro problem`: a user's own file becomes a problem, and an edited problem is looked at before it is run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from layerwise.utils import Location, UserError, set_run_context

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata


@click.group()
def problem() -> None:
    """Make a problem of a file of your own, and check it."""


@problem.command()
@click.argument("name")
@click.argument("file", type=str)
@click.option(
    "--target",
    help="The column that is to be learnt; guessed if not given. Of texts in folders: label or none.",
)
@click.pass_obj
def new(metadata: ProjectMetadata, name: str, file: str, target: str | None) -> None:
    """Look at FILE and write the problem NAME: conf/NAME with its settings, each with its reason.

    FILE is a table (CSV and its like, Excel, Parquet), a folder of pictures (class/picture.png), an npz file of images
    and labels, or a folder of .txt files, in folders of their classes or not; here, or at an address such as
    s3://bucket/rows.csv. Nothing is trained and nothing is asked.
    """
    # Imported here: Kedro reads this module for each of its commands.
    from layerwise.profiling import propose_problem, write_problem

    project = Path(metadata.project_path)
    folder = project / "conf" / name
    page = project / "data" / "08_reporting" / name / "profile.html"
    try:
        if folder.exists():
            raise UserError(
                f"conf/{name} is there already, and is not written over: take another name, or remove it"
            )
        set_run_context(project, name)
        found = propose_problem(name, Location(file).local_path(), project, target)
        pages = write_problem(found, folder, page)
    except UserError as error:
        raise click.ClickException(str(error)) from None
    for finding in found.proposal.findings:
        click.echo(f"- {finding}")
    proposal = found.proposal
    said = ", ".join(
        f"{key.removeprefix('problem.')} {proposal.value(key)}"
        for key in ("problem.task", "problem.target", "problem.positive", "problem.drop")
        if proposal.value(key) not in (None, [])
    )
    click.echo(f"\n{name}: {said}.")
    written = ", ".join(str(each.relative_to(project)) for each in pages)
    click.echo(f"Written: conf/{name}/parameters.yml and catalog.yml, with the reasons; {written}")
    click.echo("\nNext:")
    for command in next_commands(name, str(proposal.value("problem.task")), file):
        click.echo(f"  {command}")


def next_commands(name: str, task: str, file: str) -> list[str]:
    """Return the three commands that come next."""
    asked = {"documents": "topics", "ratings": "recommend"}.get(task, "")
    pipeline, model = ("rbm", f"{name}.rbm") if asked else ("mlp", name)
    predict = f"predict.model={model}@champion,predict.input={file}"
    return [
        f"kedro problem check {name}",
        f"kedro run --pipelines={pipeline} --env={name}",
        f"kedro run --pipelines=predict --params={predict}" + (f",predict.task={asked}" if asked else ""),
    ]


@problem.command()
@click.argument("name")
@click.pass_obj
def check(metadata: ProjectMetadata, name: str) -> None:
    """Say what is wrong with the problem NAME, by reading its rows as a run does; nothing is trained or written."""
    from layerwise.cli.check_problem import check_problem

    began = time.perf_counter()
    try:
        said = check_problem(Path(metadata.project_path), name)
    except UserError as error:
        raise click.ClickException(str(error)) from None
    for sentence in said:
        click.echo(sentence)
    click.echo(f"Nothing is wrong with conf/{name} ({time.perf_counter() - began:.1f} s).")
