"""Catalog entry for texts in folders of their classes: a table of a text and its label in each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.io import DatasetError

from layerwise.data import DataError
from layerwise.data.sources import OFFICIAL_TEST, read_labelled_texts
from layerwise.datasets.sources.base import SourceDataset, source_file
from layerwise.utils import address_of

if TYPE_CHECKING:
    import pandas as pd


class LabelledTexts(SourceDataset):
    """A folder of .txt files, each in the folder of its class, as a table with the columns `text` and `label`.

    It is read as scikit-learn's `load_files` does: `folder/class/file.txt`, at any depth below the class. Of texts in
    `folder/train/class` and `folder/test/class` those below `test` are the official test rows. Bytes that are no UTF-8
    are read as Latin-1.

    Args:
        texts: the fields of a `layerwise.data.sources.files.SourceFile`; its `name` is that of the folder.
        where: what `SourceDataset` takes.
    """

    def __init__(self, *, texts: dict[str, Any], **where: Any) -> None:
        super().__init__(**where)
        self._file = source_file(texts)

    def load(self) -> pd.DataFrame:
        """Return the table; an empty text is an empty cell.

        Raises:
            DatasetError: there is no such folder, it holds other texts than were asked for, or some lie in no class.
        """
        import pandas as pd

        folder = self._locate_folder(self._file)
        if folder is None:
            raise DatasetError(f"{self._folder}/{self._file.name} is no folder of texts.")
        try:
            found = read_labelled_texts(folder)
        except DataError as error:
            raise DatasetError(f"{error}.") from error
        outside = [name for name, label in zip(found.names, found.labels, strict=True) if not label]
        if outside:
            raise DatasetError(
                f"{len(outside)} texts in {folder} lie in no folder of a class, the first is {outside[0]}."
            )
        if self._file.sha256 not in (None, found.sha256):
            raise DatasetError(f"{folder} holds other texts than were asked for: sha256 {found.sha256}.")
        frame = pd.DataFrame(found.columns())
        frame.attrs.update(
            {"source": address_of(folder), "sha256": found.sha256, OFFICIAL_TEST: found.n_test}
        )
        return frame

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._folder), "texts": self._file.name}
