"""Each training file through every door, also in part and in another order: one answer for a row, bit for bit."""

import random

import pytest
from helpers import doors
from helpers.wild_files import CASES

from layerwise.data import Problem

# How many rows a part of a file has.
SIZES = (20, 1)


class Trained:
    """A case whose file a model was trained on, with its answers to the rows of that file by their lines."""

    def __init__(self, case, folder):
        self.case, self.folder = case, folder
        self.path = folder / case.file
        self.path.write_bytes(case.data)
        self.problem = Problem(
            name="wild",
            task=case.task,
            target=case.target,
            drop=case.drop,
            reading=case.reading,
        )
        self.model, self.rows = doors.train(self.path, folder / "model", self.problem)
        self.answers = dict(zip(self.lines(self.path), doors.by_predict(self.model, self.path), strict=True))

    def lines(self, path):
        """The line of each row of a file."""
        return doors.lines_of(self.model, path)

    def part(self, seed):
        """Write some rows of the file, faulty ones too, in another order; return its path and the lines they had."""
        newline = b"\r\n" if b"\r\n" in self.case.data else b"\n"
        lines = self.case.data.split(newline)
        first = min(self.answers)
        chosen = random.Random(seed).sample(sorted(self.answers), SIZES[seed])
        chosen += [line for line in self.case.bad_lines[:2] if line not in chosen]
        path = self.folder / f"part_{seed}.csv"
        path.write_bytes(newline.join([*lines[: first - 1], *(lines[line - 1] for line in chosen), b""]))
        return path, chosen


@pytest.fixture(scope="module", params=CASES)
def trained(request, tmp_path_factory):
    return Trained(CASES[request.param](), tmp_path_factory.mktemp(request.param))


def assert_every_door_answers(trained, path, expected, chunk_rows=7):
    """Compare what all doors say of a file with the answers that are expected of its rows."""
    model = trained.model
    assert doors.by_predict(model, path) == expected
    if path.suffix != ".xlsx":
        assert doors.by_predict(model, path, chunk_rows) == expected
    readable = doors.readable_rows(model, path)
    if path.suffix not in (".parquet", ".xlsx", ".zip", ".gz"):
        assert doors.by_http_csv(model, path) == expected
    of_cells = [expected[k] for k in readable]
    if any("error" not in answer for answer in of_cells):
        assert doors.by_http_json(model, path) == of_cells
        assert doors.by_http_split(model, path) == of_cells
    right = [k for k, answer in enumerate(of_cells) if "error" not in answer]
    if right:
        assert doors.by_pyfunc(model, path, right) == [of_cells[k] for k in right]
        targets = doors.cells_of(model, path)[trained.case.target]
        empty = (targets.isna() | (targets == "")).tolist()
        scored, n_rejected = doors.by_evaluate(model, path)
        assert scored == [of_cells[k] for k in right if not empty[k]]
        assert n_rejected == len(expected) - len(scored)


def test_every_door_gives_a_row_of_the_training_file_the_same_answer(trained):
    expected = list(trained.answers.values())
    assert_every_door_answers(trained, trained.path, expected)
    refused = [line for line, answer in trained.answers.items() if "error" in answer]
    assert refused == list(trained.case.bad_lines)


@pytest.mark.parametrize("seed", range(len(SIZES)))
def test_a_row_alone_or_among_others_in_any_order_gets_the_same_answer(trained, seed):
    path, lines = trained.part(seed)
    expected = [trained.answers[line] for line in lines]
    if all("error" in answer for answer in expected):
        pytest.skip("no row of this part can be predicted")
    assert_every_door_answers(trained, path, expected, chunk_rows=1)


def test_the_same_table_in_other_files_gets_the_same_answers(trained):
    right = [answer for line, answer in trained.answers.items() if line not in trained.case.bad_lines]
    for name, data in trained.case.others.items():
        path = trained.folder / name
        path.write_bytes(data)
        assert_every_door_answers(trained, path, right)


def test_answers_depend_on_the_rows(trained):
    numbers = {
        tuple(value for value in answer.values() if isinstance(value, float))
        for answer in trained.answers.values()
        if "error" not in answer
    }
    assert len(numbers) > 0.5 * len(trained.answers) or trained.case.name == "made_up_names"


def test_the_rare_class_is_the_positive_one_of_every_answer(tmp_path):
    trained = Trained(CASES["rare_class"](), tmp_path)
    said = {answer["positive"] for answer in trained.answers.values()}
    assert (
        said
        == {answer["positive"] for answer in doors.by_http_csv(trained.model, trained.path)}
        == {"broken"}
    )
