"""A table in files becomes the tensors that it becomes in memory, to the bit where the sample has all of its rows."""

import numpy as np
import pandas as pd
import pytest
import torch
from kedro.io import DatasetError

from layerwise.data import DataError, PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.out_of_core import LEFT_OUT, StreamedTable, divide_rows, fit_on_sample, sample_rows
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.data.reading import ReadingSettings, TableBlocks, read_text_table, resolve_file_format
from layerwise.data.reading.cells import read_table, row_errors_of
from layerwise.data.row_hashes import TEST, TRAINING, VALIDATION
from layerwise.datasets import TensorsDataset

HASH = SplitSettings(method="hash")
PROBLEM = {"name": "t", "task": "binary", "target": "left", "positive": "yes", "weights": "cost"}
PARTS = {"training": TRAINING, "validation": VALIDATION, "test": TEST}


@pytest.fixture
def folder(tmp_path, tables):
    """A table of 900 rows in two Parquet files, with gaps, words, dates and text dates."""
    path = tmp_path / "table"
    path.mkdir()
    frame = tables.table(900)
    frame["seen"] = pd.to_datetime(frame["since"])
    frame["children"] = np.random.default_rng(1).integers(0, 4, 900)
    frame.iloc[:500].to_parquet(path / "part_0.parquet", index=False)
    frame.iloc[500:].to_parquet(path / "part_1.parquet", index=False)
    return path


def in_memory(path, problem, settings):
    """The table's tensors and preprocessor, as they are made of rows in memory."""
    cells = read_text_table(path, resolve_file_format(path, ReadingSettings())).cells
    cells.attrs.update(TableBlocks(path).attributes())
    rows = read_table(cells, problem, settings)
    rows.attrs.pop("row_errors", None)
    split = split_raw(rows, problem, HASH, 0)
    preprocessor = fit_preprocessor(rows, split, problem, settings, 0)
    return dict(zip(PARTS, preprocess_rows(rows, split, preprocessor), strict=True)), preprocessor


def in_files(path, tmp_path, problem, settings, at_most=10_000, block_rows=37):
    """The same of rows in files, by the passes that a pipeline takes."""
    blocks = TableBlocks(path, block_rows=block_rows)
    sample = sample_rows(blocks, problem, settings, at_most, 0)
    split = split_raw(sample, problem, HASH, 0)
    parts = divide_rows(blocks, sample, problem, HASH, 0)
    preprocessor = fit_on_sample(sample, split, parts, problem, settings, 0)
    found, whole = {}, StreamedTable(blocks, parts["part"].to_numpy(), preprocessor)
    for name, part in PARTS.items():
        entry = TensorsDataset(filepath=str(tmp_path / f"{name}.safetensors"))
        entry.save(whole.part(part))
        found[name] = entry.load()
    return found, preprocessor, parts["part"].to_numpy()


@pytest.mark.parametrize(
    ("changes", "settings"),
    [
        ({}, {}),
        ({"task": "regression", "target": "cost", "positive": None, "weights": None}, {"scaling": "minmax"}),
        ({"task": "multilabel", "target": ["a", "b"], "positive": None}, {"scaling": "quantile"}),
        ({"target": "", "positive": None, "weights": None}, {"scaled_columns": "all"}),
        ({"task": "multiclass", "target": "children", "positive": None}, {"drop_first": True}),
    ],
    ids=["binary", "regression", "multilabel", "no target", "multiclass"],
)
def test_rows_in_files_become_the_tensors_of_rows_in_memory(folder, tmp_path, changes, settings):
    problem, settings = Problem(**PROBLEM | changes), PreprocessingSettings(**settings)
    expected, fitted = in_memory(folder, problem, settings)
    found, preprocessor, _ = in_files(folder, tmp_path, problem, settings)
    for name, rows in expected.items():
        for kind in ("inputs", "targets", "weights"):
            one, other = getattr(rows, kind), getattr(found[name], kind)
            assert (one is None) == (other is None), (name, kind)
            if one is not None:
                assert one.dtype == other.dtype
                assert torch.equal(one, other), (name, kind)
    assert preprocessor.data_spec == fitted.data_spec
    assert repr(preprocessor.state) == repr(fitted.state)


