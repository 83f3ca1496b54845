"""Build and run the C units: each tests/host/**/test_NAME.c is a program that exits 0."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = os.environ.get("KWE_BUILD", "build")
SOURCES = sorted((ROOT / "tests/host").rglob("test_*.c"))


def make(*goals: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "-s", "-f", "tools/make/host.mk", f"BUILD={BUILD}", *goals]
    # Not what the make that may have started pytest was told.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def built() -> None:
    """Build what can be built on both cores; a test that cannot be says so itself."""
    make("-k", "-j2", "all")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "source", SOURCES, ids=[str(s.relative_to(ROOT / "tests/host"))[:-2] for s in SOURCES]
)
def test_c_unit(source: Path) -> None:
    program = f"{BUILD}/host/{source.relative_to(ROOT / 'tests/host').with_suffix('')}"

    build = make(program)
    assert build.returncode == 0, f"{source} does not build:\n{build.stdout}"
    run = subprocess.run(
        [ROOT / program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )

    assert run.returncode == 0, f"{program} ended with {run.returncode}:\n{run.stdout[-8000:]}"
