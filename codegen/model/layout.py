"""Where the fields of a parameter struct lie: YAML order, natural alignment, named padding."""

from codegen.model.system import Padding
from codegen.spec.words import ParamType

STRUCT_ALIGN = 8  # parameters lie one behind the other in a workflow, and in work frames


def place_fields(types: list[ParamType]) -> tuple[list[int], list[Padding], int]:
    """Return the fields' offsets, the padding between and behind them, and the struct's size.

    Args:
        types: In YAML order. Sizes in bytes.
    """
    offsets: list[int] = []
    padding: list[Padding] = []
    end = 0

    def align(to: int) -> None:
        nonlocal end
        missing = -end % to
        if missing:
            name = f"reserved{len(padding) + 1}" if padding else "reserved"
            padding.append(Padding(name, end, missing))
            end += missing

    for one in types:
        align(one.scalar.align)
        offsets.append(end)
        end += one.bytes
    align(STRUCT_ALIGN)
    return offsets, padding, end
