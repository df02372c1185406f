import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from helpers.killed_runs import wait_for

from layerwise.tracking import ProcessHook, process
from layerwise.tracking.process import release_memory, sleep_beside_other_work
from layerwise.utils import progress_lines


def test_after_a_table_of_many_rows_memory_is_given_back(monkeypatch):
    released = []
    monkeypatch.setattr(process, "release_memory", lambda: released.append(True))
    hook = ProcessHook()
    for data in (pd.DataFrame({"a": range(99_999)}), np.zeros(10**6), "text", None):
        hook.after_dataset_loaded(data)
    assert not released
    hook.after_dataset_loaded(pd.DataFrame({"a": range(100_000)}))
    assert released == [True]


def test_memory_is_given_back_and_what_is_in_use_stays():
    kept = pd.DataFrame({"a": np.arange(1000.0), "word": ["x", "y"] * 500})
    release_memory()
    assert kept["a"].sum() == 499_500
    assert (kept["word"] == "x").sum() == 500


@pytest.fixture
def hook(monkeypatch):
    monkeypatch.setattr(progress_lines, "SECONDS_BETWEEN", 0.05)
    return ProcessHook()


def begin(hook, caplog, name):
    """Begin a node that says nothing, until it is said to go on."""
    caplog.clear()
    caplog.set_level(logging.INFO)
    hook.before_node_run(SimpleNamespace(name=name))
    wait_for(lambda: any(message.startswith(f"{name} goes on, ") for message in caplog.messages))


@pytest.mark.parametrize("end", ["after_node_run", "on_node_error"])
def test_a_node_that_says_nothing_is_named_while_it_runs_and_no_longer(hook, caplog, end):
    begin(hook, caplog, "evaluation.fit")
    getattr(hook, end)(SimpleNamespace(name="evaluation.fit"))
    wait_for(lambda: "long work" not in [each.name for each in threading.enumerate()])


def test_a_node_that_was_interrupted_is_named_no_longer_once_another_run_begins(hook, caplog):
    begin(hook, caplog, "evaluation.fit")
    hook.before_pipeline_run()
    wait_for(lambda: "long work" not in [each.name for each in threading.enumerate()])


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Say to a process of eight cores how many threads run, and how many cores programs keep busy."""
    for name in process.THREAD_VARIABLES:
        monkeypatch.setenv(name, "any")  # so that it is as before when the test ends
        monkeypatch.delenv(name)
    monkeypatch.setattr(process, "LOAD_FILE", tmp_path / "loadavg")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)

    def say(running, busy=8.0):
        (tmp_path / "loadavg").write_text(f"0.10 1.20 0.80 {running}/345 12345\n")
        monkeypatch.setattr(process, "busy_cores", lambda: busy)

    return say


def test_busy_cores_are_those_of_programs_and_not_of_the_systems_own_work(monkeypatch):
    second = os.sysconf("SC_CLK_TCK")
    texts = iter(
        [f"cpu  {second} 50 9 9 9\ncpu0 1 1 1\n", f"cpu  {second + second // 10} 50 {9 * second} 9 9\n"]
    )
    monkeypatch.setattr(process, "TICKS_FILE", SimpleNamespace(read_text=lambda: next(texts)))
    assert process.busy_cores() == pytest.approx(1.0, rel=0.5)  # a tenth of a second and no less is slept


@pytest.mark.parametrize(
    ("running", "busy", "policy"),
    [
        (1, 8.0, None),
        (2, 8.0, None),
        (3, 2.0, "PASSIVE"),
        (9, 7.5, "PASSIVE"),
        (9, 0.0, None),
        (9, 1.0, None),
    ],
)
def test_threads_sleep_beside_other_programs_and_not_beside_the_systems_own_work(load, running, busy, policy):
    load(running, busy)
    sleep_beside_other_work()
    assert os.environ.get("OMP_WAIT_POLICY") == policy


@pytest.mark.parametrize("name", process.THREAD_VARIABLES)
def test_what_a_user_says_of_threads_stays(load, monkeypatch, name):
    load(9)
    monkeypatch.setenv(name, "1")
    sleep_beside_other_work()
    assert os.environ.get("OMP_WAIT_POLICY") == ("1" if name == "OMP_WAIT_POLICY" else None)


def test_nothing_is_set_where_the_load_is_not_known(load):
    sleep_beside_other_work()  # no such file
    load("many")
    sleep_beside_other_work()
    assert "OMP_WAIT_POLICY" not in os.environ


def test_a_run_says_how_threads_wait_before_torch_is_imported(tmp_path):
    code = f"""
import os, pathlib, sys
from layerwise.tracking import process
process.LOAD_FILE = pathlib.Path({str(tmp_path / "loadavg")!r})
process.busy_cores = lambda: 1000.0
from kedro.framework.cli import main
sys.argv = ["kedro", "run", "--runner=Nothing"]
try:
    main()
except SystemExit:
    sys.exit(os.environ.get("OMP_WAIT_POLICY") != "PASSIVE")
"""
    (tmp_path / "loadavg").write_text("1.00 1.00 1.00 999/999 9")
    environ = {name: value for name, value in os.environ.items() if name not in process.THREAD_VARIABLES}
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], env=environ, check=True)


COUNTED = """
import gc
found = [0, 0, 0]
gc.callbacks.append(lambda phase, info: found.__setitem__(info["generation"], found[info["generation"]] + 1))
from layerwise.cli import run
from layerwise.tracking import ProcessHook
run.make_context("run", ["--params=seed=1"])
import torch
print(sum(found), gc.get_freeze_count(), gc.get_threshold()[0])
ProcessHook().before_pipeline_run()
frozen = gc.get_freeze_count()
print(sum(found), frozen > 100_000, gc.get_threshold()[0])
run.make_context("run", ["--params=seed=1"])
ProcessHook().before_pipeline_run()
print(gc.get_freeze_count() <= frozen, gc.get_threshold()[0])
"""


def test_a_command_searches_for_no_garbage_until_its_nodes_run_and_keeps_none_of_what_they_leave(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", COUNTED], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    imported, running, again = (line.split() for line in done.stdout.splitlines()[-3:])
    assert imported[1:] == ["0", "10000000"]
    assert running == [imported[0], "True", "100000"]
    assert again == ["True", "100000"]
