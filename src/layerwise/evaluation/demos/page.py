"""A page from its template: the network's numbers in the place of a word."""

from __future__ import annotations

import base64
import html
import json
from importlib.resources import files
from typing import Any

from torch import Tensor

from layerwise.data import ImageShape, channels_of


def render_page(template: str, network: dict[str, Any], image_shape: ImageShape, title: str = "") -> str:
    """Return a whole HTML page.

    Args:
        template: a file of this package.
        network: what its script reads as `model`, beside the size of images.
        image_shape: height and width, and 3 of color images.
        title: of a template that has a place for one.
    """
    size = {"height": image_shape[0], "width": image_shape[1], "channels": channels_of(image_shape)}
    text = files(__package__).joinpath(template).read_text(encoding="utf-8")
    # A closing tag inside the data would end the script.
    data = json.dumps(size | network).replace("</", "<\\/")
    return text.replace("TITLE", html.escape(title)).replace("MODEL", data)


def to_base64(values: Tensor) -> str:
    """Return numbers as base64 of little-endian float32, the last dimension's beside each other."""
    numbers = values.detach().cpu().contiguous().numpy()
    return base64.b64encode(numbers.astype("<f4").tobytes()).decode("ascii")
