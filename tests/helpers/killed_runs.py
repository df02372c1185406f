"""Runs and commands in processes of their own, some of which die, and what is left of them."""

import atexit
import faulthandler
import os
import signal
import sys
import time
import traceback
import warnings
from io import FileIO, TextIOWrapper

import torch
from safetensors.torch import load_file

from layerwise.checkpointing import store as checkpoints

# A checkpoint at every epoch.
OFTEN = {"epochs": 1, "minutes": None}


def start(work):
    """Do something in a process of its own; return its number."""
    sys.stdout.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch has threads, none of which is at work
        pid = os.fork()
    if pid == 0:
        exit_code = 1
        try:
            work()
            exit_code = 0
        except SystemExit as end:  # of a command
            exit_code = end.code or 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(exit_code)
    return pid


def start_command(arguments, folder, output):
    """Give a command to Kedro in a process of its own, which has what this one has imported; return its number.

    Args:
        arguments: what stands after `kedro`.
        folder: where it is given.
        output: the file that gets what it prints.
    """

    def work():
        from kedro.framework.cli import main

        faulthandler.dump_traceback_later(300, exit=True)  # a test would wait for ever
        os.chdir(folder)
        # A parent that ignores Ctrl-C would hand that on.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with open(output, "wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        sys.stdout, sys.stderr = (TextIOWrapper(FileIO(number, "w", closefd=False)) for number in (1, 2))
        sys.argv = ["kedro", *arguments]
        os.environ["COLUMNS"] = "200"
        atexit._clear()  # what is registered so far is the parent's
        try:
            main()
        finally:
            atexit._run_exitfuncs()

    return start(work)


def end_of(pid):
    """Wait for a process; return its exit status, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def wait_for(condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)


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

    return end_of(start(work))


def networks(project, problem, pipeline):
    folder = project.path / "data/06_models" / problem / pipeline
    return {str(path.relative_to(folder)): load_file(path) for path in sorted(folder.rglob("*.safetensors"))}


def recorded_metrics(project, run_id):
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
    assert (
        recorded_metrics(project, run_of(project, one)[0])
        == recorded_metrics(project, run_of(project, other)[0])
        != []
    )
