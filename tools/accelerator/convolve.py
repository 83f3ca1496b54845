"""3x3 convolution of 8-bit pictures with integer weights, by numpy."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

# As deck.yaml bounds them: with these, every sum fits 64 bits by far.
MAX_WEIGHT = 1 << 16
MAX_DIVISOR = 1 << 20

_STRIP_PIXELS = 1 << 17


def convolve(
    pixels: npt.NDArray[np.uint8],
    weights: Sequence[int],
    divisor: int,
    bias: int,
    out: npt.NDArray[np.uint8],
) -> None:
    """Write the convolution of `pixels` to `out`.

    Edges are replicated; (sum of weight * pixel) / divisor is rounded half away from zero, then
    bias is added and the value clamped
    to 0..255; each channel stands alone.

    Args:
        pixels: (height, width, channels).
        weights: Nine, row by row: weights[0] meets the pixel above and to the left.
        divisor: At least 1.
        bias: Added after the division.
        out: Of the shape of `pixels`; may not overlap it.

    Source: the issue's words, "edges replicated; rounded half away from zero, clamped 0..255,
    each channel alone".

    """
    height, width, channels = pixels.shape
    kind = _smallest_kind(weights, divisor, bias)
    # In strips, so that what is worked on stays in the processor's cache and temporary memory
    # stays small.
    rows = max(1, _STRIP_PIXELS // (width * channels))
    for start in range(0, height, rows):
        stop = min(start + rows, height)
        strip = np.empty((stop - start + 2, width + 2, channels), kind)
        strip[1:-1, 1:-1] = pixels[start:stop]
        strip[0, 1:-1] = pixels[max(start - 1, 0)]
        strip[-1, 1:-1] = pixels[min(stop, height - 1)]
        strip[:, 0] = strip[:, 1]
        strip[:, -1] = strip[:, -2]
        _convolve_strip(strip, weights, divisor, bias, out[start:stop])


def _smallest_kind(weights: Sequence[int], divisor: int, bias: int) -> type[np.signedinteger[Any]]:
    """Return the narrowest integer that holds all sums: narrow ones are much faster."""
    largest = 255 * sum(abs(weight) for weight in weights) * 2 + 2 * divisor + abs(bias)
    for kind in (np.int16, np.int32):
        if largest <= np.iinfo(kind).max:
            return kind
    return np.int64


def _convolve_strip(
    strip: npt.NDArray[np.signedinteger[Any]],
    weights: Sequence[int],
    divisor: int,
    bias: int,
    out: npt.NDArray[np.uint8],
) -> None:
    """Convolve a strip that has its border around it."""
    height, width, _ = out.shape
    total = np.zeros(out.shape, strip.dtype)
    term = np.empty_like(total)
    for index, weight in enumerate(weights):
        row, column = divmod(index, 3)
        part = strip[row : row + height, column : column + width]
        if weight == 1:
            total += part
        elif weight == -1:
            total -= part
        elif weight:
            np.multiply(part, strip.dtype.type(weight), out=term)
            total += term
    if divisor != 1:
        _divide_half_away(total, divisor)
    if bias:
        total += strip.dtype.type(bias)
    np.clip(total, 0, 255, out=total)
    np.copyto(out, total, casting="unsafe")


def _divide_half_away(total: npt.NDArray[np.signedinteger[Any]], divisor: int) -> None:
    """Divide in place, rounding half away from zero.

    That is sign(x) * floor((2 * |x| + divisor) / (2 * divisor)).
    """
    negative = total < 0
    np.abs(total, out=total)
    total *= 2
    total += divisor
    total //= 2 * divisor
    np.negative(total, out=total, where=negative)
