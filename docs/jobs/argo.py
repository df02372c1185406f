"""Write the jobs of `jobs.json` as a workflow of Argo: `python docs/jobs/argo.py jobs.json IMAGE > workflow.yaml`.

Each job is a container of the image (docs/jobs/Dockerfile). All mount one volume, the claim `layerwise-data`, as the
project's `data`. MLflow's server is `MLFLOW_TRACKING_URI` of the config map `layerwise`.
"""

import json
import sys
from pathlib import Path

import yaml

RUN_ID = "{{tasks.run-begin.outputs.result}}"


class PlainDumper(yaml.SafeDumper):
    """Writes equal parts out, where YAML would refer to the first."""

    def ignore_aliases(self, data):
        """Refer to nothing."""
        return True


def container(image, *command):
    """Return a container that runs a command of the project."""
    return {
        "image": image,
        "command": ["kedro"],
        "args": list(command),
        "envFrom": [{"configMapRef": {"name": "layerwise"}}],
        "env": [{"name": "LAYERWISE_RUN_ID", "value": "{{inputs.parameters.run-id}}"}],
        "volumeMounts": [{"name": "data", "mountPath": "/home/layerwise/project/data"}],
        "resources": {"requests": {"cpu": "2", "memory": "4Gi"}, "limits": {"memory": "4Gi"}},
    }


def workflow(plan, image):
    """Return the workflow as a mapping."""
    run = plan["arguments"]
    given = {"parameters": [{"name": "run-id"}]}
    names = {job["name"]: job["name"].replace(".", "-").replace("_", "-") for job in plan["jobs"]}
    begin = container(image, "run-begin", *run) | {"env": []}
    templates = [{"name": "run-begin", "container": begin}]
    tasks = [{"name": "run-begin", "template": "run-begin"}]
    passed = {"parameters": [{"name": "run-id", "value": RUN_ID}]}
    for job in plan["jobs"]:
        name, before = names[job["name"]], [names[each] for each in job["after"]] or ["run-begin"]
        job_container = container(image, "run", *run, job["option"])
        templates.append(
            {"name": name, "inputs": given, "container": job_container, "retryStrategy": {"limit": 1}}
        )
        tasks.append({"name": name, "template": name, "depends": " && ".join(before), "arguments": passed})
    templates.append({"name": "run-end", "inputs": given, "container": container(image, "run-end", *run)})
    # After failed jobs too, and then it ends the run as failed.
    done = " && ".join(f"({name}.Succeeded || {name}.Failed || {name}.Omitted)" for name in names.values())
    tasks.append({"name": "run-end", "template": "run-end", "depends": done, "arguments": passed})
    templates.append({"name": "jobs", "dag": {"tasks": tasks}})
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "layerwise-"},
        "spec": {
            "entrypoint": "jobs",
            "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "fsGroup": 10001},
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "layerwise-data"}}],
            "templates": templates,
        },
    }


if __name__ == "__main__":
    found = workflow(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2])
    print(yaml.dump(found, Dumper=PlainDumper, sort_keys=False), end="")
