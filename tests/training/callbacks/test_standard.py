from torch import nn

from layerwise.training.callbacks import KeepBestWeights, ProgressBar, Reporter, standard_callbacks


def kinds(found):
    return [type(each).__name__ for each in found]


def test_epochs_are_reported_below_the_name_and_shown():
    reporter, bar = standard_callbacks("rbm", "train/reconstruction")
    assert isinstance(reporter, Reporter)
    assert isinstance(bar, ProgressBar)
    assert reporter.prefix == "rbm/"
    assert (bar.label, bar.metric) == ("training rbm", "train/reconstruction")
    reporter, bar = standard_callbacks("", "validation/error", label="fine-tuning")
    assert (reporter.prefix, bar.label) == ("", "fine-tuning")


def test_a_quiet_training_still_keeps_its_best_epoch_by_the_monitor():
    network = nn.Linear(2, 1)
    (best,) = standard_callbacks("a", "validation/rmse", quiet=True, keep_best=network)
    assert isinstance(best, KeepBestWeights)
    assert (best.network, best.monitor) == (network, "validation/rmse")
    stopped = standard_callbacks("a", "validation/rmse", keep_best=network, patience=3)
    assert kinds(stopped) == ["KeepBestWeights", "EarlyStopping", "Reporter", "ProgressBar"]
    assert stopped[1].patience == 3
