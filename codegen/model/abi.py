"""What the host's tools believe of the structs of kernel/abi/*.h, in the shape that is compared.

The one list of them is ``tools.kwe.abi``: what packs and unpacks is what is checked.
"""

import struct

from codegen.dwarf import Member, Struct
from tools.kwe import abi
from tools.kwe.layout import Layout

# Arrays that a tool reads element by element behind the struct: member, element, count.
TAILS = {"kwe_statistics": ("deck", abi.DECK_STATISTICS, abi.MAX_DECKS_REPORTED)}


def tool_structs() -> dict[str, Struct]:
    """Return every struct that a tool packs or unpacks, by its name in C."""
    layouts = (value for value in vars(abi).values() if isinstance(value, Layout))
    return {layout.name: _struct(layout) for layout in layouts}


def _struct(layout: Layout) -> Struct:
    size = layout.size
    members = [
        Member(name, layout.offsets[name], _bytes(kind)) for name, kind in layout.fields.items()
    ]
    if layout.name in TAILS:
        name, element, count = TAILS[layout.name]
        members.append(Member(name, size, element.size * count))
        size += element.size * count
    return Struct(layout.name, size, tuple(members))


def _bytes(kind: str | Layout) -> int:
    return kind.size if isinstance(kind, Layout) else struct.calcsize(f"<{kind}")
