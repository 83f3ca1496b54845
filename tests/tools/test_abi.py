"""The Python mirror of kernel/abi/ against the C headers themselves."""

import subprocess
from pathlib import Path

import pytest

from tools.kwe import abi
from tools.kwe.layout import Layout
from tools.kwe.tree import ROOT

HEADERS = ("control", "event", "job", "statistics", "trace", "work", "workflow")
LAYOUTS = [value for value in vars(abi).values() if isinstance(value, Layout)]

# Constants by their C name; exit.h is the nucleus's own, and has no other includes.
CONSTANTS = {
    "KWE_NO_STAGE": abi.NO_STAGE,
    "KWE_WORKFLOW_MAGIC": abi.WORKFLOW_MAGIC,
    "KWE_WORKFLOW_VERSION": abi.WORKFLOW_VERSION,
    "KWE_MAX_BLOCK_BYTES": abi.MAX_BLOCK_BYTES,
    "KWE_MAX_SLOTS": abi.MAX_SLOTS,
    "KWE_MAX_BLOB_BYTES": abi.MAX_BLOB_BYTES,
    "KWE_BIND_INPUT_STAGE": abi.BIND_INPUT_STAGE,
    "KWE_BIND_INPUT_EVENT": abi.BIND_INPUT_EVENT,
    "KWE_BIND_INPUT_CONSTANT": abi.BIND_INPUT_CONSTANT,
    "KWE_BIND_PARAM_VALUE": abi.BIND_PARAM_VALUE,
    "KWE_BIND_PARAM_LENGTH": abi.BIND_PARAM_LENGTH,
    "KWE_BIND_PARAM_STATUS": abi.BIND_PARAM_STATUS,
    "KWE_BIND_PARAM_BLOCK": abi.BIND_PARAM_BLOCK,
    "KWE_BIND_PARAM_PART": abi.BIND_PARAM_PART,
    "KWE_BIND_INPUT_PREVIOUS": abi.BIND_INPUT_PREVIOUS,
    "KWE_BIND_PARAM_PREVIOUS": abi.BIND_PARAM_PREVIOUS,
    "KWE_BIND_INPUT_PART": abi.BIND_INPUT_PART,
    "KWE_BIND_PARAM_OUTPUT": abi.BIND_PARAM_OUTPUT,
    "KWE_PART_NUMBER": abi.PART_NUMBER,
    "KWE_PART_OFFSET": abi.PART_OFFSET,
    "KWE_PART_LENGTH": abi.PART_LENGTH,
    "KWE_STAGE_OP": abi.STAGE_OP,
    "KWE_STAGE_FOR_EACH": abi.STAGE_FOR_EACH,
    "KWE_STAGE_UNTIL": abi.STAGE_UNTIL,
    "KWE_JOIN_ALL": abi.JOIN_ALL,
    "KWE_JOIN_FIRST": abi.JOIN_FIRST,
    "KWE_DEPENDENCY_TOLERATES": abi.DEPENDENCY_TOLERATES,
    "KWE_MAX_VARIANTS": abi.MAX_VARIANTS,
    "KWE_STAGE_ANY_VARIANT": abi.STAGE_ANY_VARIANT,
    "KWE_PLAN_OPEN": abi.PLAN_OPEN,
    **{
        f"KWE_WHY_{name}": getattr(abi, f"WHY_{name}")
        for name in (
            *("NONE", "TAKES", "CHANGES", "UNSURE", "BODY", "SHORT"),
            *("DECK", "OPEN", "TIMEOUT", "ONE"),
        )
    },
    "KWE_ANY_STAGE": abi.ANY_STAGE,
    "KWE_MAX_STAGES": abi.MAX_STAGES,
    "KWE_NO_DECK": abi.NO_DECK,
    "KWE_MAX_WINDOW": abi.MAX_WINDOW,
    "KWE_MAX_ROUNDS": abi.MAX_ROUNDS,
    "KWE_IF_STATUS": abi.IF_STATUS,
    "KWE_IF_VALUE": abi.IF_VALUE,
    "KWE_IF_LENGTH": abi.IF_LENGTH,
    "KWE_EQUAL": abi.RELATIONS["=="],
    "KWE_NOT_EQUAL": abi.RELATIONS["!="],
    "KWE_BELOW": abi.RELATIONS["<"],
    "KWE_AT_MOST": abi.RELATIONS["<="],
    "KWE_ABOVE": abi.RELATIONS[">"],
    "KWE_AT_LEAST": abi.RELATIONS[">="],
    "KWE_MANIFEST_SUBTREE": abi.MANIFEST_SUBTREE,
    "KWE_MANIFEST_READ": abi.MANIFEST_READ,
    "KWE_MANIFEST_WRITE": abi.MANIFEST_WRITE,
    "KWE_MAX_DECKS_REPORTED": abi.MAX_DECKS_REPORTED,
    "KWE_JOB_MAGIC": abi.JOB_MAGIC,
    "KWE_JOB_VERSION": abi.JOB_VERSION,
    "KWE_JOB_SYNC_AT_END": abi.JOB_SYNC_AT_END,
    "KWE_MAX_JOBS": abi.MAX_JOBS,
    "KWE_CONTROL_MAGIC": abi.CONTROL_MAGIC,
    "KWE_CONTROL_VERSION": abi.CONTROL_VERSION,
    "KWE_CONTROL_MAX_PAYLOAD": abi.CONTROL_MAX_PAYLOAD,
    "KWE_CONTROL_MAX_OUTPUT": abi.CONTROL_MAX_OUTPUT,
    "KWE_CONTROL_HELLO": abi.CONTROL_HELLO,
    "KWE_CONTROL_REGISTERED": abi.CONTROL_REGISTERED,
    "KWE_CONTROL_PROGRESS": abi.CONTROL_PROGRESS,
    "KWE_CONTROL_RESULTS": abi.CONTROL_RESULTS,
    "KWE_CONTROL_STAGES": abi.CONTROL_STAGES,
    "KWE_CONTROL_STATISTICS": abi.CONTROL_STATISTICS,
    "KWE_CONTROL_DONE": abi.CONTROL_DONE,
    "KWE_CONTROL_ERROR": abi.CONTROL_ERROR,
    "KWE_CONTROL_PLAN": abi.CONTROL_PLAN,
    "KWE_CONTROL_TRACE": abi.CONTROL_TRACE,
    "KWE_CONTROL_JOB": abi.CONTROL_JOB,
    "KWE_ANSWERED_UNIT_NS": abi.ANSWERED_UNIT_NS,
    "KWE_TRACE_ADMITTED": abi.TRACE_ADMITTED,
    "KWE_TRACE_READY": abi.TRACE_READY,
    "KWE_TRACE_HANDED": abi.TRACE_HANDED,
    "KWE_TRACE_ANSWERED": abi.TRACE_ANSWERED,
    "KWE_TRACE_ENDED": abi.TRACE_ENDED,
    "KWE_TRACE_VISIT": abi.TRACE_VISIT,
    "KWE_TRACE_RUN": abi.TRACE_RUN,
    "KWE_TRACE_IDLE": abi.TRACE_IDLE,
    "KWE_TRACE_INTERRUPT": abi.TRACE_INTERRUPT,
    "KWE_TRACE_DEATH": abi.TRACE_DEATH,
    "KWE_TRACE_BACK": abi.TRACE_BACK,
    "KWE_TRACE_FORSAKEN": abi.TRACE_FORSAKEN,
    "KWE_TRACE_GAP": abi.TRACE_GAP,
    "KWE_PLAN_DROPPED": abi.PLAN_DROPPED,
    "KWE_PLAN_CRITICAL": abi.PLAN_CRITICAL,
    "KWE_PLAN_BODY": abi.PLAN_BODY,
    "KWE_PLAN_EARLY": abi.PLAN_EARLY,
    "EXIT_DONE": abi.EXIT_DONE,
    "EXIT_PROGRAM_FAILED": abi.EXIT_PROGRAM_FAILED,
    "EXIT_PANIC": abi.EXIT_PANIC,
    "EXIT_MACHINE": abi.EXIT_MACHINE,
}


