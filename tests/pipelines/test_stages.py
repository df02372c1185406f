"""How the pipelines are made of stages: names, namespaces, tags, and that they share nothing but the raw rows."""

import subprocess
import sys

import pytest
from kedro.pipeline import Pipeline

from layerwise.pipeline_registry import RUNNABLE, create_pipeline
from layerwise.pipelines.stage import TAGS

PIPELINES = {name: create_pipeline(name) for name in RUNNABLE}
STORY = ["preprocessing", "pretraining", "finetuning", "training", "evaluation", "reporting", "prediction"]


def test_all_pipelines_can_be_added_and_share_no_output():
    together = sum(PIPELINES.values(), Pipeline([]))
    assert len(together.nodes) == sum(len(each.nodes) for each in PIPELINES.values())
    own = {name for name in together.inputs() if not name.startswith("params:")}
    assert own == {"raw", "predict.model", "predict.rows", "evaluate.model", "evaluate.rows"}


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_node_is_named_by_stage_action_and_pipeline(name):
    for node in PIPELINES[name].nodes:
        stage, action = node.name.split(".")
        assert stage == node.namespace
        assert stage in TAGS
        assert action.endswith(f"_{name}")
        assert {output.split(".")[0] for output in node.outputs} == {name}


@pytest.mark.parametrize("name", RUNNABLE)
def test_no_stage_feeds_an_earlier_one(name):
    for node, parents in PIPELINES[name].node_dependencies.items():
        for parent in parents:
            assert STORY.index(parent.namespace) <= STORY.index(node.namespace), (parent.name, node.name)


def test_a_figure_is_tagged_as_one_and_only_a_figure_is():
    for pipeline in PIPELINES.values():
        for node in pipeline.nodes:
            draws = [output for output in node.outputs if ".figure_" in output]
            if node.namespace == "reporting":
                assert (node.tags == {"figures"}) == bool(draws), node.name
            else:
                assert node.tags == {TAGS[node.namespace]}


def test_what_a_node_alone_needs_is_not_imported_with_the_pipelines():
    code = (
        "import sys; from kedro.framework.project import configure_project, pipelines, settings; "
        "from layerwise.cli import cli; configure_project('layerwise'); assert settings.HOOKS; "
        "cli.main(['registry', 'list'], standalone_mode=False); "
        "early = {'torch', 'pandas', 'matplotlib'}.intersection(sys.modules); "
        "assert len(dict(pipelines)) > 10; "
        "late = {'sklearn', 'mlflow', 'pandera', 'uvicorn', 'pooch'}.intersection(sys.modules); "
        "sys.exit(', '.join(early | late) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    listed = [line[2:] for line in done.stdout.splitlines() if line.startswith("- ")]
    assert listed == sorted([*RUNNABLE, "__default__"])


def test_answers_without_a_figure_import_nothing_that_draws_or_trains():
    code = (
        "import sys; from layerwise.pipeline_registry import create_pipeline; "
        "assert len(create_pipeline('predict').nodes) == 1; "
        "unused = {'matplotlib', 'sklearn', 'mlflow', 'pandera', 'scipy', 'torch._dynamo', 'sympy', 'skops'}; "
        "sys.exit(', '.join(unused.intersection(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
