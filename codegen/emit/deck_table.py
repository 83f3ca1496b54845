"""What the nucleus knows of the decks: deck_table.c and the validators of parameters."""

from collections.abc import Iterator

from codegen.emit.render import GeneratedFile, Renderer
from codegen.emit.text import c_number
from codegen.model.check_op import MAX_PARAM_BYTES
from codegen.model.check_variants import MAX_OTHERS
from codegen.model.system import Op, Param, System


def emit(system: System, renderer: Renderer) -> Iterator[GeneratedFile]:
    """Make the table, and a file of validators for each deck that has some."""
    specs = [deck.spec for deck in system.decks]
    yield renderer.render(
        "kernel/nucleus/deck_table.c",
        "deck_table.c.j2",
        "deck_table.c - every deck and its operations, as the nucleus and the Guide read them.",
        specs,
        decks=system.decks,
        traits={op.full_name: _traits(op) for deck in system.decks for op in deck.ops},
        variants={op.full_name: system.variants(op) for deck in system.decks for op in deck.ops},
        own_errors={
            op.full_name: system.own_errors(op) if system.variants(op) else ()
            for deck in system.decks
            for op in deck.ops
        },
        max_others=MAX_OTHERS,
        max_param_bytes=MAX_PARAM_BYTES,
    )
    yield renderer.render(
        "kernel/nucleus/deck_validate.h",
        "deck_validate.h.j2",
        "deck_validate.h - range checks of operations' parameters.",
        specs,
        decks=system.decks,
    )
    for deck in system.decks:
        if any(op.checked for op in deck.ops):
            yield renderer.render(
                f"kernel/nucleus/{deck.name}_validate.c",
                "deck_validate.c.j2",
                f"{deck.name}_validate.c - range checks of the {deck.name} deck's parameters.",
                (deck.spec,),
                deck=deck,
                bad_when=_bad_when,
            )


def _traits(op: Op) -> str:
    return " | ".join(f"OP_TRAIT_{trait.upper()}" for trait in op.traits)


def _bad_when(param: Param) -> str:
    """Return the condition under which the field (of an array: its element i) is out of range."""
    field = f"p->{param.name}"
    if param.is_path:
        return f"{field}.length > sizeof({field}.bytes)"
    if param.is_array:
        field += "[i]"
    bounds = []
    if param.min is not None:
        bounds.append(f"{field} < {c_number(param.min, param.is_signed)}")
    if param.max is not None:
        bounds.append(f"{field} > {c_number(param.max, param.is_signed)}")
    return " || ".join(bounds)
