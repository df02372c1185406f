"""Pictures as people keep them: PNG, JPEG, GIF, BMP, TIFF or WebP files in folders.

They are read in gray, by ITU-R 601 luma (.299 red + .587 green + .114 blue), or in red, green and blue; with what is
transparent on white, turned upright by their EXIF tag.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.sources.files import sha256_of
from layerwise.data.sources.image_channels import has_colors
from layerwise.data.sources.images import AS_THEY_ARE, ColorName, ImageReading, ImageSize, is_picture

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_NAMED = 5
# A name that tells a class and a number: cat.0.jpg, great_dane_12.png, dog-3.png, rose (4).jpg; and what cameras write.
NUMBERED = re.compile(r"(?P<label>.*?[^\W\d_].*?)[\s._-]*[\[(]?(?P<number>\d+)[\])]?")
OF_CAMERAS = re.compile(
    r"img|dscn?|dscf|pxl|mvimg|p|imag|image|picture|photo|foto|bild|screenshot|scan|frame", re.IGNORECASE
)
# Folders that are no classes.
PART_FOLDERS = {"train", "test", "val", "valid", "validation"}
# Of Pillow, for one bit, eight bits, and eight bits with transparency.
GRAY_MODES = ("1", "L", "LA")


@dataclass
class Pictures:
    """The pictures of a folder.

    Args:
        folder: which.
        names: the paths below it, with / between folders, in order; official test pictures last.
        labels: the folder of each; empty text for a picture that lies in none.
        n_test: official test pictures, from a folder `test`.
        n_others: files that are no pictures.
    """

    folder: Path
    names: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    n_test: int = 0
    n_others: int = 0

    def sha256(self) -> str:
        """Return the hash of the pictures' names and bytes."""
        lines = (f"{name} {sha256_of(self.folder / name)}" for name in self.names)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def without(self, positions: Collection[int]) -> Pictures:
        """Return the pictures but for some."""
        kept = [k for k in range(len(self.names)) if k not in positions]
        first_test = len(self.names) - self.n_test
        return replace(
            self,
            names=[self.names[k] for k in kept],
            labels=[self.labels[k] for k in kept],
            n_test=sum(k >= first_test for k in kept),
        )


def labels_in_names(names: Sequence[str], classes_are_known: bool = False) -> list[str] | None:
    """Return the labels that stand before a number in the names of pictures, such as cat.0.jpg.

    None where a name has none, or where these are no classes: at least two, with two pictures each.

    Args:
        names: of the files.
        classes_are_known: a model says which classes there are: one picture of one of them will do.
    """
    found = [NUMBERED.fullmatch(name.rpartition("/")[2].rpartition(".")[0]) for name in names]
    labels = [each["label"] for each in found if each is not None]
    counts = Counter(labels)
    few = not classes_are_known and (len(counts) < 2 or min(counts.values()) < 2)
    if few or len(labels) < len(names):
        return None
    return None if any(OF_CAMERAS.fullmatch(label) for label in counts) else labels


def list_pictures(folder: str | Path, in_names: bool = False) -> Pictures:
    """Return all pictures below a folder; hidden files and folders are not looked at.

    `folder/class/file.png` has the label `class`; below `train/class` and `test/class` those of `test` are the
    official test pictures.

    Args:
        folder: which.
        in_names: the labels stand in the names, as in `folder/class.0.png` and `folder/test/class.1.png`.

    Raises:
        DataError: there is none, or one has no label in its name where these have to.
    """
    folder, found = Path(folder), Pictures(Path(folder))
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part.startswith((".", "__MACOSX")) for part in parts) or not path.is_file():
            continue
        with path.open("rb") as file:
            if not is_picture(file.read(16)):
                found.n_others += 1
                continue
        found.names.append("/".join(parts))
    if not found.names:
        raise DataError(f"{folder} holds no pictures (PNG, JPEG, GIF, BMP, TIFF, WebP)")
    parts_of = [name.split("/")[:-1] for name in found.names]
    tops = {parts[0].lower() if parts else "" for parts in parts_of}
    in_parts = {"train", "test"} <= tops <= PART_FOLDERS and (
        in_names or all(len(parts) > 1 for parts in parts_of)
    )
    found.labels = [parts[in_parts] if len(parts) > in_parts else "" for parts in parts_of]
    if in_names:
        labels = labels_in_names(found.names)
        if labels is None:
            raise DataError(
                f"the names of the pictures in {folder} tell no classes: each is a class and a number, as cat.0.jpg, "
                "and each class has two pictures at least"
            )
        found.labels = labels
    if in_parts:
        is_test = [parts[0].lower() == "test" for parts in parts_of]
        order = sorted(range(len(is_test)), key=lambda k: is_test[k])
        found.names, found.labels = ([values[k] for k in order] for values in (found.names, found.labels))
        found.n_test = sum(is_test)
    return found


