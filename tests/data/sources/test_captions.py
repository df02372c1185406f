import pytest
import torch

from layerwise.data import DataError
from layerwise.data.sources import Captions
from layerwise.data.sources.captions import mean_intensity, stroke_slant

SHAPE = (8, 8)


def stroke(slope, width=1):
    """A line through the middle that moves `slope` columns to the right from each line to the one above."""
    image = torch.zeros(SHAPE)
    for line in range(8):
        column = round(3.5 + slope * (3.5 - line))
        for c in range(column, column + width):
            if 0 <= c < 8:
                image[line, c] = 1.0
    return image.reshape(-1)


@pytest.fixture
def captions():
    rows = torch.stack([stroke(s, w) for s in (-0.5, 0.0, 0.5) for w in (1, 2, 3)] * 2)
    targets = torch.tensor([1] * 9 + [7] * 9)
    names = [str(k) for k in range(10)]
    known = torch.cat([rows, *[rows] * 8])
    classes = torch.cat([targets, *[torch.full((18,), k) for k in (0, 2, 3, 4, 5, 6, 8, 9)]])
    return Captions.fit(known, classes, names, SHAPE), known, classes


@pytest.mark.parametrize("slope", [-1, 0, 1])
def test_the_slant_of_a_line_is_its_slope(slope):
    diagonal = torch.eye(8).flip(1) if slope == 1 else torch.eye(8)
    rows = diagonal.reshape(1, -1) if slope else stroke(0)[None]
    assert float(stroke_slant(rows, SHAPE)) == pytest.approx(slope, abs=1e-5)


def test_intensity_is_the_mean_pixel():
    assert float(mean_intensity(stroke(0, 2)[None])) == pytest.approx(16 / 64)


def test_images_are_described_by_the_terciles_of_their_class(captions):
    fitted, rows, classes = captions
    codes = fitted.describe(rows[:9], classes[:9])
    assert codes[:, 0].tolist() == [1] * 9
    assert codes[1::3, 1].tolist() == [1] * 3  # two pixels wide is the middle tercile
    assert codes[:3, 2].tolist() == [0] * 3
    assert codes[6:, 2].tolist() == [2] * 3


@pytest.mark.parametrize(
    ("caption", "codes"),
    [
        ("a seven, thick", (7, 2, None)),
        ("a thin 1 leaning to the right", (1, 0, 2)),
        ("upright", (None, None, 1)),
        ("", (None, None, None)),
    ],
)
def test_a_caption_becomes_codes(captions, caption, codes):
    assert captions[0].parse(caption) == codes


@pytest.mark.parametrize(
    ("caption", "message"),
    [
        ("a sevn", "unknown word 'sevn'; did you mean 'seven'"),
        ("a three and a four", "two things at once; 'four'"),
    ],
)
def test_a_caption_that_cannot_be_read_is_named(captions, caption, message):
    with pytest.raises(DataError, match=message):
        captions[0].parse(caption)


def test_what_a_caption_leaves_open_is_drawn_from_real_images(captions):
    fitted, rows, classes = captions
    known = fitted.describe(rows, classes)
    sampled = fitted.sample("a seven, thick", known, 300, torch.Generator().manual_seed(0))
    assert (sampled[:, 0] == 7).all()
    assert (sampled[:, 1] == 2).all()
    allowed = {tuple(code) for code in known.tolist()}
    assert {tuple(code) for code in sampled.tolist()} <= allowed
    assert len({code[2] for code in sampled.tolist()}) > 1


def test_a_condition_is_one_hot_in_each_kind(captions):
    fitted = captions[0]
    found = fitted.condition(torch.tensor([[7, 2, 0]]))
    assert found.shape == (1, 16)
    assert found[0].nonzero()[:, 0].tolist() == [7, 12, 13]
