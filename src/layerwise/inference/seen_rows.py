"""Which rows a model has seen: hashes of its training and validation rows, by which it knows them again anywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SEEN_FILE = "seen_rows.npy"
# Rows that are hashed at a time: some 50 MB for images of 784 pixels.
HASHED_ROWS = 8192


def hash_rows(inputs: np.ndarray) -> np.ndarray:
    """Return a 64-bit hash of each row of a network's inputs, (n,) uint64.

    A multilinear hash (Lemire & Kaser 2014) of the bits: the sum of the numbers, each times a pseudo-random odd number
    of its column, then mixed. Rows hash alike at every door, since every door hands the network the same inputs.

    Args:
        inputs: (n, d) float32.
    """
    words = np.ascontiguousarray(inputs, dtype=np.float32) + np.float32(0)  # -0 and 0 are one number
    bits = words.view(np.uint32)
    factors = _mixed(np.arange(1, bits.shape[1] + 1, dtype=np.uint64)) | np.uint64(1)
    parts = [
        ((part.astype(np.uint64) + np.uint64(1)) * factors).sum(1, dtype=np.uint64)
        for part in (bits[start : start + HASHED_ROWS] for start in range(0, len(bits), HASHED_ROWS))
    ]
    return _mixed(np.concatenate(parts)) if parts else np.empty(0, np.uint64)


def _mixed(values: np.ndarray) -> np.ndarray:
    """Return SplitMix64's output for each number (Steele, Lea & Flood 2014)."""
    mixed = values * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def save_seen_rows(folder: Path, hashes: np.ndarray | None) -> None:
    """Write the distinct hashes in order, 8 bytes a row; None leaves no file, an older one neither."""
    (folder / SEEN_FILE).unlink(missing_ok=True)
    if hashes is not None:
        # `np.unique` puts whole numbers into a table first, which takes sixty times as long.
        ordered = np.sort(hashes)
        is_new = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
        np.save(folder / SEEN_FILE, ordered[is_new], allow_pickle=False)


def load_seen_rows(folder: Path) -> np.ndarray | None:
    """Return the hashes of a model's folder, (n,) uint64 in order; None where there are none."""
    path = folder / SEEN_FILE
    return np.load(path, allow_pickle=False) if path.is_file() else None


def are_seen(hashes: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return which of the hashes are among those of a model, (n,) bool.

    Args:
        hashes: (n,) of `hash_rows`.
        seen: of `load_seen_rows`.
    """
    if not len(seen):
        return np.zeros(len(hashes), dtype=bool)
    positions = np.minimum(np.searchsorted(seen, hashes), len(seen) - 1)
    return seen[positions] == hashes
