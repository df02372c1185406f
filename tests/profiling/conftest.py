"""What a new problem is proposed with."""

import pytest

from layerwise.profiling import propose_problem


@pytest.fixture
def propose(tmp_path):
    """Return what proposes a problem of a table, which is written to a file."""

    def call(table, target=None):
        table.to_csv(tmp_path / "t.csv", index=False)
        return propose_problem("mine", tmp_path / "t.csv", tmp_path / "project", target)

    return call
