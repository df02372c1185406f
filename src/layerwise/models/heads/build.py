"""The head of a decoder by the names that its config has for it."""

from __future__ import annotations

from typing import Literal

from layerwise.models.heads.blocks import MixedOutput
from layerwise.models.heads.outputs import BernoulliOutput, GaussianOutput, Output, SquaredOutput
from layerwise.models.rbm.units import UnitBlock

LossName = Literal["binary_cross_entropy", "squared", "mixed", "gaussian"]
OutputName = Literal["sigmoid", "linear"]


def build_output(
    loss: LossName, output: OutputName, blocks: tuple[UnitBlock, ...] = (), learn_variance: bool = False
) -> Output:
    """Return the output for a loss.

    Raises:
        ValueError: the loss and the output's activation do not go together.
    """
    if loss == "binary_cross_entropy":
        if output != "sigmoid":
            raise ValueError("binary_cross_entropy needs probabilities: output: sigmoid")
        return BernoulliOutput()
    if loss == "squared":
        return SquaredOutput(bounded=output == "sigmoid")
    if output == "sigmoid":
        raise ValueError(f"a {loss} loss reads its outputs by itself: output: linear")
    if loss == "gaussian":
        return GaussianOutput()
    return MixedOutput(blocks, learn_variance)
