"""Anomalies that are made of normal rows keep together what comes from one raw column."""

import torch
from helpers.seeded import seeded

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.evaluation.unsupervised import rows_without_class


def test_the_parts_of_a_date_come_from_one_row_in_synthetic_anomalies():
    angle, others = torch.rand(200, 1, generator=seeded()) * 6, torch.rand(200, 2, generator=seeded(1))
    rows = TensorData(torch.cat([angle.sin(), angle.cos(), others], 1), others[:, :1])
    names = ("day_sin", "day_cos", "x", "y")
    columns = DataSpec(
        task="regression",
        n_inputs=4,
        n_outputs=1,
        feature_names=names,
        target_names=("z",),
        blocks=tuple(
            ColumnBlock(name=name, kind="real", start=k, stop=k + 1, raw="day" if k < 2 else name)
            for k, name in enumerate(names)
        ),
    )
    found = rows_without_class(rows, rows, rows, columns, None, 0)
    planted = found.test[found.is_anomaly]
    assert len(planted) > 150
    torch.testing.assert_close(planted[:, :2].square().sum(1), torch.ones(len(planted)))
