"""What the fuzzer of the Network deck begins with: talks in order, as records of fuzz_network.c."""

import sys
from itertools import product
from pathlib import Path

RAW, SEGMENT, DATAGRAM, ICMP6, ARP, TIME, WORK, RECALL, REFUSE, OTHER = (
    0,
    1,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
)
KEEP_FRAMES = 23
AT_ONCE = bytes([12 * 11 + SEGMENT])  # a segment with which the next record comes, without a rest
SERVE_HTTP, SERVE_ECHO, CONNECT, GET, RESOLVE, RECEIVE_UDP, SEND_UDP, SERVE_ANY = range(8)
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ECHO, IPV6, THEIRS = 32, 8, 16  # of a segment's first byte: port 7, by IPv6, to the port that spoke
OPTIONS = b"\x02\x04\x05\xb4\x01\x03\x03\x02\x04\x02\0\0"
PEER6 = b"\xfe\x80" + bytes(13) + b"\x77"
OWN_END = b"\x50\x54\0\xff\xfe\x12\x34\x56"
NAME = b"\5there\7example\0"


def record(kind: int, *values: int, data: bytes = b"") -> bytes:
    return bytes([kind, *values]) + data


def segment(
    end: int,
    flags: int,
    data: bytes = b"",
    options: bytes = b"",
    shift: int = 0,
    owing: int = 0,
) -> bytes:
    """Return a record of a segment that is expected next, or `shift` bytes off.

    It acknowledges all that has come but the last `owing` bytes.
    """
    size = len(data)
    how, count = (1, size) if size < 256 else (2, (size + 7) // 8)
    said = (end, how if size else 0, shift & 0xFF, -owing & 0xFF, flags)
    window, urgent = (0, 0), 0
    rest = (*window, urgent, len(options) // 4, count)
    padded = data.ljust(count * (8 if how == 2 else 1), b"x")
    return record(SEGMENT, *said, *rest, data=options + padded)


def large(end: int, count: int, data: bytes, shift: int = 0) -> bytes:
    """Return a record of a segment of `count` steps, which begins so, `shift` steps off."""
    said = (end, 16 | 32, shift & 0xFF, 0, ACK, 0, 0, 0, 0, count)
    return record(SEGMENT, *said, data=data.ljust(64, b"x"))


def talk(end: int, *parts: bytes) -> bytes:
    """Return a connection that is begun, says its parts, and ends."""
    said = [segment(end, SYN, options=OPTIONS), segment(end, ACK)]
    said += [segment(end, PSH | ACK, part) + segment(end, ACK) for part in parts]
    return b"".join([*said, segment(end, FIN | ACK), segment(end, ACK)])


def sized(kind: int, how: int, data: bytes) -> bytes:
    return record(kind, how, len(data) & 255, len(data) >> 8, data=data)


def seeds() -> list[bytes]:
    """Return the inputs."""
    get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    post = (
        b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    found = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    serve = record(WORK, SERVE_HTTP, 0) + record(WORK, SERVE_ECHO, 0)
    made = []
    for protocol in (0, IPV6):
        made += [
            serve + talk(protocol, get, get + get, post),
            serve + talk(ECHO | protocol, b"hello", b"y" * 1200, b"z"),
            # lost, doubled and late ones; then a reset
            serve
            + segment(ECHO | protocol, SYN, options=OPTIONS)
            + segment(ECHO | protocol, ACK)
            + b"".join(
                segment(ECHO | protocol, ACK, b"a" * 40, shift=s) for s in (40, 80, 20, 0, 0, 120)
            )
            + record(TIME, 200)
            + segment(ECHO | protocol, RST | ACK),
        ]
        # ... and large ones: far too large, out of order, with a hole that is filled
        made.append(
            serve
            + segment(ECHO | protocol, SYN, options=OPTIONS)
            + segment(ECHO | protocol, ACK)
            + b"".join(
                large(ECHO | protocol, count, b"b" * 40, shift)
                for count, shift in ((8, 0), (255, 0), (40, 20), (60, 30), (20, 0), (10, -4))
            )
            + record(TIME, 200)
        )
    for op, answer in product((CONNECT, GET), (b"", found)):
        said = segment(THEIRS, SYN | ACK, options=OPTIONS) + segment(THEIRS, ACK, answer)
        made.append(record(WORK, op, 0) + said + segment(THEIRS, ACK) + record(TIME, 100))
    known = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\2\x4d"
    answers = b"\0\0\x81\x80\0\1\0\1\0\0\0\0" + NAME + b"\0\1\0\1" + known
    made.append(record(WORK, RESOLVE, 0) + sized(DATAGRAM, 1, answers) + record(TIME, 250))
    for kind in (2, 5):
        options = bytes(
            [53, 1, kind, 54, 4, 10, 0, 2, 2, 51, 4, 0, 0, 14, 16, 1, 4, 255, 255, 255, 0]
        )
        offer = b"\2\1\6\0" + bytes(12) + b"\x0a\0\2\x0f" + bytes(220) + options + b"\xff"
        made.append(record(OTHER, 0) + sized(DATAGRAM, 2, offer) * 2 + record(TIME, 100))
    made.append(record(WORK, SEND_UDP, 200) + sized(DATAGRAM, 3, b"d" * 300))
    prefix = b"\3\4\x40\xc0\0\1\0\0\0\1\0\0" + bytes(4) + b"\xfd\0" + bytes(14)
    advertised = bytes(4) + b"\x40\0\7\x08" + bytes(8) + b"\1\1\x52\x55\0\0\0\x77" + prefix
    made.append(record(ICMP6, 8, (len(advertised) + 3) // 4, data=advertised) + record(TIME, 250))
    for kind in range(13):
        made.append(record(ICMP6, kind, 12, data=bytes(48)))
    header = bytes(14) + b"\x45\0\0\x54\0\1\x20\0\x40\1\0\0" + bytes(8)
    made.append(sized(RAW, 1, header + b"\x08\0" + bytes(62)))
    rest = bytes(14) + b"\x60\0\0\0\0\x48\x2c\x40" + bytes(32)
    made.append(sized(RAW, 5, rest + b"\x3a\0\0\1\0\0\0\5" + bytes(64)))
    made.append(record(ARP, 0, data=bytes(60)) + record(ARP, 2, data=bytes(60)))
    made.append(record(REFUSE, 3) + serve + talk(0, get))
    made += [
        record(WORK, SERVE_ANY, number) + talk(0, *[get, b"", b""] * 4) + record(TIME, 60)
        for number in range(24)
    ]
    made.append(serve + talk(0, get) + record(RECALL, 0) + record(TIME, 255))
    return made


def found() -> list[bytes]:
    """Return what it has found, each mended since."""
    serve = record(WORK, SERVE_HTTP, 0)
    get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    header = bytes(14) + b"\x60\0\0\0\0\x01\0\x40" + bytes(32)
    return [
        # The packet ends with the first byte of its hop-by-hop options, and with that of an option.
        sized(RAW, 5, header + b"\x3a"),
        sized(RAW, 5, header[:19] + b"\x08" + header[20:] + b"\x3a\0\1\3\0\0\0\5"),
        # A solicitation whose link-layer address has no length.
        record(ICMP6, 10, 7, data=bytes(8) + b"\xfe\x80" + bytes(6) + OWN_END + bytes(4)),
        # A SYN that ends with an option's kind.
        segment(0, SYN, options=b"\1\1\1\2"),
        # The path narrows, by a little and to nothing, while segments have not arrived: the first,
        # which is one piece, and one of headers and data that lie elsewhere, sent three times.
        *(
            serve
            + segment(IPV6, SYN, options=OPTIONS)
            + segment(IPV6, ACK)
            + segment(IPV6, PSH | ACK, get)
            + segment(IPV6, ACK, owing=100) * arrived
            + record(ICMP6, 1, 12, data=bytes(4) + mtu.to_bytes(4) + bytes(24) + PEER6)
            + record(TIME, 255) * 10
            for mtu, arrived in ((1280, 0), (50, 0), (1280, 1))
        ),
        # What a card has merged overlaps what was there, by more than its first buffer.
        serve
        + segment(0, SYN, options=OPTIONS)
        + segment(0, ACK)
        + large(0, 16, b"GET /")
        + large(0, 32, b"GET /", shift=-16),
        # More wait for a card than its queue has room for, when it goes on.
        serve
        + segment(0, SYN, options=OPTIONS)
        + segment(0, ACK)
        + record(KEEP_FRAMES, 1)
        + (AT_ONCE + segment(0, ACK, b"late", shift=9)[1:]) * 60
        + record(OTHER, 1),
        # An answer waits for a card that keeps its frames: without a rest.
        serve + record(KEEP_FRAMES, 1) + talk(0, get, *[b""] * 8) + record(TIME, 100),
    ]


def write_corpus(folder: Path) -> None:
    """Write each to a file of ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds() + found()):
        (folder / f"seed-{number}").write_bytes(seed)


if __name__ == "__main__":
    write_corpus(Path(sys.argv[1]))
