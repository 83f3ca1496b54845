"""The generated C passes the project's warnings in both rings, and does what the spec says."""

import ctypes
import struct
import subprocess
from pathlib import Path

import pytest

from codegen.emit.render import GeneratedFile
from codegen.generate import generate
from codegen.model.system import Op, System
from tests.codegen.conftest import ROOT

Everything = tuple[Path, list[GeneratedFile]]

WARNINGS = """
    -std=gnu11 -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Werror
""".split()  # noqa: SIM905 - as it stands on a command line
NUCLEUS = """
    gcc -O2 -ffreestanding -fno-pic -no-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only
""".split()  # noqa: SIM905
RING3 = ["musl-gcc", "-O2", "-fPIE"]
OK, BAD_PARAMETER = 0, 13


def compile_c(compiler: list[str], source: str, folder: Path, *more: str) -> None:
    result = subprocess.run(
        [
            *compiler,
            *WARNINGS,
            "-I",
            str(ROOT),
            "-I",
            str(folder),
            *(more or ("-fsyntax-only",)),
            "-xc",
            "-",
        ],
        input=source,
        text=True,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def tree_folder(tree_system: System, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tree")
    for file in generate(tree_system):
        (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.path).write_text(file.content, encoding="utf-8")
    return folder


def in_one(folder: Path, *patterns: str) -> list[str]:
    """Return the C sources below these folders, each as text that includes just it."""
    found = sorted(path for pattern in patterns for path in folder.glob(pattern))
    assert found, patterns
    return [f'#include "{path.relative_to(folder)}"\n' for path in found]


@pytest.mark.parametrize("which", ["tree", "everything"])
def test_tables_and_validators_compile_for_ring_0(
    which: str, tree_folder: Path, everything: Everything
) -> None:
    folder = tree_folder if which == "tree" else everything[0]

    for source in in_one(folder, "kernel/nucleus/*.c", "kernel/lib/*.c", "kernel/**/*.h"):
        compile_c(NUCLEUS if "decks" not in source else RING3, source, folder)


@pytest.mark.parametrize("which", ["tree", "everything"])
def test_dispatch_and_tables_compile_for_ring_3(
    which: str, tree_folder: Path, everything: Everything
) -> None:
    folder = tree_folder if which == "tree" else everything[0]

    for source in in_one(folder, "kernel/lib/*.c", "kernel/decks/**/*.c", "userland/**/*.c"):
        compile_c(RING3, source, folder)


@pytest.mark.parametrize("which", ["tree", "everything"])
def test_typed_api_compiles_against_the_builder(
    which: str, tree_folder: Path, everything: Everything
) -> None:
    if not (ROOT / "userland/libkwe/program/kwe.h").exists():
        pytest.skip("userland/libkwe/program/kwe.h is not there yet")
    folder = tree_folder if which == "tree" else everything[0]

    for source in in_one(folder, "userland/libkwe/kwe_*.h"):
        compile_c(RING3, source, folder)


@pytest.fixture(scope="module")
def library(everything: Everything, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The validators and defaults of the deck that uses the whole language, to be called here."""
    folder = everything[0]
    made = tmp_path_factory.mktemp("library") / "everything.so"
    source = (
        '#include "kernel/lib/errors.c"\n'
        '#include "kernel/nucleus/everything_validate.c"\n'
        "void defaults(struct everything_params_params *into);\n"
        "void defaults(struct everything_params_params *into)\n"
        "{ *into = everything_params_defaults(); }\n"
    )
    compile_c(["gcc"], source, folder, "-O1", "-shared", "-fPIC", "-o", str(made))
    loaded = ctypes.CDLL(str(made))
    loaded.kerr_name.restype = ctypes.c_char_p
    loaded.kerr_sentence.restype = ctypes.c_char_p
    return loaded


@pytest.fixture
def op(everything_system: System) -> Op:
    return next(op for op in everything_system.decks[0].ops if op.name == "params")


def validate(library: ctypes.CDLL, data: bytes) -> tuple[int, int]:
    """Return the code and the offset that is complained about, -1 when none is."""
    offset = ctypes.c_uint32(0xFFFFFFFF)
    # Two u64s more than needed: 8-byte aligned, as parameters are.
    buffer = (ctypes.c_uint64 * (len(data) // 8 + 2))()
    ctypes.memmove(buffer, data, len(data))
    code = library.everything_params_validate(buffer, ctypes.byref(offset))
    return code, -1 if offset.value == 0xFFFFFFFF else offset.value


def with_field(op: Op, data: bytes, name: str, value: bytes) -> tuple[bytes, int]:
    param = next(param for param in op.params if param.name == name)
    changed = data[: param.offset] + value + data[param.offset + len(value) :]
    return changed, param.offset


@pytest.fixture
def good(library: ctypes.CDLL, op: Op) -> bytes:
    """The defaults, with what has none filled in."""
    buffer = (ctypes.c_uint64 * (op.params_bytes // 8))()
    library.defaults(buffer)
    return with_field(op, bytes(buffer), "width", struct.pack("<I", 7))[0]


def test_defaults_are_those_of_the_spec(good: bytes, op: Op) -> None:
    at = {param.name: param.offset for param in op.params}

    assert struct.unpack_from("<I", good, at["flag"]) == (1,)
    assert struct.unpack_from("<Q", good, at["wide"]) == (1 << 63,)
    assert struct.unpack_from("<q", good, at["low"]) == (-(1 << 63),)
    assert struct.unpack_from("<3I", good, at["triple"]) == (1, 2, 3)
    assert struct.unpack_from("<2i", good, at["same"]) == (-3, -3)
    path = '/a "b" ü'.encode()
    assert struct.unpack_from(f"<H{len(path)}sB", good, at["path"]) == (len(path), path, 0)


def test_parameters_within_their_ranges_pass(library: ctypes.CDLL, good: bytes) -> None:
    assert validate(library, good) == (OK, -1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flag", struct.pack("<I", 2)),
        ("wide", struct.pack("<Q", 0)),
        ("small", struct.pack("<i", 11)),
        ("low", struct.pack("<q", 0)),
        ("path", struct.pack("<H", 255)),
        ("width", struct.pack("<I", 0)),
        ("width", struct.pack("<I", 101)),
        ("triple", struct.pack("<3I", 0, 0, 10)),
        ("same", struct.pack("<2i", 0, -5)),
    ],
)
def test_parameter_out_of_range_is_refused_by_its_offset(
    name: str, value: bytes, library: ctypes.CDLL, good: bytes, op: Op
) -> None:
    bad, offset = with_field(op, good, name, value)

    assert validate(library, bad) == (BAD_PARAMETER, offset)


def test_unbound_field_is_complained_about_only_when_all_others_pass(
    library: ctypes.CDLL, good: bytes, op: Op
) -> None:
    unbound, width = with_field(op, good, "width", bytes(4))
    worse, same = with_field(op, unbound, "same", struct.pack("<i", -9))

    assert validate(library, unbound) == (BAD_PARAMETER, width)
    assert validate(library, worse) == (BAD_PARAMETER, same)


def test_a_number_that_is_no_code_has_a_name_too(library: ctypes.CDLL) -> None:
    assert library.kerr_name(BAD_PARAMETER) == b"BAD_PARAMETER"
    assert library.kerr_name(60000) == b"UNKNOWN"
    assert library.kerr_sentence(-1) == b"A code that is not known here."
