"""How an error that ends a command is shown."""

import errno
import os
import sys

import pytest
from kedro.io import DataCatalog, DatasetError
from kedro_datasets.text import TextDataset
from safetensors import SafetensorError

from layerwise.cli.errors import show_user_errors_as_messages
from layerwise.datasets import PredictionsDataset
from layerwise.datasets.stored import StoredDataset


class FullDataset(StoredDataset):
    """Cannot be saved."""

    def __init__(self, error):
        super().__init__(filepath="data/06_models/network")
        self.error = error

    def _read(self, path):
        raise self.error

    def _write(self, data, path):
        raise self.error


def shown(error, monkeypatch, capsys):
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    show_user_errors_as_messages()
    sys.excepthook(type(error), error, error.__traceback__)
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "its disk is full: make room"),
        (
            SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
            "its disk is full: make room",
        ),
        (
            PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
            "it may not be written: give yourself the right",
        ),
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), "it may not be written: give yourself the right"),
    ],
)
def test_a_file_that_cannot_be_saved_is_named_with_the_fix(monkeypatch, capsys, error, fix):
    dataset = FullDataset(error)
    with pytest.raises(DatasetError) as found:
        DataCatalog({"network": dataset}).save("network", 1)
    said = shown(found.value, monkeypatch, capsys)
    assert said.startswith(f"Error: network: data/06_models/network cannot be written: {fix} (")
    assert said.endswith(")")
    assert "Traceback" not in said


def test_a_file_that_cannot_be_read_takes_another_fix(monkeypatch, capsys):
    dataset = FullDataset(PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    with pytest.raises(DatasetError) as found:
        dataset.load()
    said = shown(found.value, monkeypatch, capsys)
    assert said.endswith("give yourself the right to it")
    assert "written" not in said


def test_a_file_of_kedro_s_own_datasets_is_named_with_the_fix(monkeypatch, capsys, tmp_path):
    def refuse(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    dataset = TextDataset(filepath=str(tmp_path / "report.html"))
    monkeypatch.setattr(dataset._fs, "open", refuse)
    with pytest.raises(DatasetError) as found:
        DataCatalog({"report": dataset}).save("report", "text")
    said = shown(found.value, monkeypatch, capsys)
    assert "report.html" in said
    assert said.endswith("its disk is full: make room")


def test_an_error_gets_its_fix_by_its_kind_and_not_by_its_words(monkeypatch, capsys):
    error = DatasetError("Failed while saving data to a far land: No space left on device")
    assert shown(error, monkeypatch, capsys) == f"Error: {error}"


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
def test_predictions_that_do_not_fit_are_named_with_the_fix(monkeypatch, capsys, tmp_path, name):
    class Answers:
        exempt_columns = ()

        def tables(self):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        __iter__ = tables

    with pytest.raises(DatasetError) as found:
        PredictionsDataset(file=str(tmp_path / name), input_path=None).save(Answers())
    assert f"{name} cannot be written: its disk is full: make room (" in shown(
        found.value, monkeypatch, capsys
    )
