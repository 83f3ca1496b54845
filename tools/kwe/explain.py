"""`kwe explain`: how the kernel means to carry a workflow out, and what it cost when it did."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools.kwe import abi
from tools.kwe.closing import error_lines, trouble_lines
from tools.kwe.disk import write_file
from tools.kwe.errors import EXIT_DONE, EXIT_WORKFLOW, MachineError
from tools.kwe.explain_table import operation, table
from tools.kwe.report import Report
from tools.kwe.run import add_run_arguments, options_from, run_workflows
from tools.kwe.sources import FromPiece, FromStage

FORMATS = ("table", "mermaid", "dot")
# enum kwe_plan_why, as --json has it
WHY_NOT = {
    abi.WHY_TAKES: "takes",
    abi.WHY_CHANGES: "changes",
    abi.WHY_UNSURE: "unsure",
    abi.WHY_BODY: "body",
    abi.WHY_SHORT: "short",
    abi.WHY_DECK: "deck",
    abi.WHY_OPEN: "open",
    abi.WHY_TIMEOUT: "timeout",
    abi.WHY_ONE: "one",
}
EXAMPLES = """\
examples:
  kwe explain userland/workflows/video.yaml --input clip=DIR
  kwe explain userland/workflows/archive.yaml --input files=DIR --analyze
  kwe explain userland/workflows/science.yaml --input recordings=DIR --format mermaid
  kwe explain userland/workflows/video.yaml userland/workflows/archive.yaml --input clip=DIR \
      --input files=DIR
"""


def plan_document(report: Report) -> dict[str, Any]:
    """Return the plan, and what was measured beside it, as --json writes it.

    Raises:
        MachineError: The guest told no plan.
    """
    session = report.session
    if session is None or session.plan is None:
        raise MachineError("the guest told no plan; its image is older than this kwe: run `make`")
    plan = session.plan
    measured = report.stages()
    names = [stage.name for stage in report.job.stages]
    stages = []
    for index, (stage, told) in enumerate(zip(report.job.stages, session.plan_stages, strict=True)):
        counted = measured[index]
        ended = counted["events"] + counted["failed"]
        stages.append(
            {
                "name": stage.name,
                "deck": stage.deck.name,
                "op": stage.op.name,
                "instances": stage.deck.instances,
                "needs": [names[before] for before in stage.needs],
                "loop": None if stage.loop is None else names[stage.loop],
                "takes": [
                    names[item.stage]
                    for item in stage.inputs
                    if isinstance(item, FromStage | FromPiece) and item.stage not in stage.needs
                ],
                "level": told["level"],
                "critical": bool(told["flags"] & abi.PLAN_CRITICAL),
                "dropped": bool(told["flags"] & abi.PLAN_DROPPED),
                "early": bool(told["flags"] & abi.PLAN_EARLY),
                "fused_after": (
                    None if told["fused_after"] == abi.NO_STAGE else names[told["fused_after"]]
                ),
                "room_bytes": told["out_room"],
                "most_bytes": report.job.sizing.out_mosts[index] or told["out_room"],
                "place": told["out_offset"] if told["out_room"] else None,
                "takes_place_of": (
                    None if told["place_of"] == abi.NO_STAGE else names[told["place_of"]]
                ),
                "estimated_ns": told["cost_ns"],
                "begins_ns": told["before_ns"],
                "open": bool(told["flags"] & abi.PLAN_OPEN),
                "variants": [
                    {"deck": report.system.deck_name(one["deck"]), "estimated_ns": one["cost_ns"]}
                    for one in told["variants"]
                ],
                "not_early": WHY_NOT.get(told["not_early"]),
                "not_fused": WHY_NOT.get(told["not_fused"]),
                "ran_on": counted["ran_on"],
                "events": counted["events"],
                "failed": counted["failed"],
                "measured_ns": counted["guest_ns"] // ended if ended else None,
                "queued_ns": counted["queued_ns"] // ended if ended else None,
                "visits": counted["visits"],
                "fused": counted["fused"],
                "bytes_in": counted["bytes_in"],
                "bytes_out": counted["bytes_out"],
            }
        )
    return {
        "workflow": report.job.spec.workflow,
        "route": list(report.job.route),
        "large_slots": report.job.sizing.large_slots,
        "plan": {name: value for name, value in plan.items() if name != "workflow"},
        "stages": stages,
    }


def _edges(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (before, after, kind): what is waited for, thick on the longest way, or only taken.

    A loop leads to those of its body that wait for no other of it.
    """
    for stage in document["stages"]:
        for before in stage["needs"]:
            yield before, stage["name"], "thick" if _both_critical(document, stage, before) else ""
        for before in stage["takes"]:
            yield before, stage["name"], "dotted"
        if stage["loop"] is not None and not stage["needs"]:
            yield stage["loop"], stage["name"], "dotted"


