"""Submit the jobs of `jobs.json` to SLURM, each after those before it: `python docs/jobs/slurm_jobs.py jobs.json`.

From the project's folder. What else is given is given to every `sbatch`, such as `--mem=4G --cpus-per-task=2`.
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

KEDRO = os.environ.get("LAYERWISE_KEDRO", ".venv/bin/kedro")


def submit(name, command, options, run_id, dependency):
    """Return the number of a job."""
    given = ["sbatch", "--parsable", f"--job-name={name}", *dependency, *options, f"--wrap={command}"]
    environment = os.environ | {"LAYERWISE_RUN_ID": run_id}
    return subprocess.run(
        given, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()


def main(file, *options):
    """Open the run here, and submit its jobs and its end."""
    plan = json.loads(Path(file).read_text())
    run = shlex.join(plan["arguments"])
    run_id = subprocess.run(
        [KEDRO, "run-begin", *plan["arguments"]], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    numbers = {}
    for job in plan["jobs"]:
        before = [numbers[name] for name in job["after"]]
        # A job whose dependency failed is taken out, and not left in the queue.
        waits = [f"--dependency=afterok:{':'.join(before)}", "--kill-on-invalid-dep=yes"] if before else []
        numbers[job["name"]] = submit(
            job["name"], f"{KEDRO} run {run} {job['option']}", options, run_id, waits
        )
    after_all = [f"--dependency=afterany:{':'.join(numbers.values())}"]
    submit("run_end", f"{KEDRO} run-end {run}", options, run_id, after_all)
    print(run_id)


if __name__ == "__main__":
    main(*sys.argv[1:])
