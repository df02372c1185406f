"""Start RBMs: from their rows, and those of a stack from those of a trained network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from layerwise.data import SparseTensorData, TensorData
from layerwise.models.rbm import DBN, RBM
from layerwise.training.plan import TrainingError

# What of an RBM's shape its weights do not depend on.
NOT_OF_WEIGHTS = {"dropout"}


@contextmanager
def where_all_rows_lie(rbm: RBM, rows: TensorData | SparseTensorData) -> Iterator[None]:
    """Hold an RBM where its rows are as a whole: on the host, where only their batches go to the RBM's device."""
    if isinstance(rows, TensorData):
        rbm.to(rows.inputs.device)
    yield
    rbm.to(rows.device)


def start_from(stack: DBN, source: nn.Module, name: str) -> int:
    """Copy the weights of a trained RBM, or of a stack's, into the lowest RBMs of a stack; return how many they are.

    Args:
        stack: not trained yet; changed in place.
        source: an RBM or a DBN.
        name: of the source in messages.

    Raises:
        TrainingError: it is no such network, or its layers have another shape.
    """
    if isinstance(source, RBM):
        trained = [source]
    elif isinstance(source, DBN) and not source.config.untied:
        trained = source.rbm_layers()
    else:
        kind = "an up-down trained stack" if isinstance(source, DBN) else f"a {type(source).__name__}"
        raise TrainingError(
            f"pretraining.init_from: {name} is {kind}, and a stack of RBMs starts from an RBM or a stack of them"
        )
    own = stack.rbm_layers()
    if len(trained) > len(own):
        raise TrainingError(
            f"pretraining.init_from: {name} has {len(trained)} layers, and dbn.hidden_sizes has {len(own)}"
        )
    sizes = [rbm.config.n_hidden for rbm in trained]
    for layer, (new, old) in enumerate(zip(own, trained, strict=False), start=1):
        wanted, found = (rbm.config.model_dump(exclude=NOT_OF_WEIGHTS) for rbm in (new, old))
        for setting, value in found.items():
            if value != wanted[setting]:
                hint = (
                    f"; set dbn.hidden_sizes to {sizes} and further layers" if setting == "n_hidden" else ""
                )
                raise TrainingError(
                    f"pretraining.init_from: layer {layer} of {name} has {setting} {value}, and this stack's has "
                    f"{wanted[setting]}{hint}"
                )
        with torch.no_grad():
            new.load_state_dict(old.state_dict())
    return len(trained)
