"""A new problem from a file or folder: looked at, proposed, and written as an environment's two files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layerwise.data import DataError
from layerwise.data.sources import image_form, list_pictures
from layerwise.profiling.columns import ColumnProfile
from layerwise.profiling.documents import propose_texts
from layerwise.profiling.images import find_idx_files, propose_idx, propose_images
from layerwise.profiling.page import render_page, render_table_report
from layerwise.profiling.proposal import Choice, Proposal
from layerwise.profiling.ratings import propose_ratings, rating_columns
from layerwise.profiling.tables import propose_table
from layerwise.profiling.yaml_files import catalog_text, parameters_text
from layerwise.utils import address_of, atomic_write

if TYPE_CHECKING:
    import pandas as pd

AS_RATINGS = (
    "its columns are users, items and ratings, and are read as a table because of --target: "
    "leave --target out for recommendations"
)
NAME = re.compile(r"^[A-Za-z0-9_-]+$")
# How an entry of a class calls its file, where that is not `file`.
FILE_FIELDS = {
    "ImageFiles": "images",
    "SourceRatings": "ratings",
    "SourceTexts": "texts",
    "LabelledTexts": "texts",
}


@dataclass
class NewProblem:
    """What is proposed for a file.

    Args:
        proposal: the settings with their reasons.
        path: the file or folder.
        page: an HTML page about it.
        frame: the values of a table; None of other rows.
    """

    proposal: Proposal
    path: Path
    page: str
    frame: pd.DataFrame | None = None

    @property
    def catalog(self) -> str:
        """The text of `catalog.yml`."""
        return catalog_text(self.proposal)

    @property
    def parameters(self) -> str:
        """The text of `parameters.yml`."""
        return parameters_text(self.proposal)


def propose_problem(
    name: str, path: str | Path, project: str | Path, target: str | None = None
) -> NewProblem:
    """Return what is proposed for a file or folder: a table, images, or documents.

    Args:
        name: of the problem.
        path: the file or folder.
        project: the project's folder, below whose `data/01_raw` files are named relatively.
        target: the target column of a table; None to guess it, "none" for texts in folders of classes whose topics are
            looked for.

    Raises:
        DataError: the name cannot be a part of a path, there is no such file, or nothing can be learnt from it.
    """
    if not NAME.match(name):
        raise DataError(f"'{name}' cannot name a problem: it has letters, digits, _ and - alone")
    path = Path(path).expanduser().resolve()
    if not path.exists():
        raise DataError(f"there is no file {path}")
    project = Path(project).resolve()
    columns, frame = list[ColumnProfile](), None
    if idx_files := find_idx_files(path):
        fields, choices, findings = propose_idx(idx_files)
        path = idx_files.get("test_images") or idx_files["images"]
        fields |= {part: {"name": _location(file, project)[1]} for part, file in idx_files.items()}
    elif image_form(path) == "folder" and not _has_pictures(path):
        fields, choices, findings = propose_texts(path, target)
        target = None
    elif image_form(path) is not None:
        fields, choices, findings = propose_images(path)
    elif target is None and (users_and_items := rating_columns(path)):
        fields, choices, findings = propose_ratings(path, users_and_items)
    else:
        fields = {"type": "layerwise.datasets.SourceTable"}
        settled, columns, choices, findings = propose_table(path, target)
        frame = settled.frame
        if target is not None and rating_columns(path):
            findings = [*findings, AS_RATINGS]
    if target is not None and frame is None:
        raise DataError(f"--target is for a table, and {path} holds none")
    source: str = fields.pop("type")
    folder, file = _location(path, project)
    named = {} if idx_files else {FILE_FIELDS.get(source.rpartition(".")[2], "file"): {"name": file}}
    entry = {"type": source, "path": folder, **named, **fields}
    proposal = Proposal(name, entry, [Choice("problem.name", name), *choices], findings)
    return NewProblem(proposal, path, render_page(proposal, path, columns), frame)


def write_problem(new: NewProblem, folder: str | Path, page: str | Path) -> list[Path]:
    """Write the environment's two files and the page; an environment that is there is never written over.

    Of a table skrub's report stands beside the page.

    Returns:
        The paths of the pages.

    Raises:
        DataError: the folder is there.
    """
    folder = Path(folder)
    if folder.exists():
        raise DataError(
            f"{folder} is there already, and is not written over: take another name, or remove it"
        )
    pages = {Path(page): new.page}
    if new.frame is not None:
        report = render_table_report(new.frame, new.proposal.name)
        pages[Path(page).with_name("table_report.html")] = report
    files = {folder / "catalog.yml": new.catalog, folder / "parameters.yml": new.parameters}
    for path, text in (pages | files).items():
        with atomic_write(path) as part:
            part.write_text(text, encoding="utf-8")
    return list(pages)


def _location(path: Path, project: Path) -> tuple[str, str]:
    """Return the folder that a catalog entry names, and the file's name in it."""
    if "://" in (address := address_of(path)):
        folder, _, name = address.rpartition("/")
        return folder, name
    raw = project / "data" / "01_raw"
    if path.is_relative_to(raw):
        return "data/01_raw", path.relative_to(raw).as_posix()
    return str(path.parent), path.name


def _has_pictures(folder: Path) -> bool:
    try:
        list_pictures(folder)
    except DataError:
        return False
    return True
