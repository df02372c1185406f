"""Draw the README's pictures of a finished `kedro run --pipelines=dbn`.

python docs/make_pictures.py
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

PROJECT = Path(__file__).parent.parent
REPORTING = PROJECT / "data/08_reporting/digits/dbn"


def side_by_side(names: list[str], height: int = 560) -> Image.Image:
    """Return the run's figures in one line, on white."""
    figures = []
    for name in names:
        with Image.open(REPORTING / f"{name}.png") as figure:
            width = round(figure.width * height / figure.height)
            figures.append(figure.convert("RGB").resize((width, height), Image.Resampling.LANCZOS))
    line = Image.new("RGB", (sum(f.width for f in figures) + 20 * (len(figures) - 1), height), "white")
    left = 0
    for figure in figures:
        line.paste(figure, (left, 0))
        left += figure.width + 20
    return line


def main() -> None:
    """Write docs/pictures/features_and_samples.png and stages.png."""
    pictures = PROJECT / "docs/pictures"
    side_by_side(["features", "samples"]).quantize(128).save(
        pictures / "features_and_samples.png", optimize=True
    )
    side_by_side(["reconstructions"], 290).quantize(64).save(pictures / "reconstructions.png", optimize=True)
    side_by_side(["predictions", "code_map"]).quantize(128).save(pictures / "results.png", optimize=True)


if __name__ == "__main__":
    main()
