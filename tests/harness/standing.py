"""Workflows whose events stand, run by the real command, with a port that leads in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.terminal import Terminal
from tests.harness.workflow import KWE
from tools.kwe.tree import Build

# A hang detector, not a target.
DEADLINE_S = 60.0


@contextmanager
def standing(image: Build, *words: str | Path) -> Iterator[tuple[Terminal, int]]:
    """Run a workflow until the block is left; give its terminal and the host's port."""
    environment = os.environ | {"KWE_BUILD": str(image.folder)}
    with Terminal([KWE, "run", *words], environment) as terminal:
        found = terminal.wait_for(r"127\.0\.0\.1:(\d+) leads to its tcp port", DEADLINE_S)
        assert found, terminal.text
        yield terminal, int(found[1])


@contextmanager
def standing_on(image: Build, tap: str, *words: str | Path) -> Iterator[Terminal]:
    """Run a workflow on a tap device until the block is left; give its terminal."""
    environment = os.environ | {"KWE_BUILD": str(image.folder)}
    with Terminal([KWE, "run", *words, "--tap", tap], environment) as terminal:
        assert terminal.wait_for(f"on the host's {tap}\r?\n", DEADLINE_S), terminal.text
        yield terminal
