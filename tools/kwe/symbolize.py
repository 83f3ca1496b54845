"""Addresses in log lines to functions, files and lines, by the unstripped ELF files in build/.

The nucleus prints ``backtrace IMAGE[@0xBASE]: 0x... 0x...``, innermost first; IMAGE is
``nucleus``, ``deck/NAME`` or ``program/NAME``, BASE is where a position-independent image was put
(without it, addresses count from the image's start).
"""

import argparse
import bisect
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from tools.kwe.errors import BuildError, SpecError
from tools.kwe.tree import find_build

BACKTRACE = re.compile(
    r"backtrace (?P<image>[\w/.-]+?)(@(?P<base>0x[0-9a-f]+))?:(?P<addresses>( 0x[0-9a-f]+)+)"
)


@dataclass(frozen=True)
class Location:
    """Where an address lies. `file` and `line` are None where there is no line information."""

    address: int
    function: str
    offset: int
    file: str | None
    line: int | None

    def __str__(self) -> str:
        """Return ``function+0x12 file:line``."""
        where = f"{self.function}+{self.offset:#x}"
        return where if self.file is None else f"{where} {self.file}:{self.line}"


@dataclass(frozen=True)
class _Symbol:
    start: int
    size: int
    name: str


@dataclass(frozen=True)
class _Row:
    """One row of a line table: [start, end) comes from `file`:`line`."""

    start: int
    end: int
    file: str
    line: int


class Symbols:
    """The functions and lines of one ELF file, read once."""

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as stream:
                elf = ELFFile(stream)
                self.position_independent = elf["e_type"] == "ET_DYN"
                self._symbols = sorted(_symbols(elf), key=lambda symbol: symbol.start)
                self._rows = sorted(_rows(elf), key=lambda row: row.start)
        except (OSError, ELFError) as error:
            raise BuildError(f"{path}: cannot read its symbols: {error}") from error
        self._symbol_starts = [symbol.start for symbol in self._symbols]
        self._row_starts = [row.start for row in self._rows]

    def find(self, address: int) -> Location | None:
        """Return where `address`, counted as the file counts, lies; None: in no function."""
        index = bisect.bisect_right(self._symbol_starts, address) - 1
        if index < 0:
            return None
        symbol = self._symbols[index]
        if address >= symbol.start + symbol.size:
            return None
        row = self._row_at(address)
        file, line = (row.file, row.line) if row else (None, None)
        return Location(address, symbol.name, address - symbol.start, file, line)

    def find_call(self, return_address: int) -> Location | None:
        """Return where the call lies that pushed `return_address`.

        That is one byte before: a call may be the last instruction of its function.
        """
        return self.find(return_address - 1)

    def address_of(self, name: str) -> int | None:
        """Return where a function or variable starts; None: there is none of that name."""
        return next((s.start for s in self._symbols if s.name == name), None)

    def _row_at(self, address: int) -> _Row | None:
        index = bisect.bisect_right(self._row_starts, address) - 1
        if index < 0 or address >= self._rows[index].end:
            return None
        return self._rows[index]


def _symbols(elf: Any) -> Iterator[_Symbol]:
    table = elf.get_section_by_name(".symtab")
    if table is None:
        return
    # Assembly routines without .size still name the code up to the next symbol.
    for symbol in table.iter_symbols():
        kind = symbol["st_info"]["type"]
        if (
            kind in ("STT_FUNC", "STT_OBJECT", "STT_NOTYPE")
            and symbol.name
            and symbol["st_shndx"] != "SHN_UNDEF"
        ):
            size = symbol["st_size"] or (0x1000 if kind != "STT_OBJECT" else 1)
            yield _Symbol(symbol["st_value"], size, symbol.name)


def _rows(elf: Any) -> Iterator[_Row]:
    if not elf.has_dwarf_info():
        return
    dwarf = elf.get_dwarf_info()
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        if program is None:
            continue
        names = _file_names(program.header)
        previous = None
        for entry in program.get_entries():
            state = entry.state
            if state is None:
                continue
            # Discarded sections keep rows at 0.
            if previous is not None and previous.address and state.address > previous.address:
                yield _Row(
                    previous.address, state.address, names.get(previous.file, "?"), previous.line
                )
            previous = None if state.end_sequence else state


def _file_names(header: Any) -> dict[int, str]:
    """File numbers of a line program to paths; DWARF 5 counts from 0, older ones from 1."""
    first = 0 if header["version"] >= 5 else 1
    directories = [d.decode(errors="replace") for d in header["include_directory"]]
    names = {}
    for number, entry in enumerate(header["file_entry"], first):
        name = entry.name.decode(errors="replace")
        index = entry.dir_index - (0 if first == 0 else 1)
        directory = directories[index] if 0 <= index < len(directories) else ""
        # Directory 0 is where the compiler ran: the root of the tree.
        relative = name.startswith("/") or not directory or (first == 0 and index == 0)
        names[number] = name if relative else f"{directory}/{name}"
    return names


@lru_cache(maxsize=32)
def _load(path: Path, _modified: float) -> Symbols:
    return Symbols(path)


def image_path(build: Path, image: str) -> Path:
    """Return the unstripped ELF of ``nucleus``, ``deck/NAME`` or ``program/NAME``."""
    if image == "nucleus":
        return build / "kwe.elf"
    kind, _, name = image.partition("/")
    return build / f"{kind}s" / f"{name}.elf"


def symbols_of(build: Path, image: str) -> Symbols:
    """Return the symbols of an image, kept between calls.

    Raises:
        BuildError: There is no such image in `build`, or it is no ELF file.

    """
    path = image_path(build, image)
    if not path.exists():
        raise BuildError(f"{path}: there is no such image")
    return _load(path, path.stat().st_mtime)


def symbolize_line(build: Path, line: str) -> list[str]:
    """Return one line for each frame of a backtrace line; [] when it is none."""
    match = BACKTRACE.search(line)
    if match is None:
        return []
    base = int(match["base"] or "0", 16)
    try:
        symbols = symbols_of(build, match["image"])
    except BuildError as error:
        return [f"    ({error})"]
    frames = []
    for depth, text in enumerate(match["addresses"].split()):
        address = int(text, 16)
        # The first is where it stood, the others are return addresses.
        find = symbols.find if depth == 0 else symbols.find_call
        frames.append(f"    {text}  {find(address - base) or '?'}")
    return frames


def symbolize(build: Path, lines: Iterable[str]) -> Iterator[str]:
    """Yield `lines`, each backtrace followed by its frames."""
    for line in lines:
        text = line.rstrip("\n")
        yield text
        yield from symbolize_line(build, text)


def run(args: argparse.Namespace) -> int:
    """Copy a log to standard output with its backtraces explained."""
    try:
        stream = args.log.open(errors="replace") if args.log else sys.stdin
    except OSError as error:
        raise SpecError(f"{args.log}: {error.strerror}") from error
    with stream:
        for line in symbolize(find_build(args.build).folder, stream):
            print(line)
    return 0


def register(subcommands: Any) -> None:
    """Add `kwe symbolize`."""
    parser = subcommands.add_parser(
        "symbolize",
        help="explain the backtraces in a log",
        description="Explain the backtraces in a log: each address as function+offset file:line.",
    )
    parser.add_argument("log", nargs="?", type=Path, help="a log file; standard input without it")
    parser.add_argument("--build", type=Path, metavar="DIR", help="where the image was built")
    parser.set_defaults(run=run)
