import torch

from layerwise.training import LayerHistory, PretrainingHistory, PretrainingResult

EPOCHS = [{"epoch": 1.0, "train/reconstruction": 0.1 + 0.2}, {"epoch": 2.0, "train/reconstruction": 1e-7}]
ROW = torch.tensor([0.1, 0.7])
RESULT = PretrainingResult({"layer_1": EPOCHS}, [(0, ROW / 3, 0.5), (2, ROW, 0.25)], ROW, 1.5)


def test_a_history_holds_what_pretraining_left_bit_for_bit():
    history = PretrainingHistory.of(RESULT)
    assert history.layers == {"layer_1": tuple(EPOCHS)}
    assert torch.equal(torch.tensor(history.row), ROW)
    assert [(stage.epoch, stage.loss) for stage in history.reconstruction_history] == [(0, 0.5), (2, 0.25)]
    assert torch.equal(torch.tensor(history.reconstruction_history[0].reconstruction), ROW / 3)
    assert history.seconds == 1.5


def test_a_history_is_the_same_after_json():
    for history in (PretrainingHistory.of(RESULT), LayerHistory.of(RESULT)):
        assert type(history).model_validate_json(history.model_dump_json()) == history


def test_the_history_of_one_layer_has_its_epochs_alone():
    assert LayerHistory.of(RESULT).epochs == tuple(EPOCHS)


def test_whole_numbers_stay_whole():
    history = LayerHistory(epochs=({"epoch": 3, "error": 3.0},), seconds=0)
    (epoch,) = history.model_dump(mode="json")["epochs"]
    assert (type(epoch["epoch"]), type(epoch["error"])) == (int, float)
