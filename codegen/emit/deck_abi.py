"""Per deck kernel/abi/NAME.h: prefix, ops, parameter structs, input and value indices."""

from collections.abc import Iterator

from codegen.emit.render import GeneratedFile, Renderer
from codegen.emit.text import c_number, c_string
from codegen.model.system import Op, Padding, Param, System


def emit(system: System, renderer: Renderer) -> Iterator[GeneratedFile]:
    """Make one header a deck, the same for both rings."""
    for deck in system.decks:
        yield renderer.render(
            f"kernel/abi/{deck.name}.h",
            "deck_abi.h.j2",
            f"{deck.name}.h - the {deck.name} deck's operations, as all sides see them.",
            (deck.spec,),
            deck=deck,
            macro=deck.name.upper(),
            input_rows=_input_rows,
            value_rows=_value_rows,
            member_rows=_member_rows,
            defaults={op.name: [_default(param) for param in op.defaulted] for op in deck.ops},
            unset={op.name: _unset(op) for op in deck.ops},
        )


def _input_rows(op: Op) -> list[tuple[str, str]]:
    """Return the enumerators of the inputs' indices with their comments."""
    stem = f"{op.full_name}_input".upper()
    return [(f"{stem}_{one.name.upper()} = {one.index},", one.type) for one in op.inputs]


def _value_rows(op: Op) -> list[tuple[str, str]]:
    """Return the enumerators of the values' indices with their comments."""
    stem = f"{op.full_name}_value".upper()
    return [(f"{stem}_{one.name.upper()} = {one.index},", one.type) for one in op.values]


def _member_rows(op: Op) -> list[tuple[str, str]]:
    """Return the members of the parameter struct with their comments."""
    members = []
    for one in op.layout:
        if isinstance(one, Padding):
            members.append((f"uint8_t {one.name}[{one.bytes}];", ""))
        else:
            count = f"[{one.count}]" if one.is_array else ""
            members.append((f"{one.c_type} {one.name}{count};", _remark(one)))
    return members


def _remark(param: Param) -> str:
    """Say about a field what its type does not."""
    parts = [param.doc] if param.doc else []
    if param.min is not None and param.max is not None:
        parts.append(f"{param.min}..{param.max}")
    elif param.min is not None:
        parts.append(f"at least {param.min}")
    elif param.type == "bool":
        parts.append("0 or 1")
    elif param.max is not None:
        parts.append(f"at most {param.max}")
    if param.binding is not None:
        parts.append(f"the {param.binding.value} of what feeds {param.binding.input}")
    return "; ".join(parts)


def _default(param: Param) -> str:
    """Return the field's initializer."""
    if isinstance(param.default, str):
        length = len(param.default.encode())
        return f".{param.name} = {{ .length = {length}, .bytes = {c_string(param.default)} }}"
    if isinstance(param.default, tuple):
        numbers = ", ".join(c_number(one, param.is_signed) for one in param.default)
        return f".{param.name} = {{ {numbers} }}"
    if isinstance(param.default, float):
        return f".{param.name} = {param.default!r}"
    assert param.default is not None
    return f".{param.name} = {c_number(param.default, param.is_signed)}"


def _unset(op: Op) -> str:
    """Say which fields the defaults leave at 0."""
    names = [param.name for param in op.params if param.default is None]
    return f"Left at 0, for the caller to set or bind: {', '.join(names)}." if names else ""
