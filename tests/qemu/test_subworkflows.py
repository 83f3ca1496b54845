"""A sub-workflow on the machine: its stages do their work, and are told of by their full names."""

import hashlib
from pathlib import Path

from tests.harness.plugin import RunWorkflow
from tests.qemu.seals import unpacked
from tools.kwe.tree import ROOT

WORKFLOW = """\
workflow: twice
doc: The same stages in two places, the second over what the first made.
inputs: {{files: {{kind: files}}}}
outputs:
  packed: {{kind: files}}
  plain: {{kind: files}}
  digests: {{kind: sha256sum, name: SHA256SUMS}}
event_per: files
result: second.digest
subworkflows:
  proof:
    inputs: {{frame: of at most 1 KiB}}
    outputs: {{plain: unpack}}
    stages:
      unpack: {{op: operations.zstd_decompress, packed: $frame, at_most: 1 KiB}}
stages:
  load: {{op: storage.read, path: $files, at_most: 4 KiB}}
  first: {{use: {part}, with: {{data: load}}}}
  second: {{use: {part}, with: {{data: first.frame}}}}
  save: {{op: storage.write, data: second.frame, path: $packed}}
  proof: {{use: proof, with: {{frame: first.frame}}}}
  keep: {{op: storage.write, data: proof, path: $plain}}
"""


def test_its_stages_run_and_a_failure_names_the_inner_one(
    run_workflow: RunWorkflow, tmp_path: Path
) -> None:
    part = ROOT / "userland/workflows/parts/packed.yaml"
    (tmp_path / "twice.yaml").write_text(WORKFLOW.format(part=part))
    (tmp_path / "in").mkdir()
    (tmp_path / "in/good").write_bytes(b"good " * 100)
    (tmp_path / "in/long").write_bytes(b"long " * 500)

    report = run_workflow(tmp_path / "twice.yaml", {"files": tmp_path / "in"}, tmp_path / "out")

    failed = [(error["event"], error["stage"], error["code"]) for error in report.errors]
    assert failed == [("long", "proof.unpack", "OUTPUT_TOO_LARGE")]
    packed = (tmp_path / "out/packed/good").read_bytes()
    assert unpacked(unpacked(packed)) == b"good " * 100
    assert (tmp_path / "out/plain/good").read_bytes() == b"good " * 100
    digests = (tmp_path / "out/SHA256SUMS").read_text().split()
    assert digests == [hashlib.sha256(packed).hexdigest(), "good"]
