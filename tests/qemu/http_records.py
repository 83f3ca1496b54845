"""What http_receive leaves (kernel/abi/http.h), read in Python."""

import struct
from dataclasses import dataclass

MAGIC = 0x5148574B
TEXTS = (
    "path",
    "query",
    "host",
    "range",
    "if_range",
    "if_none_match",
    "if_modified_since",
    "content_type",
)
METHODS = ("", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
HEADER = struct.Struct("<IBBBx" + "II" * (len(TEXTS) + 1))


@dataclass(frozen=True)
class Record:
    """One request as the system saw it."""

    method: str
    minor: int
    keep_alive: bool
    texts: dict[str, bytes]
    body: bytes


def read_record(data: bytes) -> Record:
    """Take a record apart.

    Raises:
        ValueError: It is none.
    """
    magic, method, minor, keep_alive, *spans = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise ValueError(f"no request: {data[:16]!r}")
    parts = [data[at : at + length] for at, length in zip(spans[::2], spans[1::2], strict=True)]
    return Record(
        METHODS[method], minor, keep_alive == 1, dict(zip(TEXTS, parts, strict=False)), parts[-1]
    )
