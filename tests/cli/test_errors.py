"""How an error that ends a command is shown."""

import errno
import os
import sys

import pytest
from kedro.io import AbstractDataset, DataCatalog, DatasetError
from safetensors import SafetensorError

from layerwise.cli.errors import show_user_errors_as_messages


class FullDataset(AbstractDataset):
    """Cannot be saved."""

    def __init__(self, error):
        self.error = error

    def load(self):
        raise self.error

    def save(self, data):
        raise self.error

    def _describe(self):
        return {"filepath": "data/06_models/network"}


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
    assert "data/06_models/network" in said
    assert said.endswith(fix)
    assert "Traceback" not in said
    with pytest.raises(DatasetError) as found:  # a file that cannot be read takes another fix
        dataset.load()
    assert fix not in shown(found.value, monkeypatch, capsys)
