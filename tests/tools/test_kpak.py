"""The payload archive: what goes in comes out, where the nucleus expects it."""

import struct
import subprocess
from pathlib import Path

import pytest

from tools.kwe.errors import BuildError
from tools.kwe.kpak import decode, encode, stripped


def test_parts_come_back_in_their_order() -> None:
    parts = {"deck/storage": b"a" * 5000, "program/agent": b"", "deck/network": b"xyz"}

    assert list(decode(encode(parts)).items()) == list(parts.items())


def test_layout_is_what_the_nucleus_reads() -> None:
    archive = encode({"deck/a": b"1" * 4097, "program/b": b"2"})

    assert archive[:8] == b"KWEPAK1\0"
    assert struct.unpack_from("<II", archive, 8) == (2, 0)
    assert struct.unpack_from("<48sQQ", archive, 16) == (b"deck/a".ljust(48, b"\0"), 4096, 4097)
    assert struct.unpack_from("<48sQQ", archive, 80) == (b"program/b".ljust(48, b"\0"), 12288, 1)
    assert len(archive) % 4096 == 0


def test_an_empty_archive_is_one() -> None:
    assert decode(encode({})) == {}


@pytest.mark.parametrize("name", ["", "x" * 48])
def test_names_must_fit(name: str) -> None:
    with pytest.raises(BuildError, match="1 to 47 bytes"):
        encode({name: b""})


@pytest.mark.parametrize(
    ("archive", "says"),
    [
        (b"KWE", "shorter than its header"),
        (b"ELF" + bytes(13), "magic"),
        (b"KWEPAK1\0" + struct.pack("<II", 9, 0), "do not fit"),
        (encode({"a": b"1" * 9})[:4100], "outside the archive"),
    ],
)
def test_damaged_archives_are_refused(archive: bytes, says: str) -> None:
    with pytest.raises(BuildError, match=says):
        decode(archive)


def test_elf_files_are_stripped(tmp_path: Path) -> None:
    source, elf = tmp_path / "a.c", tmp_path / "a.elf"
    source.write_text("int main(void) { return 0; }")
    subprocess.run(["gcc", "-g", "-o", elf, source], check=True)

    small = stripped(elf)

    assert small[:4] == b"\x7fELF"
    assert len(small) < elf.stat().st_size


def test_what_is_no_elf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.elf").write_text("no")

    with pytest.raises(BuildError, match="objcopy"):
        stripped(tmp_path / "a.elf")
