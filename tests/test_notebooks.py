import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
# What a cell trains for, on and by, and what it is tried with instead: that it runs shows within seconds.
LESS = {
    r'\bepochs(=|": )\d+': r"epochs\g<1>2",
    r'given\["finetuning"\]': 'given["finetuning"].model_copy(update={"epochs": 2})',
    r"\border\[:\d{4}\]": "order[:800]",
    r"\bslice\(0, \d{4}\)": "slice(0, 600)",
    r"\bn = 1000\b": "n = 300",
    r"\bupdates=\d+": "updates=20",
    r"\btemperatures=\d+": "temperatures=50",
}


def client_of(notebook, folder):
    """What runs the cells; an error in one is raised, with the cell's code."""
    return NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )


@pytest.fixture(scope="module")
def kernel(finished):
    """A kernel that runs one notebook after the other, and imports everything once."""
    client = client_of(nbformat.v4.new_notebook(), finished.path)
    with client.setup_kernel():
        yield client


def with_less_work(source):
    for pattern, less in LESS.items():
        source = re.sub(pattern, less, source)
    return source


def assert_a_reader_sees_all(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 10


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_of_a_notebook_runs_with_less_work(kernel, path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = with_less_work(cell.source)
    kernel.nb = notebook
    kernel.reset_execution_trackers()
    kernel.execute_cell(nbformat.v4.new_code_cell("%reset -f"), 0)
    for index, cell in enumerate(notebook.cells):
        kernel.execute_cell(cell, index)
    assert_a_reader_sees_all(notebook)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_walks_through_a_finished_run(finished, path):
    notebook = nbformat.read(path, as_version=4)
    client_of(notebook, finished.path).execute()
    assert_a_reader_sees_all(notebook)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_stored_notebook_holds_no_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert cells
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


def test_there_is_a_notebook_and_something_to_do_less_of():
    assert NOTEBOOKS
    texts = [cell.source for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells]
    assert not [pattern for pattern in LESS if not any(re.search(pattern, text) for text in texts)]
