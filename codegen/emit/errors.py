"""Error codes: kernel/abi/errors.h and kernel/lib/errors.c."""

from collections.abc import Iterator

from codegen.emit.render import GeneratedFile, Renderer
from codegen.model.system import System

SPECS = ("kernel/abi/errors.yaml",)


def emit(system: System, renderer: Renderer) -> Iterator[GeneratedFile]:
    """Make the enum and the tables of names and sentences."""
    yield renderer.render(
        "kernel/abi/errors.h",
        "errors.h.j2",
        "errors.h - every code that the system can answer with.",
        SPECS,
        errors=system.errors,
        enumerators=[(f"{code.c_name} = {code.number},", code.sentence) for code in system.errors],
    )
    yield renderer.render(
        "kernel/lib/errors.c",
        "errors.c.j2",
        "errors.c - the names and sentences of the error codes.",
        SPECS,
        errors=system.errors,
    )
