"""The fuzzer of workflows, for so many runs: `make fuzz` goes on from there."""

from pathlib import Path

from tests.host.fuzzing import build_fuzzer, run_fuzzer
from tests.host.workflow.fuzz_corpus import write_corpus

# Some 20 s, nearly half of them for the compiler.
RUNS = 15_000
LEAST_FEATURES = 3_000


def test_no_workflow_breaks_the_checker_the_plan_or_the_guide(tmp_path: Path) -> None:
    """What it finds is left as a file; `build/host/workflow/fuzz_workflow FILE` runs it alone."""
    fuzzer = build_fuzzer("workflow/fuzz_workflow")
    write_corpus(tmp_path / "corpus")

    assert run_fuzzer(fuzzer, RUNS, tmp_path, tmp_path / "corpus") >= LEAST_FEATURES
