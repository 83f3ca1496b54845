"""`kwe stats`: how much is written by hand, room by room, and how large the image's parts are."""

import argparse
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.kwe.errors import BuildError
from tools.kwe.kpak import ENTRY, HEADER
from tools.kwe.tree import ROOT, find_build

# All that runs in ring 0. Held below this many lines of code without the Guide, which is counted
# apart (docs/decisions/0010); blank lines and comments do not count, or saying why would be what is
# cut first. kernel/abi has declarations only, shared with ring 3.
NUCLEUS_ROOMS = ("boot", "kernel/arch", "kernel/lib", "kernel/nucleus")
GUIDE_ROOMS = ("kernel/nucleus/guide", "kernel/nucleus/workflow")
NUCLEUS_BUDGET = 10_000
ROOMS = (
    *NUCLEUS_ROOMS,
    "kernel/abi",
    "kernel/decks",
    "drivers",
    "userland",
    "codegen",
    "tools",
    "tests",
)

C_SUFFIXES = (".c", ".h", ".S", ".ld")
OTHER_SUFFIXES = (".py", ".j2", ".yaml", ".mk", ".pml")


@dataclass(frozen=True)
class Count:
    """Lines of some files; `code` leaves out blank lines and comments."""

    files: int = 0
    lines: int = 0
    code: int = 0

    def __add__(self, other: "Count") -> "Count":
        """Add field by field."""
        return Count(self.files + other.files, self.lines + other.lines, self.code + other.code)

    def __sub__(self, other: "Count") -> "Count":
        """Subtract field by field."""
        return Count(self.files - other.files, self.lines - other.lines, self.code - other.code)


def count_file(path: Path) -> Count:
    """Count one file's lines."""
    text = path.read_text(errors="replace")
    if path.suffix in C_SUFFIXES:
        # A comment keeps its newlines, so that what stands around it stays on its lines.
        bare = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text, flags=re.DOTALL)
        bare = re.sub(r"//.*", "", bare)
    else:
        bare = re.sub(r"(?m)^\s*#.*", "", text)
    code = sum(1 for line in bare.splitlines() if line.strip())
    return Count(1, len(text.splitlines()), code)


def count_room(root: Path, room: str, suffixes: Iterable[str]) -> Count:
    """Count a room's files with one of `suffixes`."""
    total = Count()
    for path in sorted((root / room).rglob("*")):
        if path.suffix in suffixes and path.is_file():
            total += count_file(path)
    return total


def guide_count(root: Path) -> Count:
    """Count the Guide's C."""
    return sum((count_room(root, room, C_SUFFIXES) for room in GUIDE_ROOMS), Count())


def nucleus_count(root: Path) -> Count:
    """Count the C and assembly of ring 0 that is written by hand, without the Guide's."""
    return sum(
        (count_room(root, room, C_SUFFIXES) for room in NUCLEUS_ROOMS), Count()
    ) - guide_count(root)


def image_sizes(build: Path) -> list[tuple[str, int]]:
    """Return the image's parts and their bytes: the kernel, then what the payload carries."""
    kernel, payload = build / "kwe.elf", build / "payload.kpak"
    sizes = []
    if kernel.exists():
        sizes.append(("kwe.elf: code and data", _loaded_bytes(kernel)))
    if payload.exists():
        with payload.open("rb") as stream:
            _, count, _ = HEADER.unpack(stream.read(HEADER.size))
            for _ in range(count):
                name, _, size = ENTRY.unpack(stream.read(ENTRY.size))
                sizes.append((name.rstrip(b"\0").decode(), size))
        sizes.append(("payload.kpak", payload.stat().st_size))
    return sizes


def _loaded_bytes(path: Path) -> int:
    """Return what the program headers of a 64-bit ELF file load, by its memory size."""
    data = path.read_bytes()
    if data[:4] != b"\x7fELF":
        raise BuildError(f"{path}: it is no ELF file")
    (table,) = struct.unpack_from("<Q", data, 32)
    entry_size, entries = struct.unpack_from("<HH", data, 54)
    total = 0
    for index in range(entries):
        kind, _, _, _, _, _, memory_size, _ = struct.unpack_from(
            "<IIQQQQQQ", data, table + index * entry_size
        )
        total += memory_size if kind == 1 else 0
    return total


def run(args: argparse.Namespace) -> int:
    """Print both tables."""
    root, build = ROOT, find_build(args.build).folder
    print(f"{'room':<16}{'':<12}{'files':>7}{'lines':>8}{'code':>8}")
    for room in ROOMS:
        for label, suffixes in (("C, assembly", C_SUFFIXES), ("the rest", OTHER_SUFFIXES)):
            count = count_room(root, room, suffixes)
            if count.files:
                print(f"{room:<16}{label:<12}{count.files:>7}{count.lines:>8}{count.code:>8}")
    total, guide = nucleus_count(root), guide_count(root)
    print(
        f"\nring 0, by hand: {total.code} lines of code of at most {NUCLEUS_BUDGET} "
        f"({total.lines} with comments and blank lines)\n"
        f"the Guide, ring 0 too, counted apart: {guide.code} ({guide.lines})"
    )
    sizes = image_sizes(build)
    if sizes:
        print(f"\n{'image':<28}{'bytes':>12}")
    for name, size in sizes:
        print(f"{name:<28}{size:>12}")
    return 0


def register(subcommands: Any) -> None:
    """Add `kwe stats`."""
    parser = subcommands.add_parser("stats", help="count lines by room, and the image's parts")
    parser.add_argument("--build", type=Path, metavar="DIR", help="where the image was built")
    parser.set_defaults(run=run)
