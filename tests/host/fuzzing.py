"""Fuzzers for so many runs, counted and not timed: the same on each machine."""

import os
import subprocess
from pathlib import Path

from tools.kwe.tree import ROOT


def build_fuzzer(name: str) -> Path:
    """Build ``tests/host/NAME.c`` by clang's libFuzzer."""
    build = os.environ.get("KWE_BUILD", "build")
    goal = f"{build}/host/{name}"
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    command = ["make", "-s", "-j2", "-f", "tools/make/host.mk", f"BUILD={build}", goal]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return ROOT / goal


def run_fuzzer(fuzzer: Path, runs: int, folder: Path, *more: str | Path) -> int:
    """Return how many features it has met; what it finds is left in the folder, and fails."""
    done = subprocess.run(
        [fuzzer, f"-runs={runs}", "-seed=1", "-timeout=20", f"-artifact_prefix={folder}/", *more],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    last = next(line for line in reversed(done.stderr.splitlines()) if " ft: " in line)
    return int(last.split(" ft: ")[1].split()[0])
