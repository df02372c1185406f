"""`kedro sweep`: a search over hyperparameters, and the best settings trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.cli.project import run as kedro_run

from layerwise.cli.run import run_pipeline
from layerwise.utils import UserError

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata

    from layerwise.sweeping import Job, Objective, Space


@click.command()
@click.option(
    "--pipelines", "-p", "pipeline", required=True, help="The pipeline whose settings are searched."
)
@click.option(
    "--env", "-e", help="The environment whose problem is taken; a bare command takes that of kedro run."
)
@click.option(
    "--trials",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Trials that the study has at the end.",
)
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes on this computer."
)
@click.option(
    "--space", type=click.Path(path_type=Path), help="The search space; conf/ENV/sweep.yml if not given."
)
@click.option("--storage", help="The URL of a database; a file in data/sweeps if not given.")
@click.option("--name", help="The study's name; the pipeline's if not given.")
@click.option("--resume", is_flag=True, help="Go on with the study of that name.")
@click.pass_obj
def sweep(
    metadata: ProjectMetadata,
    pipeline: str,
    env: str | None,
    trials: int,
    workers: int,
    space: Path | None,
    storage: str | None,
    name: str | None,
    resume: bool,
    params: dict[str, Any],
) -> None:
    """Search the settings of a pipeline by trials on validation rows; train and register the best ones.

    Each trial is a run of MLflow below that of the sweep. A study in a database that several computers reach is joined
    by the same command with the same --storage.
    """
    # Imported here: Kedro reads this module for each of its commands.
    from layerwise.sweeping import Sweep, require_optuna

    try:
        require_optuna()
        job, parameters = make_job(
            metadata.project_path, pipeline, env, params, space, storage, name or pipeline
        )
        job = job.model_copy(update={"trials": trials, "workers": workers})
        found = Sweep(job, resume)
        first = "the present settings first" if found.enqueue(parameters) else found.beginning
        goal = "large" if job.objective.maximize else "small"
        click.echo(
            f"{trials} trials of {pipeline} on {job.problem}, {first}, to make {job.objective.metric} {goal}. "
            f"`mlflow ui` shows them below the run 'sweep {pipeline}'"
        )
        best = found.run()
        click.echo(f"The best is trial {best.number}: {job.objective.metric} {best.value:.4f}")
        if found.is_owner:
            click.echo(f"Its settings: {job.best_file}. Now they are trained and evaluated on test rows")
            run_pipeline(metadata.project_path, env, pipeline, best.params)
    except UserError as error:
        raise click.ClickException(str(error)) from None
    except (KeyboardInterrupt, SystemExit):
        click.echo("Stopped. The same command with --resume goes on with the study", err=True)
        raise


# What `kedro run` takes as --params, a sweep takes too, for all of its trials.
sweep.params.append(next(each for each in kedro_run.params if each.name == "params"))


def make_job(
    project: Path,
    pipeline: str,
    env: str | None,
    params: dict[str, Any],
    space: Path | None,
    storage: str | None,
    name: str,
) -> tuple[Job, dict[str, Any]]:
    """Return the sweep, and the parameters of its problem as configured."""
    from kedro.framework.session import KedroSession

    from layerwise.pipeline_registry import find_objective
    from layerwise.sweeping import Job, SweepError
    from layerwise.tracking import tracking_uri
    from layerwise.utils import problem

    objective = find_objective(pipeline)
    with KedroSession.create(project, env=env, runtime_params=params) as session:
        own: Any = session
        loader = own.load_context().config_loader
        parameters: dict[str, Any] = dict(loader["parameters"])
        found = _read_space(loader, pipeline, objective, space)
    if parameters["seeds"] > 1 or any(parameters["grid"].values()):
        raise SweepError(
            "each trial trains one network: a sweep takes neither seeds nor a grid; leave them as they are by default"
        )
    if parameters["compute"]["ranks"] > 1:
        raise SweepError(
            "a sweep shares the cores out among its workers, and ranks would start processes anew in each trial: leave "
            "compute.ranks at 1 and give --workers; a run with the best settings takes ranks"
        )
    job = Job(
        project=project,
        env=env,
        problem=problem(),
        pipeline=pipeline,
        params=params,
        space=found,
        objective=objective,
        study=f"{problem()}/{name}",
        storage=storage or "",
        seed=parameters["seed"],
        uri=tracking_uri(project),
    )
    return job, parameters


def _read_space(loader: Any, pipeline: str, objective: Objective, file: Path | None) -> Space:
    """Return the search space of a pipeline, from a file or from that of the environment or of the base."""
    from kedro.config import MissingConfigException
    from kedro.framework.project import pipelines
    from omegaconf import OmegaConf

    from layerwise.sweeping import Space
    from layerwise.tracking import top_level_keys

    try:
        given: Any = loader["sweep"] if file is None else OmegaConf.to_container(OmegaConf.load(file))
    except MissingConfigException:
        given = {}
    except OSError as error:
        raise UserError(f"--space: {file} cannot be read ({error.strerror})") from None
    pipelines.set_requested([pipeline])
    read = top_level_keys(pipelines[pipeline].to_outputs(f"{pipeline}.{objective.history}"))
    where = f"{file or 'sweep.yml'}, {pipeline}"
    return Space.checked(given.get(pipeline) if isinstance(given, dict) else None, where, objective, read)
