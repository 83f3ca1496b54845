"""Each header compiles alone: whoever includes it need include nothing before it."""

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.lint.files import c_files

WARNINGS = [
    "-std=gnu11",
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Werror",
]
RING_0 = [
    "gcc",
    "-ffreestanding",
    "-fno-pic",
    "-mcmodel=kernel",
    "-mno-red-zone",
    "-mgeneral-regs-only",
]
RING_3 = ["musl-gcc"]
HOST = ["gcc", "-D_GNU_SOURCE"]

# The compiler of a header's room, by the start of its path; the first that fits.
COMPILERS = (
    ("kernel/decks/", RING_3),
    ("kernel/", RING_0),
    ("boot/", RING_0),
    ("tests/host/", HOST),
    ("", RING_3),
)


def check_one(root: Path, build: Path, header: Path) -> str | None:
    """Compile one header by itself; returns the compiler's words when it cannot."""
    compiler = next(command for start, command in COMPILERS if str(header).startswith(start))
    command = [
        *(*compiler, *WARNINGS, "-fsyntax-only", "-I.", f"-I{build}/gen"),
        *("-isystem", f"{build}/include", "-x", "c", "-include", str(header), os.devnull),
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return f"{header}: does not compile alone:\n{done.stderr}" if done.returncode else None


def check(root: Path, build: Path) -> Iterator[str]:
    """Yield each header that does not compile alone."""
    headers = list(c_files(root, ".h"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for complaint in pool.map(lambda header: check_one(root, build, header), headers):
            if complaint:
                yield complaint
