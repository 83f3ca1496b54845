"""The kernel's own calls: kernel/abi/calls.h."""

import textwrap
from collections.abc import Iterator

from codegen.emit.render import GeneratedFile, Renderer
from codegen.emit.text import WIDTH
from codegen.model.system import Call, System


def emit(system: System, renderer: Renderer) -> Iterator[GeneratedFile]:
    """Make the list of call numbers."""
    yield renderer.render(
        "kernel/abi/calls.h",
        "calls.h.j2",
        "calls.h - numbers of the kernel's own calls, above the Linux-numbered ones.",
        ("kernel/abi/calls.yaml",),
        calls=system.calls,
        lines={call.name: _lines(call) for call in system.calls},
    )


def _lines(call: Call) -> list[str]:
    """Return the comment's lines: who may call, what it does, then each argument."""
    who = {"program": "Programs.", "deck": "Decks.", "any": "Programs and decks."}[call.who]
    lines = textwrap.wrap(f"{who} {call.doc}", WIDTH - 3)
    for one in call.arguments:
        lines += textwrap.wrap(
            f"{one.name}: {one.doc}", WIDTH - 3, initial_indent="  ", subsequent_indent="    "
        )
    return lines
