"""The two files of an environment's folder, with reasons and runners-up as comments."""

from __future__ import annotations

import textwrap

import yaml

from layerwise.data.reading import yaml_line
from layerwise.profiling.proposal import Choice, Proposal

WIDTH = 118


def catalog_text(proposal: Proposal) -> str:
    """Return the text of `catalog.yml`: where the rows come from."""
    entry = {**proposal.entry, "metadata": {"kedro-viz": {"layer": "01_raw"}}}
    comments = [
        "Where the rows come from. A file of this name in the folder that the environment variable LAYERWISE_DATA "
        "names is found too."
    ]
    if "size" in entry:
        comments.append(
            f"All pictures are resized to size, height and width in pixels: {list(entry['size'])}."
        )
    if entry.get("color") == "rgb":
        comments.append("The images are read in red, green and blue; with color: gray in gray.")
    if entry.get("labels_in_names"):
        comments.append(
            "The label of a picture is what stands before the number in its name, as in cat.0.jpg."
        )
    if "channels" in entry:
        other = "last" if entry["channels"] == "first" else "first"
        comments.append(
            f"The shape does not tell where the colors stand; channels is the likelier. Else: {other}"
        )
    return "".join(_comment(text) for text in comments) + yaml.safe_dump(
        {"raw": entry}, sort_keys=False, allow_unicode=True, width=WIDTH
    )


def parameters_text(proposal: Proposal) -> str:
    """Return the text of `parameters.yml`: the task, the columns, how they are read."""
    header = (
        "What differs from the defaults in conf/base/parameters.yml; a line that is wrong is changed here, and "
        f"kedro problem check {proposal.name} says what is left to do."
    )
    return _comment(header) + _mapping(proposal.choices, "", 0)


def _mapping(choices: list[Choice], prefix: str, depth: int) -> str:
    """Return the choices below a dotted prefix as YAML, each with its comment above it."""
    indent, lines, done = "  " * depth, [], set()
    for choice in choices:
        name, _, rest = choice.key.removeprefix(prefix).partition(".")
        if (name, choice.is_suggestion and not rest) in done:
            continue
        done.add((name, choice.is_suggestion and not rest))
        if rest:
            inside = f"{prefix}{name}."
            below = [each for each in choices if each.key.startswith(inside)]
            mark = "# " if all(each.is_suggestion for each in below) else ""
            lines.append(f"{indent}{mark}{name}:\n{_mapping(below, inside, depth + 1)}")
            if depth == 0:
                lines.append("\n")
        else:
            said = ". ".join(filter(None, [choice.reason, f"Else: {choice.other}" if choice.other else ""]))
            lines.append(_comment(said, indent) if said else "")
            mark = "# " if choice.is_suggestion else ""
            lines.append(f"{indent}{mark}{name}: {yaml_line(choice.value)}\n")
    return "".join(lines).rstrip("\n") + "\n"


def _comment(text: str, indent: str = "") -> str:
    flat = " ".join(text.split())
    lines = textwrap.wrap(flat, WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{indent}# {line}\n" for line in lines)
