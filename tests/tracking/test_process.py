import logging
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd

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


def test_a_node_that_says_nothing_is_named_while_it_runs_and_no_longer(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(progress_lines, "SECONDS_BETWEEN", 0.1)
    hook, nodes = ProcessHook(), [SimpleNamespace(name=f"evaluation.{k}") for k in range(2)]
    for node, end in zip(nodes, (hook.after_node_run, hook.on_node_error), strict=True):
        hook.before_node_run(node)
        time.sleep(0.25)
        end(node)
        assert f"{node.name} goes on" in caplog.text
    before = len(caplog.messages)
    time.sleep(0.25)
    assert len(caplog.messages) == before
