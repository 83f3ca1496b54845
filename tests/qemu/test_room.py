"""Files larger than expected: they begin again where there is room for the most, and come out."""

import subprocess
from pathlib import Path
from random import Random

import pytest

from tests.harness.plugin import Boot, RunWorkflow
from tests.qemu import guest_disk
from tools.kwe import abi
from tools.kwe.disk import make_image

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
    assert failed == [("over", "unpack", "OUTPUT_TOO_LARGE")]
    for name, content in contents.items():
        assert (tmp_path / "out" / name).read_bytes() == content


@pytest.mark.parametrize("cpus", [1, 2])
def test_a_program_asks_for_larger_places_and_what_does_not_fit_has_one_code(
    boot: Boot, tmp_path: Path, cpus: int
) -> None:
    (tmp_path / "staging").mkdir()
    files: dict[bytes, Path] = {}
    for name, size in (("small", 1000), ("large", 50_000), ("over", 300_000), ("copy", 0)):
        (tmp_path / name).write_bytes(bytes(i * 31 % 251 for i in range(size)))
        files[f"/{name}".encode()] = tmp_path / name
    disk = tmp_path / "disk"
    make_image(disk, tmp_path / "staging", files, [], 4 << 20)

    with boot("rooms", cpus=cpus, disk=disk) as guest:
        assert guest.exit_code == abi.EXIT_DONE

    assert guest_disk.content(disk, "/copy") == b"once"
