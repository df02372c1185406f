"""Kedro's `run`, which says in one line what name there is not."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines

from layerwise.tracking import collect_garbage_of_work, collect_no_garbage_yet, sleep_beside_other_work
from layerwise.utils import UserError, nearest
from layerwise.utils.ranks import in_torchrun, restarts_over_computers, torchrun_rank, torchrun_size

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

# Options that take several names.
OF_NAMES = (
    "pipelines", "tags", "namespaces", "from_inputs", "to_outputs", "from_nodes", "to_nodes", "node_names",
    "load_versions",
)  # fmt: skip
RUNNERS = ["SequentialRunner", "ThreadRunner", "ParallelRunner"]


class RunCommand(click.Command):
    """Kedro's `run`, which says in one line what name there is not, and which one is nearest."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run, or raise what is wrong with the names that were given; beside rank 0 of torchrun, wait for work."""
        if not in_torchrun():
            return self._run(ctx)
        _take_ranks(ctx.params)
        # Imported here, as in `_parse_params`.
        from layerwise.utils.ranks import (
            dismiss_outer_ranks,
            interrupted_run,
            meet_outer_ranks,
            work_for_rank_0,
        )

        meet_outer_ranks()
        if torchrun_rank() > 0:
            collect_garbage_of_work()
            return work_for_rank_0()
        if run := interrupted_run():
            ctx.params["params"]["resume"] = run
        found = self._run(ctx)
        dismiss_outer_ranks()
        return found

    def _run(self, ctx: click.Context) -> Any:
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


def _take_ranks(given: Mapping[str, Any]) -> None:
    """Spread what is trained over the processes that torchrun started: `compute.ranks` becomes their number."""
    size, runner, compute = torchrun_size(), given["runner"], given["params"].setdefault("compute", {})
    if compute.setdefault("ranks", size) != size:
        raise click.ClickException(
            f"compute.ranks={compute['ranks']}, and torchrun has started {size} processes: leave compute.ranks out"
        )
    if runner not in (None, "SequentialRunner"):
        raise click.ClickException(f"the processes of torchrun run one node after another: no {runner}")
    if restarts_over_computers():
        raise click.ClickException(
            "torchrun can't start a run of several computers anew: leave --max-restarts out; if a process dies, the "
            "same command with --params=resume=true goes on from the last checkpoint"
        )


def _parse_params(ctx: click.Context, param: click.Parameter, value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):  # of a file that --config names
        return dict(value)
    sleep_beside_other_work()
    collect_no_garbage_yet()
    # Imported here, as it imports torch: Kedro reads this module for each of its commands.
    from layerwise.cli.run_parameters import parse_parameters

    try:
        return parse_parameters(value or "")
    except UserError as error:
        raise click.ClickException(str(error)) from None


def _text(value: Any) -> str:
    """Return names with commas between them; a file that `--config` names may hold a list of them."""
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _own_options() -> list[click.Parameter]:
    """Return the options of Kedro's `run`; `--params` takes lists and words too."""
    found = [copy.copy(option) for option in kedro_run.params]
    for option in found:
        if option.name == "params":
            option.callback = _parse_params
        elif option.name in OF_NAMES:
            option.type = click.types.FuncParamType(_text)
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
