import json
import os

import pytest
from helpers.killed_runs import end_of, start

from layerwise.checkpointing.data_changes import DataChangeCheck
from layerwise.checkpointing.run_directory import (
    RunDirectory,
    RunInProgressError,
    differences,
)
from layerwise.utils import FolderError, ResumeError


def run_directory(tmp_path, pipeline="dbn", problem="digits"):
    return RunDirectory(tmp_path, problem, pipeline)


def begun(tmp_path, run_id, started, keep=10, **parameters):
    """A run that has begun, with a checkpoint."""
    own = run_directory(tmp_path)
    own.acquire()
    record = {"parameters": parameters, "started": started, "uri": "here"}
    folder = own.begin(run_id, record, keep) / "node" / "stage"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "epoch_000001.json").write_text("{}")
    return own


def test_a_run_directory_is_taken_by_one_run_at_a_time_and_named(tmp_path):
    own = begun(tmp_path, "first", 1.0)
    with pytest.raises(
        RunInProgressError, match=r"run first \(process \d+\) is writing to data/\*/digits/dbn"
    ):
        run_directory(tmp_path).acquire()
    # A command of several pipelines needs all of their places.
    with pytest.raises(RunInProgressError, match="run first"):
        run_directory(tmp_path, "dbn+mlp").acquire()
    run_directory(tmp_path, "mlp").acquire()
    run_directory(tmp_path, problem="churn").acquire()
    own.end("KILLED")
    assert run_directory(tmp_path).acquire()["status"] == "KILLED"


def test_the_newest_unfinished_run_goes_on_or_the_one_that_is_named(tmp_path):
    for k, run_id in enumerate(("aa1", "ab2", "b3")):
        begun(tmp_path, run_id, float(k), a="1").end("KILLED")
    here = run_directory(tmp_path)
    assert here.find_resumable(False, {}) is None
    assert here.find_resumable(True, {"a": "1"})["run_id"] == "b3"
    assert here.find_resumable("ab", {"a": "1"})["run_id"] == "ab2"
    with pytest.raises(ResumeError, match="several runs begin with a"):
        here.find_resumable("a", {"a": "1"})
    with pytest.raises(
        ResumeError, match=r"run b3 cannot go on with other parameters: a was 1 and is 2; b was not"
    ):
        here.find_resumable(True, {"a": "2", "b": "1"})


def test_a_run_of_the_first_edition_is_refused_with_what_to_do(tmp_path):
    begun(tmp_path, "old", 1.0, a="1").end("KILLED")
    file = tmp_path / "checkpoints/digits/dbn/old/run.json"
    record = json.loads(file.read_text())
    del record["format"]  # the first edition wrote none
    file.write_text(json.dumps(record))
    with pytest.raises(ResumeError, match=r"run old was begun by the first edition of layerwise.*train anew"):
        run_directory(tmp_path).find_resumable(True, {"a": "2"})


def test_many_differences_are_counted_and_not_listed(tmp_path):
    begun(tmp_path, "run", 1.0, **{f"a{k}": "1" for k in range(9)}).end("KILLED")
    with pytest.raises(ResumeError, match=r"a5 was 1 and is 2; and 3 more\."):
        run_directory(tmp_path).find_resumable(True, {f"a{k}": "2" for k in range(9)})


def test_a_finished_run_and_one_without_checkpoints_leave_no_folder(tmp_path):
    assert begun(tmp_path, "finished", 1.0).end("FINISHED") == []
    own = run_directory(tmp_path)
    own.acquire()
    own.begin("empty", {"parameters": {}}, 3)
    assert own.end("FAILED") == []
    assert len(begun(tmp_path, "failed", 3.0).end("FAILED")) == 1
    assert [path.name for path in (tmp_path / "checkpoints/digits/dbn").iterdir()] == ["failed"]


def test_the_oldest_unfinished_runs_go_but_never_the_one_that_goes_on(tmp_path):
    for k in range(4):
        begun(tmp_path, f"run{k}", float(k)).end("KILLED")
    begun(tmp_path, "run0", 0.0, keep=3).end("KILLED")
    assert sorted(run["run_id"] for run in run_directory(tmp_path).unfinished()) == ["run0", "run2", "run3"]


def test_a_run_whose_process_is_gone_is_found_and_one_that_is_under_way_is_not(tmp_path):
    begun(tmp_path, "dead", 1.0).release()
    alive = RunDirectory(tmp_path, "churn", "mlp")
    alive.acquire()
    alive.begin("alive", {"parameters": {}, "uri": "here"}, 3)
    own = run_directory(tmp_path, "rbm")
    own.acquire()
    own.begin("own", {"parameters": {}, "uri": "here"}, 3)
    assert list(own.find_killed("another server")) == []
    assert [run["run_id"] for run in own.find_killed("here")] == ["dead"]
    assert list(own.find_killed("here")) == []
    alive.release()
    assert [run["run_id"] for run in own.find_killed("here")] == ["alive"]


def test_other_rows_are_refused_with_what_differs(tmp_path):
    tags = {"data.sha256": "a", "data.rows": "10", "data.source": "rows.csv", "pipeline": "dbn"}
    DataChangeCheck(tmp_path).log_tags({"unrelated": "x"})
    DataChangeCheck(tmp_path).log_tags(tags)
    DataChangeCheck(tmp_path).log_tags({**tags, "data.source": "elsewhere/rows.csv"})
    with pytest.raises(ResumeError, match=r"data\.sha256 was a and is b.*other\.csv"):
        DataChangeCheck(tmp_path).log_tags({**tags, "data.sha256": "b", "data.source": "other.csv"})
    assert json.loads((tmp_path / "data.json").read_text())["data.sha256"] == "a"


def test_differences_are_named_with_both_values():
    assert differences({"a": "1", "b": "2"}, {"b": "3", "c": "4"}) == [
        "a was 1 and is not there",
        "b was 2 and is 3",
        "c was not there and is 4",
    ]


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"run_id": 1}', "\ufffd", '{"run_id": "x"}'])
def test_a_corrupt_record_of_a_run_is_as_if_the_run_were_not_there(tmp_path, content):
    begun(tmp_path, "damaged", 1.0, a="1").end("KILLED")
    begun(tmp_path, "sound", 0.0, a="1").end("KILLED")
    (tmp_path / "checkpoints/digits/dbn/damaged/run.json").write_text(content)
    assert run_directory(tmp_path).find_resumable(True, {"a": "1"})["run_id"] == "sound"


@pytest.mark.parametrize("content", ["", "[1]", "{", "3"])
def test_a_corrupt_record_of_the_rows_is_said_with_what_to_do(tmp_path, content):
    check = DataChangeCheck(tmp_path)
    check.path.write_text(content)
    with pytest.raises(ResumeError, match=r"data\.json.*cannot be read.*resume=false"):
        check.log_tags({"data.sha256": "a"})


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become another user")
def test_a_lock_of_another_user_is_said_in_a_sentence(tmp_path):
    lock = tmp_path / "checkpoints/digits/dbn.lock"
    lock.parent.mkdir(parents=True)
    lock.touch(0o600)
    for folder in (*lock.parents, lock.parent)[:-1]:
        if folder.is_relative_to(tmp_path.parents[1]):
            folder.chmod(folder.stat().st_mode | 0o055)

    def as_nobody():
        os.setgid(65534)
        os.setuid(65534)
        with pytest.raises(
            FolderError, match=r"dbn\.lock cannot be locked \(Permission denied\).*another user"
        ):
            run_directory(tmp_path).acquire()

    assert end_of(start(as_nobody)) == 0
