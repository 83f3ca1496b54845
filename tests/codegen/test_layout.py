"""Python and the compiler agree on every struct that crosses a border."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from codegen.check_layout import believed_structs, check_files, main
from codegen.emit.render import GeneratedFile
from codegen.model.abi import tool_structs
from tests.codegen.conftest import ROOT

Everything = tuple[Path, list[GeneratedFile]]
Build = Callable[[str], Path]

PARAMS = "everything_params_params"
ABI_HEADERS = [f"kernel/abi/{path.name}" for path in sorted((ROOT / "kernel/abi").glob("*.h"))]
EXTRA_HEADER = "kernel/abi/everything.h"


@pytest.fixture
def build(everything: Everything, tmp_path: Path) -> Build:
    """Compile C with debug information; returns the object file."""

    def compile_c(source: str) -> Path:
        made = tmp_path / "probe.o"
        subprocess.run(
            ["gcc", "-g", "-c", "-I", ROOT, "-I", everything[0], "-o", made, "-xc", "-"],
            input=source,
            text=True,
            check=True,
        )
        return made

    return compile_c


def probe(headers: list[str], names: list[str]) -> str:
    includes = [f'#include "{header}"' for header in headers]
    variables = [f"struct {name} probe_{name};" for name in names]
    return "\n".join([*includes, *variables, ""])


def test_every_struct_of_the_abi_lies_as_python_believes(
    build: Build, everything: Everything
) -> None:
    names = [*tool_structs(), PARAMS]
    elf = build(probe([*ABI_HEADERS, EXTRA_HEADER], names))

    wrong, seen = check_files([elf], believed_structs(everything[0] / "system.json"))

    assert wrong == []
    assert seen == set(names)


def test_a_member_that_moved_is_named(build: Build, everything: Everything) -> None:
    elf = build(
        "#include <stdint.h>\n"
        "struct kwe_control_progress { uint64_t failed, submitted; uint32_t completed; "
        "uint64_t armed; };\n"
        "struct kwe_control_progress probe;\n"
    )

    wrong, _ = check_files([elf], believed_structs(everything[0] / "system.json"))

    assert [line.partition(": ")[2] for line in wrong] == [
        "struct kwe_control_progress: submitted has 8 bytes at 8, Python believes 8 at 0",
        "struct kwe_control_progress: completed has 4 bytes at 16, Python believes 8 at 8",
        "struct kwe_control_progress: failed has 8 bytes at 0, Python believes 8 at 16",
    ]


def test_command_ends_with_2_and_says_why(
    build: Build, everything: Everything, capsys: pytest.CaptureFixture[str]
) -> None:
    elf = build("struct kwe_path { char bytes[256]; } probe;\n")
    system = str(everything[0] / "system.json")

    assert main([str(elf), "--system", system]) == 2

    assert "struct kwe_path: has no member length" in capsys.readouterr().err


def test_command_refuses_a_file_without_debug_information(
    tmp_path: Path, everything: Everything, capsys: pytest.CaptureFixture[str]
) -> None:
    elf = tmp_path / "plain.o"
    subprocess.run(["gcc", "-c", "-o", elf, "-xc", "-"], input="int x;", text=True, check=True)

    assert main([str(elf), "--system", str(everything[0] / "system.json")]) == 2

    assert "built with -g" in capsys.readouterr().err
