"""Files as people bring them: what is proposed for each is enough to train, and to answer for its rows."""

import pytest
import yaml
from helpers import doors
from helpers.wild_files import CASES

from layerwise.data import Problem
from layerwise.profiling import propose_problem


@pytest.mark.parametrize("name", CASES)
def test_the_proposal_is_enough_to_train_and_to_answer(tmp_path, name):
    case = CASES[name]()
    path = tmp_path / case.file
    path.write_bytes(case.data)
    new = propose_problem("wild", path, tmp_path, case.target)
    # As a run reads them: from the text that is written.
    problem = Problem.model_validate(yaml.safe_load(new.parameters)["problem"])
    keys = {choice.key.removeprefix("problem.reading.") for choice in new.proposal.choices}
    assert set(case.reading) <= keys
    assert problem.task == case.task
    assert problem.positive == {"rare_class": "broken"}.get(name, "yes" if case.task == "binary" else None)
    assert {key for key in case.reading if key not in problem.reading.model_fields_set} <= {"missing"}
    model, rows = doors.train(path, tmp_path / "model", problem)
    lines = doors.lines_of(model, path)
    assert len(rows) == len(lines) - len(case.bad_lines)
    answers = doors.by_predict(model, path)
    assert [
        line
        for line, answer in zip(lines, answers, strict=True)
        if "error" in answer and line not in case.bad_lines
    ] == []


@pytest.mark.parametrize("name", CASES)
def test_the_target_is_guessed(tmp_path, name):
    case = CASES[name]()
    path = tmp_path / case.file
    path.write_bytes(case.data)
    found = propose_problem("wild", path, tmp_path).proposal
    assert found.value("problem.target") == case.target
