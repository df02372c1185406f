"""Tables of many rows drawn from a seed, as CSV, as one Parquet file or as a folder of them; and a project for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

COLUMNS, BLOCK, PART = 20, 100_000, 1_000_000
CATALOG = "raw:\n  type: layerwise.datasets.SourceTable\n  path: .\n  file:\n    name: {name}\n"
PROBLEM = "problem:\n  name: large\n  task: binary\n  target: y\n"
WORDS = ("red", "green", "blue", "white", "black", "gray", "brown")


def blocks(rows: int, kind: str) -> Iterator[Any]:
    """Yield the table in parts."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    for start in range(0, rows, BLOCK):
        n = min(BLOCK, rows - start)
        values = rng.standard_normal((n, COLUMNS))
        chance = 1 / (1 + np.exp(-(values[:, 0] + values[:, 1] * values[:, 2])))
        frame = pd.DataFrame({f"x{k}": values[:, k].round(4) for k in range(COLUMNS)})
        for k in range(16, COLUMNS):
            frame[f"x{k}"] = rng.integers(0, 10_000, n)
        if kind == "mixed":
            for k in range(3):
                frame[f"x{k + 16}"] = np.array(WORDS)[rng.integers(0, len(WORDS), n)]
            days = rng.integers(0, 3650, n).astype("timedelta64[D]")
            frame["x19"] = (np.datetime64("2015-01-01") + days).astype(str)
        frame["y"] = (rng.random(n) < chance).astype(int)
        yield frame


def write_table(path: Path, rows: int, kind: str) -> None:
    """Write the table as CSV or Parquet, by the file's name."""
    if path.suffix == ".csv":
        for k, frame in enumerate(blocks(rows, kind)):
            frame.to_csv(path, mode="a", header=k == 0, index=False)
        return
    _write_parquet(path, blocks(rows, kind))


def link_parts(path: Path, parts: Path, rows: int, kind: str) -> None:
    """Make a folder of links to Parquet files of a million rows each, whose rows are those of one table.

    Args:
        path: the folder that is made.
        parts: where the files are, or are written to.
        rows: of the table; of one below a million there is one file.
        kind: of the table.
    """
    parts.mkdir(exist_ok=True)
    path.mkdir()
    names = [f"{kind}_{min(rows, PART)}_{k:03d}.parquet" for k in range(-(-rows // PART))]
    if not all((parts / name).exists() for name in names):
        frames = blocks(rows, kind)
        for name in names:
            _write_parquet(parts / name, islice(frames, PART // BLOCK))
    for name in names:
        (path / name).symlink_to(parts / name)


def _write_parquet(path: Path, frames: Iterable[Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    for frame in frames:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def make_project(root: Path, path: Path, table: str) -> None:
    """Make a project of links to this one, with an environment for the table.

    Args:
        root: of this project.
        path: of the new one.
        table: the file's name.
    """
    for name in ("pyproject.toml", ".telemetry", "src/layerwise", "conf/base", "conf/digits"):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        if (root / name).exists():
            (path / name).symlink_to(root / name)
    conf = path / "conf/large"
    conf.mkdir()
    (conf / "catalog.yml").write_text(CATALOG.format(name=table))
    (conf / "parameters.yml").write_text(PROBLEM)
