"""The style of all figures, set on each figure itself: no global state and no window system."""

from __future__ import annotations

import math
import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.category import StrCategoryFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import Formatter, FuncFormatter, LogFormatterMathtext, NullFormatter
from PIL import Image

from layerwise.evaluation.glyphs import drawable, font_families

LegendLocation = Literal["best", "upper left", "upper right", "lower right"]

# Ten colours told apart by people with any colour vision: no two are nearer than 20 (CIEDE2000) as most see them, and
# than 15 with any one kind of cone missing (Machado et al. 2009). The first five are of Petroff (2021).
PALETTE = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#006666", "#00dd99", "#661133", "#887766", "#002266",
)  # fmt: skip
TEXT_COLOR = "#222222"
MUTED_COLOR = "#777777"
GRID_COLOR = "#e4e4e4"
SEQUENTIAL_CMAP = "cividis"
DIVERGING_CMAP = "RdBu_r"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h")
LINESTYLES = ("-", "--", "-.", ":")
DPI = 130
# Inches of a character of a figure's title, more or less.
TITLE_CHARACTER = 0.105
# A title may make a figure of few images so wide, in inches; a longer one has several lines.
NARROWEST_TITLE = 3.5


# What a figure calls a metric whose own name is short for something; `metric_label` has the others.
METRIC_WORDS = {
    "auc": "area under the ROC curve",
    "roc_auc": "area under the ROC curve",
    "log_loss": "log loss (nats per row)",
    "brier": "Brier score",
    "f1": "F1 score",
    "rmse": "root mean square error",
    "mae": "mean absolute error",
    "r2": "R², the fraction of the variance",
}


# How figures write the names of settings that are named after people, or are short for something.
PROPER_NAMES = {
    "adam": "Adam",
    "elu": "ELU",
    "gan": "GAN",
    "gaussian": "Gaussian",
    "glorot": "Glorot",
    "he": "He",
    "relu": "ReLU",
    "vae": "VAE",
}

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class SinglePassFigure(Figure):
    """A figure that is laid out and drawn once to be saved; Matplotlib's own goes over it a second time.

    Axes of a fixed aspect, as those of images, are laid out twice: names beside them move with what the first layout
    leaves them.

    Text is shown as it stands: a class or a column may be called `$$` or `a_b^2`, and is no formula. Letters that no
    font has are shown by their names or codes.
    """

    def draw(self, renderer: Any) -> None:
        """Draw all of it."""
        # Ticks make their texts while they are drawn.
        with rc_context({"text.parse_math": False, "font.sans-serif": font_families()}):
            for text in self.findobj(Text):
                text.set_parse_math(False)
                text.set_text(drawable(text.get_text()))
            for axis in (axis for axes in self.axes for axis in (axes.xaxis, axes.yaxis)):
                formatter = axis.get_major_formatter()
                if isinstance(formatter, LogFormatterMathtext):
                    _name_powers(axis)
                elif isinstance(formatter, FuncFormatter | StrCategoryFormatter):
                    axis.set_major_formatter(_DrawableNames(formatter))
            engine = self.get_layout_engine()
            if engine is not None and any(axes.get_aspect() != "auto" for axes in self.axes):
                engine.execute(self)
            super().draw(renderer)

    def savefig(self, fname: Any, *, transparent: bool | None = None, **kwargs: Any) -> None:
        """Save a PNG with its pixels as they are drawn; whatever else is asked for, Matplotlib's way."""
        options = {name: value for name, value in kwargs.items() if name not in ("format", "pil_kwargs")}
        named = Path(fname).suffix if isinstance(fname, str | Path) else ""
        if (
            options
            or transparent
            or (kwargs.get("format") or named.removeprefix(".") or "png").lower() != "png"
        ):
            super().savefig(fname, transparent=transparent, **kwargs)
            return
        canvas = FigureCanvasAgg(self)
        canvas.draw()
        pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        pixels.save(fname, format="png", dpi=(self.dpi, self.dpi), **(kwargs.get("pil_kwargs") or {}))


class _DrawableNames(Formatter):
    """Shows what another formatter does, as far as fonts have it."""

    def __init__(self, names: Formatter) -> None:
        self.names = names

    def __call__(self, value: float, position: int | None = None) -> str:
        return drawable(self.names(value, position))


def _name_powers(axis: Axis) -> None:
    """Name the powers of ten of an axis, or the steps between them where it has one power or none."""
    low, high = sorted(axis.get_view_interval())
    powers = math.floor(math.log10(high)) - math.ceil(math.log10(low)) + 1
    if powers > 1:
        axis.set_major_formatter(FuncFormatter(_power_of_ten))
        axis.set_minor_formatter(NullFormatter())
    else:  # what Matplotlib takes for steps here are round numbers, which over a wide range have no place for all names
        axis.set_major_formatter(FuncFormatter(_plain_number))
        axis.set_minor_formatter(FuncFormatter(_twos_and_fives if high > 4.5 * low else _plain_number))


def _plain_number(value: float, _: Any) -> str:
    return f"{value:g}"


def _twos_and_fives(value: float, _: Any) -> str:
    return f"{value:g}" if f"{value:e}"[0] in "25" else ""


