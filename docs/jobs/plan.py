"""Write the jobs of a run as JSON, for the templates beside this file.

    python docs/jobs/plan.py --pipelines=mlp --env=churn > jobs.json

A job is a stage of the pipeline; with `--by=node` it is a node, whose process starts anew each time. What else
is given is given to `kedro run-begin`, `kedro run` and `kedro run-end` alike.
"""

from __future__ import annotations

import argparse
import graphlib
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

OPTIONS = {"stage": "--namespaces", "node": "--nodes"}


def plan(pipeline: Pipeline, by: str) -> list[dict[str, Any]]:
    """Return the jobs in an order in which they can run: each one's option of `kedro run`, and the jobs before it.

    Args:
        pipeline: what is computed.
        by: stage or node.

    Raises:
        CycleError: a stage leads back to one that leads to it, as no pipeline's here does.
    """
    job_of = {node.name: node.namespace if by == "stage" else node.name for node in pipeline.nodes}
    after: dict[str, set[str]] = {job: set() for job in job_of.values()}
    for node, parents in pipeline.node_dependencies.items():
        after[job_of[node.name]] |= {job_of[parent.name] for parent in parents} - {job_of[node.name]}
    order = graphlib.TopologicalSorter(after).static_order()
    return [{"name": job, "option": f"{OPTIONS[by]}={job}", "after": sorted(after[job])} for job in order]


def plan_of(project: Path, arguments: list[str], by: str) -> dict[str, Any]:
    """Return the jobs of the run that the arguments of `kedro run` name, and the arguments."""
    from kedro.framework.project import pipelines
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(project)
    from layerwise.cli import run

    given = run.make_context("run", list(arguments)).params
    with KedroSession.create(project, env=given["env"], runtime_params=given["params"]) as session:
        own: Any = session
        own.load_context()
        first, *others = (pipelines[name] for name in given["pipelines"] or ["__default__"])
        return {"arguments": arguments, "jobs": plan(sum(others, first), by)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--by", choices=OPTIONS, default="stage")
    chosen, rest = parser.parse_known_args()
    with redirect_stdout(sys.stderr):
        found = plan_of(Path.cwd(), rest, chosen.by)
    print(json.dumps(found, indent=1))
