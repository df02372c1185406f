"""The page on pretraining, its picture and the README's answer.

    python docs/make_pretraining.py docs/does_pretraining_help.md

All are made of `docs/pretraining.json`, which `benchmarks/pretraining.py` writes, and of `pretraining_texts.py`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from matplotlib.figure import Figure
from page_writer import write
from pretraining_texts import PAGE, PROTOCOL, README_PART

from layerwise.evaluation.plots import cycle_color, new_figure, style_axes
from layerwise.evaluation.reports import table

DOCS = Path(__file__).parent
PICTURE = DOCS / "pictures/pretraining.png"
STACKS = ("RBM stack", "denoising stack", "contractive stack")
COMPARED = ("RBM stack - same net", *(f"{stack} - best net" for stack in STACKS))
PEERS = ("logistic regression", "nearest neighbors", "gradient boosting")
METHODS = ("same net", "best net", *STACKS, *PEERS)
IMAGES = ("digits", "mnist", "fashion_mnist")
# Differences beyond so many points are drawn at the edge.
EDGE = 12.0
# So many labels are few.
FEW = 100
README = DOCS.parent / "README.md"
# The README's answer stands below this heading.
HEADING = "### Beside the best network without it\n"
Found = Mapping[str, Any]


def read() -> dict[str, Any]:
    """Return what was measured."""
    found: dict[str, Any] = json.loads((DOCS / "pretraining.json").read_text())
    return found


def cells(found: Found) -> Iterator[tuple[str, str, Found]]:
    """Yield data set, number of labels (`all` for all of them) and what was measured."""
    for data, facts in found["data"].items():
        for n, entry in facts["labels"].items():
            yield data, "all" if entry["all"] else n, entry


def numbers_of_labels(found: Found) -> list[str]:
    """Return the numbers of labels that were measured, all of them as the last."""
    numbers = {n for _, n, _ in cells(found)}
    return sorted(numbers, key=lambda n: (n == "all", 0 if n == "all" else int(n)))


def points(difference: Sequence[float]) -> str:
    """Return a difference of errors in points, with the half width of its interval; bold where that leaves out 0."""
    mean, half = (100 * each for each in difference)
    text = f"{mean:+.1f} ± {half:.1f}"
    return f"**{text}**" if abs(mean) > half else text


def gains_and_losses(differences: Sequence[Sequence[float]]) -> tuple[int, int]:
    """Return how many differences are a gain, and how many a loss: their intervals leave out 0."""
    return sum(mean < -half for mean, half in differences), sum(mean > half for mean, half in differences)


def _words(comparison: str) -> str:
    return comparison.replace(" - ", " against ")


def first_of(errors: Sequence[Mapping[str, Sequence[float]]]) -> tuple[int, int, int]:
    """Return in how many cells a pretrained network, one without, and a peer has the least error."""
    first = [min(of, key=lambda name: fmean(of[name])) for of in errors]
    stacks, peers = sum(name in STACKS for name in first), sum(name in PEERS for name in first)
    return stacks, len(first) - stacks - peers, peers


def advice(found: Found) -> str:
    """Return what the figures advise: a line for images and one for tables, with few labels and with all."""
    lines = []
    for images, rows in ((True, "Images"), (False, "Tables")):
        own = [(n, entry) for data, n, entry in cells(found) if (data in IMAGES) == images]
        few = [entry for n, entry in own if n != "all" and int(n) <= FEW]
        for words, of in ((f"at most {FEW} labels", few), ("all labels", [e for n, e in own if n == "all"])):
            if of:
                lines.append(f"- **{rows}, {words}** ({len(of)} measured): {_advice_of(of)}")
        whole = [entry["errors"] for _, entry in own if set(METHODS) <= set(entry["errors"])]
        if whole:
            stack, plain, peer = first_of(whole)
            lines.append(
                f"- **{rows}, beside others**: a pretrained network has the least error in {stack} of {len(whole)} "
                f"cells, one without in {plain}, and a linear model, neighbors or boosting in {peer}."
            )
    return "\n".join(lines)


def _advice_of(entries: Sequence[Found]) -> str:
    same, *best = ([e["differences"][name] for e in entries if name in e["differences"]] for name in COMPARED)
    all_best = [difference for each in best for difference in each]
    better, worse = gains_and_losses(all_best)
    word = "it makes no difference that shows in most"
    if better > len(all_best) / 2:
        word = "pretrain"
    elif worse > len(all_best) / 2:
        word = "don't pretrain"
    return (
        f"{word}. Against the best net without it the error is {_average(all_best)}, better in {better} and worse in "
        f"{worse} of {len(all_best)} comparisons; against the same net it is {_average(same)}."
    )


def _average(differences: Sequence[Sequence[float]]) -> str:
    mean = 100 * fmean(mean for mean, _ in differences)
    return f"{abs(mean):.1f} points {'lower' if mean < 0 else 'higher'} on average"


def readme_part(found: Found) -> str:
    """Return the README's answer."""
    names = ("RBM stack", "same net", "best net", "denoising stack")
    rows = [
        [n, *(f"{100 * fmean(entry['errors'][name]):.1f}" for name in names)]
        for data, n, entry in cells(found)
        if data == "digits" and set(names) <= set(entry["errors"])
    ]
    return README_PART.format(
        seeds=found["protocol"]["seeds"],
        sizes=_sizes(found),
        errors=table(["labels", *names], rows),
        missing=missing(found),
        advice=advice(found),
    )


def _sizes(found: Found) -> str:
    sizes = found["protocol"]["hidden_sizes"]
    return (
        "layers by the rule of sizes" if sizes is None else f"layers of {' and '.join(map(str, sizes))} units"
    )


