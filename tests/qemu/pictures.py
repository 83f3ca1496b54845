"""JPEGs for the tests, and what an independent decoder and numpy say of them."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

QUALITY = 90
EDGE_WEIGHTS = ((-1, -1, -1), (-1, 8, -1), (-1, -1, -1))


def make_pixels(width: int, height: int, seed: int = 1) -> Pixels:
    """Return an RGB picture: slopes, as of something real, under noise, which is hard to pack."""
    rows, columns = np.mgrid[0:height, 0:width]
    slopes = np.stack([columns * 5, rows * 3 + 40, (rows + columns) * 2], axis=2) % 256
    noise = np.random.default_rng(seed).integers(-30, 31, slopes.shape)
    return np.clip(slopes + noise, 0, 255).astype(np.uint8)


def write_jpeg(path: Path, width: int, height: int, mode: str = "RGB", **options: Any) -> None:
    """Write a JPEG by Pillow; `mode` is Pillow's: L is grey, CMYK has four channels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(make_pixels(width, height)).convert(mode).save(path, "JPEG", **options)


def decode(path: Path) -> Pixels:
    """Return the RGB pixels of a JPEG, as Pillow decodes it."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def edges(pixels: Pixels) -> Pixels:
    """Return the video demo's filter, written as its definition: no strips, no narrow numbers."""
    padded = np.pad(pixels.astype(np.int64), ((1, 1), (1, 1), (0, 0)), mode="edge")
    height, width, _ = pixels.shape
    total = sum(
        EDGE_WEIGHTS[row][column] * padded[row : row + height, column : column + width]
        for row in range(3)
        for column in range(3)
    )
    return np.clip(total, 0, 255).astype(np.uint8)


def reencoded(pixels: Pixels, folder: Path) -> Pixels:
    """Return what is left of `pixels` after Pillow's JPEG of the demo's quality, 4:2:0 as well."""
    path = folder / "reference.jpg"
    Image.fromarray(pixels).save(path, "JPEG", quality=QUALITY, subsampling="4:2:0")
    return decode(path)


def loss(pixels: Pixels, original: Pixels) -> float:
    """Return the root of the mean squared difference, in steps of 0..255."""
    difference = pixels.astype(np.float64) - original.astype(np.float64)
    return float(np.sqrt(np.mean(difference**2)))
