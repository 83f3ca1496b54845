"""Whole jobs in one submission, and many events at once: the workflows that a graph is for."""

import hashlib
from pathlib import Path

import pytest

from tests.harness.plugin import Boot
from tests.qemu import guest_disk
from tests.qemu.lz4_block import unpacked
from tools.kwe import abi
from tools.kwe.disk import make_image

SMALL_BYTES, SMALL_READS = 64, 1000
PART_BYTES, PACKED_BYTES = 4096, 4096
DIRECTORIES, FILES_EACH = 100, 100


@pytest.mark.parametrize("cpus", [1, 2])
def test_whole_jobs_go_in_one_submission(boot: Boot, tmp_path: Path, cpus: int) -> None:
    pieces = (hashlib.sha256(bytes([i % 251, i // 251])).digest() for i in range(SMALL_READS))
    whole = b"".join(piece * 2 for piece in pieces)
    assert len(whole) == SMALL_BYTES * SMALL_READS
    files = {}
    for name, content in (("whole", whole), ("packed", b""), ("written", b"")):
        (tmp_path / name).write_bytes(content)
        files[f"/{name}".encode()] = tmp_path / name
    (tmp_path / "staging").mkdir()
    disk = tmp_path / "disk"
    make_image(disk, tmp_path / "staging", files, [], 8 << 20)

    with boot("jobs", cpus=cpus, disk=disk) as guest:
        assert guest.exit_code == abi.EXIT_DONE

    guest_disk.assert_clean(disk)
    packed = guest_disk.content(disk, "/packed")
    for part in range(0, len(whole), PART_BYTES):
        plain = whole[part : part + PART_BYTES]
        block = packed[part : part + PACKED_BYTES]
        assert int.from_bytes(block[:8], "little") == len(plain)
        assert unpacked(block[8:], len(plain)) == plain


@pytest.mark.parametrize("cpus", [1, 2])
def test_crowds_of_events_all_come_to_their_end(boot: Boot, tmp_path: Path, cpus: int) -> None:
    files = {}
    for number in range(DIRECTORIES * FILES_EACH):
        name = f"/small/{number // FILES_EACH:02}/{number % FILES_EACH:02}"
        files[name.encode()] = tmp_path / str(number)
        files[name.encode()].write_text(name)
    (tmp_path / "staging").mkdir()
    disk = tmp_path / "disk"
    make_image(disk, tmp_path / "staging", files, [], 4 << 20)

    with boot("crowds", cpus=cpus, disk=disk, deadline_s=180.0) as guest:
        assert guest.exit_code == abi.EXIT_DONE

    guest_disk.assert_clean(disk)


@pytest.mark.parametrize("cpus", [1, 2])
def test_wait_receive_reply_close_is_one_submission(boot: Boot, cpus: int) -> None:
    with boot("calls", cpus=cpus) as guest:
        assert guest.exit_code == abi.EXIT_DONE
