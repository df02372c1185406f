"""Runs that die, by SIGKILL in a process of their own, and go on."""

import os
import signal
import sys
import traceback
import warnings

import pytest
import torch
from safetensors.torch import load_file

from layerwise.training import checkpoints

# A checkpoint at every epoch.
OFTEN = {"epochs": 1, "minutes": None}


def in_a_process(work):
    """Do something in a process of its own; return its exit status, negative for a signal."""
    sys.stdout.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch has threads, none of which is at work
        pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die_after(n):
    """Let this process be killed right after its n-th checkpoint."""
    write, written = checkpoints._write, []

    def dying(*args):
        write(*args)
        written.append(args)
        if len(written) == n:
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoints._write = dying


def killed_after(n, project, pipeline, **params):
    """Run a pipeline whose process is killed right after its n-th checkpoint."""

    def work():
        die_after(n)
        project.run(pipeline, checkpoints=OFTEN, **params)

    return in_a_process(work)


def networks(project, problem, pipeline):
    folder = project.path / "data/06_models" / problem / pipeline
    return {str(path.relative_to(folder)): load_file(path) for path in sorted(folder.rglob("*.safetensors"))}


def figures(project, run_id):
    """Every metric of a run with its steps and values, repeated ones too."""
    rows = project.query("select key, step, value from metrics where run_uuid=? order by key, step", run_id)
    return [row for row in rows if "seconds" not in row[0]]


def run_of(project, problem):
    """The id and status of a problem's only run."""
    ((run_id, status),) = project.query(
        "select run_uuid, status from runs join experiments e using (experiment_id) where e.name=?", problem
    )
    return run_id, status


def assert_same_outputs(project, one, other, pipeline):
    found, expected = networks(project, one, pipeline), networks(project, other, pipeline)
    assert found.keys() == expected.keys() != set()
    for name, tensors in expected.items():
        assert all(torch.equal(found[name][key], value) for key, value in tensors.items()), name
    assert figures(project, run_of(project, one)[0]) == figures(project, run_of(project, other)[0]) != []


# What is drawn and measured after training is the same work every time: one case does it.
TRAINED = {
    "dbn": ["dbn.finetune_network"],
    "rbm": ["rbm.train_machine", "rbm.train_classifier"],
    "many": ["mlp.train_network"],
}
CASES = {
    # Stages of the dbn: 2 epochs of each of two layers, 3 of the fine-tuning.
    "dbn": ("dbn", {}, (1, 3, 4, 6)),
    "rbm": ("rbm", {"rbm": {"chain": "persistent", "monitor": "validation/pseudo_likelihood"}}, (2, 5)),
    "mlp": ("mlp", {"finetuning": {"dropout": 0.2, "schedule": "plateau"}, "health": True}, (2,)),
    "many": ("mlp", {"seeds": 3, "finetuning": {"dropout": 0.2}}, (1,)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_killed_run_goes_on_to_what_it_would_have_been(project, name):
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
