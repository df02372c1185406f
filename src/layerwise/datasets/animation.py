"""An animation in the catalog: a numbered image a frame, and all of them as a GIF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from layerwise.datasets.previews import ImagePreview, image_preview
from layerwise.datasets.stored import StoredDataset
from layerwise.utils import atomic_write

FRAME_MILLISECONDS, LAST_MILLISECONDS = 400, 2000


class AnimationDataset(StoredDataset[list[tuple[int, Any]]]):
    """Frames as (epoch, (height, width, 3) uint8); a folder with `epoch_0001.png`, ... and `animation.gif`."""

    MARK = "animation.gif"

    def _read(self, path: Path) -> list[tuple[int, Any]]:
        from PIL import Image

        frames = []
        for frame in _frames(path):
            with Image.open(frame) as image:
                frames.append((int(frame.stem.rpartition("_")[2]), np.asarray(image.convert("RGB"))))
        return frames

    def _write(self, data: list[tuple[int, Any]], path: Path) -> None:
        from PIL import Image

        for old in [*_frames(path), path / self.MARK]:  # of an earlier run
            old.unlink(missing_ok=True)
        images = [Image.fromarray(frame) for _, frame in data]
        for (epoch, _), image in zip(data, images, strict=True):
            with atomic_write(path / f"epoch_{epoch:04d}.png") as part:
                image.save(part, format="PNG")
        if not images:
            return
        # Frames of one size, on white: a title can make one wider than another.
        width, height = (max(image.size[k] for image in images) for k in (0, 1))
        sheets = []
        for image in images:
            sheet = Image.new("RGB", (width, height), "white")
            sheet.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
            sheets.append(sheet)
        durations = [FRAME_MILLISECONDS] * (len(sheets) - 1) + [LAST_MILLISECONDS]
        with atomic_write(path / self.MARK) as part:
            sheets[0].save(
                part, format="GIF", save_all=True, append_images=sheets[1:], duration=durations, loop=0
            )

    def preview(self) -> ImagePreview:
        """Return the animation, for Kedro-Viz."""
        return image_preview(self._local_path() / self.MARK)


def _frames(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch_*.png"))
