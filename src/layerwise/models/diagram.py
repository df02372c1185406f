"""A diagram of a network in the Mermaid language, which Kedro-Viz and GitHub show."""

from __future__ import annotations

from collections.abc import Sequence


def mermaid(
    sizes: Sequence[int],
    activations: Sequence[str],
    names: Sequence[str] = (),
    *,
    undirected: int = 0,
) -> str:
    """Return a flow chart from left to right: one box a layer, one arrow a matrix of weights.

    Args:
        sizes: units of every layer, the inputs first.
        activations: of every layer after the inputs.
        names: of every layer; inputs, hidden 1, ..., outputs by default.
        undirected: how many of the last connections have no arrow, as in the top of a belief network.

    Raises:
        ValueError: the lists do not fit each other.
    """
    if len(sizes) < 2:
        raise ValueError("a network has at least inputs and one layer")
    if len(activations) != len(sizes) - 1:
        raise ValueError(f"{len(activations)} activations do not fit {len(sizes) - 1} layers")
    names = names or ["inputs", *(f"hidden {k}" for k in range(1, len(sizes) - 1)), "outputs"]
    if len(names) != len(sizes):
        raise ValueError(f"{len(names)} names do not fit {len(sizes)} layers")
    lines = ["graph LR"]
    for k, (size, name) in enumerate(zip(sizes, names, strict=True)):
        activation = f"<br/>{_text(activations[k - 1])}" if k else ""
        units = f"{size:,} unit{'' if size == 1 else 's'}"
        lines.append(f'    layer{k}["{_text(name)}<br/>{units}{activation}"]')
    for k in range(1, len(sizes)):
        arrow = "---" if k > len(sizes) - 1 - undirected else "-->"
        lines.append(f'    layer{k - 1} {arrow}|"{sizes[k - 1]} × {sizes[k]}"| layer{k}')
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Mermaid ends a label at a quotation mark; its own escape keeps it."""
    return text.replace('"', "#quot;")
