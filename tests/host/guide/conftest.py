"""The Guide as a program, built once for the tests of this folder."""

import os
import subprocess
from pathlib import Path

import pytest

from tools.kwe.system import load_system
from tools.kwe.tree import ROOT, find_build


@pytest.fixture(scope="session")
def program() -> Path:
    build = os.environ.get("KWE_BUILD", "build")
    goal = f"{build}/host/guide/host_guide"
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    command = ["make", "-s", "-f", "tools/make/host.mk", f"BUILD={build}", goal]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return ROOT / goal


@pytest.fixture(scope="session")
def codes() -> dict[str, int]:
    """Numbers of the error codes by name."""
    system = load_system(find_build().folder / "gen/system.json")
    return {error.name: number for number, error in system.errors.items()}
