"""Per deck the typed calls and their dispatch: kernel/decks/NAME/NAME_ops.h and NAME_dispatch.c."""

from collections.abc import Iterator

from codegen.emit.render import GeneratedFile, Renderer
from codegen.model.system import Input, Op, System, Value


def emit(system: System, renderer: Renderer) -> Iterator[GeneratedFile]:
    """Make what a deck's author writes operations against."""
    for deck in system.decks:
        folder = f"kernel/decks/{deck.name}"
        yield renderer.render(
            f"{folder}/{deck.name}_ops.h",
            "deck_ops.h.j2",
            f"{deck.name}_ops.h - {deck.name} deck: the operations it answers, in deck.yaml order.",
            (deck.spec,),
            deck=deck,
            members={op.name: _members(op) for op in deck.ops},
            errors={op.name: _errors(op) for op in deck.ops},
        )
        yield renderer.render(
            f"{folder}/{deck.name}_dispatch.c",
            "deck_dispatch.c.j2",
            f"{deck.name}_dispatch.c - {deck.name} deck: from a request to its function.",
            (deck.spec,),
            deck=deck,
            macro=deck.name.upper(),
            fibre_ops=[op for op in deck.ops if op.uses_fibre],
            widened=_widened,
        )


def _members(op: Op) -> list[tuple[str, str]]:
    """Return the members of the call struct with their comments."""
    members = [("struct deck_request *request;", "")]
    if op.params:
        members.append((f"const struct {op.struct} *params;", ""))
    members.extend((f"struct deck_bytes {one.name};", f"in: {_kind(one)}") for one in op.inputs)
    if op.output is not None:
        remark = f"out: {op.output.type}; set .length"
        members.append((f"struct deck_room {op.output.name};", remark))
    members.extend((f"{one.c_type} {one.name};", "value: set it") for one in op.values)
    return members


def _kind(one: Input) -> str:
    """Return the input's type, and whether it may be missing."""
    return f"{one.type}; .data is NULL when not bound" if one.is_optional else one.type


def _errors(op: Op) -> str:
    """Return the second half of the comment: what may go wrong, where it runs."""
    parts = []
    if op.errors:
        parts.append(f"Errors: {', '.join(code.name for code in op.errors)}.")
    if op.uses_fibre:
        parts.append("On a fibre: may wait.")
    return " ".join(parts)


def _widened(value: Value) -> str:
    """Return the value as the 64 bits of a completion; a signed one keeps its sign."""
    if value.type == "f64":
        return f"deck_f64_bits(call.{value.name})"
    return f"(uint64_t)(int64_t)call.{value.name}" if value.is_signed else f"call.{value.name}"
