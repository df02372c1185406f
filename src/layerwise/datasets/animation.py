"""An animation in the catalog: a numbered picture a frame, and all of them as a GIF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from kedro.io import AbstractDataset

from layerwise.utils.files import whole_file

FRAME_MILLISECONDS, LAST_MILLISECONDS = 400, 2000


class FilmDataset(AbstractDataset[list[tuple[int, Any]], list[tuple[int, Any]]]):
    """Frames as (epoch, (height, width, 3) uint8); a folder with `epoch_0001.png`, ... and `film.gif`.

    Args:
        filepath: the folder.
        metadata: for plugins; not used here.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._filepath = Path(filepath)
        self.metadata = metadata

    def files(self) -> list[Path]:
        """Return what was written, the animation last."""
        found = sorted(self._filepath.glob("epoch_*.png"))
        animation = self._filepath / "film.gif"
        return [*found, animation] if animation.exists() else found

    def load(self) -> list[tuple[int, Any]]:
        """Return the frames."""
        from PIL import Image

        frames = []
        for path in self.files():
            if path.suffix == ".png":
                with Image.open(path) as picture:
                    frames.append((int(path.stem.rpartition("_")[2]), np.asarray(picture.convert("RGB"))))
        return frames

    def save(self, data: list[tuple[int, Any]]) -> None:
        """Write the frames; those of an earlier run go."""
        from PIL import Image

        for old in self.files():
            old.unlink()
        pictures = [Image.fromarray(frame) for _, frame in data]
        for (epoch, _), picture in zip(data, pictures, strict=True):
            with whole_file(self._filepath / f"epoch_{epoch:04d}.png") as part:
                picture.save(part, format="PNG")
        if not pictures:
            return
        # Frames of one size, on white: a title can make one wider than another.
        width, height = (max(picture.size[k] for picture in pictures) for k in (0, 1))
        sheets = []
        for picture in pictures:
            sheet = Image.new("RGB", (width, height), "white")
            sheet.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
            sheets.append(sheet)
        durations = [FRAME_MILLISECONDS] * (len(sheets) - 1) + [LAST_MILLISECONDS]
        with whole_file(self._filepath / "film.gif") as part:
            sheets[0].save(
                part, format="GIF", save_all=True, append_images=sheets[1:], duration=durations, loop=0
            )

    def _exists(self) -> bool:
        return (self._filepath / "film.gif").exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath)}
