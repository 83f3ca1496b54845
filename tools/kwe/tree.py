"""Where things are: the source tree, the build folder, and what the build has to have made."""

import os
from dataclasses import dataclass
from pathlib import Path

from tools.kwe.errors import BuildError

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Build:
    """A build folder and the parts of it that are booted or read."""

    folder: Path

    @property
    def kernel(self) -> Path:
        """The nucleus, an unstripped ELF file."""
        return self.folder / "kwe.elf"

    @property
    def payload(self) -> Path:
        """Decks and programs."""
        return self.folder / "payload.kpak"

    @property
    def system(self) -> Path:
        """The checked model of all decks, for the host's tools."""
        return self.folder / "gen/system.json"

    def check(self) -> "Build":
        """Return itself.

        Raises:
            BuildError: A part that is booted is missing.
        """
        for part in (self.kernel, self.payload):
            if not part.exists():
                raise BuildError(f"{part} is missing: run `make`, or name a build by --build")
        return self


def find_build(folder: Path | None = None) -> Build:
    """Return the build that was named, else that of ``KWE_BUILD``, else the tree's ``build/``."""
    if folder is None:
        folder = Path(os.environ.get("KWE_BUILD") or "build")
        if not folder.is_absolute():
            folder = ROOT / folder
    return Build(folder.resolve())