def _open(path: Path, color: ColorName) -> Image:
    """Return a picture in gray or in red, green and blue; with `auto` in gray only if it is stored so."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened)
            if image.mode.startswith("I"):  # 16 bits a pixel
                values = np.asarray(image)
                image = Image.fromarray(
                    (values // 257 if values.max(initial=0) > 255 else values).astype(np.uint8)
                )
            if image.mode == "F":
                raise DataError(
                    f"{path}: a picture of floats has no stated black and white; give 8 or 16 bits a pixel"
                )
            if "A" in image.getbands() or "transparency" in image.info:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            if color == "auto":
                color = "gray" if image.mode in GRAY_MODES else "rgb"
            return image.convert("L" if color == "gray" else "RGB")
    except DataError:
        raise
    # Pillow raises many kinds of errors for broken files, SyntaxError among them.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} cannot be read as a picture: {error}") from error


def have_colors(paths: Sequence[Path]) -> bool:
    """Return whether any of the pictures has a pixel that is not gray; one that cannot be read has none."""
    from PIL import Image

    for path in paths:
        try:
            with Image.open(path) as opened:
                if opened.mode in GRAY_MODES or opened.mode.startswith(("I", "F")):
                    continue
            image = _open(path, "auto")
        except (DataError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
        if image.mode == "RGB" and has_colors(np.asarray(image)):
            return True
    return False


def read_pictures(
    paths: Sequence[Path],
    reading: ImageReading = AS_THEY_ARE,
    n_test: int = 0,
) -> tuple[np.ndarray, dict[int, str]]:
    """Return pictures as one array uint8, and what is wrong with those that are black in it.

    Args:
        paths: of the pictures.
        reading: their size (None for that of the first one, which the others have to have) and colors.
        n_test: the last pictures, which do not say whether there are colors.

    Returns:
        (n, height, width), or (n, height, width, 3) of color pictures.
    """
    from PIL import Image

    size, color = reading.size, reading.color
    if color == "auto":
        color = "rgb" if have_colors(paths[: len(paths) - n_test]) else "gray"
    rows: list[np.ndarray] = []
    wrong: dict[int, str] = {}
    for k, path in enumerate(paths):
        try:
            image = _open(path, color)
        except DataError as error:
            wrong[k] = str(error)
            rows.append(np.zeros((0, 0), np.uint8))
            continue
        size = size or ImageSize(image.height, image.width)
        if (image.height, image.width) != size[:2]:
            if not size.resize:
                wrong[k] = f"the picture has {image.height} x {image.width} pixels, not {size[0]} x {size[1]}"
            image = image.resize((size.width, size.height), Image.Resampling.BILINEAR)
        rows.append(np.asarray(image))
    shape = (*(size[:2] if size else (1, 1)), *((3,) if color == "rgb" else ()))
    return np.stack([row if row.shape == shape else np.zeros(shape, np.uint8) for row in rows]), wrong


def picture_sizes(paths: Sequence[Path], to_their_end: bool = False) -> list[tuple[int, int]]:
    """Return height and width of each picture; (0, 0) for one that cannot be read.

    Args:
        paths: of the pictures.
        to_their_end: read each to its end, and not its header alone.
    """
    from PIL import Image

    found = []
    for path in paths:
        try:
            with Image.open(path) as image:
                width, height = image.size
                # EXIF orientations 5 to 8 lie on their side.
                turned = image.getexif().get(0x0112, 1) > 4
                if to_their_end:
                    # A JPEG is then decoded to a small one, in an eighth of the time.
                    image.draft(None, (16, 16))
                    image.load()
                found.append((width, height) if turned else (height, width))
        except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
            found.append((0, 0))
    return found


def shown_names(names: Sequence[str]) -> str:
    """Return the first of many names, and how many more there are."""
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
