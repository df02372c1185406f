"""Make pictures of the pipelines as Kedro-Viz shows them first: `make viz-pictures` does.

    python docs/make_viz_pictures.py [--chromium PROGRAM] [--into FOLDER] [PIPELINE ...]

Builds the static site of Kedro-Viz, serves it on this machine for a moment, and has a headless Chromium take a picture
of each pipeline. Without names, the two pictures of the documentation are made.
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from PIL import Image

PROJECT = Path(__file__).parent.parent
PICTURES = PROJECT / "docs/pictures"
SHOWN = ("dbn", "autoencoder")
# More pixels than shown: the labels of a whole pipeline are small.
WINDOW, SCALE = "2100,1000", 1.2
N_COLORS = 32


# What a visitor's browser keeps of his choices: the light theme, and the whole window for the pipeline.
CHOICES = {
    "theme": "light",
    "showFeatureHints": False,
    "visible": {"sidebar": False, "miniMap": False, "miniMapBtn": False, "labelBtn": True, "layerBtn": True},
}
START = f"""<script>
localStorage.setItem("KedroViz", JSON.stringify({json.dumps(CHOICES)}));
location.replace("/" + location.search);
</script>"""


class SiteHandler(SimpleHTTPRequestHandler):
    """Serves the site without a line for each file, and the page `/start`, which makes the choices."""

    def do_GET(self) -> None:
        """Answer with the start page or a file of the site."""
        if not self.path.startswith("/start?"):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(START.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def build_site(folder: Path) -> Path:
    """Have Kedro-Viz write its static site into a folder of this project's, and move it to `folder`."""
    subprocess.run([sys.executable, "-m", "kedro", "viz", "build"], cwd=PROJECT, check=True)
    return Path(shutil.move(PROJECT / "build", folder / "site"))


def take_picture(chromium: str, address: str, path: Path) -> None:
    """Save what a browser shows at an address as a PNG file of few colors."""
    command = [
        *[chromium, "--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={WINDOW}"],
        *[f"--force-device-scale-factor={SCALE}", "--virtual-time-budget=20000"],
        *[f"--screenshot={path}", address],
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(N_COLORS)
    small.save(path, optimize=True)


def main() -> None:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pipelines", nargs="*", default=SHOWN)
    parser.add_argument("--chromium", default="chromium")
    parser.add_argument("--into", type=Path, default=PICTURES)
    given = parser.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        site = build_site(Path(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(SiteHandler, directory=str(site)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in given.pipelines:
            address = f"http://127.0.0.1:{server.server_port}/start?pid={name}"
            take_picture(given.chromium, address, given.into / f"kedro_viz_{name}.png")
        server.shutdown()


if __name__ == "__main__":
    main()
