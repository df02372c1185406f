"""Checkpoints that are whole, with the right hashes, and yet not of this training: a sentence each."""

import hashlib
import json

import pytest
import torch
from helpers.resumable_trainings import TRAININGS
from safetensors.torch import load_file, save_file

from layerwise.checkpointing import CheckpointSettings, CheckpointStore, store as checkpoints
from layerwise.utils import ResumeError, set_checkpoint_store

OFTEN = CheckpointSettings(epochs=1, minutes=None)
TRAIN = TRAININGS["rbm"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The store of a training that died after its second checkpoint."""
    folder, write = tmp_path_factory.mktemp("run"), checkpoints._write
    n = []

    def dying(*args):
        write(*args)
        n.append(1)
        if len(n) == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "_write", dying)
        set_checkpoint_store(CheckpointStore(folder, OFTEN))
        with pytest.raises(KeyboardInterrupt):
            TRAIN()
    set_checkpoint_store(None)
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("epoch_*")}


@pytest.fixture(autouse=True)
def no_checkpoints_are_left_on():
    yield
    set_checkpoint_store(None)


def changed(written, folder, change):
    """Write the checkpoints with a change of their metadata and tensors, and with hashes that are right for it."""
    for path, content in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    for path in folder.rglob("epoch_*.json"):
        values = path.with_suffix(".safetensors")
        metadata, tensors = json.loads(path.read_text())["metadata"], load_file(values)
        change(metadata, tensors)
        save_file({name: each.contiguous() for name, each in tensors.items()}, values)
        text = json.dumps(metadata)
        hashes = {
            "tensors": hashlib.sha256(values.read_bytes()).hexdigest(),
            "metadata": hashlib.sha256(text.encode()).hexdigest(),
        }
        path.write_text(f'{{"sha256": {json.dumps(hashes)}, "metadata": {text}}}')


def resume(folder):
    set_checkpoint_store(CheckpointStore(folder, OFTEN, resume=True))
    return TRAIN()


def without(name):
    return lambda metadata, tensors: (metadata.pop(name, None), tensors.pop(name, None))


def tensor(name, make):
    return lambda metadata, tensors: tensors.update({name: make(tensors[name])})


def meta(**values):
    return lambda metadata, tensors: metadata.update(values)


def renamed(metadata, tensors):
    for name in list(tensors):
        tensors["x" + name] = tensors.pop(name)


WEIGHT = "plan/weight"
CHANGES = {
    "no epoch": without("epoch"),
    "no seconds": without("seconds"),
    "no history": without("history"),
    "no number of rows": without("rows"),
    "no number of epochs": without("epochs"),
    "no word on its end": without("done"),
    "no reason to stop": without("stop"),
    "a history of other things": meta(history=[1, 2]),
    "a history of words": meta(history=[{"loss": "many"}]),
    "a history that is none": meta(history=None),
    "other rows": meta(rows=61),
    "other epochs": meta(epochs=50),
    "metadata alone": lambda metadata, tensors: tensors.clear(),
    "another network's names": renamed,
    "no weights": without(WEIGHT),
    "weights of another shape": tensor(WEIGHT, lambda t: torch.zeros(t.shape[0] + 1, *t.shape[1:])),
    "weights turned around": tensor(WEIGHT, lambda t: t.T.contiguous()),
    "weights of one number": tensor(WEIGHT, lambda t: t.sum()),
    "no order of rows": without("order"),
    "an order that is none": tensor("order", lambda t: t[:10].clone()),
    "an order of another type": tensor("order", lambda t: t.float()),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_checkpoint_of_another_training_is_refused_with_a_sentence(written, tmp_path, kind):
    changed(written, tmp_path, CHANGES[kind])
    with pytest.raises(ResumeError, match=r"not of this training|is not the training of the checkpoint"):
        resume(tmp_path)


def test_every_tensor_of_a_checkpoint_counts(written, tmp_path):
    names = set()
    changed(written, tmp_path / "all", lambda metadata, tensors: names.update(tensors))
    assert WEIGHT in names
    assert len(names) > 5
    for name in sorted(names):
        folder = tmp_path / name.replace("/", "_")
        changed(written, folder, without(name))
        with pytest.raises(ResumeError, match="not of this training"):
            resume(folder)


def test_what_is_not_changed_goes_on(written, tmp_path):
    changed(written, tmp_path, lambda metadata, tensors: None)
    assert len(resume(tmp_path)["history"]["rbm"]) == 5
