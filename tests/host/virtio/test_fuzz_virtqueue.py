"""The fuzzer of the virtqueue, for so many runs."""

from pathlib import Path

from tests.host.fuzzing import build_fuzzer, run_fuzzer

# Some 3 s, a second of them for the compiler.
RUNS = 200_000
LEAST_FEATURES = 400


def test_no_device_leads_the_driver_of_a_queue_astray(tmp_path: Path) -> None:
    """What it finds is left as a file; `build/host/virtio/fuzz_virtqueue FILE` runs it alone."""
    fuzzer = build_fuzzer("virtio/fuzz_virtqueue")

    assert run_fuzzer(fuzzer, RUNS, tmp_path, "-max_len=400") >= LEAST_FEATURES
