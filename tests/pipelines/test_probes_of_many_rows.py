"""A probe of many rows takes a sample of them, and says so."""

import torch

from layerwise.data import TensorData
from layerwise.data.data_spec import ColumnBlock, DataSpec
from layerwise.pipelines import views

COLUMNS = DataSpec(
    task="binary",
    n_inputs=3,
    n_outputs=1,
    feature_names=("a", "b", "c"),
    blocks=tuple(ColumnBlock(name=name, kind="real", start=k, stop=k + 1) for k, name in enumerate("abc")),
    target_names=("y",),
    class_names=("no", "yes"),
)


def rows(n, seed):
    rng = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, 3, generator=rng)
    return TensorData(inputs, (inputs[:, :1] + torch.randn(n, 1, generator=rng) > 0).float())


def probed(parts):
    seen = []
    found = views.probe_views(
        "twice", lambda x: seen.append(len(x)) or 2 * x, parts, COLUMNS, seed=0, bootstrap=20
    )
    return seen, found


def test_a_probe_takes_so_many_rows_of_each_part_at_most(monkeypatch, caplog):
    parts = {name: rows(n, n) for name, n in (("labelled", 400), ("validation", 150), ("test", 90))}
    seen, all_rows = probed(parts)
    assert seen == [400, 150, 90]
    assert "drawn at random" not in caplog.text
    monkeypatch.setattr(views, "PROBED_ROWS", (300, 100, 100))
    with caplog.at_level("INFO"):
        seen, found = probed(parts)
    assert seen == [300, 100, 90]
    assert "Probes: 300 of the 400 labelled rows, drawn at random" in caplog.text
    assert "test rows" not in caplog.text
    assert abs(found["twice"]["error"].value - all_rows["twice"]["error"].value) < 0.1
    assert probed(parts)[1] == found
