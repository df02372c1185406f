"""A stack starts from a trained one: from its weights, with its source as tags, and what does not fit is refused."""

import pytest
import torch

from layerwise.models import load_network
from layerwise.training import TrainingError

STACK = ["pretraining.pretrain_stack_dbn"]
# Steps too small to be seen in float32.
STILL = {"epochs": 1, "learning_rate": 1e-12}


def stack_of(project, problem, pipeline="dbn"):
    return load_network(project.path / "data/06_models" / problem / pipeline / "stack").state_dict()


def test_the_stack_of_another_problem_starts_from_a_registered_one(finished):
    finished.run(
        problem={"name": "started"}, pretraining={**STILL, "init_from": "digits.dbn@champion"}, to_nodes=STACK
    )
    source, started = stack_of(finished, "digits"), stack_of(finished, "started")
    assert source.keys() == started.keys()
    for name, values in source.items():
        torch.testing.assert_close(started[name], values, rtol=0, atol=1e-6)
    run_id, status = finished.last_run()
    tags = dict(finished.query("select key, value from tags where run_uuid = ?", run_id))
    versions = finished.query(
        "select value from model_version_tags where name = 'digits.dbn' and key = 'model.sha256'"
    )
    assert status == "FINISHED"
    assert tags["init_from.model"] == "digits.dbn"
    assert (tags["init_from.sha256"],) in versions
    assert len(tags["init_from.run"]) == 32
    params = dict(finished.query("select key, value from params where run_uuid = ?", run_id))
    assert params["pretraining.init_from"] == "digits.dbn@champion"


def test_without_a_source_the_same_settings_leave_other_weights(finished):
    finished.run(problem={"name": "unstarted"}, pretraining=STILL, to_nodes=STACK)
    source, unstarted = stack_of(finished, "digits"), stack_of(finished, "unstarted")
    assert not torch.allclose(source["rbms.0.weight"], unstarted["rbms.0.weight"], atol=1e-2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dbn": {"hidden_sizes": [41, 30]}}, r"layer 1 of digits\.dbn has n_hidden 40, .* has 41; set dbn"),
        ({"dbn": {"hidden_sizes": [40]}}, r"digits\.dbn has 2 layers, and dbn\.hidden_sizes has 1"),
        (
            {"pretraining": {"init_from": "digits@champion"}},
            "digits is a MLP, and a stack of RBMs starts from",
        ),
    ],
)
def test_a_source_of_another_shape_is_refused_by_its_name(finished, given, message):
    pretraining = {"init_from": "digits.dbn@champion"} | given.pop("pretraining", {})
    with pytest.raises(TrainingError, match=message):
        finished.run(problem={"name": "refused"}, pretraining=pretraining, to_nodes=STACK, **given)


def test_a_stack_of_autoencoders_starts_from_one_of_the_same_shape(finished):
    stop = ["pretraining.pretrain_stack_sae"]
    with pytest.raises(TrainingError, match=r"digits\.dbn is no stack of the same autoencoders"):
        finished.run(
            "sae", problem={"name": "refused"}, pretraining={"init_from": "digits.dbn"}, to_nodes=stop
        )
