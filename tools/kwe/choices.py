"""What the planner chose for each stage, why, and the best that it rejected, for people."""

import textwrap
from collections.abc import Iterator
from typing import Any

from tools.kwe.nesting import LOOP_DECK

WIDTH = 120  # columns of a terminal
KEPT = "\N{NO-BREAK SPACE}"  # where no line may end
NOT_EARLY = {
    "changes": "it or a stage before it changes what others may see",
    "unsure": "it or a stage before it may be skipped or fail unnoticed",
    "body": "it belongs to a loop",
    "short": "it is over too soon to gain by it",
}
NOT_FUSED = {
    "takes": "it takes a value or the length of that, known only when that is over",
    "unsure": "it may be skipped, or runs whatever becomes of that",
    "body": "one of them belongs to a loop, the other does not",
    "open": "which deck runs is decided when it can run",
    "timeout": "it has a timeout of its own",
    "one": "another stage goes along with that",
}


def choice_lines(document: dict[str, Any], *, analyze: bool) -> Iterator[str]:
    """Yield each choice, the stage's name in front; no line is longer than WIDTH."""
    names = max(len(stage["name"]) for stage in document["stages"])
    for stage in document["stages"]:
        name = stage["name"]
        for choice in _choices(stage, document, analyze=analyze):
            wrapped = textwrap.wrap(choice, WIDTH - names - 6, break_on_hyphens=False)
            for at, line in enumerate(wrapped):
                yield f"  {name:{names}}  {'' if at == 0 else '  '}{line}".replace(KEPT, " ")
                name = ""


def _choices(stage: dict[str, Any], document: dict[str, Any], *, analyze: bool) -> Iterator[str]:
    if stage["dropped"]:
        yield "does not run: nobody uses what it makes"
        return
    yield from _variants(stage, analyze=analyze)
    yield from _start(stage, document)
    yield from _visit(stage, document, analyze=analyze)


def _variants(stage: dict[str, Any], *, analyze: bool) -> Iterator[str]:
    others = [
        f"{one['deck']}, estimated {_ms(one['estimated_ns'])} ms" for one in stage["variants"]
    ]
    if not others:
        return
    own = f"{stage['deck']}, estimated {_ms(stage['estimated_ns'])} ms"
    if not stage["open"]:
        yield (
            f"on {own}, as the workflow says; rejected: {', '.join(others)} "
            f"(`op:{KEPT}{stage['op']}` leaves it open)"
        )
        return
    yield f"on whichever is expected to be done first: {' / '.join([own, *others])}"
    if analyze and stage["ran_on"]:
        ran = [
            f"{deck} {one['events']} {'event' if one['events'] == 1 else 'events'}"
            + (f" of {_ms(one['guest_ns'] // one['events'])} ms" if one["events"] else "")
            for deck, one in stage["ran_on"].items()
        ]
        yield f"ran on {', '.join(ran)}"


def _start(stage: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    needs = ", ".join(stage["needs"])
    if stage["early"]:
        yield (
            f"starts early, before {needs} is over: it takes nothing from there and changes "
            f"nothing; rejected: waiting, {_ms(stage['begins_ns'])} ms"
        )
    elif stage["not_early"] in NOT_EARLY:
        is_loop = stage["deck"] == LOOP_DECK.name
        yield (
            f"waits for {needs}; rejected: starting {_ms(stage['begins_ns'])} ms earlier, since "
            f"{'it is a loop' if is_loop else NOT_EARLY[stage['not_early']]}"
        )


def _visit(stage: dict[str, Any], document: dict[str, Any], *, analyze: bool) -> Iterator[str]:
    before = stage["fused_after"]
    if before is not None:
        did = f"; it did {stage['fused']} of {stage['events']} times" if analyze else ""
        yield f"goes along with {before} in one visit of {stage['deck']}{did}"
    elif stage["not_fused"] in NOT_FUSED and stage["deck"] != LOOP_DECK.name:
        # With those that another deck runs it could not anyway.
        all_before = [one for one in document["stages"] if one["name"] in stage["needs"]]
        before = [
            one["name"]
            for one in all_before
            if one["open"] or stage["open"] or one["deck"] == stage["deck"]
        ]
        yield (
            f"a visit of its own; rejected: going along with {' or '.join(before)}, since "
            f"{NOT_FUSED[stage['not_fused']]}"
        )


def _ms(ns: int) -> str:
    return f"{ns / 1e6:.2f}"
