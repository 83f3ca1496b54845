"""Which operation a stage names: one deck's, or one that several decks have, whichever runs it."""

from collections.abc import Callable, Mapping
from typing import Any

from tools.kwe.errors import SpecError
from tools.kwe.system import Deck, Op, System

ANY = "any"
KEY = "variant"

# Makes the error that points at a key of the stage ("" the stage itself), with this text.
Complain = Callable[[str, str], SpecError]


def offered(system: System, name: str) -> list[tuple[Deck, Op]]:
    """Return the decks that have the operation as variants; first the one others go by."""
    found = [
        (deck, op)
        for deck in system.decks.values()
        for op in deck.ops
        if op.name == name and op.variants
    ]
    return sorted(found, key=lambda item: item[1].variant_of is not None)


def find_op(system: System, fields: Mapping[str, Any], complain: Complain) -> tuple[Deck, Op, bool]:
    """Return the operation of a stage, and whether another deck may run it.

    `op: jpeg_encode` leaves that open, `op: operations.jpeg_encode` does not; `variant:` says
    otherwise.

    Raises:
        SpecError: There is none such.
    """
    value = fields.get("op")
    if value is None:
        raise complain("", "`op` is missing; `op: deck.operation` is right")
    deck_name, dot, op_name = str(value).partition(".")
    if dot:
        deck, op = _named(system, deck_name, op_name, complain)
        return _chosen(system, deck, op, fields.get(KEY, deck.name), complain)
    candidates = offered(system, deck_name)
    if not candidates:
        raise complain("op", _no_variants(system, deck_name))
    deck, op = candidates[0]
    return _chosen(system, deck, op, fields.get(KEY, ANY), complain)


def _named(system: System, deck_name: str, op_name: str, complain: Complain) -> tuple[Deck, Op]:
    deck = system.decks.get(deck_name)
    if deck is None:
        raise complain(
            "op", f"there is no deck {deck_name!r}; {', '.join(system.decks)} would be right"
        )
    op = deck.op(op_name)
    if op is None:
        raise complain(
            "op",
            f"deck {deck_name} has no operation {op_name!r}; "
            f"{', '.join(op.name for op in deck.ops)} would be right",
        )
    return deck, op


def _chosen(
    system: System, deck: Deck, op: Op, variant: object, complain: Complain
) -> tuple[Deck, Op, bool]:
    """Return what `variant:` makes of it: any, or one deck's."""
    if variant == ANY and op.variants:
        return deck, op, True
    if variant == deck.name:
        return deck, op, False
    if not isinstance(variant, str) or variant not in op.variants:
        known = [ANY, deck.name, *op.variants] if op.variants else [deck.name]
        raise complain(KEY, f"variant: {variant!r}; {', '.join(known)} would be right")
    other = system.decks[variant]
    return *_named(system, other.name, op.name, complain), False


def _no_variants(system: System, name: str) -> str:
    decks = [deck.name for deck in system.decks.values() if deck.op(name)]
    if decks:
        right = " or ".join(f"{deck}.{name}" for deck in decks)
        return f"op: {name!r} names no deck, and there is one only; {right} would be right"
    return f"op: there is no operation {name!r}; `op: deck.operation` is right"
