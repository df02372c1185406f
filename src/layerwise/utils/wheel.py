"""This package as a wheel, which a logged model carries so that it opens where the package is not installed.

It is written from the package that runs, without a build tool: a wheel is a zip file of the modules and a few texts.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

# The earliest time that a zip file knows: the same sources give the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
# What MLflow installs a model's own wheels from, below the model's folder.
WHEELS_FOLDER = "wheels"


@cache
def package_wheel() -> tuple[str, bytes]:
    """Return the wheel's file name and its bytes.

    Its version ends in the first digits of the sources' hash: MLflow keeps an environment by the text of its
    requirements, and another source under the same name would not be installed.
    """
    sources = _read_sources()
    installed, version = distribution("layerwise"), _version_of(sources)
    metadata = (
        installed.read_text("METADATA") or f"Metadata-Version: 2.1\nName: layerwise\nVersion: {version}\n"
    )
    folder = f"layerwise-{version}.dist-info"
    files = sources | {
        f"{folder}/METADATA": metadata.replace(
            f"Version: {installed.version}\n", f"Version: {version}\n", 1
        ).encode(),
        f"{folder}/WHEEL": b"Wheel-Version: 1.0\nGenerator: layerwise\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{folder}/entry_points.txt": (installed.read_text("entry_points.txt") or "").encode(),
    }
    files[f"{folder}/RECORD"] = _record(files, f"{folder}/RECORD").encode()
    return f"layerwise-{version}-py3-none-any.whl", _zip(files)


@cache
def source_version() -> str:
    """Return the package's version with the first digits of its sources' hash, which every change of code changes."""
    return _version_of(_read_sources())


def _read_sources() -> dict[str, bytes]:
    root = Path(__file__).parents[1]
    return {
        f"layerwise/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


def _version_of(sources: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sources.items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return f"{distribution('layerwise').version.partition('+')[0]}+{digest.hexdigest()[:12]}"


def _record(files: dict[str, bytes], own_name: str) -> str:
    lines = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()},{len(content)}"
        for name, content in files.items()
    ]
    return "\n".join([*lines, f"{own_name},,", ""])


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()
