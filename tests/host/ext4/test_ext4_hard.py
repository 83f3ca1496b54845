"""drivers/ext4 under damaged images and under many callers at once."""

import subprocess
from pathlib import Path

import pytest

from tests.host.ext4.disk_image import check_image, compile_program, make_image, mounted

ROUNDS = 1500


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = ["ext4_fuzz.c", "fake_disk.c"]
    return compile_program(
        "ext4_fuzz", sources, tmp_path_factory.mktemp("fuzz"), "address,undefined"
    )


@pytest.fixture(scope="module")
def threads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = ["ext4_threads.c", "fake_disk.c"]
    return compile_program("ext4_threads", sources, tmp_path_factory.mktemp("threads"), "thread")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Every kind of record: an extent index, holes, a directory of several blocks, links."""
    tree = tmp_path / "tree"
    (tree / "sub/deep").mkdir(parents=True)
    (tree / "small").write_bytes(b"small")
    (tree / "sub/big").write_bytes(bytes(range(256)) * 300)
    (tree / "sub/link").symlink_to("big")
    (tree / "sub/second").hardlink_to(tree / "small")
    (tree / "sub/deep/two").write_bytes(b"2" * 2000)
    for i in range(60):
        (tree / f"sub/deep/name_that_fills_blocks_{i:03d}").touch()
    with (tree / "holes").open("wb") as file:
        for i in range(40):
            file.seek(i * 8192)
            file.write(b"h" * 1024)
    return tree


@pytest.mark.parametrize("block", [1024, 4096])
def test_a_damaged_image_never_crashes_or_hangs_it(
    fuzz: Path, tmp_path: Path, tree: Path, block: int
) -> None:
    image = make_image(tmp_path / "image", "2M", block=block, source=tree, options=("-N", "128"))

    done = subprocess.run(
        [fuzz, image, str(ROUNDS), str(block)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-6000:]
    assert ROUNDS // 3 < int(done.stdout) < ROUNDS


@pytest.mark.parametrize("seed", range(3))
def test_callers_at_once_never_see_a_torn_file(threads: Path, tmp_path: Path, seed: int) -> None:
    image = make_image(tmp_path / "image", "16M", block=1024)

    done = subprocess.run(
        [threads, image, "6", "150", str(seed)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-6000:]
    check_image(image)


@pytest.mark.parametrize("operations", range(1, 40))
def test_what_was_synced_survives_a_disk_that_stops(
    tool: Path, tmp_path: Path, operations: int
) -> None:
    image = make_image(tmp_path / "image", "8M", block=1024)
    synced = {
        f"/d{i}/f{j}": bytes([i * 10 + j]) * (3000 + 700 * j) for i in range(4) for j in range(6)
    }
    with mounted(tool, image) as disk:
        for path, data in synced.items():
            disk.do("replace", path, 1, data)
        disk.do("sync")
    with mounted(tool, image) as disk:
        for path, data in list(synced.items())[::3]:
            disk.do("replace", path, 1, data[::-1] + b"new")
        for path in list(synced)[1::3]:
            disk.do("remove", path)
        for i in range(20):
            disk.do("replace", f"/new/n{i}", 1, b"n" * 5000)

        disk.do("fail", "-", operations)
        disk.ask("writeback")

    with mounted(tool, image) as disk:
        for i in range(60):
            disk.do("replace", f"/after/a{i}", 1, b"a" * 9000)
        disk.do("writeback")
        for index, (path, data) in enumerate(synced.items()):
            if index % 3 == 1 and disk.ask("stat", path).code == "NO_SUCH_FILE":
                continue
            assert disk.read(path) in (data, data[::-1] + b"new"), path
