"""The cache of files' blocks: it saves requests and never shows the past."""

import random
from pathlib import Path

import pytest

from tests.host.ext4.disk_image import Disk, check_image, make_image, mounted

BLOCK = 4096


def requests(disk: Disk) -> tuple[int, int]:
    """Reads and writes that the device has seen."""
    fields = disk.do("info").data.split()
    return int(fields[2]), int(fields[3])


def read(disk: Disk, path: str, offset: int, count: int) -> bytes:
    return disk.do("read", path, offset, count).data


def test_what_is_read_again_needs_no_request(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "16M")
    content = random.Random(1).randbytes(10 * BLOCK + 77)

    with mounted(tool, image) as disk:
        disk.do("replace", "/file", 0, content)
        for _ in range(2):
            assert read(disk, "/file", 0, len(content)) == content
        before = requests(disk)
        assert read(disk, "/file", 0, len(content)) == content
        assert read(disk, "/file", 5000, 9001) == content[5000:14001]
        assert read(disk, "/file", 10 * BLOCK, 100) == content[10 * BLOCK :]
        assert requests(disk) == before


def test_a_part_of_a_cached_block_is_overwritten_with_one_request(
    tool: Path, tmp_path: Path
) -> None:
    image = make_image(tmp_path / "image", "16M")
    content = bytearray(random.Random(2).randbytes(4 * BLOCK))

    with mounted(tool, image) as disk:
        disk.do("replace", "/file", 0, bytes(content))
        for i in range(4):
            content[BLOCK + i : BLOCK + 100 + i] = b"%02d" % i * 50
            reads, writes = requests(disk)
            disk.do("pwrite", "/file", BLOCK + i, bytes(content[BLOCK + i : BLOCK + 100 + i]))
            # The first two read the block: only what is wanted again is kept.
            assert requests(disk) == (reads + (i < 2), writes + 1)
        disk.do("writeback")
    check_image(image)

    with mounted(tool, image, data_bytes=0) as disk:
        assert read(disk, "/file", 0, len(content)) == content


def test_appending_does_not_read_what_was_just_written(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "16M")
    content = b""

    with mounted(tool, image) as disk:
        disk.do("create", "/log")
        reads = -1
        for i in range(200):
            entry = b"%04d " % i * 20
            disk.do("pwrite", "/log", len(content), entry)
            content += entry
            reads = requests(disk)[0] if i == 0 else reads
        assert requests(disk)[0] == reads
        disk.do("writeback")
    check_image(image)

    with mounted(tool, image, data_bytes=0) as disk:
        assert read(disk, "/log", 0, len(content)) == content


def test_one_pass_over_a_large_file_drives_nothing_out(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "32M")

    with mounted(tool, image, data_bytes=256 << 10) as disk:
        disk.do("replace", "/hot", 0, b"h" * BLOCK)
        disk.do("replace", "/large", 0, bytes(8 << 20))
        for _ in range(2):
            read(disk, "/hot", 0, BLOCK)
        for _ in range(3):
            for offset in range(0, 8 << 20, BLOCK):
                read(disk, "/large", offset, BLOCK)
        before = requests(disk)
        assert read(disk, "/hot", 0, BLOCK) == b"h" * BLOCK
        assert requests(disk) == before


def test_a_write_that_fails_leaves_no_lie(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "16M")

    with mounted(tool, image) as disk:
        disk.do("replace", "/file", 0, b"a" * BLOCK)
        disk.do("writeback")
        for _ in range(3):
            read(disk, "/file", 0, BLOCK)
        disk.do("fail", "-", 1)
        assert disk.ask("pwrite", "/file", 10, b"b" * 10).code == "IO_ERROR"
        assert disk.ask("read", "/file", 0, BLOCK).code == "IO_ERROR"
        disk.do("fail", "-", 0)
        assert read(disk, "/file", 0, BLOCK) == b"a" * BLOCK


@pytest.mark.parametrize("block", [1024, 4096])
@pytest.mark.parametrize("data_bytes", [0, 64 << 10, 1 << 20])
def test_it_never_shows_the_past(tool: Path, tmp_path: Path, block: int, data_bytes: int) -> None:
    image = make_image(tmp_path / "image", "16M", block=block)
    rng = random.Random(block + data_bytes)
    files: dict[str, bytearray] = {}

    with mounted(tool, image, data_bytes=data_bytes) as disk:
        for _ in range(3000):
            path = f"/f{rng.randrange(8)}"
            content = files.get(path)
            offset = rng.choice([0, block, rng.randrange(20_000)])
            count = rng.choice([1, 100, block, 3 * block, rng.randrange(1, 30_000)])
            what = rng.random()
            if content is None or what < 0.05:
                files[path] = bytearray(rng.randbytes(count))
                disk.do("replace", path, 0, bytes(files[path]))
            elif what < 0.7:
                assert read(disk, path, offset, count) == content[offset : offset + count]
            elif what < 0.9:
                data = rng.randbytes(count)
                content.extend(bytes(max(0, offset - len(content))))
                content[offset : offset + count] = data
                disk.do("pwrite", path, offset, data)
            elif what < 0.95:
                disk.do("truncate", path, offset)
                content.extend(bytes(max(0, offset - len(content))))
                del content[offset:]
            elif what < 0.98:
                disk.do("remove", path)
                del files[path]
            else:
                disk.do("sync")
        disk.do("writeback")
    check_image(image)

    with mounted(tool, image, data_bytes=0) as disk:
        for path, content in files.items():
            assert read(disk, path, 0, len(content)) == content
