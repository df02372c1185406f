"""What is proposed for pictures in color, and that the proposal is read as it says."""

import numpy as np
import yaml
from kedro.io import AbstractDataset
from PIL import Image

from layerwise.profiling import propose_problem


def colors(n, height, width):
    return np.random.default_rng(0).integers(0, 256, (n, height, width, 3), dtype=np.uint8)


def loaded(found):
    entry = yaml.safe_load(found.catalog)["raw"]
    return AbstractDataset.from_config("raw", entry).load()


def test_a_folder_of_colored_pictures_keeps_its_colors_and_says_so(tmp_path):
    for k, pixels in enumerate(colors(6, 50, 40)):
        path = tmp_path / f"p/{'ab'[k % 2]}/{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    found = propose_problem("mine", tmp_path / "p", tmp_path)
    # A color has three values: sides are shorter than those of gray pictures.
    assert found.proposal.entry["size"] == [36, 29]
    assert found.proposal.entry["color"] == "rgb"
    assert any("colors, which are kept" in each for each in found.proposal.findings)
    assert "# The images are read in red, green and blue; with color: gray in gray." in found.catalog
    assert loaded(found).pixels.shape == (6, 36, 29, 3)


def test_gray_pictures_have_no_line_of_colors(tmp_path):
    for k in range(4):
        path = tmp_path / f"p/{'ab'[k % 2]}/{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((5, 4, 3), 20 * k, np.uint8)).save(path)
    found = propose_problem("mine", tmp_path / "p", tmp_path)
    assert "color" not in found.proposal.entry
    assert loaded(found).pixels.shape == (4, 5, 4)


def test_arrays_whose_shape_does_not_tell_get_the_likelier_channels_and_the_other_as_a_comment(tmp_path):
    pixels = colors(6, 4, 4)
    flat = np.moveaxis(pixels, -1, 1).reshape(6, -1)
    np.savez(tmp_path / "a.npz", images=flat, labels=np.arange(6) % 3)
    found = propose_problem("mine", tmp_path / "a.npz", tmp_path)
    assert (found.proposal.entry["channels"], found.proposal.entry["color"]) == ("first", "rgb")
    assert "Else: last" in found.catalog
    assert (loaded(found).pixels == pixels).all()
