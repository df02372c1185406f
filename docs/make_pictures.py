"""Make the figures of the README and the documentation from finished runs; `make pictures` does.

    kedro run --pipelines=dbn     (and dbm, rbm, autoencoder, sae, gan, gan_ring, gan_applications, gradients)
    python docs/make_pictures.py

A figure whose run is missing is left as it is, with a message.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from PIL import Image

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import columns_for_summary, fit_preprocessor, summarized_columns
from layerwise.evaluation import categorical_drift, numeric_drift
from layerwise.evaluation.plots import plot_drift

PROJECT = Path(__file__).parent.parent
PICTURES = PROJECT / "docs/pictures"
REPORTING = PROJECT / "data/08_reporting"
# The problem of a pipeline's run, where it is not the digits.
PROBLEMS = {"forest_fires_classic": "forest_fires_classic"}
# File name, the pipeline whose figures it shows, their names, their height in pixels, the number of colours.
SHOWN = (
    ("features_and_samples", "dbn", ["features", "samples"], 560, 128),
    ("reconstructions", "dbn", ["reconstructions"], 290, 64),
    ("results", "dbn", ["predictions", "latent_map"], 560, 256),
    ("boltzmann", "dbm", ["features", "samples"], 560, 128),
    ("rbm", "rbm", ["filters", "samples"], 560, 128),
    ("compression", "autoencoder", ["compression"], 420, 64),
    ("stacked", "sae", ["features"], 560, 128),
    ("generated", "gan", ["samples"], 560, 64),
    ("ring", "gan_ring", ["ring_samples"], 560, 64),
    ("translation", "gan_applications", ["translation"], 300, 32),
    ("gradients", "gradients", ["gradients"], 560, 96),
    ("remedies", "gradients", ["remedies"], 640, 96),
    ("exercise", "forest_fires_classic", ["accuracies"], 380, 64),
)


def figure_file(pipeline: str, name: str) -> Path:
    """Return the path of a run's figure."""
    return REPORTING / PROBLEMS.get(pipeline, "digits") / pipeline / f"{name}.png"


def side_by_side(pipeline: str, names: list[str], height: int = 560) -> Image.Image:
    """Return a run's figures side by side, on white."""
    figures = []
    for name in names:
        with Image.open(figure_file(pipeline, name)) as figure:
            width = round(figure.width * height / figure.height)
            figures.append(figure.convert("RGB").resize((width, height), Image.Resampling.LANCZOS))
    line = Image.new("RGB", (sum(f.width for f in figures) + 20 * (len(figures) - 1), height), "white")
    left = 0
    for figure in figures:
        line.paste(figure, (left, 0))
        left += figure.width + 20
    return line


def plot_drift_example(degrees: float = 12) -> None:
    """Plot the drift of forest fires in a warmer summer, with wind missing on every fourth day."""
    frame = pd.read_csv(PROJECT / "data/01_raw/forest_fires/forestfires_uci.csv")
    problem = Problem(name="fires", task="regression", target="area")
    split = split_raw(frame, problem, SplitSettings(stratify=False), 0)
    state = fit_preprocessor(frame, split, problem, PreprocessingSettings(), 0).state
    new = frame.iloc[split.test].assign(temp=lambda rows: rows["temp"] + degrees)
    new["wind"] = new["wind"].where(new.index % 4 > 0)
    found = []
    kinds = state["kinds"]
    every = [columns_for_summary(new[name], kinds) for name in summarized_columns(kinds)]
    for name, seen in ((name, seen) for columns in every for name, seen in columns.items()):
        before, n = state["summary"]["columns"][name], len(split.training)
        if seen.kind == "number":
            found.append(numeric_drift(name, before, seen.values, n))
        else:
            counts = pd.Series(seen.values).value_counts().to_dict()
            found.append(categorical_drift(name, before, counts, seen.missing, n))
    plot_drift(found, len(new)).savefig(PICTURES / "drift.png", dpi=110)


def main() -> None:
    """Write all figures."""
    for file_name, pipeline, names, height, n_colors in SHOWN:
        if not all(figure_file(pipeline, name).exists() for name in names):
            print(f"{file_name}: no figures yet, run kedro run --pipelines={pipeline}")
            continue
        line = side_by_side(pipeline, names, height)
        line.quantize(n_colors).save(PICTURES / f"{file_name}.png", optimize=True)
    plot_drift_example()


if __name__ == "__main__":
    main()
