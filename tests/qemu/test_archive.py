"""The archive demo against hashlib, sha256sum, OpenSSL and zstd: what went in comes back."""

import hashlib
import os
import random
import subprocess
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from tests.harness.figures import Figures
from tests.harness.plugin import Kwe, RunWorkflow
from tests.harness.workflow import kwe as typed
from tests.harness.workflow import workflow_file
from tests.qemu import seals
from tools.kwe.errors import EXIT_DONE, EXIT_INPUT, EXIT_WORKFLOW
from tools.kwe.tree import Build

ARCHIVE = workflow_file("archive")
MIB = 1 << 20
# The longest that still has room for the suffix in a host's file name.
LONG = "n" * (255 - len(seals.SUFFIX))


def noise(count: int) -> bytes:
    """Return bytes that do not compress, the same each time."""
    return random.Random(count).randbytes(count)


def make_tree(root: Path) -> dict[str, bytes]:
    """Make a directory of everything that is awkward; return the content by name."""
    files = {
        "empty": b"",
        "one_byte": b"x",
        "one_block": noise(4096),
        "one_more": noise(4097),
        "zeros": bytes(100_000),
        "noise_3_mib": noise(3 * MIB),
        ".hidden": b"hidden\n",
        "with space": b"a b\n",
        "été ☃ 日本": "naïve\n".encode() * 50,
        "back\\slash": b"escaped by sha256sum\n",
        "new\nline": b"escaped by sha256sum as well\n",
        'quote".txt': b"quoted\n",
        "-dash": b"no option\n",
        os.fsdecode(b"not_utf8_\xff\xfe"): b"bytes are bytes\n",
        LONG: b"a long name\n",
        "deep/er/and/deep/er/file.txt": b"deep\n" * 1000,
        "deep/.hidden_too/empty": b"",
        f"{'d' * 120}/{'e' * 120}/{'f' * 120}": b"a path that no guest path can hold\n",
    }
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "target").write_bytes(b"reached by a link\n")
    (root / "link").symlink_to(outside / "target")
    (root / "folder_link").symlink_to(outside)
    (root / "deep/circle").symlink_to(root)
    (root / "deep/nothing").mkdir()
    return files | {
        "link": b"reached by a link\n",
        "folder_link/target": b"reached by a link\n",
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    root = tmp_path_factory.mktemp("archive") / "files"
    root.mkdir()
    return root, make_tree(root)


@pytest.fixture(scope="module")
def archived(
    image: Build, tree: tuple[Path, dict[str, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Figures]:
    """The whole tree, archived by the command without a key."""
    output = tmp_path_factory.mktemp("archived") / "out"
    done = typed(
        *("run", ARCHIVE, "--input", f"files={tree[0]}", "--output", output, "--json", "-"),
        image=image,
    )
    assert done.status == EXIT_DONE, done.err
    return output, done.figures


def test_every_file_comes_back_by_other_hands(
    tree: tuple[Path, dict[str, bytes]], archived: tuple[Path, Figures]
) -> None:
    output, figures = archived

    key = (output / "key").read_bytes()
    for name, content in tree[1].items():
        assert seals.restored(output / (name + seals.SUFFIX), key) == content, name
    made = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}
    assert made == {name + seals.SUFFIX for name in tree[1]} | {"key", "SHA256SUMS"}
    assert len(figures.outputs["sealed"]) == len(tree[1])


def test_digests_are_those_of_hashlib_and_sha256sum_takes_them(
    tree: tuple[Path, dict[str, bytes]], archived: tuple[Path, Figures]
) -> None:
    sums = archived[0] / "SHA256SUMS"

    lines = sums.read_bytes().splitlines()
    digests = {hashlib.sha256(content).hexdigest().encode() for content in tree[1].values()}
    assert len(lines) == len(tree[1])
    assert {line.lstrip(b"\\").split()[0] for line in lines} == digests
    subprocess.run(["sha256sum", "--quiet", "--strict", "-c", sums], cwd=tree[0], check=True)


def test_figures_count_what_went_through(
    tree: tuple[Path, dict[str, bytes]], archived: tuple[Path, Figures]
) -> None:
    figures, content = archived[1], tree[1].values()

    assert figures.events.model_dump() == {
        "submitted": len(content),
        "completed": len(content),
        "failed": 0,
    }
    assert figures.route == [3, 1, 1, 1, 3, 0]
    total = sum(map(len, content))
    for name, came_in, went_out in (("load", 0, total), ("digest", total, 32 * len(content))):
        stage = figures.stage(name)
        assert (stage.events, stage.bytes_in, stage.bytes_out) == (len(content), came_in, went_out)
    seal = figures.stage("seal")
    # 12 bytes of nonce and 16 of tag each.
    assert seal.bytes_out == figures.stage("pack").bytes_out + 28 * len(content)
    assert figures.stage("save").bytes_in == seal.bytes_out


def test_a_key_is_made_once_and_for_the_owner_alone(kwe: Kwe, tmp_path: Path) -> None:
    files, output = tmp_path / "files", tmp_path / "out"
    files.mkdir()
    (files / "a").write_bytes(b"first")
    words = ("run", ARCHIVE, "--input", f"files={files}", "--output", output)

    first = kwe(*words)
    key = (output / "key").read_bytes()
    before = (output / "a.zst.sealed").read_bytes()
    second = kwe(*words)

    assert (first.status, second.status) == (EXIT_DONE, EXIT_DONE), first.err + second.err
    assert (output / "key").stat().st_mode & 0o777 == 0o600
    assert len(key) == 32
    assert (output / "key").read_bytes() == key
    assert "key: taken from" in second.err
    # The same file under the same key: only the nonce tells the two apart.
    after = (output / "a.zst.sealed").read_bytes()
    assert before[: seals.NONCE_BYTES] != after[: seals.NONCE_BYTES]
    assert seals.opened(before, key) == seals.opened(after, key)


def test_a_key_that_is_given_seals_and_is_not_copied(kwe: Kwe, tmp_path: Path) -> None:
    files, output, key = tmp_path / "files", tmp_path / "out", tmp_path / "my.key"
    files.mkdir()
    (files / "a").write_bytes(noise(5000))
    key.write_bytes(noise(32))

    done = kwe(
        *("run", ARCHIVE, "--input", f"files={files}", "--input", f"key={key}", "--output", output)
    )

    assert done.status == EXIT_DONE, done.err
    assert sorted(path.name for path in output.iterdir()) == ["SHA256SUMS", "a.zst.sealed"]
    assert seals.restored(output / "a.zst.sealed", key.read_bytes()) == noise(5000)
    with pytest.raises(InvalidTag):
        seals.restored(output / "a.zst.sealed", bytes(32))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_size_is_refused(kwe: Kwe, tmp_path: Path, size: int) -> None:
    (tmp_path / "key").write_bytes(bytes(size))

    done = kwe(
        *("run", ARCHIVE, "--input", f"files={tmp_path}", "--input", f"key={tmp_path / 'key'}"),
        *("--output", tmp_path / "out"),
    )

    assert done.status == EXIT_INPUT
    assert f"key has {size} bytes; 32 would be right" in done.err
    assert not (tmp_path / "out").exists()


def test_an_empty_directory_gives_empty_digests(kwe: Kwe, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()

    done = kwe(
        *("run", ARCHIVE, "--input", f"files={tmp_path / 'files'}"),
        *("--output", tmp_path / "out", "--json", "-"),
    )

    assert done.status == EXIT_DONE, done.err
    assert "is empty" in done.err
    assert done.figures.events.submitted == 0
    assert (tmp_path / "out/SHA256SUMS").read_bytes() == b""


def test_a_single_file_whose_name_is_no_text_is_told_all_the_same(kwe: Kwe, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff\n")
    (tmp_path / name).write_bytes(b"alone")

    done = kwe(
        *("run", ARCHIVE, "--input", f"files={tmp_path / name}", "--output", tmp_path / "out"),
    )

    assert done.status == EXIT_DONE, done.err
    assert "output sealed: " in done.out
    key = (tmp_path / "out/key").read_bytes()
    assert seals.restored(tmp_path / f"out/{name}.zst.sealed", key) == b"alone"


def test_a_single_file_is_an_event_of_its_own_name(
    run_workflow: RunWorkflow, tmp_path: Path
) -> None:
    (tmp_path / "one").write_bytes(b"alone")

    report = run_workflow("archive", {"files": tmp_path / "one"}, tmp_path / "out")

    assert report.errors == []
    key = (tmp_path / "out/key").read_bytes()
    assert seals.restored(tmp_path / "out/one.zst.sealed", key) == b"alone"


def test_a_file_above_the_limit_is_too_large_by_name(kwe: Kwe, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for size in (0, 65535, 65536, 65537, 200_000):
        (files / f"{size}").write_bytes(noise(size))
    workflow = tmp_path / "archive.yaml"
    workflow.write_text(ARCHIVE.read_text().replace("64 MiB", "64 KiB"))

    done = kwe(
        *("run", workflow, "--input", f"files={files}", "--output", tmp_path / "out"),
        *("--json", "-"),
    )

    assert done.status == EXIT_WORKFLOW
    errors = [(e.event, e.stage, e.deck, e.code) for e in done.figures.errors]
    assert errors == [
        ("200000", "load", "storage", "OUTPUT_TOO_LARGE"),
        ("65537", "load", "storage", "OUTPUT_TOO_LARGE"),
    ]
    sums = (tmp_path / "out/SHA256SUMS").read_text()
    assert [line.split()[1] for line in sums.splitlines()] == ["0", "65535", "65536"]
    assert (tmp_path / "out/65536.zst.sealed").exists()


def test_a_name_without_room_for_the_suffix_is_refused(kwe: Kwe, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / ("n" * 255)).write_bytes(b"")

    done = kwe("run", ARCHIVE, "--input", f"files={files}", "--output", tmp_path / "out")

    assert done.status == EXIT_INPUT
    assert "would be longer than 255 bytes" in done.err


def test_many_small_files_all_come_back(run_workflow: RunWorkflow, tmp_path: Path) -> None:
    files, output = tmp_path / "files", tmp_path / "out"
    files.mkdir()
    for number in range(700):
        (files / f"{number:04}").write_bytes(b"%d\n" % number * number)

    report = run_workflow("archive", {"files": files}, output, memory_mib=128)

    assert report.errors == []
    subprocess.run(["sha256sum", "--quiet", "-c", output / "SHA256SUMS"], cwd=files, check=True)
    key = (output / "key").read_bytes()
    for number in (0, 1, 255, 256, 257, 699):
        content = b"%d\n" % number * number
        assert seals.restored(output / f"{number:04}.zst.sealed", key) == content
