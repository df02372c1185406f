"""The RBM with label units on top of a stack, which generates rows of a class (Hinton, Osindero & Teh 2006)."""

from __future__ import annotations

from layerwise.data import TensorData
from layerwise.models.rbm import DBN, RBM, RBMConfig, label_block, with_labels
from layerwise.models.rbm.units import UnitBlock
from layerwise.training.greedy import PretrainingResult
from layerwise.training.rbm.rbm_settings import RBMTrainingSettings
from layerwise.training.rbm.train import fit_rbm
from layerwise.utils import torch_rng


def train_label_rbm(
    stack: DBN,
    labelled: TensorData,
    validation: TensorData,
    n_classes: int,
    settings: RBMTrainingSettings,
    seed: int,
) -> tuple[RBM, PretrainingResult]:
    """Train an RBM of the stack's second-highest layer and the labels; the stack stays as it is.

    The stack's own top RBM stays what pretraining without labels has made it.

    Args:
        stack: of Bernoulli units.
        labelled: rows and their classes.
        validation: the same, never learnt from.
        n_classes: how many there are.
        settings: how it learns; chains that last make its samples.
        seed: of the run.
    """
    *lower, top = stack.rbm_layers()
    n_units = top.config.n_visible
    blocks = UnitBlock(kind="bernoulli", size=n_units), label_block(n_classes)
    config = RBMConfig(
        n_visible=n_units + n_classes, n_hidden=settings.n_hidden, visible="mixed", blocks=blocks
    )
    rbm = RBM(config, torch_rng(seed, "label_rbm")).to(top.weight.device)

    def inputs(rows: TensorData) -> TensorData:
        assert rows.targets is not None
        features = stack.encode(rows.inputs, len(lower))
        return TensorData(with_labels(features, rows.targets.reshape(-1).long(), n_classes))

    return rbm, fit_rbm(rbm, inputs(labelled), inputs(validation), settings, seed, name="label_rbm")
