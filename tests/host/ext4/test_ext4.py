"""drivers/ext4 on the host: e2fsck and debugfs agree with what it writes, and vice versa."""

import os
import random
import struct
from pathlib import Path

import pytest

from tests.host.ext4.disk_image import (
    FEATURES,
    Disk,
    DriverError,
    check_image,
    debugfs,
    debugfs_write,
    make_image,
    mounted,
)

BLOCK_SIZES = [1024, 2048, 4096]


def test_reads_a_tree_that_mke2fs_made(tool: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "a/b").mkdir(parents=True)
    files = {"one": b"", "a/two": b"x", "a/b/three": random.Random(1).randbytes(3_000_001)}
    for name, data in files.items():
        (tree / name).write_bytes(data)
    with (tree / "sparse").open("wb") as sparse:
        sparse.write(b"head")
        sparse.seek(1_000_000)
        sparse.write(b"tail")
    image = make_image(tmp_path / "image", "16M", source=tree)

    with mounted(tool, image) as disk:
        for name, data in files.items():
            assert disk.read(f"/{name}") == data
        assert disk.read("/sparse") == (tree / "sparse").read_bytes()
        assert disk.names("/") == ["a", "lost+found", "one", "sparse"]
        assert disk.names("/a") == ["b", "two"]


@pytest.mark.parametrize("block", BLOCK_SIZES)
def test_what_it_writes_debugfs_reads(tool: Path, tmp_path: Path, block: int) -> None:
    image = make_image(tmp_path / "image", "32M", block=block)
    data = random.Random(block).randbytes(5_000_003)

    with mounted(tool, image) as disk:
        disk.do("replace", "/new/deep/file", 1, data)
        disk.do("create", "/empty")
        disk.do("mkdir", "/dir")
        assert disk.read("/new/deep/file") == data
        disk.do("sync")

    check_image(image)
    assert debugfs(image, "cat /new/deep/file") == data
    assert debugfs(image, "cat /empty") == b""
    assert b"dir" in debugfs(image, "ls -p /")


@pytest.mark.parametrize(
    "features", [FEATURES, FEATURES.replace("^64bit", "64bit"), "^has_journal,^metadata_csum"]
)
def test_the_disk_is_clean_after_a_writeback(tool: Path, tmp_path: Path, features: str) -> None:
    image = make_image(tmp_path / "image", "16M", features=features)

    with mounted(tool, image) as disk:
        disk.do("replace", "/a/b/c", 1, b"hello")
        disk.do("writeback")
        check_image(image)
        disk.do("remove", "/a/b/c")
        disk.do("remove", "/a/b")
        disk.do("writeback")

    check_image(image)


