"""Write requirements.txt: the versions of constraints.txt with the hashes of their files, without PyTorch's own.

python docs/make_requirements.py requirements.txt
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# PyTorch and what it alone brings: its builds differ by machine.
LEFT_OUT = re.compile(r"(torch|triton|nvidia-|cuda-)")
OPTIONS = [
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--quiet",
]


def main() -> None:
    """Write the file that is named."""
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "pyproject.toml",
        *OPTIONS,
        "-c",
        "constraints.txt",
    ]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    pins = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    Path(sys.argv[1]).write_text("\n".join(pin for pin in pins if not LEFT_OUT.match(pin)) + "\n")


if __name__ == "__main__":
    main()
