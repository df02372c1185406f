import numpy as np
import pandas as pd

from layerwise.tracking import ProcessHook, process
from layerwise.tracking.process import release_memory


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
