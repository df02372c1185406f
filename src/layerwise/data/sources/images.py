"""A set of labelled grey images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Images:
    """Labelled images with their origin.

    Args:
        pixels: (n, height, width) uint8, 0 black to 255 white.
        labels: (n,) int64.
        n_test: the last `n_test` rows are the official test set; 0 when there is none.
        source: where the files were found or downloaded from.
        sha256: of the file, or of the files' joined hashes.
    """

    pixels: np.ndarray
    labels: np.ndarray
    n_test: int = 0
    source: str = ""
    sha256: str = ""

    def __len__(self) -> int:
        return len(self.labels)
