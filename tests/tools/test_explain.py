"""Rendering of plans; what the kernel tells is in tests/qemu/test_explain.py."""

from typing import Any

from tools.kwe import explain
from tools.kwe.explain_table import table


def stage(name: str, needs: list[str], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "deck": "operations",
        "op": name,
        "instances": "per_cpu",
        "needs": needs,
        "loop": None,
        "takes": [],
        "level": 0,
        "critical": False,
        "dropped": False,
        "early": False,
        "open": False,
        "variants": [],
        "ran_on": {},
        "not_early": None,
        "not_fused": None,
        "fused_after": None,
        "visits": 2,
        "fused": 3,
        "room_bytes": 0,
        "most_bytes": more.get("room_bytes", 0),
        "place": None,
        "takes_place_of": None,
        "estimated_ns": 1_500_000,
        "begins_ns": 0,
        "events": 3,
        "failed": 0,
        "measured_ns": 2_250_000,
        "queued_ns": None,
        "bytes_in": 0,
        "bytes_out": 0,
        **more,
    }


DOCUMENT: dict[str, Any] = {
    "workflow": "diamond",
    "route": [1, 1, 1, 0],
    "large_slots": 0,
    "plan": {
        "stage_count": 3,
        "levels": 2,
        "slots": 7,
        "slot_bytes": 8192,
        "outputs_bytes": 4096,
        "shared_bytes": 2048,
        "total_ns": 4_500_000,
        "critical_ns": 3_000_000,
    },
    "stages": [
        stage("long", [], critical=True, room_bytes=2048, place=0),
        stage("short", [], dropped=True),
        stage(
            "join",
            ["long", "short"],
            critical=True,
            room_bytes=512,
            takes_place_of="long",
            early=True,
            fused_after="long",
        ),
    ],
}


def test_the_table_tells_of_places_for_larger_events() -> None:
    stages = [*DOCUMENT["stages"][:2], {**DOCUMENT["stages"][2], "most_bytes": 8192}]

    lines = list(table({**DOCUMENT, "large_slots": 2, "stages": stages}, analyze=False))

    assert (
        "2 more places for events that turn out larger: join 8192 B, and what follows from these"
    ) in lines


def test_the_table_says_what_runs_where_and_why() -> None:
    lines = list(table(DOCUMENT, analyze=False))

    assert lines[0] == (
        "diamond: 3 stages, at most 2 of them one after the other; up to 7 events at once"
    )
    assert lines[4].split()[:3] == ["long", "*", "operations.long"]
    assert "own" in lines[4]
    assert "of long" in lines[6]
    assert "long, short" in lines[6]
    text = "\n".join(lines)
    assert "3.00 ms along the longest way, 4.50 ms if nothing" in text
    assert "2048 B of outputs (4096 B if none" in text
    assert "  short  does not run: nobody uses what it makes" in lines
    assert "  join   starts early, before long, short is over: it takes nothing from there" in text
    assert lines[-1].strip() == "goes along with long in one visit of operations"


def test_analyze_puts_what_was_measured_beside_it() -> None:
    lines = list(table(DOCUMENT, analyze=True))
    units, heads, first = lines[2:5]

    assert units.split() == ["output", "ms,", "ms,", "ms,", "events"]
    assert heads.split()[-6:] == ["estimated", "measured", "waited", "events", "per", "visit"]
    assert first.split()[-5:] == ["1.50", "2.25", "-", "3", "1.5"]
    text = "\n".join(lines)
    assert "one event, measured:  4.50 ms along that way, and 0.00 ms waiting" in text
    assert lines[-1].endswith("; it did 3 of 3 times")


def test_no_line_is_wider_than_a_terminal_and_nothing_is_lost() -> None:
    names = [f"quite_long_{number}" for number in range(9)]
    other = {"deck": "hardware", "estimated_ns": 9_000_000}
    stages = [stage(name, [], op="work") for name in names]
    stages.append(
        stage("last", names, op="work", variants=[other], not_fused="takes", not_early="unsure")
    )

    lines = list(table({**DOCUMENT, "stages": stages}, analyze=True))

    assert max(map(len, lines)) <= 120
    text = " ".join(" ".join(lines).split())
    assert all(f"{name}, " in text for name in names[:-1])
    assert "(`op: work` leaves it open)" in text


def test_a_loops_body_stands_below_it_and_has_no_choice_of_its_own_visit() -> None:
    stages = [
        stage("parts", [], deck="loop", op="for_each", not_fused="body"),
        stage("load", [], loop="parts", events=0, measured_ns=None),
    ]

    lines = list(table({**DOCUMENT, "stages": stages}, analyze=True))

    assert any(line.startswith("    load") and line.split()[-1] == "-" for line in lines)
    assert any(line.startswith("indented ") for line in lines)
    assert "a visit of its own" not in "\n".join(lines)


def test_only_those_that_the_same_deck_runs_could_have_gone_along() -> None:
    stages = [
        stage("near", []),
        stage("far", [], deck="storage"),
        stage("last", ["near", "far"], not_fused="takes"),
    ]

    text = " ".join(table({**DOCUMENT, "stages": stages}, analyze=False))

    assert "rejected: going along with near, since it takes" in text


def test_the_best_rejected_alternative_is_told_with_its_cost() -> None:
    other = {"deck": "hardware", "estimated_ns": 9_000_000}
    ran = {
        "operations": {"events": 2, "guest_ns": 3_000_000},
        "hardware": {"events": 1, "guest_ns": 8_000_000},
    }
    stages = [
        stage("pinned", [], variants=[other]),
        stage("free", ["pinned"], open=True, variants=[other], ran_on=ran, not_fused="open"),
        stage("late", ["pinned"], begins_ns=1_500_000, not_early="changes"),
    ]

    document = {**DOCUMENT, "stages": stages}
    text = " ".join(" ".join(table(document, analyze=True)).split())

    assert "on operations, estimated 1.50 ms, as the workflow says" in text
    assert "rejected: hardware, estimated 9.00 ms (`op: pinned` leaves it open)" in text
    assert "any free" in text
    assert "ran on operations 2 events of 1.50 ms, hardware 1 event of 8.00 ms" in text
    assert "rejected: going along with pinned, since which deck runs is decided" in text
    assert "rejected: starting 1.50 ms earlier, since it or a stage before it changes" in text
    assert any("(operations or hardware)" in line for line in explain.mermaid(document))
    assert any("(not hardware)" in line for line in explain.dot(document))


def test_pictures_have_each_edge_and_the_longest_way_thick() -> None:
    mermaid = list(explain.mermaid(DOCUMENT))
    dot = list(explain.dot(DOCUMENT))

    assert "  long ==> join" in mermaid
    assert "  short --> join" in mermaid
    assert "  long -> join [penwidth=3];" in dot
    assert "  short -> join;" in dot


def test_pictures_frame_a_loop_and_show_what_is_taken_from_it() -> None:
    stages = [
        stage("size", []),
        stage("parts", ["size"]),
        stage("load", [], loop="parts"),
        stage("update", ["load"], loop="parts"),
        stage("digest", ["parts"], takes=["update"]),
    ]
    document = {**DOCUMENT, "stages": stages}

    drawn = list(explain.mermaid(document))
    written = list(explain.dot(document))

    assert (
        drawn.index("  end") - drawn.index('  subgraph parts-body["again and again: parts"]')
        == len(["load", "update"]) + 1
    )
    assert "  parts -.-> load" in drawn
    assert "  update -.-> digest" in drawn
    assert "  update -> digest [style=dotted];" in written
    assert sum(line.count("{") for line in written) == sum(line.count("}") for line in written)
