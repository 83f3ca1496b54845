"""The fuzzer of the Network deck, for so many runs: `make fuzz-network` goes on from there."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.host.network.fuzz_network_corpus import write_corpus
from tools.kwe.tree import ROOT

# Some 20 s, half of them for the compiler. Counted, not timed: the same on each machine.
RUNS = 8_000
LEAST_FEATURES = 5_000


@pytest.fixture(scope="module")
def fuzzer() -> Path:
    build = os.environ.get("KWE_BUILD", "build")
    goal = f"{build}/host/network/fuzz_network"
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    command = ["make", "-s", "-j2", "-f", "tools/make/host.mk", f"BUILD={build}", goal]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return ROOT / goal


def test_no_frames_break_the_network_deck_or_stay_in_it(fuzzer: Path, tmp_path: Path) -> None:
    """What it finds is left as a file; `build/host/network/fuzz_network FILE` runs it alone."""
    write_corpus(tmp_path / "corpus")

    done = subprocess.run(
        [
            *(fuzzer, f"-runs={RUNS}", "-seed=1", "-timeout=20"),
            *(f"-artifact_prefix={tmp_path}/", tmp_path / "corpus"),
        ],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-6000:]
    last = next(line for line in reversed(done.stderr.splitlines()) if " ft: " in line)
    assert int(last.split(" ft: ")[1].split()[0]) >= LEAST_FEATURES, last
