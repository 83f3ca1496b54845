"""The accelerator's arithmetic against a plain loop in exact integers."""

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.accelerator.convolve import MAX_DIVISOR, MAX_WEIGHT, convolve

Picture = npt.NDArray[np.uint8]


def reference(pixels: Picture, weights: list[int], divisor: int, bias: int) -> Picture:
    height, width, channels = pixels.shape
    out = np.zeros_like(pixels)
    for y in range(height):
        for x in range(width):
            for channel in range(channels):
                total = 0
                for index, weight in enumerate(weights):
                    row = min(max(y + index // 3 - 1, 0), height - 1)
                    column = min(max(x + index % 3 - 1, 0), width - 1)
                    total += weight * int(pixels[row, column, channel])
                rounded = (2 * abs(total) + divisor) // (2 * divisor)
                signed = -rounded if total < 0 else rounded
                out[y, x, channel] = min(max(signed + bias, 0), 255)
    return out


def number(limit: int) -> st.SearchStrategy[int]:
    """Small numbers, which hit the clamps' inside, and the limits."""
    return st.one_of(st.integers(-9, 9), st.integers(-limit, limit))


@settings(max_examples=150, deadline=None)
@given(
    height=st.integers(1, 7),
    width=st.integers(1, 7),
    channels=st.sampled_from([1, 3]),
    weights=st.lists(number(MAX_WEIGHT), min_size=9, max_size=9),
    divisor=st.one_of(st.integers(1, 16), st.integers(1, MAX_DIVISOR)),
    bias=number(MAX_WEIGHT),
    seed=st.integers(0, 2**32),
)
def test_convolve_equals_the_plain_loop(
    height: int, width: int, channels: int, weights: list[int], divisor: int, bias: int, seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    out = np.empty_like(pixels)

    convolve(pixels, weights, divisor, bias, out)

    np.testing.assert_array_equal(out, reference(pixels, weights, divisor, bias))


def test_halves_are_rounded_away_from_zero() -> None:
    pixels = np.full((1, 1, 1), 1, np.uint8)
    out = np.empty_like(pixels)
    centre = [0, 0, 0, 0, 1, 0, 0, 0, 0]

    convolve(pixels, [3 * w for w in centre], 2, 0, out)  # 1.5
    assert out[0, 0, 0] == 2
    convolve(pixels, [-3 * w for w in centre], 2, 10, out)  # -1.5 + 10
    assert out[0, 0, 0] == 8


def test_strips_meet_without_a_seam() -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (300, 512, 3), np.uint8)
    weights = [1, 2, 1, 2, 4, 2, 1, 2, 1]
    whole, part = np.empty_like(pixels), np.empty((7, 512, 3), np.uint8)

    convolve(pixels, weights, 16, 0, whole)

    # Seven rows from anywhere, convolved with their neighbours, are the same seven rows.
    for start in range(1, 290, 31):
        convolve(pixels[start - 1 : start + 6], weights, 16, 0, part)
        np.testing.assert_array_equal(part[1:6], whole[start : start + 5])


def test_a_large_picture_needs_wide_sums() -> None:
    pixels = np.full((200, 300, 3), 255, np.uint8)
    out = np.empty_like(pixels)

    convolve(pixels, [MAX_WEIGHT] * 9, MAX_DIVISOR, 0, out)

    assert (out == (2 * 255 * 9 * MAX_WEIGHT + MAX_DIVISOR) // (2 * MAX_DIVISOR)).all()
