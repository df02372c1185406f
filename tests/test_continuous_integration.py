"""What runs elsewhere is what runs here."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent


def commands(target):
    """The commands of a target of the Makefile."""
    text = (ROOT / "Makefile").read_text()
    body = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.M)[1]
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in body.splitlines()]


def test_pre_commit_runs_the_commands_of_make_lint():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == commands("lint")
    assert "make lint" in (ROOT / ".ci/run").read_text()


def test_the_workflow_runs_the_script_of_a_bare_checkout():
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    steps = [step["run"] for step in workflow["jobs"]["checks"]["steps"] if "run" in step]
    assert steps == [".ci/run"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o100
    oldest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())[1]
    assert workflow["jobs"]["checks"]["strategy"]["matrix"]["python"][0] == oldest