def with_readme_part(readme: str, found: Found) -> str:
    """Return the README with its answer, up to the next heading; as it is where the digits were not measured."""
    if "digits" not in found["data"]:
        return readme
    before, rest = readme.split(HEADING)
    return before + HEADING + readme_part(found) + "\n## " + rest.split("\n## ", 1)[1]


def difference_table(found: Found) -> str:
    """Return every difference, and their means over the tables."""

    def line(name: str, n: str, of: Found) -> list[str]:
        return [name, n, *(points(of[each]) if each in of else "" for each in COMPARED)]

    rows = [
        line(data, f"{int(n):,}", entry["differences"])
        for data, facts in found["data"].items()
        for n, entry in facts["labels"].items()
    ]
    for n in numbers_of_labels(found):
        of = found["tables"].get(n, {})
        if of:
            number = max(each["tables"] for each in of.values())
            rows.append(
                line(f"mean of {number} tables", n, {name: each["mean"] for name, each in of.items()})
            )
    return table(["rows", "labels", *map(_words, COMPARED)], rows)


def error_table(found: Found) -> str:
    """Return every test error in %."""
    rows = []
    for data, facts in found["data"].items():
        for n, entry in facts["labels"].items():
            errors = {name: f"{100 * fmean(values):.1f}" for name, values in entry["errors"].items()}
            least = min(errors.values(), key=float)
            said = {name: f"**{value}**" if value == least else value for name, value in errors.items()}
            rows.append([data, f"{int(n):,}", *(said.get(name, "") for name in METHODS)])
    return table(["rows", "labels", *METHODS], rows)


def data_table(found: Found) -> str:
    """Return what the data sets are."""
    names = ("training_rows", "validation_rows", "test_rows", "inputs", "classes")
    rows = [[data, *(f"{facts[name]:,}" for name in names)] for data, facts in found["data"].items()]
    return table(["rows", *(name.replace("_", " ") for name in names)], rows)


def protocol(found: Found) -> str:
    """Return how it was measured, in words."""
    plan = found["protocol"]
    most, steps = plan["most_rows"], plan["pretraining_steps"]
    return PROTOCOL.format(
        trials=plan["trials"],
        seeds=plan["seeds"],
        all_labels=""
        if plan["labels_of_large"][-1] is not None or plan["seeds_of_all"] == plan["seeds"]
        else f" ({plan['seeds_of_all']} of them with all labels of MNIST and Fashion-MNIST)",
        steps=f"{plan['steps']:,}",
        rate=found["highest_rate"],
        pretraining="as long as the rule of sizes says"
        if steps is None
        else f"about {steps:,} steps a layer",
        sizes=_sizes(found),
        most="" if most is None else f" MNIST and Fashion-MNIST pretrain on {most:,} of their rows.",
    )


def missing(found: Found) -> str:
    """Return what of the plan is not measured yet; nothing where all is."""
    whole = [
        data
        for data, facts in found["data"].items()
        if all(set(METHODS) <= set(entry["errors"]) for entry in facts["labels"].values())
    ]
    left = [data for data in found["planned"] if data not in whole]
    return "" if not left else f"**Not yet measured, or not by every model: {', '.join(left)}.**\n\n"


def document(found: Found) -> str:
    """Return the whole page."""
    return PAGE.format(
        missing=missing(found),
        advice=advice(found),
        differences=difference_table(found),
        errors=error_table(found),
        protocol=protocol(found),
        data=data_table(found),
        hours=f"{found['hours']:.1f}",
        plan=found["plan"],
    )


def plot(found: Found) -> Figure:
    """Plot each difference with its interval: a panel for each number of labels, a line for each data set."""
    numbers, names = numbers_of_labels(found), list(found["data"])
    lines = [*names, "mean of tables"]
    figure = new_figure(3.1 * len(numbers) + 1.2, 0.42 * len(lines) + 1.6)
    panels = figure.subplots(1, len(numbers), sharey=True, squeeze=False)[0]
    for axes, n in zip(panels, numbers, strict=True):
        of = {data: entry["differences"] for data, k, entry in cells(found) if k == n}
        of["mean of tables"] = {name: each["mean"] for name, each in found["tables"].get(n, {}).items()}
        axes.axvline(0, color="#777777", linewidth=1)
        axes.axhline(len(names) - 0.5, color="#cccccc", linewidth=1)
        for k, comparison in enumerate(COMPARED):
            there = [
                (row + 0.18 * (k - 1.5), *(100 * each for each in of[line][comparison]))
                for row, line in enumerate(lines)
                if comparison in of.get(line, {})
            ]
            rows, means, halves = zip(*there, strict=True) if there else ((), (), ())
            axes.errorbar(
                [min(max(mean, -EDGE), EDGE) for mean in means], rows, xerr=halves, fmt="osD^"[k],
                color=cycle_color((3, 0, 2, 1)[k]), markersize=4, linewidth=1.1, label=_words(comparison),
            )  # fmt: skip
        axes.set_xlim(-EDGE - 1, EDGE + 1)
        title = "all labels" if n == "all" else f"{int(n):,} labels"
        style_axes(axes, title=title, xlabel="difference of test error (points)")
    panels[0].set_yticks(range(len(lines)), lines)
    panels[0].invert_yaxis()
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize=9
    )
    figure.suptitle("Left of 0 the pretrained network is better", fontsize=11)
    return figure


if __name__ == "__main__":
    measured = read()
    write(document(measured))
    if len(sys.argv) > 1:
        plot(measured).savefig(PICTURE)
        README.write_text(with_readme_part(README.read_text(), measured))
