from dataclasses import replace

from layerwise.evaluation.likelihood import LogPartition, LogProbability, StackLikelihood
from layerwise.inference import ModelParts
from layerwise.inference.parts import load_parts, save_parts


def test_a_run_that_is_done_again_writes_the_same_bytes_whatever_its_seconds(tmp_path):
    # A version is registered once by the hash of what is here.
    partition = LogPartition("exact", 1.5, 1.5, seconds=0.25)
    bound = LogProbability(low=-2.0, high=-2.0, midpoint=-2.0, standard_error=0.1, n_rows=3)
    first = StackLikelihood(log_partition=partition, bound=bound)
    again = first.model_copy(update={"log_partition": replace(partition, seconds=0.5)})
    assert first != again
    for name, likelihood in (("first", first), ("again", again)):
        (tmp_path / name).mkdir()
        save_parts(tmp_path / name, ModelParts(bound=likelihood))
    assert (tmp_path / "first/bound.json").read_bytes() == (tmp_path / "again/bound.json").read_bytes()
    found = load_parts(tmp_path / "first").bound
    assert found is not None
    assert found.bound == bound
    assert found.log_partition == replace(partition, seconds=0.0)
