"""Which files are ours to check: everything in the tree but what is made and what is golden."""

from collections.abc import Iterator
from pathlib import Path

C_ROOMS = ("boot", "drivers", "kernel", "tests", "userland")
PYTHON_ROOMS = ("codegen", "tools", "tests")


def c_files(root: Path, *suffixes: str) -> Iterator[Path]:
    """Yield hand-written C files, as paths from the root, in order."""
    for room in C_ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix in (suffixes or (".c", ".h")) and "golden" not in path.parts:
                yield path.relative_to(root)


def python_rooms(root: Path) -> list[str]:
    """Return the folders that hold Python."""
    return [room for room in PYTHON_ROOMS if (root / room).is_dir()]
