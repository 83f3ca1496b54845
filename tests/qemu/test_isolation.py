"""What a program must not do ends that program, by name, and nobody else."""

import re
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


LIES = ["tail_far", "tail_one", "tail_back", "head_far", "head_back", "scribble", "wait"]
LOSSES = ["garbage", "unread", "own_words", "in_flight"]


def _liars(image: Build, kinds: list[str], folder: Path) -> Path:
    liar = image.folder / "programs/ring_liar.elf"
    return payload_with(image, {f"program/liar_{kind}": liar for kind in kinds}, folder / "payload")


def test_a_program_that_lies_in_its_rings_is_ended(
    boot: Boot, test_image: Build, tmp_path: Path
) -> None:
    payload = _liars(test_image, LIES, tmp_path)
    with boot("bystander", *(f"liar_{kind}" for kind in LIES), payload=payload) as guest:
        for kind in LIES:
            guest.expect_fault(f"program liar_{kind}: FAULT wrote an impossible count")

        assert guest.exit_code == abi.EXIT_PROGRAM_FAILED

        guest.wait_for("program bystander: exit 0")


@pytest.mark.parametrize("cpus", [1, 2])
def test_a_program_that_is_found_out_as_it_falls_asleep_is_ended(
    boot: Boot, test_image: Build, tmp_path: Path, cpus: int
) -> None:
    payload = _liars(test_image, ["asleep"], tmp_path)
    with boot("bystander", "liar_asleep", payload=payload, cpus=cpus) as guest:
        guest.expect_fault("program liar_asleep: FAULT wrote an impossible count")

        assert guest.exit_code == abi.EXIT_PROGRAM_FAILED

        guest.wait_for("program bystander: exit 0")


def test_other_lies_in_a_ring_are_the_liars_own_loss(
    boot: Boot, test_image: Build, tmp_path: Path
) -> None:
    payload = _liars(test_image, LOSSES, tmp_path)
    with boot("bystander", *(f"liar_{kind}" for kind in LOSSES), payload=payload) as guest:
        assert guest.exit_code == abi.EXIT_DONE


def test_a_bad_event_is_told_so_and_nothing_else_happens(boot: Boot) -> None:
    with boot("bystander", "bad_events") as guest:
        assert guest.exit_code == abi.EXIT_DONE


@pytest.mark.parametrize("how", ["exit", "fault"])
def test_a_program_that_dies_in_the_middle_leaves_nothing_behind(boot: Boot, how: str) -> None:
    with boot("mourner", "dier", files={"dier": how.encode()}) as guest:
        if how == "fault":
            guest.expect_fault("program dier: FAULT page fault writing 0x8,")

        assert guest.exit_code == (abi.EXIT_DONE if how == "exit" else abi.EXIT_PROGRAM_FAILED)

        guest.wait_for("program mourner: exit 0")


@pytest.mark.parametrize("cpus", [1, 2])
def test_a_program_that_loops_for_ever_does_not_stop_another(boot: Boot, cpus: int) -> None:
    with boot("spinner", "spinner", "bystander", cpus=cpus) as guest:
        guest.wait_for("program bystander: exit 0")


def test_a_program_cannot_keep_the_nucleus_busy_with_one_call(boot: Boot) -> None:
    with boot("flooder", "flooder", "bystander") as guest:
        assert guest.exit_code == abi.EXIT_DONE


CR4_UMIP, CR4_SMEP, CR4_SMAP = 1 << 11, 1 << 20, 1 << 21
EFER_NXE, CR0_WP = 1 << 11, 1 << 16


def test_the_cpus_own_protections_are_on(boot: Boot) -> None:
    with boot("spinner", "spinner", "bystander") as guest:
        guest.wait_for("program bystander: exit 0")
        text = str(
            guest.machine.monitor.execute(
                "human-monitor-command", {"command-line": "info registers -a"}
            )
        )

        for name, bits in (
            ("CR4", CR4_UMIP | CR4_SMEP | CR4_SMAP),
            ("EFER", EFER_NXE),
            ("CR0", CR0_WP),
        ):
            values = re.findall(rf"\b{name}=([0-9a-f]+)", text)
            assert len(values) == 2, text
            assert all(int(value, 16) & bits == bits for value in values), text
