from types import SimpleNamespace

import pytest
from reproduction import runs
from reproduction.rows import read_report

from layerwise.cli.run_parameters import parse_parameters

ROW = next(read_report().rows())


class Store:
    """Stands for MLflow and for `kedro run`: each run takes 30 seconds of CPU, and some are cut off."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.runs, self.asked, self.cut, self.clock = folder, [], [], 0, 0.0
        monkeypatch.setattr(runs, "PROJECT", folder)
        monkeypatch.setattr(runs, "MlflowClient", lambda uri: self)
        monkeypatch.setattr(runs, "_run", self.run)
        monkeypatch.setattr(runs, "_children_seconds", lambda: self.clock)

    def run(self, arguments, seconds):
        params = parse_parameters(arguments[-1].removeprefix("--params="))
        self.asked.append(params)
        self.clock += 30
        checkpoint = self.folder / "data/checkpoints" / params["problem"]["name"] / ROW.pipeline / "epoch"
        if not params.get("resume"):
            tags = {"mlflow.source.git.commit": "0123456789"}
            info = SimpleNamespace(run_id=str(len(self.runs)), status="RUNNING", end_time=86_400_000)
            self.runs.append(SimpleNamespace(info=info, data=SimpleNamespace(tags=tags, metrics={})))
        run = self.runs[-1]
        if self.cut:
            self.cut -= 1
            run.info.status = "KILLED"
            checkpoint.mkdir(parents=True, exist_ok=True)
            return False
        run.info.status, run.data.metrics[ROW.metric] = "FINISHED", 0.0125
        return True

    def get_experiment_by_name(self, name):
        self.name = name
        return SimpleNamespace(experiment_id="1") if self.runs else None

    def search_runs(self, experiments, order_by, max_results):
        return self.runs[-1:]

    def get_run(self, run_id):
        return self.runs[int(run_id)]

    def set_tag(self, run_id, name, value):
        self.get_run(run_id).data.tags[name] = value


@pytest.fixture
def store(tmp_path, monkeypatch):
    return Store(tmp_path, monkeypatch)


def test_a_figure_is_what_mlflow_has_of_the_rows_command_with_a_seed(store):
    found = runs.measure(ROW, 3, 100)
    assert (found.value, found.seed, found.command) == (0.0125, 3, ROW.command)
    assert (found.cpu_seconds, found.date, found.commit) == (30, "1970-01-02", "0123456")
    given = parse_parameters(",".join(ROW.params.split()))
    assert store.asked == [given | {"seed": 3, "problem": {"name": f"reproduction_{ROW.name}_3"}}]


def test_a_run_that_was_cut_off_goes_on_and_its_pieces_add_up(store):
    store.cut = 2
    for _ in range(2):
        with pytest.raises(runs.UnfinishedError, match="it goes on"):
            runs.measure(ROW, 0, 1)
    assert runs.measure(ROW, 0, 1).cpu_seconds == 90
    assert [asked.get("resume", False) for asked in store.asked] == [False, True, True]
    assert len(store.runs) == 1


def test_a_run_without_a_checkpoint_begins_anew(store):
    store.cut = 1
    with pytest.raises(runs.UnfinishedError):
        runs.measure(ROW, 0, 1)
    (store.folder / "data/checkpoints" / f"reproduction_{ROW.name}_0" / ROW.pipeline / "epoch").rmdir()
    assert runs.measure(ROW, 0, 1).cpu_seconds == 30
    assert not store.asked[-1].get("resume")


def test_a_finished_run_is_read_and_not_run_again(store):
    first = runs.measure(ROW, 0, 1)
    assert runs.measure(ROW, 0, 1) == first
    assert len(store.asked) == 1


def test_a_run_of_other_parameters_is_run_anew(store):
    runs.measure(ROW, 0, 1)
    other = ROW.model_copy(update={"params": "finetuning.epochs=3"})
    assert runs.measure(other, 0, 1).command == other.command
    assert len(store.runs) == 2


def test_a_metric_that_the_run_has_not_is_said(store):
    with pytest.raises(runs.UnfinishedError, match="no metric test/nope"):
        runs.measure(ROW.model_copy(update={"metric": "test/nope"}), 0, 1)
