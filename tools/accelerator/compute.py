"""One request to one response: check everything the guest said, compute, never raise."""

import time

import numpy as np

from tools.accelerator import protocol
from tools.accelerator.convolve import MAX_DIVISOR, MAX_WEIGHT, convolve
from tools.accelerator.protocol import Convolve, Request, Response

MAX_SIDE = 65500


class BadRequestError(Exception):
    """A field is out of range, or contradicts another."""


def answer(memory: memoryview, request: Request) -> Response:
    """Carry out `request` on the shared memory."""
    start = time.monotonic_ns()
    try:
        if request.op != protocol.OP_CONVOLVE:
            return Response(request.id, protocol.STATUS_UNKNOWN_OP)
        out_bytes = _convolve(memory, request)
    except BadRequestError:
        return Response(request.id, protocol.STATUS_BAD_REQUEST)
    except MemoryError:
        return Response(request.id, protocol.STATUS_FAILED)
    return Response(request.id, protocol.STATUS_OK, out_bytes, time.monotonic_ns() - start)


def _region(memory: memoryview, offset: int, length: int) -> memoryview:
    """Return a part of the data area."""
    if offset < protocol.DATA or length > len(memory) or offset > len(memory) - length:
        raise BadRequestError(f"[{offset}, +{length}) lies outside the data")
    return memory[offset : offset + length]


def _convolve(memory: memoryview, request: Request) -> int:
    if request.params_bytes != Convolve.SIZE:
        raise BadRequestError(f"{request.params_bytes} bytes of parameters")
    # Copied once: what is checked is what is used.
    params = Convolve.unpack(bytes(_region(memory, request.params_offset, Convolve.SIZE)))
    _check(params)
    size = params.width * params.height * params.channels
    if request.in_bytes != size or request.out_bytes < size:
        raise BadRequestError(f"{request.in_bytes} in, {request.out_bytes} out, not {size}")
    shape = (params.height, params.width, params.channels)
    pixels = np.frombuffer(_region(memory, request.in_offset, size), np.uint8).reshape(shape)
    out = np.frombuffer(_region(memory, request.out_offset, size), np.uint8).reshape(shape)
    convolve(pixels, params.weights, params.divisor, params.bias, out)
    return size


def _check(params: Convolve) -> None:
    if not (1 <= params.width <= MAX_SIDE and 1 <= params.height <= MAX_SIDE):
        raise BadRequestError(f"a picture of {params.width} x {params.height}")
    if params.channels not in (1, 3):
        raise BadRequestError(f"{params.channels} channels")
    if not 1 <= params.divisor <= MAX_DIVISOR:
        raise BadRequestError(f"divisor {params.divisor}")
    if any(abs(number) > MAX_WEIGHT for number in (*params.weights, params.bias)):
        raise BadRequestError("a weight or the bias is out of range")
