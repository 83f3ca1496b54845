"""A plan, and what was measured of it, as a table for people who see one for the first time."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from tools.kwe.choices import WIDTH, choice_lines
from tools.kwe.closing import size_words, table_lines

WAITS_FOR = 2  # that column gives way
HEADS = (
    *(("", "stage"), ("", "operation"), ("", "waits for"), ("output", "up to"), ("", "memory")),
    ("ms,", "estimated"),
)
MEASURED_HEADS = (("ms,", "measured"), ("ms,", "waited"), ("", "events"), ("events", "per visit"))
LEGEND = (
    (
        "*",
        "on the longest way, by the estimates: only what is faster there makes an event faster",
    ),
    ("up to", "room for the output of one event"),
    ("memory", "the output's own, or that of a stage whose output nobody needs any more by then"),
    (
        "estimated",
        "by the operation's cost hint, if its input were as large as it may be: to choose by, "
        "no forecast",
    ),
)
MEASURED_LEGEND = (
    ("measured", "one event in the deck, on average; also while a device works for it"),
    (
        "waited",
        "from ready until handed to the deck, on average; long when many events are under way",
    ),
    ("events", "that went well"),
    ("per visit", "events that the deck was given at one go, on average"),
)
LOOP_LEGEND = (
    ("indented", "in the loop above, for each part or round; the loop's own estimate is for one"),
)


def table(document: dict[str, Any], *, analyze: bool) -> Iterator[str]:
    """Yield the plan for people."""
    plan = document["plan"]
    yield (
        f"{document['workflow']}: {plan['stage_count']} stages, at most {plan['levels']} of them "
        f"one after the other; up to {plan['slots']} events at once"
    )
    yield ""
    heads = [*HEADS, *(MEASURED_HEADS if analyze else ())]
    rows = [[bottom for _, bottom in heads]]
    rows += [_row(stage, analyze=analyze) for stage in document["stages"]]
    yield from table_lines([top for top, _ in heads], list(_narrow(rows)), left=3)
    yield ""
    yield from _legend(document, analyze=analyze)
    yield ""
    yield from _totals(document, analyze=analyze)
    yield ""
    yield "choices, and what was rejected (a visit: one entry into a deck, with all its work):"
    yield from choice_lines(document, analyze=analyze)


def _totals(document: dict[str, Any], *, analyze: bool) -> Iterator[str]:
    plan = document["plan"]
    if document["large_slots"]:
        grown = [
            f"{stage['name']} {size_words(stage['most_bytes'])}"
            for stage in document["stages"]
            if stage["most_bytes"] > stage["room_bytes"]
        ]
        yield (
            f"{document['large_slots']} more places for events that turn out larger: "
            f"{', '.join(grown)}, and what follows from these"
        )
    yield (
        f"one event, estimated: {ms(plan['critical_ns'])} ms along the longest way, "
        f"{ms(plan['total_ns'])} ms if nothing ran side by side"
    )
    longest = [stage for stage in document["stages"] if stage["critical"]]
    if analyze and all(stage["measured_ns"] is not None for stage in longest):
        yield (
            f"one event, measured:  {ms(sum(stage['measured_ns'] for stage in longest))} ms "
            f"along that way, and {ms(sum(stage['queued_ns'] or 0 for stage in longest))} ms "
            "waiting there for its turn among the others"
        )
    yield (
        f"memory of one event: {size_words(plan['shared_bytes'])} of outputs "
        f"({size_words(plan['outputs_bytes'])} if none took another's place), "
        f"{size_words(plan['slot_bytes'])} reserved over all instances"
    )


def _narrow(rows: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Wrap what is waited for, so that the table fits the width."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    others = sum(widths) - widths[WAITS_FOR] + 2 * len(widths)
    for row in rows:
        wrapped = textwrap.wrap(
            row[WAITS_FOR], max(WIDTH - others, 1), break_long_words=False, break_on_hyphens=False
        )
        yield [*row[:WAITS_FOR], wrapped[0], *row[WAITS_FOR + 1 :]]
        for more in wrapped[1:]:
            yield [*[""] * WAITS_FOR, more, *[""] * (len(row) - WAITS_FOR - 1)]


def _legend(document: dict[str, Any], *, analyze: bool) -> Iterator[str]:
    """Yield what the columns mean."""
    has_loop = any(stage["loop"] is not None for stage in document["stages"])
    lines = [*LEGEND, *(MEASURED_LEGEND if analyze else ()), *(LOOP_LEGEND if has_loop else ())]
    for word, meaning in lines:
        yield f"{word:9}  {meaning}"


def _row(stage: dict[str, Any], *, analyze: bool) -> list[str]:
    place = stage["takes_place_of"]
    indent = "  " if stage["loop"] is not None else ""
    row = [
        f"{indent}{stage['name']}{' *' if stage['critical'] else ''}",
        operation(stage),
        ", ".join(stage["needs"]) or "-",
        size_words(stage["room_bytes"]) if stage["room_bytes"] else "-",
        f"of {place}" if place else ("own" if stage["room_bytes"] else "-"),
        ms(stage["estimated_ns"]),
    ]
    if analyze:
        handed = stage["events"] + stage["failed"]
        vector = f"{handed / stage['visits']:.1f}" if handed and stage["visits"] else "-"
        row += [ms(stage["measured_ns"]), ms(stage["queued_ns"]), str(stage["events"]), vector]
    return row


def operation(stage: dict[str, Any]) -> str:
    """Name it without a deck when more than one may run it."""
    return f"any {stage['op']}" if stage["open"] else f"{stage['deck']}.{stage['op']}"


def ms(ns: int | None) -> str:
    """Return milliseconds for people; - for what was not measured."""
    return "-" if ns is None else f"{ns / 1e6:.2f}"
