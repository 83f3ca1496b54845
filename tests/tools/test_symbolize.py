"""Addresses to functions and lines, by a small program of our own."""

import subprocess
from pathlib import Path

import pytest

from tools.kwe.errors import BuildError
from tools.kwe.symbolize import Symbols, symbolize, symbols_of

SOURCE = """\
int first(int x);
int second(int x);
int first(int x)
{
    return x * 3;
}
int second(int x)
{
    return first(x) + 1;
}
int main(void)
{
    return second(2);
}
"""


@pytest.fixture(params=["-no-pie", "-pie"])
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "decks"
    folder.mkdir()
    (tmp_path / "sample.c").write_text(SOURCE)
    command = ["gcc", "-O0", "-g", request.param, "-o", "decks/sample.elf", "sample.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    return tmp_path


def address_of(build: Path, name: str) -> int:
    address = symbols_of(build, "deck/sample").address_of(name)
    assert address is not None
    return address


def test_an_address_gives_function_file_and_line(build: Path) -> None:
    location = symbols_of(build, "deck/sample").find(address_of(build, "second"))

    assert location is not None
    assert (location.function, location.offset, location.line) == ("second", 0, 8)
    assert Path(location.file or "").name == "sample.c"


def test_an_address_in_no_function_gives_nothing(build: Path) -> None:
    symbols = symbols_of(build, "deck/sample")

    assert symbols.find(0) is None
    assert symbols.find(1 << 60) is None


def test_a_return_address_names_the_call_not_what_follows_it(build: Path) -> None:
    first = symbols_of(build, "deck/sample").find_call(address_of(build, "second"))

    assert first is not None
    assert first.function == "first"


def test_a_backtrace_line_is_followed_by_its_frames(build: Path) -> None:
    pc, caller = address_of(build, "first"), address_of(build, "second") + 12
    line = f"[    0.1] cpu0 deck sample.0: backtrace deck/sample: {pc:#x} {caller:#x}"

    lines = list(symbolize(build, ["before\n", line + "\n", "after"]))

    assert lines[0] == "before"
    assert lines[1] == line
    assert "first+0x0" in lines[2]
    assert "sample.c:4" in lines[2]
    assert "second+0xb" in lines[3]
    assert lines[4] == "after"


def test_a_moved_image_says_its_base(build: Path) -> None:
    pc = address_of(build, "main")

    lines = list(symbolize(build, [f"backtrace deck/sample@0x7f0000: {pc + 0x7F0000:#x}"]))

    assert "main+0x0" in lines[1]


def test_an_unknown_image_is_said_and_the_log_goes_on(build: Path) -> None:
    lines = list(symbolize(build, ["backtrace deck/other: 0x1", "after"]))

    assert "there is no such image" in lines[1]
    assert lines[2] == "after"


def test_what_is_no_elf_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.elf"
    path.write_text("no")

    with pytest.raises(BuildError, match="cannot read its symbols"):
        Symbols(path)
