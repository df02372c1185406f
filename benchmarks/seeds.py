"""Run a pipeline with several seeds and print the mean and standard deviation of its test metrics.

    python benchmarks/seeds.py --pipeline dbn --env churn --seeds 5 --params finetuning.dropout=0.2

Values of --params are read as YAML. Each run is tracked like any other; data/ keeps the last one.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from nested_parameters import nested

PROJECT = Path(__file__).parent.parent


def measure(
    pipeline: str, env: str | None, parameters: dict[str, Any], from_nodes: list[str] | None = None
) -> tuple[dict[str, float], float]:
    """Run the pipeline up to its evaluation; return its test metrics and the seconds that it trained."""
    with KedroSession.create(PROJECT, env=env, runtime_params=parameters, save_on_close=False) as session:
        session.run(
            pipeline_names=[pipeline],
            from_nodes=from_nodes,
            to_nodes=[f"evaluation.summarize_evaluation_{pipeline}"],
        )
        problem = session.load_context().config_loader["parameters"]["problem"]["name"]
    data = PROJECT / "data"
    metrics = json.loads((data / f"08_reporting/{problem}/{pipeline}/metrics.json").read_text())["network"]
    seconds = 0.0
    for name in ("pretraining", "finetuning"):
        history = data / f"07_model_output/{problem}/{pipeline}/{name}_history.json"
        if history.exists():
            seconds += json.loads(history.read_text())["seconds"]
    return {name: values["value"] for name, values in metrics.items()}, seconds


def main() -> None:
    """Run all seeds and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pipeline", default="dbn")
    parser.add_argument("--env")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--params", nargs="*", default=[])
    parser.add_argument("--from-nodes", nargs="*")
    arguments = parser.parse_args()
    os.chdir(PROJECT)
    bootstrap_project(PROJECT)
    runs = []
    for seed in range(arguments.seeds):
        parameters = nested(arguments.params) | {"seed": seed}
        found, seconds = measure(arguments.pipeline, arguments.env, parameters, arguments.from_nodes)
        runs.append(found | {"seconds of training": seconds})
        print(f"seed {seed}: {json.dumps(runs[-1])}", flush=True)
    print("| metric | mean | standard deviation | of each seed |\n|---|---|---|---|")
    for name in runs[0]:
        values = [found[name] for found in runs]
        each = ", ".join(f"{value:.4f}" for value in values)
        print(
            f"| {name} | {np.mean(values):.4f} | {np.std(values, ddof=min(1, len(values) - 1)):.4f} | {each} |"
        )


if __name__ == "__main__":
    main()
