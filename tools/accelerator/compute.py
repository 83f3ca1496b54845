"""One request to one response: check everything the guest said, compute, never raise."""

import io
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from tools.accelerator import protocol
from tools.accelerator.convolve import MAX_DIVISOR, MAX_WEIGHT, convolve
from tools.accelerator.protocol import Convolve, JpegEncode, Request, Response

MAX_SIDE = 65500
MAX_QUALITY = 100


class BadRequestError(Exception):
    """A field is out of range, or contradicts another."""


class NoRoomError(Exception):
    """The output does not fit.

    Attributes:
        bytes: That it has.
    """

    def __init__(self, size: int) -> None:
        super().__init__(f"an output of {size} bytes")
        self.bytes = size


def answer(memory: memoryview, request: Request) -> Response:
    """Carry out `request` on the shared memory."""
    start = time.monotonic_ns()
    try:
        compute = _OPS.get(request.op)
        if compute is None:
            return Response(request.id, protocol.STATUS_UNKNOWN_OP)
        out_bytes = compute(memory, request)
    except BadRequestError:
        return Response(request.id, protocol.STATUS_BAD_REQUEST)
    except NoRoomError as error:
        return Response(request.id, protocol.STATUS_NO_ROOM, error.bytes)
    except MemoryError:
        return Response(request.id, protocol.STATUS_FAILED)
    return Response(request.id, protocol.STATUS_OK, out_bytes, time.monotonic_ns() - start)


def _region(memory: memoryview, offset: int, length: int) -> memoryview:
    """Return a part of the data area."""
    if offset < protocol.DATA or length > len(memory) or offset > len(memory) - length:
        raise BadRequestError(f"[{offset}, +{length}) lies outside the data")
    return memory[offset : offset + length]


def _params(memory: memoryview, request: Request, size: int) -> bytes:
    """Return the parameter struct, copied once: what is checked is what is used."""
    if request.params_bytes != size:
        raise BadRequestError(f"{request.params_bytes} bytes of parameters")
    return bytes(_region(memory, request.params_offset, size))


def _convolve(memory: memoryview, request: Request) -> int:
    params = Convolve.unpack(_params(memory, request, Convolve.SIZE))
    _check(params)
    size = params.width * params.height * params.channels
    if request.in_bytes != size or request.out_bytes < size:
        raise BadRequestError(f"{request.in_bytes} in, {request.out_bytes} out, not {size}")
    shape = (params.height, params.width, params.channels)
    pixels = np.frombuffer(_region(memory, request.in_offset, size), np.uint8).reshape(shape)
    out = np.frombuffer(_region(memory, request.out_offset, size), np.uint8).reshape(shape)
    convolve(pixels, params.weights, params.divisor, params.bias, out)
    return size


def _jpeg_encode(memory: memoryview, request: Request) -> int:
    params = JpegEncode.unpack(_params(memory, request, JpegEncode.SIZE))
    _check_sides(params.width, params.height)
    if not 1 <= params.quality <= MAX_QUALITY:
        raise BadRequestError(f"quality {params.quality}")
    size = params.width * params.height * 3
    if request.in_bytes != size:
        raise BadRequestError(f"{request.in_bytes} in, not {size}")
    out = _region(memory, request.out_offset, request.out_bytes)
    pixels = np.frombuffer(_region(memory, request.in_offset, size), np.uint8)
    picture = io.BytesIO()
    Image.fromarray(pixels.reshape(params.height, params.width, 3)).save(
        picture, "JPEG", quality=params.quality, subsampling="4:2:0"
    )
    encoded = picture.getbuffer()
    if len(encoded) > len(out):
        raise NoRoomError(len(encoded))
    out[: len(encoded)] = encoded
    return len(encoded)


_OPS: dict[int, Callable[[memoryview, Request], int]] = {
    protocol.OP_CONVOLVE: _convolve,
    protocol.OP_JPEG_ENCODE: _jpeg_encode,
}


def _check_sides(width: int, height: int) -> None:
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise BadRequestError(f"a picture of {width} x {height}")


def _check(params: Convolve) -> None:
    _check_sides(params.width, params.height)
    if params.channels not in (1, 3):
        raise BadRequestError(f"{params.channels} channels")
    if not 1 <= params.divisor <= MAX_DIVISOR:
        raise BadRequestError(f"divisor {params.divisor}")
    if any(abs(number) > MAX_WEIGHT for number in (*params.weights, params.bias)):
        raise BadRequestError("a weight or the bias is out of range")
