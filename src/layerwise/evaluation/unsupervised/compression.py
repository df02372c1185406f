"""Compression: the rate-distortion curves of quantized latents and of JPEG."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor

from layerwise.data import DataSpec, ImageShape
from layerwise.evaluation.unsupervised.principal_components import fit_pca
from layerwise.models.autoencoder import BaseAutoencoder, encode_rows
from layerwise.utils import Config

BITS = (2, 3, 4, 6, 8)
QUALITIES = (1, 5, 10, 20, 30, 50, 70, 90)
# Training rows whose latents say where the levels lie.
TRAINING_ROWS = 10_000


class RateDistortionPoint(Config):
    """One way to store a row: its mean size in bytes, and the mean squared error, summed over columns."""

    bytes: float
    squared_error: float
    setting: int


class CompressionReport(Config):
    """Rate-distortion curves by method, and the bytes of a row as it is, a byte a column.

    `shared_bytes` are those that are stored once for all rows: a decoder's numbers, or JPEG's headers and tables.
    """

    curves: dict[str, tuple[RateDistortionPoint, ...]]
    raw_bytes: int
    shared_bytes: dict[str, int]

    def best(self) -> dict[str, RateDistortionPoint]:
        """Return each method's point of the lowest error."""
        return {
            name: min(points, key=lambda point: point.squared_error) for name, points in self.curves.items()
        }

    def metrics(self) -> dict[str, float]:
        """Return the lowest errors by name."""
        return {f"{name}_error": point.squared_error for name, point in self.best().items()}

    def __str__(self) -> str:
        shown = ", ".join(
            f"{n} {p.squared_error:.2f} with {p.bytes:.0f} bytes and {self.shared_bytes[n]:,} once"
            for n, p in self.best().items()
        )
        return f"Lowest squared error of a compressed test row: {shown}"


def compare_compression(
    network: BaseAutoencoder, training: Tensor, rows: Tensor, columns: DataSpec
) -> CompressionReport:
    """Return the curves of the network's latents, of as many principal components, and for images of JPEG.

    Args:
        network: on the CPU.
        training: (n, d) rows, for the range of the latents and the components.
        rows: (m, d) that are stored.
        columns: of the rows.
    """
    latents, known = encode_rows(network, rows), training[:TRAINING_ROWS]
    components = fit_pca(training, min(latents.shape[1], columns.n_inputs))
    curves = {
        "autoencoder": latent_rate_distortion(rows, latents, encode_rows(network, known), network.decode),
        "pca": latent_rate_distortion(
            rows, components.encode(rows), components.encode(known), components.decode
        ),
    }
    shared = {
        "autoencoder": decoder_bytes(network.decode, latents, network.parameters()),
        "pca": 4 * (components.mean.numel() + components.directions.numel() + 2 * latents.shape[1]),
    }
    if columns.image_shape:
        curves["jpeg"] = jpeg_rate_distortion(rows, columns.image_shape)
        shared["jpeg"] = jpeg_bytes(np.zeros(columns.image_shape, np.uint8), 50)[0]
    return CompressionReport(
        curves={name: tuple(points) for name, points in curves.items()},
        raw_bytes=columns.n_inputs,
        shared_bytes=shared,
    )


def quantize(latents: Tensor, training_latents: Tensor, bits: int) -> Tensor:
    """Return latents (n, k) rounded to 2^bits even levels a unit, over the central 99 % of the training latents."""
    sample = training_latents[:10_000]
    low, high = (torch.quantile(sample, q, dim=0) for q in (0.005, 0.995))
    step = ((high - low) / (2**bits - 1)).clamp_min(1e-12)
    return low + ((latents - low) / step).round().clamp(0, 2**bits - 1) * step


def latent_rate_distortion(
    rows: Tensor, latents: Tensor, training_latents: Tensor, decode: Callable[[Tensor], Tensor]
) -> list[RateDistortionPoint]:
    """Return size and error of rows (n, d) stored as latents (n, k) of few bits a unit, without entropy coding."""
    points = []
    for bits in BITS:
        with torch.no_grad():
            reconstruction = decode(quantize(latents, training_latents, bits))
        error = float((reconstruction - rows).square().sum(1).mean())
        points.append(
            RateDistortionPoint(bytes=latents.shape[1] * bits / 8, squared_error=error, setting=bits)
        )
    return points


def decoder_bytes(decode: Callable[[Tensor], Tensor], latents: Tensor, parameters: Iterable[Tensor]) -> int:
    """Return the bytes of what a receiver needs beside the stored latents: the parameters that decoding depends on.

    Args:
        decode: latents (n, k) to rows.
        latents: any (n, k); its range of two numbers a unit is counted too.
        parameters: those that decoding may depend on, such as all of a network's.
    """
    known = [each for each in parameters if each.requires_grad]
    with torch.enable_grad():
        total = decode(latents[:2]).sum()
        gradients = torch.autograd.grad(total, known, allow_unused=True) if known else ()
    used = [each for each, found in zip(known, gradients, strict=True) if found is not None]
    return sum(each.numel() * each.element_size() for each in used) + 2 * 4 * latents.shape[1]


def jpeg(pixels: np.ndarray, quality: int) -> tuple[np.ndarray, int]:
    """Return an image (height, width) or (height, width, 3) uint8 after JPEG, and the bytes of its entropy-coded data.

    Headers and tables are not counted: they are the same for all images, and a format for small ones would leave them
    out; `jpeg_bytes` has the whole.
    """
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    data = buffer.getvalue()
    start = data.rindex(b"\xff\xda")  # start of scan: its header's length stands in the two bytes after it
    header = int.from_bytes(data[start + 2 : start + 4], "big")
    size = len(data) - (start + 2 + header) - 2
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image), size


def jpeg_bytes(pixels: np.ndarray, quality: int) -> tuple[int, int]:
    """Return the bytes of an image's JPEG file that are headers and tables, and those that are its data.

    Args:
        pixels: (height, width) or (height, width, 3) uint8.
        quality: of JPEG.
    """
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    size = jpeg(pixels, quality)[1]
    return len(buffer.getvalue()) - size, size


def jpeg_rate_distortion(rows: Tensor, image_shape: ImageShape) -> list[RateDistortionPoint]:
    """Return the mean size and squared error of images (n, d) in [0, 1] as JPEG, by quality."""
    pixels = (rows.clamp(0, 1) * 255).round().to(torch.uint8).numpy().reshape(-1, *image_shape)
    points = []
    for quality in QUALITIES:
        compressed = [jpeg(image, quality) for image in pixels]
        images = np.stack([image for image, _ in compressed])
        reconstruction = torch.from_numpy(images.reshape(len(rows), -1)) / 255
        error = float((reconstruction - rows).square().sum(1).mean())
        size = float(np.mean([size for _, size in compressed]))
        points.append(RateDistortionPoint(bytes=size, squared_error=error, setting=quality))
    return points
