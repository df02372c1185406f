import logging
import threading
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from helpers.killed_runs import wait_for

from layerwise.tracking import ProcessHook, process
from layerwise.tracking.process import release_memory
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
