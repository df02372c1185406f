import pytest

from layerwise.utils.config import LARGEST, check_number


@pytest.mark.parametrize(
    "value",
    [
        True,
        [1, True],
        (1.0, False),
        [2, LARGEST + 1],
        [-LARGEST - 1, 2],
        [0.5, LARGEST + 1],
        [[1], [1, True]],
    ],
)
def test_a_truth_value_and_65_bits_are_found_wherever_they_stand_in_a_list(value):
    with pytest.raises(ValueError, match=r"is no number|is too large"):
        check_number(value, tuple[int, ...], "sizes: ")


@pytest.mark.parametrize(
    "value", [[], [1, 2], (0.5, 3), ["a", 0.1], [LARGEST, -LARGEST], [[1, 2], [3]], [None, 1]]
)
def test_right_numbers_pass(value):
    check_number(value, tuple[int, ...])
