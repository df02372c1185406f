"""Catalog entry for variations of MNIST (Larochelle et al. 2007), made anew of the images in its files."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
from kedro.io import DatasetError
from PIL import Image

from layerwise.data.sources import Images
from layerwise.datasets.sources.images import SourceImages

Variation = Literal["rotated", "background_noise"]


class VariedImages(SourceImages):
    """Images of idx files, each turned by an angle of its own or before noise, of which few are to learn from.

    They are made as mnist-rot and mnist-back-rand were (Larochelle et al. 2007): an angle is uniform between 0 and 360
    degrees, a pixel of the background between 0 and 255. Where the image is brighter than the background, it is seen.

    Args:
        variation: rotated or background_noise.
        n_training: images that are no test rows, sampled among all of the files.
        n_test: images among the others that are the test rows.
        seed: of the sampling, the angles and the noise.
        files: what `SourceImages` takes.

    Raises:
        DatasetError: there is no such variation.
    """

    def __init__(
        self,
        *,
        variation: Variation,
        n_training: int = 12_000,
        n_test: int = 50_000,
        seed: int = 0,
        **files: Any,
    ) -> None:
        super().__init__(**files)
        if variation not in get_args(Variation):
            raise DatasetError(f"variation: {variation} is none of {', '.join(get_args(Variation))}")
        self._variation, self._n_training, self._n_test, self._seed = variation, n_training, n_test, seed

    def load(self) -> Images:
        """Return the varied images, the test rows last.

        Raises:
            DatasetError: the files hold fewer images, or what `SourceImages.load` raises.
        """
        found, n = super().load(), self._n_training + self._n_test
        if len(found) < n:
            raise DatasetError(f"{n} images are to be varied, but the files hold {len(found)}")
        rng = np.random.default_rng(self._seed)
        kept = rng.permutation(len(found))[:n]
        vary = _rotate if self._variation == "rotated" else _put_before_noise
        made = f"{found.sha256}\n{self._variation} {self._n_training} {self._n_test} {self._seed}"
        return replace(
            found,
            pixels=vary(found.pixels[kept], rng),
            labels=found.labels[kept],
            n_test=self._n_test,
            sha256=hashlib.sha256(made.encode()).hexdigest(),
        )

    def _describe(self) -> dict[str, Any]:
        return super()._describe() | {"variation": self._variation, "seed": self._seed}


def _rotate(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    angles = rng.uniform(0, 360, len(pixels))
    turned = (
        Image.fromarray(each).rotate(angle, Image.Resampling.BILINEAR)
        for each, angle in zip(pixels, angles, strict=True)
    )
    return np.stack([np.asarray(each) for each in turned])


def _put_before_noise(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.maximum(pixels, rng.integers(0, 256, pixels.shape, dtype=np.uint8))