class Model:
    """What the tree should be: directories are sets of names, files are bytes."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.files: dict[str, bytearray] = {}
        self.directories: set[str] = {""}

    def pick_directory(self) -> str:
        return self.random.choice(sorted(self.directories))

    def some_path(self) -> str:
        if self.files and self.random.random() < 0.5:
            return self.random.choice(sorted(self.files))
        return f"{self.pick_directory()}/n{self.random.randrange(30)}"

    def some_data(self) -> bytes:
        size = int(
            self.random.choice([0, 1, 100, 4096, 5000, 70_000, 400_000])
            * self.random.uniform(0.5, 1.5)
        )
        return self.random.randbytes(size)

    def has_children(self, path: str) -> bool:
        everything = [*self.files, *self.directories]
        return any(name.startswith(path + "/") for name in everything)

    def step(self, disk: Disk) -> None:
        verb = self.random.choice(
            ["replace", "replace", "pwrite", "truncate", "create", "mkdir", "remove", "read"]
        )
        getattr(self, f"step_{verb}")(disk, self.some_path())

    def step_replace(self, disk: Disk, path: str) -> None:
        data = self.some_data()
        answer = disk.ask("replace", path, 1, data)
        if path in self.directories:
            assert answer.code == "IS_A_DIRECTORY"
        else:
            assert answer.code == "OK"
            self.files[path] = bytearray(data)

    def step_pwrite(self, disk: Disk, path: str) -> None:
        data = self.some_data()
        offset = self.random.choice([0, 3, 4096, 100_000, 2_000_000])
        answer = disk.ask("pwrite", path, offset, data)
        if path in self.files:
            assert answer.code == "OK"
            content = self.files[path]
            if data:
                content.extend(bytes(max(0, offset + len(data) - len(content))))
                content[offset : offset + len(data)] = data
        else:
            assert answer.code == ("IS_A_DIRECTORY" if path in self.directories else "NO_SUCH_FILE")

    def step_truncate(self, disk: Disk, path: str) -> None:
        size = self.random.choice([0, 1, 4096, 10_000, 1_000_000])
        answer = disk.ask("truncate", path, size)
        if path in self.files:
            assert answer.code == "OK"
            content = self.files[path]
            self.files[path] = content[:size] + bytes(max(0, size - len(content)))

    def step_create(self, disk: Disk, path: str) -> None:
        answer = disk.ask("create", path)
        if path in self.files or path in self.directories:
            assert answer.code == "EXISTS"
        else:
            assert answer.code == "OK"
            self.files[path] = bytearray()

    def step_mkdir(self, disk: Disk, path: str) -> None:
        answer = disk.ask("mkdir", path)
        if path in self.files or path in self.directories:
            assert answer.code == "EXISTS"
        else:
            assert answer.code == "OK"
            self.directories.add(path)

    def step_remove(self, disk: Disk, path: str) -> None:
        if self.random.random() < 0.3:
            path = self.pick_directory() or path
        answer = disk.ask("remove", path)
        if path in self.files:
            assert answer.code == "OK"
            del self.files[path]
        elif path in self.directories:
            assert answer.code == ("NOT_EMPTY" if self.has_children(path) else "OK")
            self.directories -= {path} if answer.code == "OK" else set()
        else:
            assert answer.code == "NO_SUCH_FILE"

    def step_read(self, disk: Disk, path: str) -> None:
        if path in self.files:
            offset, size = self.random.randrange(200_000), self.random.randrange(200_000)
            expected = bytes(self.files[path][offset : offset + size])
            assert disk.do("read", path, offset, size).data == expected

    def compare(self, disk: Disk) -> None:
        for path, content in self.files.items():
            assert disk.read(path) == content, path
        for directory in self.directories:
            depth = directory.count("/") + 1
            inside = [
                name.rsplit("/", 1)[1]
                for name in [*self.files, *self.directories - {""}]
                if name.startswith(directory + "/") and name.count("/") == depth
            ]
            listed = [name for name in disk.names(directory or "/") if name != "lost+found"]
            assert listed == sorted(inside)


@pytest.mark.parametrize("block", BLOCK_SIZES)
@pytest.mark.parametrize("seed", range(4))
def test_random_operations_agree_with_a_model(
    tool: Path, tmp_path: Path, block: int, seed: int
) -> None:
    image = make_image(tmp_path / "image", "64M", block=block)
    model = Model(seed)

    for _ in range(3):
        with mounted(tool, image, cache_bytes=65536 if seed % 2 else 1 << 20) as disk:
            for _ in range(120):
                model.step(disk)
            model.compare(disk)
            disk.do("writeback")
        check_image(image)

    with mounted(tool, image) as disk:
        model.compare(disk)
    for path, content in sorted(model.files.items())[:5]:
        assert debugfs(image, f"cat {path}") == content


@pytest.mark.parametrize("block", BLOCK_SIZES)
def test_a_badly_fragmented_file_keeps_its_contents(tool: Path, tmp_path: Path, block: int) -> None:
    image = make_image(tmp_path / "image", "24M", block=block)
    rng = random.Random(5)
    content = bytearray(1500 * 2 * block)

    with mounted(tool, image) as disk:
        disk.do("create", "/holes")
        order = list(range(1500))
        rng.shuffle(order)
        for i in order:
            piece = rng.randbytes(block)
            content[2 * i * block : (2 * i + 1) * block] = piece
            disk.do("pwrite", "/holes", 2 * i * block, piece)
        length = (2 * order[order.index(1499)] + 1) * block
        assert disk.read("/holes") == content[:length]
        disk.do("writeback")
        check_image(image)
        for i in order[:700]:
            piece = rng.randbytes(block)
            content[(2 * i + 1) * block : (2 * i + 2) * block] = piece
            disk.do("pwrite", "/holes", (2 * i + 1) * block, piece)
        assert disk.read("/holes") == content[: max(length, disk.do("stat", "/holes").value)]
        disk.do("writeback")
        check_image(image)
        for size in (2000 * block, 900 * block + 5, 40 * block, 0):
            disk.do("truncate", "/holes", size)
            assert disk.read("/holes") == content[:size]
            disk.do("writeback")
            check_image(image)


def test_a_full_disk_says_so_and_stays_clean(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "8M", block=1024)

    with mounted(tool, image) as disk:
        before = disk.free_blocks()
        disk.do("replace", "/keep", 0, b"k" * 100_000)
        assert disk.ask("replace", "/huge", 0, bytes(20_000_000)).code == "NO_SPACE"
        assert disk.ask("stat", "/huge").code == "NO_SUCH_FILE"
        count = 0
        while disk.ask("replace", f"/fill{count}", 0, b"f" * 300_000).code == "OK":
            count += 1
        assert disk.ask("replace", "/keep", 0, b"n" * 290_000).code == "NO_SPACE"
        disk.do("create", "/grow")
        while disk.ask("pwrite", "/grow", disk.do("stat", "/grow").value, b"g" * 5000).code == "OK":
            pass
        disk.do("writeback")
        check_image(image)
        assert disk.read("/keep") == b"k" * 100_000
        assert disk.ask("mkdir", "/no").code == "NO_SPACE"
        for path in ["/keep", "/grow", *(f"/fill{i}" for i in range(count))]:
            disk.do("remove", path)
        disk.do("writeback")
        assert disk.free_blocks() == before

    check_image(image)


def test_inodes_run_out_by_name(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "4M", block=1024, options=("-N", "64"))

    with mounted(tool, image) as disk:
        codes = [disk.ask("create", f"/f{i}").code for i in range(80)]
        disk.do("writeback")

    assert codes.count("OK") == 64 - 11
    assert set(codes[53:]) == {"NO_SPACE"}
    check_image(image)


def test_ten_thousand_files_in_one_directory(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "64M", options=("-N", "12000"))
    rng = random.Random(7)

    with mounted(tool, image, cache_bytes=8 << 20) as disk:
        disk.do("mkdir", "/many")
        names = [f"file_{i:05d}" for i in range(10_000)]
        for name in names:
            disk.do("create", f"/many/{name}")
        assert disk.names("/many") == names
        disk.do("writeback")
        check_image(image)
        gone = set(rng.sample(names, 5000))
        for name in gone:
            disk.do("remove", f"/many/{name}")
        assert disk.names("/many") == [name for name in names if name not in gone]
        disk.do("writeback")

    check_image(image)


def test_thousands_of_directories_in_one(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "32M", block=1024, options=("-N", "4000"))

    with mounted(tool, image) as disk:
        for i in range(3000):
            disk.do("mkdir", f"/d{i}")
        disk.do("writeback")
        check_image(image)
        for i in range(3000):
            disk.do("remove", f"/d{i}")
        disk.do("writeback")

    check_image(image)


def test_unwritten_extents_read_as_zeros_and_take_data(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "8M")
    with mounted(tool, image) as disk:
        disk.do("replace", "/file", 0, b"")
        disk.do("truncate", "/file", 200 * 4096)
        disk.do("writeback")
    debugfs_write(image, "fallocate /file 0 199")

    with mounted(tool, image) as disk:
        content = bytearray(200 * 4096)
        assert disk.read("/file") == content
        for offset, size in (
            (50 * 4096 + 17, 9000),
            (0, 10),
            (199 * 4096, 4096),
            (60 * 4096, 40 * 4096),
        ):
            content[offset : offset + size] = b"w" * size
            disk.do("pwrite", "/file", offset, b"w" * size)
            assert disk.read("/file") == content
        disk.do("writeback")

    check_image(image)
    assert debugfs(image, "cat /file") == content


BAD_PATHS = {
    "relative": "BAD_PATH",
    "/a/../b": "BAD_PATH",
    "/a/./b": "BAD_PATH",
    "/" + "n" * 256: "NAME_TOO_LONG",
    "/missing/file": "NO_SUCH_FILE",
    "/file/below": "NOT_A_DIRECTORY",
}


@pytest.mark.parametrize(("path", "code"), BAD_PATHS.items())
def test_a_bad_path_is_refused_by_name(tool: Path, tmp_path: Path, path: str, code: str) -> None:
    image = make_image(tmp_path / "image", "4M")

    with mounted(tool, image) as disk:
        disk.do("create", "/file")
        answers = [
            disk.ask(verb, path).code for verb in ("stat", "create", "mkdir", "remove", "list")
        ]

    assert set(answers) == {code}


def test_the_root_and_lost_and_found_stay(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "4M")

    with mounted(tool, image) as disk:
        assert disk.ask("remove", "/").code == "NOT_PERMITTED"
        assert disk.ask("remove", "/lost+found").code == "NOT_PERMITTED"
        assert disk.ask("replace", "/", 0, b"x").code == "IS_A_DIRECTORY"


REFUSED = {
    "metadata_csum": "^has_journal,metadata_csum",
    "uninit_bg": "^has_journal,^metadata_csum,uninit_bg",
    "bigalloc": "^has_journal,^metadata_csum,^64bit,bigalloc",
    "inline_data": "^has_journal,^metadata_csum,inline_data",
    "meta_bg": "^has_journal,^metadata_csum,^resize_inode,meta_bg",
    "quota": "^has_journal,^metadata_csum,quota",
    "encrypt": "^has_journal,^metadata_csum,encrypt",
    "casefold": "^has_journal,^metadata_csum,casefold",
    "sparse_super2": "^has_journal,^metadata_csum,^resize_inode,sparse_super2",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_feature_that_is_not_built_is_refused_by_name(
    tool: Path, tmp_path: Path, name: str
) -> None:
    image = make_image(tmp_path / "image", "16M", features=REFUSED[name])

    with pytest.raises(DriverError, match=rf"NOT_SUPPORTED: .*{name}"), mounted(tool, image):
        pass


def test_a_journal_with_changes_is_refused(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "16M", features="^metadata_csum")
    debugfs_write(image, "feature needs_recovery")

    with pytest.raises(DriverError, match=r"NOT_SUPPORTED: .*needs_recovery"), mounted(tool, image):
        pass


def test_no_file_system_is_refused(tool: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    image.write_bytes(bytes(1 << 20))

    with pytest.raises(DriverError, match="CORRUPT_FILESYSTEM: no ext4"), mounted(tool, image):
        pass


def test_a_device_smaller_than_the_file_system_is_refused(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "8M")
    with image.open("r+b") as file:
        file.truncate(4 << 20)

    with pytest.raises(DriverError, match="does not fit"), mounted(tool, image):
        pass


def test_a_hash_indexed_directory_is_used_as_a_plain_one(tool: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    names = [f"name_{i:04d}" for i in range(600)]
    for name in names:
        (tree / name).write_bytes(name.encode())
    image = make_image(
        tmp_path / "image", "16M", block=1024, features="^has_journal,^metadata_csum", source=tree
    )
    debugfs_write(image, "htree /")

    with mounted(tool, image) as disk:
        disk.do("replace", "/one_more", 0, b"1")
        disk.do("remove", "/name_0000")
        assert disk.names("/") == sorted(["lost+found", "one_more", *names[1:]])
        disk.do("writeback")

    check_image(image)


def test_it_says_on_the_disk_when_it_is_not_clean(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "8M", block=1024)

    def state() -> int:
        with image.open("rb") as file:
            file.seek(1024 + 0x3A)
            return int(struct.unpack("<H", file.read(2))[0])

    with mounted(tool, image, cache_bytes=0) as disk:
        for i in range(200):
            disk.do("replace", f"/d{i}/f", 1, b"x")
        assert state() & 1 == 0
        disk.do("writeback")
        assert state() & 1 == 1


def test_an_error_of_the_device_is_told_and_what_was_there_stays(
    tool: Path, tmp_path: Path
) -> None:
    image = make_image(tmp_path / "image", "8M")
    with mounted(tool, image) as disk:
        disk.do("replace", "/old", 0, b"o" * 50_000)
        disk.do("sync")

    for operations in range(1, 12):
        with mounted(tool, image) as disk:
            disk.do("fail", "-", operations)
            answer = disk.ask("replace", "/old", 0, b"n" * 50_000)
            assert answer.code in ("IO_ERROR", "OK")
            disk.do("fail", "-", 0)
            assert disk.read("/old") == (b"o" if answer.code == "IO_ERROR" else b"n") * 50_000
            if answer.code == "OK":
                break
            disk.do("writeback")
        check_image(image)


def test_a_file_with_block_maps_is_refused_not_leaked(tool: Path, tmp_path: Path) -> None:
    """As file systems have that were ext3 once."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/old").write_bytes(b"old")
    image = make_image(tmp_path / "image", "8M", block=1024, source=tmp_path / "tree")
    block = debugfs(image, "bmap /old 0").split()[-1].decode()
    fields = {"flags": "0", "block[0]": block}
    fields |= {f"block[{i}]": "0" for i in [*range(1, 12), "IND", "DIND", "TIND"]}
    for field, value in fields.items():
        debugfs_write(image, f"sif /old {field} {value}")
    check_image(image)

    with mounted(tool, image) as disk:
        assert disk.ask("read", "/old", 0, 3).code == "NOT_SUPPORTED"
        assert disk.ask("replace", "/old", 0, b"new").code == "NOT_SUPPORTED"
        assert disk.ask("remove", "/old").code == "NOT_SUPPORTED"
        disk.do("replace", "/new", 0, b"new")
        disk.do("writeback")

    check_image(image)
    assert debugfs(image, "cat /old") == b"old"


