"""The fuzzer of the Network deck, for so many runs: `make fuzz-network` goes on from there."""

from pathlib import Path

from tests.host.fuzzing import build_fuzzer, run_fuzzer
from tests.host.network.fuzz_network_corpus import write_corpus

# Some 20 s, half of them for the compiler.
RUNS = 8_000
LEAST_FEATURES = 5_000


def test_no_frames_break_the_network_deck_or_stay_in_it(tmp_path: Path) -> None:
    """What it finds is left as a file; `build/host/network/fuzz_network FILE` runs it alone."""
    fuzzer = build_fuzzer("network/fuzz_network")
    write_corpus(tmp_path / "corpus")

    assert run_fuzzer(fuzzer, RUNS, tmp_path, tmp_path / "corpus") >= LEAST_FEATURES
