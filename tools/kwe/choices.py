"""What the planner chose for each stage, why, and the best that it rejected, for people."""

from collections.abc import Iterator
from typing import Any

NOT_EARLY = {
    "changes": "it or a stage before it changes what others may see",
    "unsure": "it or a stage before it may be skipped or fail unnoticed",
    "body": "it belongs to a loop, or is one",
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
    """Yield a line for each choice, the stage's name in front."""
    width = max(len(stage["name"]) for stage in document["stages"])
    for stage in document["stages"]:
        name = stage["name"]
        for line in _choices(stage, document, analyze=analyze):
            yield f"  {name:{width}}  {line}"
            name = ""


def _choices(stage: dict[str, Any], document: dict[str, Any], *, analyze: bool) -> Iterator[str]:
    if stage["dropped"]:
        yield "does not run: nobody uses what it makes"
        return
    yield from _variants(stage, analyze=analyze)
    yield from _start(stage, document)
    yield from _visit(stage, analyze=analyze)


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
            f"(`op: {stage['op']}` leaves it open)"
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
        yield (
            f"waits for {needs}; rejected: starting {_ms(stage['begins_ns'])} ms earlier, since "
            f"{NOT_EARLY[stage['not_early']]}"
        )


def _visit(stage: dict[str, Any], *, analyze: bool) -> Iterator[str]:
    before = stage["fused_after"]
    if before is not None:
        did = f"; it did {stage['fused']} of {stage['events']} times" if analyze else ""
        yield f"goes along with {before} in one visit of {stage['deck']}{did}"
    elif stage["not_fused"] in NOT_FUSED:
        yield (
            f"a visit of its own; rejected: going along with {', '.join(stage['needs'])}, since "
            f"{NOT_FUSED[stage['not_fused']]}"
        )


def _ms(ns: int) -> str:
    return f"{ns / 1e6:.2f}"
