"""``python -m codegen.check_layout build/kwe.elf build/decks/*.elf``.

Do Python and the compiler agree on every struct? Compared are the parameter structs of all
operations (as gen/system.json says) and the structs of kernel/abi/*.h (as ``tools.kwe.abi``
says) with the DWARF of what was built.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from codegen.dwarf import Member, Struct, built_structs
from codegen.model.abi import tool_structs
from tools.kwe.errors import BuildError, KweError


def believed_structs(system_json: Path) -> dict[str, Struct]:
    """Return what Python believes of every struct that crosses a border; padding is not listed.

    Raises:
        BuildError: system.json is missing or malformed.
    """
    believed = tool_structs()
    try:
        decks = json.loads(system_json.read_text(encoding="utf-8"))["decks"]
        for deck in decks:
            for op in deck["ops"]:
                if op["params_bytes"]:
                    name = f"{deck['name']}_{op['name']}_params"
                    members = tuple(
                        Member(param["name"], param["offset"], param["bytes"])
                        for param in op["params"]
                    )
                    believed[name] = Struct(name, op["params_bytes"], members)
    except OSError as error:
        raise BuildError(
            f"{system_json}: cannot be read: {error.strerror}; run `make gen`"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BuildError(f"{system_json}: malformed: {error!r}; run `make gen`") from error
    return believed


def differences(believed: Struct, built: Struct) -> list[str]:
    """Say where the two disagree; padding that only C names does not count."""
    found = []
    if believed.bytes != built.bytes:
        found.append(f"{built.bytes} bytes, Python believes {believed.bytes}")
    in_c = {member.name: member for member in built.members}
    for member in believed.members:
        other = in_c.pop(member.name, None)
        if other is None:
            found.append(f"has no member {member.name}")
        elif other != member:
            found.append(
                f"{member.name} has {other.bytes} bytes at {other.offset}, "
                f"Python believes {member.bytes} at {member.offset}"
            )
    found += [f"Python does not know {name}" for name in in_c if not name.startswith("reserved")]
    return found


def check_files(files: Sequence[Path], believed: dict[str, Struct]) -> tuple[list[str], set[str]]:
    """Return what is wrong in these ELF files, and which structs were seen in any of them.

    Raises:
        BuildError: A file cannot be read.
    """
    wrong = []
    seen: set[str] = set()
    for file in files:
        for name, layouts in sorted(built_structs(file, believed.keys()).items()):
            seen.add(name)
            for layout in layouts:
                wrong += [
                    f"{file}: struct {name}: {text}" for text in differences(believed[name], layout)
                ]
    return wrong, seen


def main(arguments: list[str] | None = None) -> int:
    """Check; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m codegen.check_layout", description=__doc__)
    parser.add_argument("elf", type=Path, nargs="+", help="files built with -g")
    parser.add_argument("--system", type=Path, default=Path("build/gen/system.json"))
    parser.add_argument("--all", action="store_true", help="a struct that is nowhere is an error")
    options = parser.parse_args(arguments)
    try:
        believed = believed_structs(options.system)
        wrong, seen = check_files(options.elf, believed)
    except KweError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if options.all:
        wrong += [f"struct {name} is in none of the files" for name in believed if name not in seen]
    if not seen:
        wrong.append("none of the files has any of the structs")
    print(
        "\n".join(wrong) or f"{len(seen)} structs agree", file=sys.stderr if wrong else sys.stdout
    )
    return BuildError.exit_code if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
