"""What programs link: per deck userland/libkwe/kwe_NAME.h, and the table of values by name."""

from collections.abc import Iterator

from codegen.emit.render import GeneratedFile, Renderer
from codegen.model.system import Input, Op, Param, System


def emit(system: System, renderer: Renderer) -> Iterator[GeneratedFile]:
    """Make the typed API and the table that it asks."""
    for deck in system.decks:
        yield renderer.render(
            f"userland/libkwe/kwe_{deck.name}.h",
            "kwe_deck.h.j2",
            f"kwe_{deck.name}.h - stages of the {deck.name} deck, typed, for programs.",
            (deck.spec,),
            deck=deck,
            parameters={op.name: _parameters(op) for op in deck.ops},
            stage_arguments=_stage_arguments,
            input_arguments=_input_arguments,
            from_arguments=_from_arguments,
        )
    count = sum(len(op.values) for deck in system.decks for op in deck.ops)
    specs = [deck.spec for deck in system.decks]
    yield renderer.render(
        "userland/libkwe/op_values.h",
        "op_values.h.j2",
        "op_values.h - the values that operations answer, by name.",
        specs,
    )
    yield renderer.render(
        "userland/libkwe/op_values.c",
        "op_values.c.j2",
        "op_values.c - the values that operations answer, by name.",
        specs,
        decks=[deck for deck in system.decks if any(op.values for op in deck.ops)],
        count=count,
        room=max(count, 1),
    )


def _parameters(op: Op) -> list[str]:
    """Return the C parameters of the function that adds a stage of this operation."""
    params = [f"const struct {op.struct} *params"] if op.params else []
    inputs = [f"kwe_stage_t {one.name}" for one in op.inputs]
    return ["struct kwe_builder *builder", "const char *name", *inputs, *params]


def _stage_arguments(op: Op) -> list[str]:
    """Return what kwe_stage() is called with."""
    params = ["params", "sizeof(*params)"] if op.params else ["NULL", "0"]
    return ["builder", "name", f"{op.deck.upper()}_PREFIX", op.macro, *params]


def _input_arguments(op: Op, one: Input) -> list[str]:
    """Return what kwe_input_stage() is called with."""
    return ["builder", "stage", f"{op.full_name}_input_{one.name}".upper(), one.name]


def _from_arguments(op: Op, param: Param) -> list[str]:
    """Return what kwe_param_from() is called with."""
    assert param.binding is not None
    offset = f"offsetof(struct {op.struct}, {param.name})"
    width = f"sizeof(params->{param.name})"
    return ["builder", "stage", offset, width, param.binding.input, f'"{param.binding.value}"']
