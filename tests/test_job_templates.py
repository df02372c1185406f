"""The templates for schedulers: what they are made of is the pipeline as it is."""

import json
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from jobs.argo import workflow
from jobs.plan import plan
from kedro.pipeline import node, pipeline

TEMPLATES = Path(__file__).parents[1] / "docs/jobs"


def same(*given):
    return given


@pytest.fixture
def small():
    """Three nodes of two stages, of which the first has two."""
    return pipeline(
        [
            node(same, "raw", "split", name="split_p", namespace="preparation"),
            node(same, ["raw", "split"], "rows", name="scale_p", namespace="preparation"),
            node(same, ["rows", "split"], "network", name="fit_p", namespace="training"),
        ]
    )


def test_a_plan_by_stage_has_each_stage_once_after_those_it_reads(small):
    assert plan(small, "stage") == [
        {"name": "preparation", "option": "--namespaces=preparation", "after": []},
        {"name": "training", "option": "--namespaces=training", "after": ["preparation"]},
    ]


def test_a_plan_by_node_has_each_node_after_those_whose_outputs_it_reads(small):
    found = {job["name"]: job for job in plan(small, "node")}
    assert list(found) == ["preparation.split_p", "preparation.scale_p", "training.fit_p"]
    assert found["training.fit_p"]["after"] == ["preparation.scale_p", "preparation.split_p"]
    assert found["training.fit_p"]["option"] == "--nodes=training.fit_p"


def test_a_workflow_of_argo_begins_the_run_runs_each_job_in_it_and_ends_it_in_any_case(small):
    given = {"arguments": ["--pipelines=p"], "jobs": plan(small, "stage")}
    spec = workflow(given, "image:1")["spec"]
    templates = {each["name"]: each for each in spec["templates"]}
    tasks = {each["name"]: each for each in templates[spec["entrypoint"]]["dag"]["tasks"]}
    assert {name: task.get("depends", "") for name, task in tasks.items()} == {
        "run-begin": "",
        "preparation": "run-begin",
        "training": "preparation",
        "run-end": "(preparation.Succeeded || preparation.Failed || preparation.Omitted) && "
        "(training.Succeeded || training.Failed || training.Omitted)",
    }
    commands = {name: templates[name]["container"]["args"] for name in tasks}
    assert commands == {
        "run-begin": ["run-begin", "--pipelines=p"],
        "preparation": ["run", "--pipelines=p", "--namespaces=preparation"],
        "training": ["run", "--pipelines=p", "--namespaces=training"],
        "run-end": ["run-end", "--pipelines=p"],
    }
    passed = {name: task["arguments"]["parameters"] for name, task in tasks.items() if name != "run-begin"}
    assert set(map(str, passed.values())) == {
        str([{"name": "run-id", "value": "{{tasks.run-begin.outputs.result}}"}])
    }


def stand_in(folder, name, text):
    """Put a program into a folder that takes another one's place."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_slurm_gets_each_job_after_those_before_it_and_the_runs_end_after_all(small, tmp_path):
    kedro = stand_in(tmp_path, "kedro", "print('id of the run')")
    stand_in(
        tmp_path,
        "sbatch",
        "import json, os, sys\nfrom pathlib import Path\n"
        "log = Path(__file__).with_name('log')\n"
        "log.open('a').write(json.dumps([os.environ['LAYERWISE_RUN_ID'], *sys.argv[1:]]) + '\\n')\n"
        "print(len(log.read_text().splitlines()))",
    )
    (tmp_path / "jobs.json").write_text(
        json.dumps({"arguments": ["--env=a b"], "jobs": plan(small, "stage")})
    )
    subprocess.run(
        [sys.executable, TEMPLATES / "slurm_jobs.py", "jobs.json", "--mem=1G"],
        cwd=tmp_path,
        env={"PATH": str(tmp_path), "LAYERWISE_KEDRO": kedro},
        check=True,
    )
    given = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    first, second, last = (set(each) for each in given)
    assert {each[0] for each in given} == {"id of the run"}
    assert f"--wrap={kedro} run '--env=a b' --namespaces=preparation" in first
    assert not any(option.startswith("--dependency") for option in first)
    assert "--dependency=afterok:1" in second
    assert {"--dependency=afterany:1:2", f"--wrap={kedro} run-end '--env=a b'", "--mem=1G"} <= last


def test_the_image_copies_files_that_are_there_and_runs_as_a_user_without_rights():
    root, text = TEMPLATES.parents[1], (TEMPLATES / "Dockerfile").read_text()
    copied = [name for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE) for name in line.split()]
    assert copied
    assert all((root / name).exists() for name in copied)
    left_in = (TEMPLATES / "Dockerfile.dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in copied} <= set(left_in)
    assert re.findall(r"^USER (\d+)$", text, re.MULTILINE)[-1] != "0"
    # It takes the project's own range of PyTorch.
    (torch,) = re.findall(r'^    "(torch[^"]*)",$', (root / "pyproject.toml").read_text(), re.MULTILINE)
    assert f'"{torch}"' in text
