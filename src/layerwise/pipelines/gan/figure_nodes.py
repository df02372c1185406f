"""Draw the game, its samples, and what they are worth."""

from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from layerwise.data.preprocessing.table_encoding import TableEncoding, decode
from layerwise.data.sources.captions import CaptionConfig, Captions
from layerwise.data.tensors import Description, Rows
from layerwise.evaluation import plots as figures
from layerwise.evaluation.generative.sample_quality import distances, nearest_distance
from layerwise.evaluation.plots.gan import class_histogram, distance_histogram, film_strip, game_curves
from layerwise.models.gan.generator import Generator
from layerwise.pipelines.gan.nodes import sample
from layerwise.training.gan.settings import GANSettings
from layerwise.utils.random_streams import generator_for

SHOWN, NEIGHBOURS, MARGINAL_ROWS = 100, 8, 2000


def draw_game(game_history: dict[str, Any]) -> Figure:
    """Draw value, losses, scores and gradients of both players by epoch."""
    return game_curves(game_history["epochs"])


def draw_samples(
    generator: Generator,
    conditions: Rows,
    encoding: dict[str, Any],
    raw: Any,
    split: dict[str, list[int]],
    description: dict[str, Any],
    settings: GANSettings,
    seed: int,
) -> Figure:
    """Draw samples, a line a class or a caption where the generator is told one; of a table each column's values."""
    columns, known = Description(**description), conditions.inputs
    if columns.image_shape is None:
        made = decode(
            sample(generator, known, MARGINAL_ROWS, seed, "picture").numpy(), TableEncoding(**encoding)
        )
        real = raw.iloc[split["test"]]
        return figures.marginals(real[[name for name in made if name in real]], made, title="Synthetic rows")
    draws = generator_for(seed, "gan", "picture")
    if "captions" in encoding:
        captions = Captions(CaptionConfig(**encoding["captions"]))
        codes = _codes(known, captions)
        lines = {}
        for caption in settings.captions:
            drawn = captions.draw(caption, codes, 10, draws)
            lines[caption] = generator.sample(10, draws, captions.condition(drawn))
        return figures.augmentations(lines, columns.image_shape, title="Pictures by their captions")
    if known.shape[1]:
        told = torch.eye(known.shape[1]).repeat_interleave(10, dim=0)
        rows = generator.sample(len(told), draws, told)
        lines = {name: rows[10 * k : 10 * k + 10] for k, name in enumerate(columns.class_names)}
        return figures.augmentations(lines, columns.image_shape, title="Samples by class")
    return figures.samples(
        sample(generator, known, SHOWN, seed, "picture"), columns.image_shape, title="Samples"
    )


def _codes(known: torch.Tensor, captions: Captions) -> torch.Tensor:
    """Return class, stroke and slant of known conditions."""
    parts = known.split([len(captions.config.class_names), 3, 3], dim=1)
    return torch.stack([part.argmax(1) for part in parts], dim=1)


def draw_stages(film: list[tuple[int, Any]]) -> Figure:
    """Draw samples of the same noise at stages of training, side by side."""
    return film_strip(film)


def draw_classes(judgement: dict[str, Any], description: dict[str, Any]) -> Figure:
    """Draw the classifier's histogram of the samples' classes; of a table the classes as they are written."""
    columns = Description(**description)
    if columns.image_shape is None:
        if "classes" not in judgement:
            return figures.note("A regression has no classes; see the marginals.")
        return class_histogram(judgement["classes"], columns.class_names, x="class")
    shares = {name: found["class_shares"] for name, found in judgement.items() if name != "training mean"}
    return class_histogram(shares, columns.class_names)


def draw_memory(
    generator: Generator,
    conditions: Rows,
    encoding: dict[str, Any],
    preparation: Any,
    training: Rows,
    test: Rows,
    description: dict[str, Any],
    seed: int,
) -> Figure:
    """Draw samples, each above its nearest training row; of a table the distances to the nearest one."""
    columns = Description(**description)
    if columns.image_shape is None:
        rows = decode(
            sample(generator, conditions.inputs, 1000, seed, "memory").numpy(), TableEncoding(**encoding)
        )
        known = training.inputs.numpy().astype(np.float64)
        between = nearest_distance(preparation.inputs(rows).astype(np.float64), known)
        return distance_histogram(
            between, nearest_distance(test.inputs[:1000].numpy().astype(np.float64), known)
        )
    made = sample(generator, conditions.inputs, NEIGHBOURS, seed, "memory").numpy().astype(np.float64)
    known = training.inputs.numpy()
    nearest = distances(made, known.astype(np.float64)).argmin(1)
    lines = {"sample": made, "nearest training row": known[nearest]}
    return figures.augmentations(
        lines, columns.image_shape, title="Samples and the training rows next to them"
    )