@pytest.fixture(scope="module")
def c_says(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What the compiler makes of the headers: constants, sizes, offsets."""
    folder: Path = tmp_path_factory.mktemp("abi")
    lines = [f'#include "kernel/abi/{name}.h"' for name in HEADERS]
    lines += ['#include "kernel/nucleus/exit.h"', "#include <stdio.h>", "int main(void) {"]
    asked = {name: name for name in CONSTANTS}
    for layout in LAYOUTS:
        asked[layout.name] = f"sizeof(struct {layout.name})"
        for field in layout.fields:
            asked[f"{layout.name}.{field}"] = f"offsetof(struct {layout.name}, {field})"
    lines += [f'printf("{name} %llu\\n", (unsigned long long)({c}));' for name, c in asked.items()]
    lines += ["return 0; }"]
    (folder / "abi.c").write_text("\n".join(lines))
    command = ["gcc", "-std=gnu11", "-Wall", "-Werror", f"-I{ROOT}", "-o", "abi", "abi.c"]
    subprocess.run(command, cwd=folder, check=True)
    text = subprocess.run([folder / "abi"], check=True, capture_output=True, text=True).stdout
    return {name: int(number) for name, number in (line.split() for line in text.splitlines())}


def test_constants_are_those_of_the_headers(c_says: dict[str, int]) -> None:
    assert {name: c_says[name] for name in CONSTANTS} == CONSTANTS


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_layout_is_that_of_the_header(layout: Layout, c_says: dict[str, int]) -> None:
    offsets = {field: c_says[f"{layout.name}.{field}"] for field in layout.fields}

    assert offsets == layout.offsets
    # kwe_statistics ends with its decks, which Python reads one by one.
    decks = abi.MAX_DECKS_REPORTED * abi.DECK_STATISTICS.size
    assert c_says[layout.name] == layout.size + (decks if layout is abi.STATISTICS else 0)
