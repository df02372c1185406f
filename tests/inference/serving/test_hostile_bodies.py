"""The torture of `benchmarks/torture/bodies.py` in small."""

import importlib.util
from pathlib import Path

FILE = Path(__file__).parents[3] / "benchmarks/torture/bodies.py"


def test_spoilt_bodies_get_a_json_answer_each_and_the_server_goes_on():
    spec = importlib.util.spec_from_file_location("bodies", FILE)
    torture = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(torture)
    counts, faults = torture.attack(bodies=120, seed=3)
    assert faults == []
    assert sum(counts.values()) == 120
    assert {200, 400} <= set(counts)
