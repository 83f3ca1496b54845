"""A multipart answer that does not end (multipart/x-mixed-replace), read part by part."""

import email.parser
from collections.abc import Iterator
from email.message import Message
from http.client import HTTPResponse

MOST_LINE = 4096


def read_parts(answer: HTTPResponse) -> Iterator[tuple[Message, bytes]]:
    """Yield each part's fields and content, as it is whole.

    Raises:
        ValueError: It is no multipart answer, or a part is malformed.
    """
    boundary = answer.headers.get_param("boundary", header="content-type")
    if answer.headers.get_content_maintype() != "multipart" or not isinstance(boundary, str):
        raise ValueError(f"no multipart answer: {answer.headers['Content-Type']}")
    delimiter = f"--{boundary}\r\n".encode()
    if (line := answer.readline(MOST_LINE)) != delimiter:
        raise ValueError(f"{line!r} instead of the first delimiter")
    while fields := _read_fields(answer):
        length = int(fields["Content-Length"])
        content = answer.read(length)
        if len(content) < length:
            return  # cut off
        if (line := answer.readline(MOST_LINE) + answer.readline(MOST_LINE)) != b"\r\n" + delimiter:
            raise ValueError(f"{line!r} instead of a delimiter behind the part")
        yield fields, content


def _read_fields(answer: HTTPResponse) -> Message | None:
    """Return a part's fields; None: the body has ended."""
    lines = b""
    while (line := answer.readline(MOST_LINE)) not in (b"\r\n", b""):
        lines += line
    return email.parser.BytesParser().parsebytes(lines) if line else None
