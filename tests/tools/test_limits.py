"""Limits of a workflow: what is expected, and the most."""

from pathlib import Path

import pytest

from tools.kwe import abi
from tools.kwe.errors import SpecError
from tools.kwe.job import compile_workflow
from tools.kwe.subworkflows import load_workflow
from tools.kwe.system import load_system
from tools.kwe.tree import find_build

TEXT = """\
workflow: w
doc: test
inputs: {files: {kind: files}}
outputs: {made: {kind: files}}
limits: {file: LIMIT}
event_per: files
stages:
  load: {op: storage.read, path: $files, at_most: limits.file}
  save: {op: storage.write, data: load, path: $made}
"""


def write(folder: Path, limit: str) -> Path:
    path = folder / "w.yaml"
    path.write_text(TEXT.replace("LIMIT", limit))
    return path


@pytest.mark.parametrize(
    ("limit", "rooms"),
    [("{expect: 4 KiB, most: 1 MiB}", (4096, 1 << 20, 2)), ("1 MiB", (1 << 20, 0, 0))],
)
def test_a_plain_limit_is_both_what_is_expected_and_the_most(
    tmp_path: Path, limit: str, rooms: tuple[int, int, int]
) -> None:
    source, spec = load_workflow(write(tmp_path, limit))
    (tmp_path / "in").mkdir()
    (tmp_path / "in/one").write_bytes(b"1")

    system = load_system(find_build().system)
    job = compile_workflow(source, spec, system, {"files": tmp_path / "in"}, tmp_path, cpus=1)

    header = abi.WORKFLOW.unpack(job.blob[: abi.WORKFLOW.size])
    stage = abi.STAGE.unpack(job.blob[abi.WORKFLOW.size :][: abi.STAGE.size])
    assert (stage["out_limit"], stage["out_most"], header["large_slots"]) == rooms


@pytest.mark.parametrize(
    "limit",
    ["{expect: 2 MiB, most: 1 MiB}", "{expect: 2 MiB}", "{most: 1 MiB, at_most: 1 MiB}"],
)
def test_half_a_pair_and_one_that_shrinks_are_refused_in_their_place(
    tmp_path: Path, limit: str
) -> None:
    with pytest.raises(SpecError, match=r"w.yaml:5:16: file: .* would be right"):
        load_workflow(write(tmp_path, limit))
