"""A stand-in for CUDA graphs where there is no GPU: a step's tensor operations are recorded and done again.

What a step does by Python is not among them, and so freezes as it does in a CUDA graph.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from layerwise.training import steps
from layerwise.training.diagnostics import LayerStatistics
from layerwise.training.optim import optimizers


class _Recording(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.operations = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        # Aliases, since an operation in place may also change a tensor's shape.
        given = tree_map(_alias, (args, kwargs or {}))
        result = func(*args, **(kwargs or {}))
        self.operations.append((func, *given, tree_map(_alias, result)))
        return result


def _alias(value):
    return value.detach() if isinstance(value, torch.Tensor) else value


class RecordedOperations:
    """Record steps as lists of tensor operations, each of which writes into the tensors that it made at first."""

    def __init__(self):
        self.replays = 0

    def warm_up(self, step):
        step()

    def record(self, step):
        # Unlike a capture, the recording takes the step; the first replay, which follows at once, is done by it.
        with _Recording() as recording:
            step()
        first = True

        def replay():
            nonlocal first
            self.replays += 1
            if first:
                first = False
                return
            with torch.no_grad():
                for func, args, kwargs, result in recording.operations:
                    self._repeat(func, args, kwargs, result)

        return replay

    @staticmethod
    def _repeat(func, args, kwargs, result):
        again = func(*args, **kwargs)
        if any(each.alias_info is not None for each in func._schema.returns):
            return  # a view or a result in place: the same memory
        for old, new in zip(tree_flatten(result)[0], tree_flatten(again)[0], strict=True):
            if isinstance(old, torch.Tensor):
                old.copy_(new)


def record_on_cpu(monkeypatch):
    """Record steps on the CPU as on a GPU; gradients of single steps are not looked at. Return what records them."""
    found = RecordedOperations()
    monkeypatch.setattr(steps, "can_record", lambda device: True)
    monkeypatch.setattr(steps, "make_recorder", lambda device, rngs: found)
    monkeypatch.setattr(LayerStatistics, "reads_gradients", False)
    monkeypatch.setattr(optimizers, "device_options", _tensor_rate)
    return found


def _tensor_rate(kind, parameters, learning_rate):
    """Return the rate as a tensor, as on a GPU, for those optimizers that take one on the CPU."""
    if kind in (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD):
        return {"lr": torch.tensor(learning_rate), "fused": True}
    return {"lr": learning_rate}
