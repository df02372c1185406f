"""A setting on the command line that nothing in the run reads."""

import pytest

from layerwise.parameters import DBNSettings, unread_setting

READ = {"dbn", "pretraining", "problem", "seed"}


class Pretraining(DBNSettings):
    epochs: int = 1


# What a stack from a random start reads: it has no node that pretrains.
RANDOM_START = {"dbn", "finetuning", "problem", "seed"}


def test_how_a_stack_is_pretrained_is_read_by_the_choice_of_its_nodes():
    parameters = {"dbn": DBNSettings()}
    assert unread_setting({"pretraining": {"method": "none"}}, RANDOM_START, parameters) == ""
    both = {"pretraining": {"method": "none", "epochs": 3}}
    assert unread_setting(both, RANDOM_START, parameters).startswith("pretraining.epochs is given")
    # A stack that starts from a trained network has no node that pretrains either.
    rbm = {"pretraining": {"method": "rbm"}}
    assert unread_setting(rbm, RANDOM_START, parameters).startswith("pretraining.method is given")
    alone = {"pretraining": {"method": "none"}}
    assert unread_setting(alone, {"mlp", "finetuning"}, parameters).startswith("pretraining.method is given")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"rbm": {"epochs": 5}},
            "rbm.epochs is given, and nothing in this run reads it (what it reads of them: dbn, pretraining); did you "
            "mean pretraining.epochs?",
        ),
        (
            {"dbm": {"none_such": 5}},
            "dbm.none_such is given, and nothing in this run reads it (what it reads of them: dbn, pretraining); did "
            "you mean 'dbn'?",
        ),
        ({"dbn": {"hidden_sizes": [3]}, "seed": 1}, ""),
        # What the run itself or another pipeline's card reads goes with all.
        ({"checkpoints": {"keep": 1}, "evaluation": {"bootstrap": 0}, "labelled_rows": 3}, ""),
        ({}, ""),
    ],
)
def test_a_setting_that_nothing_reads_is_named_with_the_one_that_may_be_meant(given, words):
    assert unread_setting(given, READ, {"dbn": DBNSettings(), "pretraining": Pretraining()}) == words