def _others(stage: dict[str, Any], newline: str) -> str:
    """Return who may run it, or who could have."""
    others = [one["deck"] for one in stage["variants"]]
    if not others:
        return ""
    if stage["open"]:
        return f"{newline}({' or '.join([stage['deck'], *others])})"
    return f"{newline}(not {', '.join(others)})"


def mermaid(document: dict[str, Any]) -> Iterator[str]:
    """Yield the graph for Mermaid; the longest way is drawn thick, a loop's body in a frame."""
    arrows = {"": "-->", "thick": "==>", "dotted": "-.->"}
    frame: str | None = None
    yield "flowchart LR"
    for stage in document["stages"]:
        if stage["loop"] != frame:
            if frame is not None:
                yield "  end"
            frame = stage["loop"]
            if frame is not None:
                yield f'  subgraph {_mermaid_id(frame)}-body["again and again: {frame}"]'
        dropped = "<br/>(does not run)" if stage["dropped"] else ""
        label = f"{stage['name']}<br/>{operation(stage)}{_others(stage, '<br/>')}{dropped}"
        yield f'  {_mermaid_id(stage["name"])}["{label}"]'
    if frame is not None:
        yield "  end"
    for before, after, kind in _edges(document):
        yield f"  {_mermaid_id(before)} {arrows[kind]} {_mermaid_id(after)}"


def _mermaid_id(name: str) -> str:
    return name.replace(".", "-")  # no name has one


def _dot_id(name: str) -> str:
    return f'"{name}"' if "." in name else name


def dot(document: dict[str, Any]) -> Iterator[str]:
    """Yield the graph for Graphviz, likewise."""
    styles = {"": "", "thick": " [penwidth=3]", "dotted": " [style=dotted]"}
    frame: str | None = None
    yield f'digraph "{document["workflow"]}" {{'
    yield "  rankdir=LR; node [shape=box];"
    for stage in document["stages"]:
        if stage["loop"] != frame:
            if frame is not None:
                yield "  }"
            frame = stage["loop"]
            if frame is not None:
                yield f'  subgraph "cluster_{frame}" {{ label="again and again: {frame}";'
        dropped = "\\n(does not run)" if stage["dropped"] else ""
        label = f"{stage['name']}\\n{operation(stage)}{_others(stage, chr(92) + 'n')}{dropped}"
        yield f'  {_dot_id(stage["name"])} [label="{label}"];'
    if frame is not None:
        yield "  }"
    for before, after, kind in _edges(document):
        yield f"  {_dot_id(before)} -> {_dot_id(after)}{styles[kind]};"
    yield "}"


def _both_critical(document: dict[str, Any], stage: dict[str, Any], before: str) -> bool:
    critical = {item["name"] for item in document["stages"] if item["critical"]}
    return stage["critical"] and before in critical


def run(args: argparse.Namespace) -> int:
    """Ask the kernel for its plans; with --analyze, run all events too."""
    options = replace(options_from(args), json=None, events=args.analyze)
    reports = run_workflows(options)
    documents = [plan_document(report) for report in reports]
    if args.json is not None:
        told = documents if len(documents) > 1 else documents[0]
        text = json.dumps(told, indent=2) + "\n"
        if args.json == "-":
            print(text, end="")
        else:
            write_file(Path(args.json), text.encode())
    stream = sys.stderr if args.json == "-" else sys.stdout
    print("\n\n".join("\n".join(_lines(args, one)) for one in documents), file=stream)
    for report in reports:
        for line in trouble_lines(report) if report is reports[0] else error_lines(report):
            print(line, file=sys.stderr)
    return EXIT_WORKFLOW if any(report.errors for report in reports) else EXIT_DONE


def _lines(args: argparse.Namespace, document: dict[str, Any]) -> Iterator[str]:
    if args.format == "mermaid":
        return mermaid(document)
    return dot(document) if args.format == "dot" else table(document, analyze=args.analyze)


def register(subcommands: Any) -> None:
    """Add `kwe explain`."""
    parser = subcommands.add_parser(
        "explain",
        help="show how the kernel means to carry a workflow out",
        description="Boot the image, have the kernel plan the workflows for these inputs, and show "
        "the plans: what runs where and after what, what shares memory, the longest way. Nothing "
        "is run, except with --analyze.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--analyze", action="store_true", help="run it, and show what was measured beside the plan"
    )
    parser.add_argument(
        "--format", choices=FORMATS, default="table", help="table, or a picture as text"
    )
    add_run_arguments(parser)
    parser.set_defaults(run=run)
