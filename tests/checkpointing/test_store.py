import errno
import json
import logging
import os
import pickle
import shutil
import signal
import warnings
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from layerwise.checkpointing import CheckpointSettings, CheckpointStore, store as checkpoints
from layerwise.utils import ResumeError, current_checkpoint_store, set_checkpoint_store
from layerwise.utils.run_context import add_listener, remove_listener

OFTEN = CheckpointSettings(epochs=1, minutes=None)


@pytest.fixture(autouse=True)
def no_checkpoints_are_left_on():
    yield
    set_checkpoint_store(None)


def tensors(epoch):
    return {
        "weights": torch.full((3, 2), float(epoch)),
        "half": torch.full((2,), epoch + 0.5).bfloat16(),
        "none": torch.zeros(0, 4),
        "count": torch.tensor(epoch),
        "generator": torch.Generator().manual_seed(epoch).get_state(),
    }


def save(stage, *epochs, best=None, done=False):
    for epoch in epochs:
        stage.save(epoch, tensors(epoch), {"best": best and {"epoch": best}, "name": "layer"}, done)


def stage(folder, resume=False, **settings):
    chosen = CheckpointSettings(**{"epochs": 1, "minutes": None} | settings)
    return CheckpointStore(folder, chosen, resume).stage("layer 1 of 3")


def epochs(folder):
    return sorted(path.stem for path in folder.rglob("epoch_*.json"))


def test_what_is_read_is_what_was_written(tmp_path):
    save(stage(tmp_path), 7)
    found = stage(tmp_path, resume=True).load()
    for name, value in tensors(7).items():
        assert found.tensors[name].dtype == value.dtype
        assert torch.equal(found.tensors[name], value)
    assert found.metadata["epoch"] == 7
    assert not found.metadata["done"]


def test_there_are_two_files_to_a_checkpoint_and_both_can_be_read_without_this_package(tmp_path):
    save(stage(tmp_path), 7)
    folder = tmp_path / "run/layer_1_of_3"
    assert sorted(os.listdir(folder)) == ["epoch_000007.json", "epoch_000007.safetensors"]
    assert json.loads((folder / "epoch_000007.json").read_text())["metadata"]["epoch"] == 7
    with safe_open(folder / "epoch_000007.safetensors", "pt") as file:
        assert torch.equal(file.get_tensor("weights"), torch.full((3, 2), 7.0))


def test_the_newest_and_the_best_are_kept(tmp_path):
    own = stage(tmp_path, keep=2)
    save(own, 1, 2, best=None)
    save(own, 3, best=3)
    save(own, 4, 5, 6, best=3)
    assert epochs(tmp_path) == ["epoch_000003", "epoch_000005", "epoch_000006"]
    save(own, 7, best=7)
    save(own, 8, 9, 10, best=7)
    assert epochs(tmp_path) == ["epoch_000007", "epoch_000009", "epoch_000010"]
    assert len(list(tmp_path.rglob("*.safetensors"))) == 3


