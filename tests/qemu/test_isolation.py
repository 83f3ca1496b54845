"""What a program must not do ends that program, by name, and nobody else."""

from pathlib import Path

import pytest

from tests.harness.images import payload_with
from tests.harness.plugin import Boot
from tools.kwe import abi
from tools.kwe.tree import Build

# What a program does, and what the nucleus says of it. In groups that run together.
PROBES = [
    {
        "read_nucleus": "page fault reading 0xffffffff80100000",
        "read_direct": "page fault reading 0xffff800000100000",
        "write_nucleus": "page fault writing 0xffffffff80100000",
        "run_nucleus": "page fault executing 0xffffffff80100000",
        "read_null": "page fault reading 0x0",
        "read_odd": "general protection",
        "run_odd": "general protection",
    },
    {
        "write_text": "page fault writing",
        "write_rodata": "page fault writing",
        "run_data": "page fault executing",
        "run_stack": "page fault executing",
        "run_heap": "page fault executing",
        "stack_guard": "page fault writing",
        "cli": "general protection",
    },
    {
        "hlt": "general protection",
        "out": "general protection",
        "in": "general protection",
        "rdmsr": "general protection",
        "cr3": "general protection",
        "cr0": "general protection",
        "swapgs": "general protection",
    },
    {
        "sidt": "general protection",
        "int14": "general protection",
        "int64": "general protection",
        "lret": "",  # QEMU's TCG trips over SMAP on the way to the right fault
        "ss": "general protection",
        "divide": "divide",
        "ud2": "invalid",
    },
    {
        "step": "debug",
        "write_result": "page fault writing",
        "write_manifest": "page fault writing",
        "unregistered": "page fault reading",
        "unmapped": "page fault reading",
        "protected": "page fault writing",
    },
]
ODDITIES = ["flags", "selectors", "no_stack", "registers", "vectors", "memory"]


def _payload(image: Build, kinds: list[str], folder: Path) -> Path:
    """The probe's image under a name for each kind, which tells it what to do."""
    probe = image.folder / "programs/probe.elf"
    return payload_with(
        image, {f"program/probe_{kind}": probe for kind in kinds}, folder / "payload"
    )


@pytest.mark.parametrize("probes", PROBES, ids=lambda probes: next(iter(probes)))
def test_a_program_is_ended_by_name_and_an_honest_one_beside_it_is_not(
    boot: Boot, test_image: Build, tmp_path: Path, probes: dict[str, str]
) -> None:
    payload = _payload(test_image, list(probes), tmp_path)
    programs = ["bystander", *(f"probe_{kind}" for kind in probes)]
    with boot(*programs, payload=payload, network=False, accelerator=False) as guest:
        for kind, words in probes.items():
            guest.expect_fault(f"program probe_{kind}: FAULT {words}")

        assert guest.exit_code == abi.EXIT_PROGRAM_FAILED

        guest.wait_for("program bystander: exit 0")


def test_odd_flags_selectors_and_stacks_do_not_reach_the_nucleus(
    boot: Boot, test_image: Build, tmp_path: Path
) -> None:
    payload = _payload(test_image, ODDITIES, tmp_path)
    programs = ["bystander", *(f"probe_{kind}" for kind in ODDITIES)]
    with boot(*programs, payload=payload, network=False, accelerator=False) as guest:
        assert guest.exit_code == abi.EXIT_DONE


@pytest.mark.parametrize("seed", [1, 20261123])
def test_no_argument_of_any_call_gets_past_the_nucleus(boot: Boot, seed: int) -> None:
    with boot("bad_calls", "bystander", files={"seed": b"%016d" % seed}) as guest:
        assert guest.exit_code == abi.EXIT_DONE


def test_a_malformed_workflow_is_refused_by_code_and_stage(boot: Boot) -> None:
    with boot("bad_blobs", "bystander") as guest:
        assert guest.exit_code == abi.EXIT_DONE
