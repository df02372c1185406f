"""How an image lies in a row: gray values line by line, or red, green and blue of one pixel after the other."""

from __future__ import annotations

from torch import Tensor

# Height and width of gray images; height, width and 3 of color images.
ImageShape = tuple[int, int] | tuple[int, int, int]

COLORS = ("red", "green", "blue")


def channels_of(shape: ImageShape) -> int:
    """Return 3 for color images, 1 for gray ones."""
    return shape[2] if len(shape) == 3 else 1


def values_of(shape: ImageShape) -> int:
    """Return how many numbers an image is: its pixels times its channels."""
    return shape[0] * shape[1] * channels_of(shape)


def with_size(shape: ImageShape, height: int, width: int) -> ImageShape:
    """Return the shape of images of another size in the same colors."""
    return (height, width) if len(shape) == 2 else (height, width, shape[2])


def describe_shape(shape: ImageShape) -> str:
    """Return a shape in words: "28 x 28 pixels", "32 x 32 pixels in color"."""
    return f"{shape[0]} x {shape[1]} pixels" + (" in color" if len(shape) == 3 else "")


def pixel_names(shape: ImageShape) -> tuple[str, ...]:
    """Return the names of a row's values: `pixel_<line>_<column>`, of color images with `_red`, `_green`, `_blue`."""
    ends = [f"_{color}" for color in COLORS] if len(shape) == 3 else [""]
    lines, columns = range(shape[0]), range(shape[1])
    return tuple(f"pixel_{r}_{c}{end}" for r in lines for c in columns for end in ends)


def rows_to_images(rows: Tensor, shape: ImageShape) -> Tensor:
    """Return rows (n, values) as images (n, channels, height, width), as convolutions take them."""
    if len(shape) == 2:
        return rows.reshape(-1, 1, *shape)
    return rows.reshape(-1, *shape).permute(0, 3, 1, 2)


def images_to_rows(images: Tensor) -> Tensor:
    """Return images (n, channels, height, width) as rows (n, values)."""
    return images.flatten(1) if images.shape[1] == 1 else images.permute(0, 2, 3, 1).flatten(1)
