"""A stand-in for a GPU where there is none: tensors of the host that refuse to be mixed with those of the device."""

from __future__ import annotations

import torch
from torch.utils._pytree import tree_flatten, tree_map

# What takes rows of the host by an index that may lie anywhere, and what carries values over.
CROSSING = {
    torch.Tensor.index_select,
    torch.index_select,
    torch.Tensor.__getitem__,
    torch.Tensor.copy_,
    torch.Tensor.new_tensor,
}


class HostTensor(torch.Tensor):
    """Rows of the host; `to` gives those of the device, which are plain tensors."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        given = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, torch.Tensor)]
        plain = [x for x in given if not isinstance(x, HostTensor) and x.dim()]
        if plain and func not in CROSSING:
            name = getattr(func, "__name__", func)
            raise RuntimeError(f"{name}: some tensors are on the host, and others on the device")
        if kwargs.get("generator") is not None:
            raise RuntimeError(
                f"{func.__name__}: the numbers are drawn on the device, for a tensor of the host"
            )
        if func is torch.Tensor.to and not isinstance(args[1], torch.dtype):
            return args[0].as_subclass(torch.Tensor).clone()
        found = super().__torch_function__(func, types, args, kwargs)
        if func is torch.Tensor.copy_ and not isinstance(args[0], HostTensor):
            return tree_map(
                lambda x: x.as_subclass(torch.Tensor) if isinstance(x, torch.Tensor) else x, found
            )
        return found


def on_host(values):
    """Return a tensor of the host; None of None."""
    return None if values is None else values.as_subclass(HostTensor)
