"""Documents as text, and how their words are counted: by scikit-learn, with the training documents' vocabulary."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from layerwise.data.errors import DataError
from layerwise.data.sources.files import sha256_of
from layerwise.data.sources.images import is_picture
from layerwise.data.sources.pictures import PART_FOLDERS
from layerwise.utils import Config, setting

if TYPE_CHECKING:
    import pandas as pd

# What the column of raw text is called where no file named it.
TEXT, LABEL = "text", "label"
# The entry of a frame's `attrs` that says how many of its last rows are an official test set.
OFFICIAL_TEST = "official_test_rows"


class CountSettings(Config):
    """How the words of documents are counted (scikit-learn's CountVectorizer).

    A word has two letters or more, and is the same in upper and lower case.
    """

    min_df: int = setting(2, "leave out words of fewer training documents", "", ge=1)
    max_df: float = setting(
        1.0, "leave out words of a larger fraction of the training documents", "", gt=0, le=1
    )
    max_features: int | None = setting(2000, "the most frequent words that are kept; null: all", "", ge=1)
    stop_words: Literal["english"] | tuple[str, ...] | None = setting(
        None, "words that are left out: scikit-learn's English ones, or a list"
    )


@dataclass(frozen=True)
class Texts:
    """Documents as text.

    Args:
        texts: the documents.
        settings: how their words are counted.
        source: where they come from.
        sha256: of the file, or of the names and bytes of the files.
        column: of the table that they stood in; None for lines or files.
    """

    texts: tuple[str, ...]
    settings: CountSettings = field(default_factory=CountSettings)
    source: str = ""
    sha256: str = ""
    column: str | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def frame(self) -> pd.DataFrame:
        """Return the texts as the column of a table."""
        import pandas as pd

        return pd.DataFrame({self.column or TEXT: list(self.texts)})


def fit_vocabulary(texts: Sequence[str], settings: CountSettings) -> tuple[str, ...]:
    """Return the words that are counted, in the order of the alphabet.

    Raises:
        DataError: no word is left.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    chosen = settings.model_dump()
    if isinstance(settings.stop_words, tuple):
        chosen["stop_words"] = list(settings.stop_words)
    try:
        return tuple(CountVectorizer(**chosen).fit(texts).get_feature_names_out().tolist())
    except ValueError as error:
        raise DataError(
            f"no word of {len(texts)} training documents is left to count ({error}); lower min_df, which is "
            f"{settings.min_df}, or raise max_df, which is {settings.max_df:g}"
        ) from error


def count_words(texts: Sequence[str], vocabulary: Sequence[str]) -> Any:
    """Return how often each word of the vocabulary stands in each document: CSR (documents, words) of int64."""
    from sklearn.feature_extraction.text import CountVectorizer

    return CountVectorizer(vocabulary=list(vocabulary)).transform(texts).tocsr()


@dataclass(frozen=True)
class LabelledTextFolder:
    """The texts of a folder.

    Args:
        names: the paths below it.
        texts: the documents.
        labels: the folder of the class that each lies in; empty text for one that lies in none.
        sha256: of names and bytes.
        n_test: the last texts, which are the official test rows: those below `test/` beside `train/`.
    """

    names: list[str]
    texts: list[str]
    labels: list[str]
    sha256: str
    n_test: int = 0

    def columns(self) -> dict[str, list[str | None]]:
        """Return the columns of a table, `text`, and `label` if there is any; None for an empty cell."""
        found = {TEXT: [text if text.strip() else None for text in self.texts]}
        return found | ({LABEL: [label or None for label in self.labels]} if any(self.labels) else {})


def read_labelled_texts(folder: str | Path) -> LabelledTextFolder:
    """Return all .txt files below a folder with the folder of its class that each lies in, `class/file.txt`.

    Below `train/` and `test/` it is the next one, and those below `test/` are the last.

    Raises:
        DataError: there is none.
    """
    names, texts, sha256 = read_text_folder(folder)
    parts_of = [name.split("/")[:-1] for name in names]
    tops = [parts[0].lower() if parts else "" for parts in parts_of]
    in_parts = set(tops) <= PART_FOLDERS
    labels = [parts[in_parts] if len(parts) > in_parts else "" for parts in parts_of]
    is_test = [in_parts and "train" in tops and top == "test" for top in tops]
    order = sorted(range(len(names)), key=lambda k: is_test[k])
    names, texts, labels = ([values[k] for k in order] for values in (names, texts, labels))
    return LabelledTextFolder(names, texts, labels, sha256, sum(is_test))


def holds_texts(folder: str | Path) -> bool:
    """Return whether a folder has .txt files and no pictures, however deep."""
    paths = [path for path in Path(folder).rglob("*") if path.is_file()]
    if not any(path.suffix == ".txt" for path in paths):
        return False
    for path in paths:
        if path.suffix != ".txt":
            with path.open("rb") as file:
                if is_picture(file.read(16)):
                    return False
    return True


def read_text_folder(folder: str | Path) -> tuple[list[str], list[str], str]:
    """Return the names and texts of all .txt files below a folder, in order, and a hash of both.

    Bytes that are no UTF-8 are read as Latin-1.

    Raises:
        DataError: there is none.
    """
    folder = Path(folder)
    paths = [path for path in sorted(folder.rglob("*.txt")) if path.is_file()]
    if not paths:
        raise DataError(f"{folder} holds no .txt files")
    names = [path.relative_to(folder).as_posix() for path in paths]
    lines = (f"{name} {sha256_of(path)}" for name, path in zip(names, paths, strict=True))
    return (
        names,
        [decode_text(path.read_bytes()) for path in paths],
        hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    )


def decode_text(raw: bytes) -> str:
    """Return bytes as text: UTF-8, else Latin-1."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
