"""An animation in the catalog: a numbered image a frame, and all of them as a GIF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from kedro.io import AbstractDataset

from layerwise.datasets.previews import ImagePreview, image_preview
from layerwise.utils import atomic_write

FRAME_MILLISECONDS, LAST_MILLISECONDS = 400, 2000


class AnimationDataset(AbstractDataset[list[tuple[int, Any]], list[tuple[int, Any]]]):
    """Frames as (epoch, (height, width, 3) uint8); a folder with `epoch_0001.png`, ... and `animation.gif`.

    Args:
        filepath: the folder.
        metadata: for plugins; not used here.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def files(self) -> list[Path]:
        """Return the written files, the animation last."""
        found = sorted(self._filepath.glob("epoch_*.png"))
        animation = self._filepath / "animation.gif"
        return [*found, animation] if animation.exists() else found

    def load(self) -> list[tuple[int, Any]]:
        """Return the frames."""
        from PIL import Image

        frames = []
        for path in self.files():
            if path.suffix == ".png":
                with Image.open(path) as image:
                    frames.append((int(path.stem.rpartition("_")[2]), np.asarray(image.convert("RGB"))))
        return frames

    def save(self, data: list[tuple[int, Any]]) -> None:
        """Write the frames; those of an earlier run go."""
        from PIL import Image

        for old in self.files():
            old.unlink()
        images = [Image.fromarray(frame) for _, frame in data]
        for (epoch, _), image in zip(data, images, strict=True):
            with atomic_write(self._filepath / f"epoch_{epoch:04d}.png") as part:
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
        with atomic_write(self._filepath / "animation.gif") as part:
            sheets[0].save(
                part, format="GIF", save_all=True, append_images=sheets[1:], duration=durations, loop=0
            )

    def preview(self) -> ImagePreview:
        """Return the animation, for Kedro-Viz."""
        return image_preview(self._filepath / "animation.gif")

    def _exists(self) -> bool:
        return (self._filepath / "animation.gif").exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