def test_a_checkpoint_is_due_by_epochs_or_by_minutes(tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
    third = stage(tmp_path, epochs=3)
    assert [epoch for epoch in range(1, 8) if third.due(epoch)] == [3, 6]
    often = stage(tmp_path, epochs=None, minutes=2)
    assert not often.due(1)
    now[0] += 121
    assert often.due(2)
    save(often, 2)
    assert not often.due(3)
    assert not CheckpointSettings(epochs=None, minutes=None).on


@pytest.mark.parametrize("suffix", ["json", "safetensors"])
@pytest.mark.parametrize("corruption", ["flip", "cut", "empty", "gone"])
def test_a_corrupt_checkpoint_is_found_and_the_one_before_it_is_used(tmp_path, caplog, suffix, corruption):
    save(stage(tmp_path), 1, 2)
    path = tmp_path / f"run/layer_1_of_3/epoch_000002.{suffix}"
    content = bytearray(path.read_bytes())
    if corruption == "flip":
        positions = range(0, len(content), 1 if suffix == "json" else 149)
    else:
        positions = [0]
        path.write_bytes(content[: 0 if corruption == "empty" else len(content) // 2])
        if corruption == "gone":
            path.unlink()
    for position in positions:
        if corruption == "flip":
            wrong = bytearray(content)
            wrong[position] ^= 0x08
            path.write_bytes(wrong)
        found = stage(tmp_path, resume=True).load()
        if suffix == "json" and corruption == "flip" and found.metadata["epoch"] == 2:
            # A changed space between the values changes nothing.
            assert json.loads(wrong) == json.loads(content)
            continue
        assert found.metadata["epoch"] == 1, position
        assert torch.equal(found.tensors["weights"], tensors(1)["weights"])
    if (suffix, corruption) != ("json", "gone"):
        assert "layer 1 of 3: the checkpoint" in caplog.text
        assert "is corrupt" in caplog.text
        assert "epoch_000002" in caplog.text


def test_without_a_whole_checkpoint_the_stage_starts_anew(tmp_path, caplog):
    save(stage(tmp_path), 1)
    next(tmp_path.rglob("*.safetensors")).write_bytes(b"")
    assert stage(tmp_path, resume=True).load() is None
    assert "is corrupt" in caplog.text


def test_a_full_disk_costs_the_checkpoint_and_not_the_training(tmp_path, caplog, monkeypatch):
    own = stage(tmp_path)
    save(own, 1)
    with monkeypatch.context() as patch:

        def full(path, content):
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(Path, "write_bytes", full)
        save(own, 2, 3)
    assert caplog.text.count("No space left on device") == 1
    assert "make room" in caplog.text
    assert stage(tmp_path, resume=True).load().metadata["epoch"] == 1
    assert not list(tmp_path.rglob("*.part"))
    save(own, 4)
    assert epochs(tmp_path) == ["epoch_000001", "epoch_000004"]


@pytest.mark.parametrize("operation", ["fsync", "replace", "unlink"])
def test_a_process_that_is_killed_within_a_write_leaves_the_checkpoint_before_it(tmp_path, operation):
    """At each fsync, rename and removal that a write consists of, before it is done."""
    moments = 0
    for k in range(20):
        folder = tmp_path / str(k)
        save(stage(folder), 1, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            _die_at(operation, k)
            save(stage(folder), 3)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0:
            break
        moments += 1
        own = stage(folder, resume=True)
        found = own.load()
        assert found.metadata["epoch"] in (2, 3)
        assert torch.equal(found.tensors["weights"], tensors(found.metadata["epoch"])["weights"])
        # What is left of the write goes, and the next one is as good as any.
        save(own, 4)
        assert stage(folder, resume=True).load().metadata["epoch"] == 4
        names = {path.stem for path in folder.rglob("*.safetensors")}
        assert names == set(epochs(folder))
        assert not list(folder.rglob("*.part"))
    assert moments >= {"fsync": 3, "replace": 2, "unlink": 2}[operation]


def _die_at(operation, k):
    calls = []
    holder = os if operation == "fsync" else Path
    real = getattr(holder, operation)

    def dying(*args, **kwargs):
        if len(calls) == k:
            os.kill(os.getpid(), signal.SIGKILL)
        calls.append(args)
        return real(*args, **kwargs)

    setattr(holder, operation, dying)


def test_what_was_reported_is_sent_before_the_checkpoint_is_written(tmp_path):
    seen = []

    class Listener:
        def log_metrics(self, metrics, step): ...

        def log_tags(self, tags): ...

        def flush(self):
            seen.append(epochs(tmp_path))

    listener = Listener()
    add_listener(listener)
    try:
        save(stage(tmp_path), 1)
    finally:
        remove_listener(listener)
    assert seen == [[]]
    assert epochs(tmp_path) == ["epoch_000001"]


def test_stages_of_one_name_and_of_other_nodes_are_kept_apart(tmp_path):
    own = CheckpointStore(tmp_path, OFTEN)
    own.set_scope("pretraining.pretrain_stack_dbn")
    stages = [own.stage("layer"), own.stage("layer"), own.stage("other/../layer")]
    own.set_scope("dbn.finetune")
    stages.append(own.stage("layer"))
    names = [str(stage.folder.relative_to(tmp_path)) for stage in stages]
    assert names == [
        "pretraining.pretrain_stack_dbn/layer",
        "pretraining.pretrain_stack_dbn/layer_2",
        "pretraining.pretrain_stack_dbn/other_.._layer",
        "dbn.finetune/layer",
    ]


def test_checkpoints_that_are_switched_off_are_nowhere(tmp_path):
    set_checkpoint_store(CheckpointStore(tmp_path, CheckpointSettings(epochs=None, minutes=None)))
    assert current_checkpoint_store() is None
    set_checkpoint_store(CheckpointStore(tmp_path, OFTEN))
    assert current_checkpoint_store() is not None


def test_the_names_are_synced_to_the_disk_before_an_older_checkpoint_goes(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    own = stage(tmp_path, keep=1)
    save(own, 1)
    order = []
    fsync, unlink = os.fsync, Path.unlink
    monkeypatch.setattr(os, "fsync", lambda number: (order.append("fsync"), fsync(number))[1])

    def removing(path, missing_ok=False):
        if path.exists():
            order.append(f"remove {path.name}")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", removing)
    save(own, 2)
    removals = ["remove epoch_000001.json", "remove epoch_000001.safetensors"]
    assert order == ["fsync", "fsync", "fsync", *removals]


def test_a_checkpoint_of_another_run_or_of_other_parameters_is_refused_with_a_sentence(tmp_path):
    def of(run, parameters):
        owner = {"run": run, "parameters": parameters}
        return CheckpointStore(tmp_path, OFTEN, resume=True, owner=owner).stage("layer 1 of 3")

    save(of("first", "a"), 1)
    assert of("first", "a").load().metadata["epoch"] == 1
    with pytest.raises(
        ResumeError, match=r"epoch_000001\.json was written by run first, and not by this run"
    ):
        of("second", "a").load()
    with pytest.raises(ResumeError, match="was written with other parameters, and not by this run"):
        of("first", "b").load()
    # Those of before, which do not say whose they are.
    shutil.rmtree(tmp_path)
    save(stage(tmp_path), 1)
    with pytest.raises(ResumeError, match="by run of another version"):
        of("first", "a").load()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"sha256": [], "metadata": {}}',
        '{"sha256": {}, "metadata": []}',
        "[" * 100_000,
    ],
)
def test_a_corrupt_file_of_a_checkpoint_costs_that_one_alone(tmp_path, content, caplog):
    save(stage(tmp_path), 1, 2)
    path = next(tmp_path.rglob("epoch_000002.json"))
    path.write_text(content)
    assert stage(tmp_path, resume=True).load().metadata["epoch"] == 1
    assert "epoch_000002.json is corrupt" in caplog.text


def test_names_in_the_metadata_keep_their_order(tmp_path):
    """The panels of a figure are in the order of a history's names."""
    own = stage(tmp_path)
    own.save(1, tensors(1), {"best": None, "name": "x", "history": [{"b": 1.0, "a": 2.0}]})
    assert list(stage(tmp_path, resume=True).load().metadata["history"][0]) == ["b", "a"]


def test_a_store_that_another_process_gets_goes_on_under_the_node_it_was_sent_from(tmp_path):
    own = CheckpointStore(tmp_path / "run", OFTEN, resume=True, owner={"run": "a"})
    assert own.scope == "run"
    own.set_scope("dbn.finetune")
    save(CheckpointStore(tmp_path / "run", OFTEN, owner={"run": "a"}).stage("layer"), 1)
    other = pickle.loads(pickle.dumps(own))
    assert other.scope == "dbn.finetune"
    assert other.stage("layer").folder == own.stage("layer").folder == tmp_path / "run/dbn.finetune/layer"
    other.set_scope("run")
    assert other.stage("layer").load().metadata["epoch"] == 1
    assert own.scope == "dbn.finetune"
