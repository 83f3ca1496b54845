"""The layout of the shared memory: kernel/abi/accel.h and kernel/lib/ring.h as Python sees them.

tests/tools/test_accelerator_layout.py holds every number here to the C headers.
"""

import struct
from dataclasses import dataclass
from typing import Self

MAGIC = 0x4C4543434145574B
VERSION = 1
SLOTS = 64
REQUESTS = 0x1000
RESPONSES = 0x3000
DATA = 0x5000
HEARTBEAT_S = 0.05

# struct kwe_accel_control
CONTROL_MAGIC = 0
CONTROL_VERSION = 8
CONTROL_SLOTS = 12
CONTROL_WINDOW_BYTES = 16
CONTROL_EPOCH = 64
CONTROL_WORKER_PEER = 68
CONTROL_WORKER_SESSION = 72
CONTROL_HEARTBEAT_NS = 128
CONTROL_GUEST_SESSION = 192
CONTROL_GUEST_PEER = 196

# struct ring
RING_TAIL = 0
RING_HEAD = 64
RING_SLOT = 192
SLOT_BYTES = 64

OP_CONVOLVE = 1
OP_JPEG_ENCODE = 2

STATUS_OK = 0
STATUS_BAD_REQUEST = 1
STATUS_UNKNOWN_OP = 2
STATUS_FAILED = 3
STATUS_NO_ROOM = 4

_REQUEST = struct.Struct("<IIQQQQQQQ")
_RESPONSE = struct.Struct("<IIQQ40x")
_CONVOLVE = struct.Struct("<III2i9i")
_JPEG_ENCODE = struct.Struct("<III")


@dataclass(frozen=True)
class Request:
    """struct kwe_accel_request, as the guest wrote it: nothing in it is checked yet."""

    id: int
    op: int
    params_offset: int
    params_bytes: int
    in_offset: int
    in_bytes: int
    out_offset: int
    out_bytes: int

    @classmethod
    def unpack(cls, slot: bytes) -> Self:
        """Decode one ring slot."""
        return cls(*_REQUEST.unpack(slot)[:8])

    def pack(self) -> bytes:
        """Encode it as a ring slot."""
        return _REQUEST.pack(
            self.id,
            self.op,
            self.params_offset,
            self.params_bytes,
            self.in_offset,
            self.in_bytes,
            self.out_offset,
            self.out_bytes,
            0,
        )


@dataclass(frozen=True)
class Response:
    """struct kwe_accel_response."""

    id: int
    status: int
    out_bytes: int = 0
    worker_ns: int = 0

    @classmethod
    def unpack(cls, slot: bytes) -> Self:
        """Decode one ring slot."""
        return cls(*_RESPONSE.unpack(slot))

    def pack(self) -> bytes:
        """Encode it as a ring slot."""
        return _RESPONSE.pack(self.id, self.status, self.out_bytes, self.worker_ns)


@dataclass(frozen=True)
class Convolve:
    """struct kwe_accel_convolve."""

    width: int
    height: int
    channels: int
    divisor: int
    bias: int
    weights: tuple[int, ...]

    SIZE = _CONVOLVE.size

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Decode the parameter struct."""
        width, height, channels, divisor, bias, *weights = _CONVOLVE.unpack(data)
        return cls(width, height, channels, divisor, bias, tuple(weights))

    def pack(self) -> bytes:
        """Encode the parameter struct."""
        return _CONVOLVE.pack(
            self.width, self.height, self.channels, self.divisor, self.bias, *self.weights
        )


@dataclass(frozen=True)
class JpegEncode:
    """struct kwe_accel_jpeg_encode."""

    width: int
    height: int
    quality: int

    SIZE = _JPEG_ENCODE.size

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Decode the parameter struct."""
        return cls(*_JPEG_ENCODE.unpack(data))

    def pack(self) -> bytes:
        """Encode the parameter struct."""
        return _JPEG_ENCODE.pack(self.width, self.height, self.quality)
