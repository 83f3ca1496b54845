"""Checks that operations which are said to be variants of one another mean the same."""

from codegen.model.system import Deck, Op
from codegen.spec.load import LoadedDeck
from codegen.spec.source import Place, nearest

MAX_OTHERS = (
    3  # KWE_MAX_VARIANTS of workflow.h, less the one that is named; deck_table.c asserts it
)


def check_variants(decks: list[Deck], loaded: list[LoadedDeck]) -> None:
    """Hold each `variant_of` against the operation that it names."""
    ops = {f"{deck.name}.{op.name}": op for deck in decks for op in deck.ops}
    takers: dict[str, list[Op]] = {}
    for deck, one in zip(decks, loaded, strict=True):
        for op in deck.ops:
            if op.variant_of is None:
                continue
            place: Place = ("ops", op.name, "variant_of")
            text = _mistake(op, op.variant_of, ops, takers.setdefault(op.variant_of, []))
            if text:
                one.source.problem(place, f"op '{op.name}': variant_of: {text}")
            takers[op.variant_of].append(op)


def _mistake(op: Op, home_name: str, ops: dict[str, Op], takers: list[Op]) -> str | None:
    home = ops.get(home_name)
    if home is None:
        return f"there is no operation '{home_name}'; {nearest(home_name, sorted(ops))}"
    if home.variant_of is not None:
        return f"'{home_name}' is a variant itself; '{home.variant_of}' would be right"
    if home.deck == op.deck or any(other.deck == op.deck for other in takers):
        return f"deck '{op.deck}' has another of its variants; one a deck would be right"
    if len(takers) == MAX_OTHERS:
        return f"more than {MAX_OTHERS} operations are variants of '{home_name}'"
    if op.name != home.name:
        return f"it has another name than '{home_name}'; the same would be right"
    if "pure" not in op.traits or "pure" not in home.traits:
        return "not both are pure, and an event may run one after the other; [pure] would be right"
    for part, mine, other in _parts(op, home):
        if mine != other:
            return f"its {part} are not those of '{home_name}'; the same would be right"
    return None


def _parts(op: Op, home: Op) -> list[tuple[str, object, object]]:
    """Return what makes up the meaning: what a workflow says and what it gets."""
    return [
        ("inputs", op.inputs, home.inputs),
        ("parameters", _without_words(op), _without_words(home)),
        ("presets", op.presets, home.presets),
        ("output's name, type or room", op.output, home.output),
        ("values", op.values, home.values),
        ("traits", op.traits, home.traits),
    ]


def _without_words(op: Op) -> list[tuple[object, ...]]:
    return [
        (one.name, one.type, one.offset, one.min, one.max, one.default, one.binding)
        for one in op.params
    ]
