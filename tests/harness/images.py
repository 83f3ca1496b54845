"""The images that are booted: the tree's, the one with test programs and decks, one for a test."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.kwe import kpak
from tools.kwe.tree import ROOT, Build, find_build

BUILD_S = 240.0


def tree_image() -> Build:
    """Return what `make` builds: the decks and programs of the tree.

    Raises:
        BuildError: It has not been built.
    """
    return find_build().check()


def test_image() -> Build:
    """Return what `make test-image` builds: the tree's parts and those of tests/qemu.

    Raises:
        BuildError: It has not been built.
    """
    return Build(find_build().folder / "test").check()


test_image.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever its name


def make_image(
    folder: Path, decks: Sequence[Path] = (), programs: Sequence[Path] = ()
) -> subprocess.CompletedProcess[str]:
    """Build an image by `make BUILD=folder DECKS_EXTRA=decks`; the caller looks at the status.

    Args:
        folder: The build folder; what is there already is brought up to date.
        decks: Folders of decks outside the tree.
        programs: Folders whose folders are programs.
    """
    # Not a make below the make that runs the tests: its jobs are not ours.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    }
    return subprocess.run(
        [
            *("make", "image", f"BUILD={folder}"),
            f"DECKS_EXTRA={' '.join(map(str, decks))}",
            f"PROGRAMS_EXTRA={' '.join(map(str, programs))}",
        ],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_S,
        check=False,
    )


def payload_with(image: Build, parts: Mapping[str, Path], target: Path) -> Path:
    """Write an image's payload with more parts (``program/NAME`` to ELF file); return `target`."""
    content = kpak.decode(image.payload.read_bytes())
    content |= {name: kpak.stripped(path) for name, path in parts.items()}
    target.write_bytes(kpak.encode(content))
    return target
