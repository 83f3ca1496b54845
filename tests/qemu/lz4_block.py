"""LZ4's block format, decoded as its specification says; slow, and independent of the library."""


def unpacked(block: bytes, size: int | None = None) -> bytes:
    """Return what a block holds; with its size, whatever may follow the block."""
    out = bytearray()
    at = 0
    while at < len(block):
        token = block[at]
        at += 1
        literals, at = _length(block, at, token >> 4)
        out += block[at : at + literals]
        at += literals
        if at == len(block) or len(out) == size:
            break  # the last sequence has literals only
        offset = int.from_bytes(block[at : at + 2], "little")
        count, at = _length(block, at + 2, token & 15)
        # A match may overlap itself, so byte by byte.
        for _ in range(count + 4):
            out.append(out[-offset])
    return bytes(out)


def _length(block: bytes, at: int, nibble: int) -> tuple[int, int]:
    length = nibble
    while nibble == 15:
        length += block[at]
        at += 1
        if block[at - 1] != 255:
            break
    return length, at
