"""Texts that look the same are one, whatever is in them that cannot be seen."""

import time

import pytest

from layerwise.data.reading.cells import plain_text, trim


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\u200b Zürich\ufeff", "Zürich"),
        ("Zu\u0308rich", "Zürich"),
        ("Co\u00adoperation", "Cooperation"),
        ("New\u00a0York", "New York"),
        ("\u3000Tokyo \u200d", "Tokyo"),
        ("  plain  ", "plain"),
    ],
)
def test_what_cannot_be_seen_is_left_out(text, plain):
    assert plain_text(text) == plain


def test_blanks_within_a_long_text_take_no_longer_than_its_letters():
    long = "é" + " " * 1_000_000 + "x"
    start = time.process_time()
    assert trim(long) == long
    assert plain_text(long) == long
    assert time.process_time() - start < 1
