"""Kedro's own commands do what its documentation says: parts of a pipeline, IPython, the catalog, packaging."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from kedro.framework.cli.cli import KedroCLI
from kedro.runner import SequentialRunner

from layerwise.cli import run

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
QUICK = "dbn.hidden_sizes=[10],pretraining.epochs=1,finetuning.epochs=1,evaluation.bootstrap=0"


def written(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.figures
def test_the_tag_figures_draws_the_figures_of_a_finished_run_anew_and_nothing_else(finished):
    data, problem = finished.path / "data", {"name": "drawn_anew"}
    finished.run("dbn", problem=problem)
    figures = {path: path.read_bytes() for path in (data / "08_reporting/drawn_anew/dbn").glob("*.png")}
    assert len(figures) > 5
    for path in figures:
        path.unlink()
    before = written(data / "06_models/drawn_anew/dbn") | written(data / "05_model_input/drawn_anew/dbn")
    finished.run("dbn", tags=["figures"], problem=problem)
    again = {path: path.read_bytes() for path in (data / "08_reporting/drawn_anew/dbn").glob("*.png")}
    assert again == figures
    after = written(data / "06_models/drawn_anew/dbn") | written(data / "05_model_input/drawn_anew/dbn")
    assert after == before


def test_saving_and_loading_in_threads_gives_the_same_metrics(finished):
    finished.run("dbn", problem={"name": "in_threads"}, runner=SequentialRunner(is_async=True))
    run_id, status = finished.last_run()
    assert status == "FINISHED"
    own = finished.json("08_reporting/in_threads/dbn/metrics.json")["network"]
    assert own == finished.json("08_reporting/digits/dbn/metrics.json")["network"]
    logged = dict(finished.query("select key, value from latest_metrics where run_uuid=?", run_id))
    assert logged["test/error"] == own["error"]["value"]


def test_a_data_set_that_nothing_gives_gets_one_line(project, monkeypatch):
    def refuse(**_):
        raise ValueError("Pipeline input(s) {'raw'} not found in the DataCatalog")

    monkeypatch.setattr(run, "callback", refuse)
    with project.session():
        given = CliRunner().invoke(run, ["--pipelines=dbn"])
    assert given.exit_code == 1
    assert (
        given.output.splitlines()[-1] == "Error: nothing gives 'raw': the catalog has no entry of that name"
    )


def kedro(project, *arguments):
    """Run one of Kedro's commands in this process."""
    given = CliRunner().invoke(KedroCLI(project_path=project.path), arguments)
    assert given.exit_code == 0, given.output
    return given.output


def test_the_catalog_lists_and_resolves_its_entries(project):
    assert "'{pipeline}.figure_{figure}'" in kedro(project, "catalog", "list-patterns")
    described = kedro(project, "catalog", "describe-datasets", "--pipeline=mlp")
    assert "mlp.network" in described
    assert "dbn.network" not in described
    resolved = kedro(project, "catalog", "resolve-patterns")
    assert f"filepath: {project.path}/data/06_models/digits/dbn/network" in resolved


def test_the_registry_describes_a_pipeline_by_its_nodes(project):
    described = kedro(project, "registry", "describe", "sae")
    assert "- pretraining.pretrain_stack_sae" in described


def test_ipython_has_the_catalog_the_pipelines_and_a_session(finished):
    code = (
        "print('rows', len(catalog.load('dbn.predictions')), catalog.load('dbn.network').config.hidden_sizes);"
        "print('nodes', len(pipelines['dbn'].nodes) > 10);"
        "print('ran', sorted(session.run(pipeline_names=['dbn'], tags=['reports'])))"
    )
    done = subprocess.run(
        [BIN / "kedro", "ipython", "--colors=NoColor", "-c", code],
        cwd=finished.path,
        env={**ENVIRONMENT, "IPYTHONDIR": str(finished.path / "ipython")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    lines = done.stdout.splitlines()
    assert "rows 1000 (40, 30)" in lines, done.stdout + done.stderr
    assert "nodes True" in lines
    assert "ran ['dbn.model_card']" in lines


def test_jupyter_gets_a_kernel_that_loads_the_project(project, monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    kedro(project, "jupyter", "setup")
    kernel = json.loads((tmp_path / "kernels/kedro_layerwise/kernel.json").read_text())
    assert kernel["argv"][-2:] == ["--ext", "kedro.ipython"]


@pytest.mark.slow
def test_the_packaged_project_trains_where_there_is_nothing_but_the_package(tmp_path):
    for name in ("src/layerwise", "conf", "pyproject.toml", "README.md", "LICENSE"):
        source, target = ROOT / name, tmp_path / "project" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)

    def call(*command, cwd):
        environment = {k: v for k, v in ENVIRONMENT.items() if k not in ("PYTHONPATH", "LAYERWISE_DATA")}
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr

    call(BIN / "kedro", "package", cwd=tmp_path / "project")
    (wheel,) = (tmp_path / "project/dist").glob("*.whl")
    call(sys.executable, "-m", "venv", tmp_path / "environment", cwd=tmp_path)
    (packages,) = (tmp_path / "environment").glob("lib/python*/site-packages")
    # What layerwise needs, but not this checkout: a path file inside of a path file is not read.
    (packages / "needed.pth").write_text(str(Path(pytest.__file__).parents[1]))
    python = tmp_path / "environment/bin/python"
    call(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(tmp_path / "project/dist/conf-layerwise.tar.gz", bare)
    options = ("--pipelines=dbn", f"--params={QUICK}")
    call(python, "-m", "layerwise", "--conf-source=conf-layerwise.tar.gz", *options, cwd=bare)
    first = json.loads((bare / "data/08_reporting/digits/dbn/metrics.json").read_text())
    shutil.unpack_archive(bare / "conf-layerwise.tar.gz", bare)
    call(python, "-m", "layerwise", "--conf-source=conf", *options, cwd=bare)
    assert json.loads((bare / "data/08_reporting/digits/dbn/metrics.json").read_text()) == first
    assert (bare / "mlflow.db").exists()
