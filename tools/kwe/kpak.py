"""The payload archive: decks and programs as the nucleus finds them in its initial module.

    struct kpak_header {char magic[8]; u32 count; u32 reserved;}            16 bytes
    struct kpak_entry  {char name[48]; u64 offset; u64 size;}  [count]      64 bytes each
    data                                                                    each part at a
    multiple of 4096

Little endian; offsets from the archive's first byte; names "deck/NAME" and "program/NAME",
NUL-padded. ELF files are
stripped: the unstripped ones stay in build/ for the symbolizer.
"""

import argparse
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.kwe.errors import BuildError, KweError

MAGIC = b"KWEPAK1\0"
HEADER = struct.Struct("<8sII")
ENTRY = struct.Struct("<48sQQ")
ALIGNMENT = 4096


def _aligned(offset: int) -> int:
    return (offset + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT


def encode(parts: Mapping[str, bytes]) -> bytes:
    """Return the archive of `parts`, in their order; the same parts give the same bytes.

    Raises:
        BuildError: A name is empty or longer than 47 bytes.

    """
    table = bytearray(HEADER.pack(MAGIC, len(parts), 0))
    data = bytearray()
    start = _aligned(HEADER.size + ENTRY.size * len(parts))
    for name, content in parts.items():
        encoded = name.encode()
        if not 0 < len(encoded) < 48:
            raise BuildError(f"payload: the name {name!r} does not have 1 to 47 bytes")
        data.extend(bytes(_aligned(len(data)) - len(data)))
        table += ENTRY.pack(encoded, start + len(data), len(content))
        data += content
    table.extend(bytes(start - len(table)))
    data.extend(bytes(_aligned(len(data)) - len(data)))
    return bytes(table + data)


def decode(archive: bytes) -> dict[str, bytes]:
    """Return the parts of an archive.

    Raises:
        BuildError: It is not an archive, or an entry lies outside it.

    """
    if len(archive) < HEADER.size:
        raise BuildError("payload: shorter than its header")
    magic, count, _ = HEADER.unpack_from(archive)
    if magic != MAGIC:
        raise BuildError(f"payload: magic is {magic!r}, expected {MAGIC!r}")
    if HEADER.size + ENTRY.size * count > len(archive):
        raise BuildError(f"payload: {count} entries do not fit it")
    parts = {}
    for index in range(count):
        raw, offset, size = ENTRY.unpack_from(archive, HEADER.size + ENTRY.size * index)
        name = raw.rstrip(b"\0").decode()
        if offset % ALIGNMENT or offset + size > len(archive):
            raise BuildError(f"payload: {name} lies outside the archive")
        parts[name] = archive[offset : offset + size]
    return parts


def names(archive: Path) -> list[str]:
    """Return the names of an archive's parts.

    Raises:
        BuildError: It is not an archive.
    """
    return list(decode(archive.read_bytes()))


def stripped(path: Path) -> bytes:
    """Return the ELF file without symbols and debug information."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "stripped.elf"
        done = subprocess.run(
            ["objcopy", "--strip-all", path, out], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise BuildError(f"{path}: objcopy: {done.stderr.strip()}")
        return out.read_bytes()


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m tools.kwe.kpak pack OUT NAME=ELF...` or `list ARCHIVE`."""
    parser = argparse.ArgumentParser(description="Pack or list a payload archive.")
    parser.add_argument("action", choices=["pack", "list"])
    parser.add_argument("archive", type=Path)
    parser.add_argument("parts", nargs="*", metavar="NAME=ELF")
    args = parser.parse_args(argv)
    try:
        if args.action == "list":
            for name, content in decode(args.archive.read_bytes()).items():
                print(f"{len(content):>10}  {name}")
        else:
            pairs = [part.split("=", 1) for part in args.parts]
            args.archive.write_bytes(encode({name: stripped(Path(elf)) for name, elf in pairs}))
    except KweError as error:
        print(f"kpak: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
