"""Captions of digit images, such as "a seven, thick", and their encoding as conditions of a generator."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from layerwise.data.errors import DataError
from layerwise.data.image_layout import ImageShape, rows_to_images
from layerwise.utils import Config, nearest

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
STROKES = ("thin", "medium", "thick")
SLANTS = ("left", "upright", "right")
IGNORED_WORDS = ("a", "an", "the", "and", "digit", "leaning", "slanted", "to", "stroke", "strokes")


class CaptionConfig(Config):
    """The vocabulary of captions and the thresholds of stroke and slant.

    `intensity` holds, for each class, the two terciles of its training images' mean pixel; `slant` the two of the
    slant of all training images.
    """

    class_names: tuple[str, ...]
    image_shape: ImageShape
    intensity: tuple[tuple[float, float], ...]
    slant: tuple[float, float]


def mean_intensity(rows: Tensor) -> Tensor:
    """Return the mean pixel of each image (n, d), (n,)."""
    return rows.mean(1)


def stroke_slant(rows: Tensor, image_shape: ImageShape) -> Tensor:
    """Return by how many columns a stroke moves to the right from one line of pixels to the line above, (n,).

    It is minus the covariance of column and line over the variance of the line, weighted by the pixels, of
    color images by the sums of their colors.
    """
    height, width = image_shape[:2]
    if len(image_shape) == 3:
        rows = rows_to_images(rows, image_shape).sum(1).flatten(1)
    line = torch.arange(height, dtype=rows.dtype, device=rows.device).repeat_interleave(width)
    column = torch.arange(width, dtype=rows.dtype, device=rows.device).repeat(height)
    weights = rows / rows.sum(1, keepdim=True).clamp_min(1e-6)
    features = torch.stack([line, column, line * line, line * column], dim=1)
    mean_line, mean_column, squares, products = (weights @ features).unbind(1)
    variance = (squares - mean_line.square()).clamp_min(1e-3)
    return -(products - mean_line * mean_column) / variance


def _terciles(values: Tensor) -> tuple[float, float]:
    """Return the two terciles of values (n,)."""
    cuts = torch.tensor([1 / 3, 2 / 3], dtype=values.dtype, device=values.device)
    low, high = torch.quantile(values, cuts).tolist()
    return low, high


class Captions:
    """Conditions of images: class, stroke and slant, each one-hot, side by side: (n, classes + 6)."""

    def __init__(self, config: CaptionConfig) -> None:
        self.config = config
        self._limits: tuple[Tensor, Tensor] | None = None

    @classmethod
    def fit(
        cls, rows: Tensor, targets: Tensor, class_names: Sequence[str], image_shape: ImageShape
    ) -> Captions:
        """Find the terciles of training images (n, d) with class codes (n,)."""
        intensity = tuple(_terciles(mean_intensity(rows[targets == k])) for k in range(len(class_names)))
        return cls(
            CaptionConfig(
                class_names=tuple(class_names),
                image_shape=image_shape,
                intensity=intensity,
                slant=_terciles(stroke_slant(rows, image_shape)),
            )
        )

    @property
    def n_conditions(self) -> int:
        """Columns of a condition."""
        return len(self.config.class_names) + len(STROKES) + len(SLANTS)

    def describe(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Return codes (n, 3) of class, stroke and slant of images (n, d) with class codes (n,)."""
        # Made once for a device: a training step that is captured may not copy anything there.
        if self._limits is None or self._limits[0].device != rows.device:
            self._limits = rows.new_tensor(self.config.intensity), rows.new_tensor(self.config.slant)
        intensity, slants = self._limits
        stroke = (mean_intensity(rows)[:, None] > intensity[targets]).sum(1)
        slant = (stroke_slant(rows, self.config.image_shape)[:, None] > slants).sum(1)
        return torch.stack([targets, stroke, slant], dim=1)

    def condition(self, codes: Tensor) -> Tensor:
        """Return (n, n_conditions) float of codes (n, 3)."""
        sizes = (len(self.config.class_names), len(STROKES), len(SLANTS))
        return torch.cat([one_hot(codes[:, k], size) for k, size in enumerate(sizes)], dim=1).float()

    def parse(self, caption: str) -> tuple[int | None, int | None, int | None]:
        """Return the codes of class, stroke and slant that a caption names; None for what it leaves open.

        Raises:
            DataError: a word is unknown, or two words name different classes, strokes or slants.
        """
        classes = {name.lower(): k for k, name in enumerate(self.config.class_names)}
        classes |= {word: classes[str(k)] for k, word in enumerate(NUMBERS) if str(k) in classes}
        kinds = (
            classes,
            {word: k for k, word in enumerate(STROKES)},
            {word: k for k, word in enumerate(SLANTS)},
        )
        found: list[int | None] = [None, None, None]
        for word in re.findall(r"\w+", caption.lower()):
            if word in IGNORED_WORDS:
                continue
            known = [i for i, words in enumerate(kinds) if word in words]
            if not known:
                names = [name for words in kinds for name in words]
                raise DataError(f"caption '{caption}': unknown word '{word}'{nearest(word, names)}")
            kind, code = known[0], kinds[known[0]][word]
            if found[kind] not in (None, code):
                raise DataError(f"caption '{caption}' says two things at once; '{word}' is the second")
            found[kind] = code
        return found[0], found[1], found[2]

    def sample(self, caption: str, known: Tensor, n: int, rng: torch.Generator) -> Tensor:
        """Return n codes (n, 3) that fit a caption, drawn from the codes (m, 3) of real images.

        What the caption leaves open is as frequent as among the real images that fit it.

        Raises:
            DataError: no real image fits the caption.
        """
        fits = torch.ones(len(known), dtype=torch.bool, device=known.device)
        for kind, code in enumerate(self.parse(caption)):
            if code is not None:
                fits &= known[:, kind] == code
        candidates = fits.nonzero()[:, 0]
        if len(candidates) == 0:
            raise DataError(f"caption '{caption}': no training image fits it")
        picked = torch.randint(len(candidates), (n,), generator=rng, device=rng.device)
        return known[candidates[picked]]
