"""Little-endian C structs by name: laid out as the compiler does, packed and unpacked."""

import struct
from typing import Any


class Layout:
    """A struct with natural alignment.

    Fields in order, each a `struct` format of one kind (``Q``, ``7s``) or another layout.
    """

    def __init__(self, name: str, **fields: "str | Layout") -> None:
        self.name = name
        self.fields = fields
        self.offsets: dict[str, int] = {}
        self.alignment = 1
        offset = 0
        for field, kind in fields.items():
            alignment = _alignment(kind)
            offset += -offset % alignment
            self.offsets[field] = offset
            self.alignment = max(self.alignment, alignment)
            offset += _size(kind)
        self.size = offset + -offset % self.alignment

    def pack(self, **values: Any) -> bytes:
        """Return the bytes; fields that are not named are 0."""
        unknown = values.keys() - self.fields.keys()
        if unknown:
            raise TypeError(f"struct {self.name} has no {', '.join(sorted(unknown))}")
        data = bytearray(self.size)
        for field, value in values.items():
            kind, offset = self.fields[field], self.offsets[field]
            if isinstance(kind, Layout):
                data[offset : offset + kind.size] = kind.pack(**value)
            else:
                numbers = value if isinstance(value, list | tuple) else (value,)
                struct.pack_into("<" + kind, data, offset, *numbers)
        return bytes(data)

    def unpack(self, data: bytes, offset: int = 0) -> dict[str, Any]:
        """Return the fields; one with several numbers is a tuple.

        Raises:
            ValueError: `data` is too short.
        """
        if len(data) - offset < self.size:
            raise ValueError(f"struct {self.name} takes {self.size} bytes of {len(data) - offset}")
        values: dict[str, Any] = {}
        for field, kind in self.fields.items():
            at = offset + self.offsets[field]
            if isinstance(kind, Layout):
                values[field] = kind.unpack(data, at)
            else:
                numbers = struct.unpack_from("<" + kind, data, at)
                values[field] = numbers[0] if len(numbers) == 1 else numbers
        return values


def align8(data: bytes) -> bytes:
    """Return `data` padded with zeros to a multiple of 8."""
    return data + bytes(-len(data) % 8)


def _size(kind: str | Layout) -> int:
    return kind.size if isinstance(kind, Layout) else struct.calcsize("<" + kind)


def _alignment(kind: str | Layout) -> int:
    return kind.alignment if isinstance(kind, Layout) else struct.calcsize("<" + kind[-1])
