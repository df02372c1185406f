import pytest
from kedro.io import DatasetError
from kedro_datasets.pandas import ParquetDataset

from layerwise.utils import first_line


def test_the_reason_stands_before_the_data_that_kedro_names(tmp_path):
    (tmp_path / "rows.parquet").write_bytes(b"no table")
    with pytest.raises(DatasetError) as caught:
        ParquetDataset(filepath=str(tmp_path / "rows.parquet")).load()
    assert str(caught.value).startswith("Failed while loading data")
    found = first_line(caught.value)
    assert found.startswith(str(caught.value.__cause__).splitlines()[0])
    assert "rows.parquet" in found


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("the first\nthe second"), "the first"),
        (ValueError(), "ValueError()"),
        (DatasetError("one line"), "one line"),
    ],
)
def test_others_say_it_in_their_first_line(error, line):
    assert first_line(error) == line
