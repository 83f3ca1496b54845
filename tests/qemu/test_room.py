"""Files larger than expected: they begin again where there is room for the most, and come out."""

import subprocess
from pathlib import Path
from random import Random

from tests.harness.plugin import RunWorkflow

EXPECTED, MOST = 4 << 10, 256 << 10
WORKFLOW = """\
workflow: room
doc: Read, unpacked, written; most files are small.
inputs: {packed: {kind: files}}
outputs: {plain: {kind: files}}
limits: {file: {expect: 4 KiB, most: 256 KiB}}
event_per: packed
stages:
  load: {op: storage.read, path: $packed, at_most: limits.file}
  unpack: {op: operations.zstd_decompress, needs: load, at_most: limits.file}
  save: {op: storage.write, needs: unpack, path: $plain}
"""


def test_what_is_larger_than_expected_has_room_and_more_than_the_most_is_refused(
    run_workflow: RunWorkflow, tmp_path: Path
) -> None:
    sizes = {f"small{i}": EXPECTED - i for i in range(12)}
    sizes |= {f"large{i}": EXPECTED + 1 + i * 50_000 for i in range(6)}
    random = Random(5)
    # Noise is large before it is unpacked, too.
    contents = {
        name: random.randbytes(size) if number % 2 else bytes(size)
        for number, (name, size) in enumerate(sizes.items())
    }
    folder = tmp_path / "in"
    folder.mkdir()
    # zstd knows the size of what it reads from a file only; from a pipe a frame does not say.
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        subprocess.run(["zstd", "-q", tmp_path / name, "-o", folder / name], check=True)
    (tmp_path / "over").write_bytes(bytes(MOST + 1))
    subprocess.run(["zstd", "-q", tmp_path / "over", "-o", folder / "over"], check=True)
    (tmp_path / "room.yaml").write_text(WORKFLOW)

    report = run_workflow(tmp_path / "room.yaml", {"packed": folder}, tmp_path / "out")

    failed = [(error["event"], error["stage"], error["code"]) for error in report.errors]
    assert failed == [("over", "unpack", "TOO_LARGE")]
    for name, content in contents.items():
        assert (tmp_path / "out" / name).read_bytes() == content
