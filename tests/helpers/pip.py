"""pip as a user's machine runs it, without an index."""

import subprocess
import sys
from pathlib import Path


def install_offline(target: Path, *arguments: str, cwd: Path | None = None) -> None:
    """Install what arguments name into a folder, without dependencies and without asking any index."""
    options = ["--no-deps", "--no-index", "-q", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *arguments], cwd=cwd, check=True)