def _power_of_ten(value: float, position: int | None = None) -> str:
    """Return a tick of a logarithmic axis as text that needs no formula: 10⁻², nothing between two powers."""
    power = float(np.log10(value)) if value > 0 else 0.5
    return f"10{str(round(power)).translate(SUPERSCRIPTS)}" if abs(power - round(power)) < 1e-6 else ""


def metric_label(name: str) -> str:
    """Return what an axis calls a metric: words in place of its abbreviation."""
    return METRIC_WORDS.get(name.lower(), name.replace("_", " "))


def proper_names(text: str) -> str:
    """Return a setting's value, or a text made of some, as a reader writes it: he_uniform as He uniform."""
    return re.sub(r"\w+", lambda word: PROPER_NAMES.get(word[0], word[0]), text.replace("_", " "))


def capitalized(text: str) -> str:
    """Return a text with its first letter in upper case, and all others as they are."""
    return text[:1].upper() + text[1:]


def cycle_color(k: int) -> str:
    """Return the k-th colour of the palette, which repeats."""
    return PALETTE[k % len(PALETTE)]


def cycle_marker(k: int) -> str:
    """Return the k-th shape of points, which repeat."""
    return MARKERS[k % len(MARKERS)]


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, that lays out its own text without overlap."""
    layout = ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.08)
    figure = SinglePassFigure(figsize=(width, height), dpi=DPI, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def grid_of_axes(figure: Figure, rows: int, columns: int) -> list[list[Axes]]:
    """Return the axes of a grid, row by row."""
    made = figure.subplots(rows, columns, squeeze=False)
    return [list(line) for line in made]


def set_suptitle(figure: Figure, title: str) -> None:
    """Write the figure's title."""
    if title:
        figure.suptitle(title, fontsize=12, color=TEXT_COLOR, fontweight="bold")


def wrapped_title(title: str, width: float) -> tuple[str, int]:
    """Return a figure's title in lines of about the same length that fit a width in inches, and how many they are."""
    most = max(1, int(width / TITLE_CHARACTER))
    lines = textwrap.wrap(title, most, break_long_words=False)
    while most > 1 and len(shorter := textwrap.wrap(title, most - 1, break_long_words=False)) == len(lines):
        most, lines = most - 1, shorter
    return "\n".join(lines), max(1, len(lines))


def style_axes(
    axes: Axes, *, title: str = "", xlabel: str = "", ylabel: str = "", grid: str = "both"
) -> Axes:
    """Give a plot its title, axis labels with units, light grid and open frame."""
    if title:
        axes.set_title(title, fontsize=10.5, color=TEXT_COLOR)
    axes.set_xlabel(xlabel, fontsize=10, color=TEXT_COLOR)
    axes.set_ylabel(ylabel, fontsize=10, color=TEXT_COLOR)
    axes.tick_params(which="both", labelsize=9, colors=TEXT_COLOR)
    axes.tick_params(length=3)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(MUTED_COLOR)
    axes.set_axisbelow(True)
    if grid in ("both", "x", "y"):
        axes.grid(
            True,
            axis="both" if grid == "both" else "x" if grid == "x" else "y",
            color=GRID_COLOR,
            linewidth=0.8,
        )
    return axes


def hide_ticks(axes: Axes, caption: str = "") -> Axes:
    """Leave nothing around an image but its caption."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#cccccc")
        spine.set_linewidth(0.6)
    if caption:
        axes.set_title(caption, fontsize=9, color=TEXT_COLOR, pad=3)
    return axes


def legend(axes: Axes, *, outside: bool = False, loc: LegendLocation = "best") -> None:
    """Show the legend inside the plot where there is room, or to its right."""
    if outside:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=9, frameon=False, borderaxespad=0)
    else:
        axes.legend(loc=loc, fontsize=9, framealpha=0.85, edgecolor="none")


def legend_below(figure: Figure, columns: int = 3, marker_scale: float = 1.0) -> None:
    """Show one legend for all plots of a figure below them, each label once, its points so many times larger."""
    found: dict[str, Artist] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    figure.legend(
        list(found.values()),
        list(found),
        loc="outside lower center",
        ncols=columns,
        fontsize=9,
        frameon=False,
        markerscale=marker_scale,
    )


def shorten_labels(names: Sequence[str], length: int = 40, lines: int = 1) -> list[str]:
    """Return the names in so many lines of a length that fits beside a plot; what needs more is cut.

    A line ends behind a space, `_`, `-`, `.`, `/` or `:` of its second half, if there is one; each line of a name that
    has several is cut for itself. Names that are the same up to the cut show their ends.
    """
    found = ["\n".join(_wrapped(line, length, lines) for line in name.split("\n")) for name in names]
    alike = Counter(found)
    return [
        f"…{name[1 - length :]}" if shown.endswith("…") and alike[shown] > 1 else shown
        for name, shown in zip(names, found, strict=True)
    ]


def _wrapped(name: str, length: int, lines: int) -> str:
    found: list[str] = []
    while len(name) > length and len(found) < lines - 1:
        ends = [k + 1 for k in range(length // 2, length) if name[k] in " _-./:"]
        end = ends[-1] if ends else length
        found.append(name[:end].rstrip())
        name = name[end:].lstrip()
    found.append(name if len(name) <= length else name[: length - 1] + "…")
    return "\n".join(found)
