"""Kedro's `run`, which says in one line what name there is not."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines

from layerwise.tracking import sleep_beside_other_work
from layerwise.utils import UserError, nearest

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

RUNNERS = ["SequentialRunner", "ThreadRunner", "ParallelRunner"]


class RunCommand(click.Command):
    """Kedro's `run`, which says in one line what name there is not, and which one is nearest."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run, or raise what is wrong with the names that were given."""
        _require_one_process()
        # Imported here, as in `_parse_params`.
        from layerwise.parameters import given_parameters

        given = given_parameters.set(ctx.params["params"])
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
        finally:
            given_parameters.reset(given)


def _require_one_process() -> None:
    """Raise where torchrun has started this command several times: each would be a run that trains all of it."""
    n = os.environ.get("WORLD_SIZE", "1")
    if "TORCHELASTIC_RUN_ID" in os.environ and n != "1":
        raise click.ClickException(
            f"torchrun has started this command {n} times, and each would be a run of its own: give the command alone, "
            f"with --params=compute.ranks={n}; it starts the processes where a network is trained"
        )


def _parse_params(ctx: click.Context, param: click.Parameter, value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):  # of a file that --config names
        return dict(value)
    sleep_beside_other_work()
    # Imported here, as it imports torch: Kedro reads this module for each of its commands.
    from layerwise.cli.run_parameters import parse_parameters

    try:
        return parse_parameters(value or "")
    except UserError as error:
        raise click.ClickException(str(error)) from None


def _own_options() -> list[click.Parameter]:
    """Return the options of Kedro's `run`; `--params` takes lists and words too."""
    found = [copy.copy(option) for option in kedro_run.params]
    for option in found:
        if option.name == "params":
            option.callback = _parse_params
    return found


run = RunCommand(kedro_run.name, callback=kedro_run.callback, params=_own_options(), help=kedro_run.help)


def run_pipeline(project: Path, env: str | None, pipeline: str, params: Mapping[str, Any]) -> None:
    """Run a pipeline as `kedro run` does, as a part of another command."""
    from kedro.framework.session import KedroSession
    from kedro.runner import SequentialRunner

    with KedroSession.create(project, env=env, runtime_params=dict(params)) as session:
        run_pipelines: Any = session.run
        # Named, as `kedro run` names it: Kedro-Viz warns of a runner that it does not know.
        run_pipelines(pipeline_names=[pipeline], runner=SequentialRunner())


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
        yield f"nothing gives {missing[1]}: the catalog has no entry of that name"


def _nearest(name: str, known: list[str]) -> str:
    # A node's action alone, and its earlier full name, end in what the full name holds.
    holding = [each for each in known if name.rsplit(".", 1)[-1] in each]
    return f"; did you mean '{holding[0]}'?" if len(holding) == 1 else nearest(name, known)