def test_symbolic_links_are_not_followed_and_can_be_removed(tool: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "inside").mkdir(parents=True)
    (tree / "secret").write_bytes(b"secret")
    (tree / "inside/fast").symlink_to("../secret")
    (tree / "inside/slow").symlink_to("./" * 60 + "../secret")
    (tree / "inside/up").symlink_to("..")
    image = make_image(tmp_path / "image", "8M", source=tree)

    with mounted(tool, image) as disk:
        for name in ("fast", "slow"):
            assert disk.ask("read", f"/inside/{name}", 0, 6).code == "NOT_SUPPORTED"
            assert disk.ask("replace", f"/inside/{name}", 0, b"x").code == "NOT_SUPPORTED"
            assert disk.ask("pwrite", f"/inside/{name}", 0, b"x").code == "NOT_SUPPORTED"
        assert disk.ask("read", "/inside/up/secret", 0, 6).code == "NOT_A_DIRECTORY"
        assert disk.ask("replace", "/inside/up/secret", 1, b"x").code == "NOT_A_DIRECTORY"
        for name in ("fast", "slow", "up"):
            disk.do("remove", f"/inside/{name}")
        assert disk.read("/secret") == b"secret"
        disk.do("writeback")

    check_image(image)


@pytest.mark.parametrize("block", [1024, 4096])
def test_a_file_may_be_mostly_holes_and_far_beyond_its_disk(
    tool: Path, tmp_path: Path, block: int
) -> None:
    image = make_image(tmp_path / "image", "8M", block=block)
    places = [0, (2 << 30) - 3, (4 << 30) + 5, (1 << 40) + 7]
    with mounted(tool, image) as disk:
        disk.do("create", "/holes")
        for place in places:
            disk.do("pwrite", "/holes", place, b"data %d" % place)
        assert disk.do("stat", "/holes").value == places[-1] + len(b"data %d" % places[-1])
        for place in places:
            text = b"data %d" % place
            seen = disk.do("read", "/holes", max(place - 9, 0), len(text) + 18).data
            assert seen.lstrip(b"\0").rstrip(b"\0") == text
        most = ((1 << 32) - 1) * block
        assert disk.ask("pwrite", "/holes", most - 1, b"ab").code == "TOO_LARGE"
        assert disk.ask("pwrite", "/holes", (1 << 64) - 1, b"ab").code == "TOO_LARGE"
        disk.do("pwrite", "/holes", most - 1, b"z")
        assert disk.do("read", "/holes", most - 2, 10).data == b"\0z"
        disk.do("writeback")
        check_image(image)
        disk.do("truncate", "/holes", (2 << 30) - 1)
        assert disk.do("read", "/holes", (2 << 30) - 4, 10).data == b"\0da"
        disk.do("remove", "/holes")
        disk.do("writeback")

    check_image(image)


def test_names_are_bytes_of_any_kind_up_to_255(tool: Path, tmp_path: Path) -> None:
    image = make_image(tmp_path / "image", "8M", block=1024)
    wild = [bytes([i]) * (i % 255 + 1) for i in (1, 8, 127, 128, 0xC3, 0xFE, 0xFF)]
    names = [os.fsdecode(name) for name in wild] + ["n" * 255]
    with mounted(tool, image) as disk:
        for name in names:
            disk.do("replace", f"/{name}", 0, os.fsencode(name))
        assert disk.ask("replace", "/" + "n" * 256, 0, b"").code == "NAME_TOO_LONG"
        assert disk.ask("mkdir", "/" + "n" * 256 + "/x").code == "NAME_TOO_LONG"
        listed = disk.do("list", "/").data.splitlines()
        assert {line.split(b" ", 2)[2] for line in listed} == {
            *map(os.fsencode, names),
            b"lost+found",
        }
        assert all(disk.read(f"/{name}") == os.fsencode(name) for name in names)
        disk.do("writeback")
        check_image(image)
        for name in names[::2]:
            disk.do("remove", f"/{name}")
        disk.do("writeback")

    check_image(image)
