import subprocess
from pathlib import Path

import pytest

from tools.kwe import disk

ODD_NAMES = [
    "plain.txt",
    "two words.txt",
    "-leading dash",
    'quote".txt',
    "apostrophe's",
    "back\\slash",
    "new\nline",
    "tab\there",
    "päivää 画像",
    "*?[x]",
    "#hash",
    "x" * 240,
    " ",
    "folder/inner file",
]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    sources = tmp_path / "sources"
    sources.mkdir()
    files = {}
    for index, name in enumerate(ODD_NAMES):
        source = sources / str(index)
        source.write_bytes(name.encode() * index)
        files[b"/out/odd/" + name.encode()] = source
    staging = tmp_path / "staging"
    staging.mkdir()
    path = tmp_path / "disk.img"
    disk.make_image(path, staging, files, [b"/in/none"], room_bytes=1 << 20)
    return path


def test_a_fresh_image_is_clean(image: Path) -> None:
    assert disk.check_image(image) == ""


def test_files_come_back_under_whatever_name(image: Path, tmp_path: Path) -> None:
    target = tmp_path / "fetched here"
    target.mkdir()

    disk.fetch_folder(image, b"/out/odd", target)

    for index, name in enumerate(ODD_NAMES):
        assert (target / "odd" / name).read_bytes() == name.encode() * index


def test_a_folder_that_is_not_there_gives_nothing(image: Path, tmp_path: Path) -> None:
    target = tmp_path / "fetched"
    target.mkdir()

    disk.fetch_folder(image, b"/out/never made", target)

    assert list(target.iterdir()) == []


def test_damage_is_said(image: Path) -> None:
    # Where Debian keeps it, which is not on everybody's PATH.
    debugfs = ["/usr/sbin/debugfs", "-w", "-R", "clri <12>", str(image)]
    subprocess.run(debugfs, capture_output=True, check=True)

    assert disk.check_image(image) != ""


def test_links_to_the_inputs_leave_them_alone(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("content")
    source.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(source)
    staging = tmp_path / "staging"
    staging.mkdir()
    image = tmp_path / "disk.img"

    disk.make_image(image, staging, {b"/in/x": source, b"/in/y": link}, [], room_bytes=0)

    target = tmp_path / "fetched"
    target.mkdir()
    disk.fetch_folder(image, b"/in", target)
    assert (target / "in/x").read_text() == (target / "in/y").read_text() == "content"
    assert source.stat().st_mode & 0o777 == 0o640


def test_placing_replaces_one_file_and_keeps_the_others(tmp_path: Path) -> None:
    fetched = tmp_path / "fetched"
    fetched.write_text("new")
    out = tmp_path / "out"
    out.mkdir()
    (out / "same").write_text("old")
    (out / "other").write_text("other")

    missing = disk.place_files([(fetched, out / "same"), (tmp_path / "gone", out / "gone")])

    assert (out / "same").read_text() == "new"
    assert (out / "other").read_text() == "other"
    assert missing == [(tmp_path / "gone", out / "gone")]


def test_a_written_file_has_its_mode(tmp_path: Path) -> None:
    disk.write_file(tmp_path / "key", b"secret", mode=0o600)

    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_what_debugfs_may_not_give_away_is_no_trouble_whatever_its_name() -> None:
    said = (
        b"debugfs 1.47.0 (5-Feb-2023)\n"
        b"rdump: Operation not permitted while changing ownership of out/a\n"
        b"dump_file: Operation not permitted while changing ownership of out/a/b\n"
        b"dump_file: Operation not permitted while changing ownership of out/new\nline.zst\n"
        b"rdump: Input/output error while reading ext2 file\n"
    )

    left = disk.NOT_OWNED.sub(b"", said)

    assert left.splitlines() == [
        b"debugfs 1.47.0 (5-Feb-2023)",
        b"rdump: Input/output error while reading ext2 file",
    ]