def test_each_row_of_a_sample_is_in_the_part_that_it_has_among_all_rows(folder, tmp_path):
    problem, settings = Problem(**PROBLEM), PreprocessingSettings()
    blocks = TableBlocks(folder, block_rows=100)
    everything = sample_rows(blocks, problem, settings, 900, 0)
    sample = sample_rows(blocks, problem, settings, 300, 0)
    assert 240 < len(sample) < 360
    assert len(sample.merge(everything)) == len(sample)
    assert "uniform sample of" in " ".join(sample.attrs["reading_notes"])
    own = split_raw(sample, problem, HASH, 0)
    parts = divide_rows(blocks, sample, problem, HASH, 0)["part"].to_numpy()
    for name, part in PARTS.items():
        among_all = everything.iloc[np.flatnonzero(parts == part)]
        rows = sample.iloc[getattr(own, name)]
        assert len(rows.merge(among_all)) == len(rows)
    found, preprocessor, again = in_files(folder, tmp_path, problem, settings, at_most=300, block_rows=100)
    assert (again == parts).all()
    assert preprocessor.data_spec.n_training == len(found["training"]) == (parts == TRAINING).sum()
    assert any("uniform sample" in note for note in preprocessor.data_spec.notes)
    inputs = torch.cat([rows.inputs for rows in found.values()])
    numbers = preprocessor.data_spec.feature_names.index("age")
    assert abs(float(inputs[:, numbers].mean())) < 0.2  # scaled by the sample's mean


def test_a_sample_does_not_depend_on_the_blocks_it_is_read_in(folder):
    problem, settings = Problem(**PROBLEM), PreprocessingSettings()
    one, other = (
        sample_rows(TableBlocks(folder, block_rows=size), problem, settings, 200, 7) for size in (31, 500)
    )
    pd.testing.assert_frame_equal(one, other)


def test_rows_that_cannot_be_read_or_have_no_label_are_in_no_part(tmp_path, tables, caplog):
    frame = tables.table(600)
    frame["left"] = frame["left"].where(np.arange(600) % 50 != 3, None)
    frame.loc[[10, 400], "score"] = np.inf
    path = tmp_path / "table.parquet"
    frame.to_parquet(path, index=False)
    problem, settings = Problem(**PROBLEM), PreprocessingSettings()
    found, preprocessor, parts = in_files(path, tmp_path, problem, settings)
    assert sorted(np.flatnonzero(parts == LEFT_OUT)) == sorted({10, 400, *range(3, 600, 50)})
    assert sum(map(len, found.values())) == 600 - 14
    assert "14 of 600 row(s) cannot be read or have no label" in caplog.text
    assert any("14 of 600 rows" in note for note in preprocessor.data_spec.notes)


def test_the_rows_of_a_block_may_all_have_the_weight_0(folder, tmp_path):
    for k in range(2):
        frame = pd.read_parquet(folder / f"part_{k}.parquet")
        frame["cost"] = np.where(np.arange(len(frame)) % 300 < 60, 0.0, 1.5)
        frame.to_parquet(folder / f"part_{k}.parquet", index=False)
    problem, settings = Problem(**PROBLEM), PreprocessingSettings()
    expected, _ = in_memory(folder, problem, settings)
    found, *_ = in_files(folder, tmp_path, problem, settings, block_rows=20)
    for name, rows in expected.items():
        assert torch.equal(found[name].weights, rows.weights)


def test_a_target_that_encodes_a_column_needs_all_rows(tmp_path, tables):
    frame = tables.table(600)
    frame["street"] = [f"street {k % 150}" for k in range(600)]
    path = tmp_path / "table.parquet"
    frame.to_parquet(path, index=False)
    problem = Problem(**PROBLEM)
    with pytest.raises(DataError, match=r"'street' has many values.*many_values: frequent"):
        in_files(path, tmp_path, problem, PreprocessingSettings())
    in_files(path, tmp_path, problem, PreprocessingSettings(many_values="frequent"))


def test_a_file_that_changes_between_the_passes_is_found(tmp_path, tables):
    path = tmp_path / "table.parquet"
    tables.table(600).to_parquet(path, index=False)
    problem, settings = Problem(**PROBLEM), PreprocessingSettings()
    blocks = TableBlocks(path, block_rows=100)
    sample = sample_rows(blocks, problem, settings, 600, 0)
    parts = divide_rows(blocks, sample, problem, HASH, 0)
    preprocessor = fit_on_sample(sample, split_raw(sample, problem, HASH, 0), parts, problem, settings, 0)
    rows = StreamedTable(blocks, parts["part"].to_numpy(), preprocessor).part(TRAINING)
    for n in (500, 700):
        tables.table(n).to_parquet(path, index=False)
        with pytest.raises(DatasetError, match="has changed while it was read"):
            TensorsDataset(filepath=str(tmp_path / "rows.safetensors")).save(rows)
    assert not (tmp_path / "rows.safetensors").exists()


def test_text_is_no_table_in_blocks(tmp_path, tables):
    tables.table(50).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(DataError, match=r"compute\.out_of_core reads Parquet, and .*table\.csv is none"):
        next(TableBlocks(tmp_path / "table.csv").blocks())


def test_blocks_of_a_folder_hold_its_rows_in_order(folder, tables):
    blocks = TableBlocks(folder, block_rows=64)
    assert blocks.n_rows == 900
    frames = list(blocks.blocks())
    assert max(map(len, frames)) <= 64
    assert pd.concat(frames)["age"].tolist() == tables.table(900)["age"].tolist()
    assert row_errors_of(frames[0]) is None
