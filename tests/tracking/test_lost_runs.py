"""A run whose process dies between being made and being written down is called killed by the next one."""

from types import SimpleNamespace

from layerwise.checkpointing import CheckpointSettings, RunLifecycle
from layerwise.tracking.run_outputs import find_lost, mark_killed


def life(folder, pipeline="mlp", resume=False):
    return RunLifecycle(folder, "digits", pipeline, {}, CheckpointSettings(), resume)


class Client:
    """A server that knows runs by their marks."""

    def __init__(self, **runs):
        self.marks, self.statuses = runs, dict.fromkeys(runs, "RUNNING")

    def get_run(self, run_id):
        return SimpleNamespace(info=SimpleNamespace(experiment_id="1", status=self.statuses[run_id]))

    def search_runs(self, experiments, query):
        return [
            SimpleNamespace(info=SimpleNamespace(run_id=run_id))
            for run_id, mark in self.marks.items()
            if query == f"tags.mark = '{mark}'"
        ]

    def set_terminated(self, run_id, status):
        self.statuses[run_id] = status


def test_the_next_run_of_the_place_knows_the_mark_of_one_that_was_never_written_down(tmp_path):
    first = life(tmp_path)
    tags = first.announce()
    first.directory.release()  # the process dies here
    second = life(tmp_path)
    assert second.lost_mark == tags["mark"] != ""
    assert second.announce()["mark"] != tags["mark"]
    second.start("b" * 32, "kedro run", "here")
    second.finish("FINISHED")
    assert life(tmp_path).lost_mark == ""


def test_pipelines_without_a_place_have_no_mark(tmp_path):
    assert life(tmp_path, "predict").announce() == {}


def test_a_lost_run_becomes_killed_and_no_other(monkeypatch):
    monkeypatch.setattr("layerwise.tracking.model_logging.give_up_models", lambda client, run_id: None)
    client = Client(own="x", lost="y", other="z")
    mark_killed(client, find_lost(client, "own", "y"))
    assert client.statuses == {"own": "RUNNING", "lost": "KILLED", "other": "RUNNING"}
    assert find_lost(client, "own", "") == []
    assert find_lost(client, "unknown here", "y") == []
