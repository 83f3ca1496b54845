"""Rings as programs meet them, and what Execution remembers of what came through them."""

import pytest

from tests.harness.plugin import Boot
from tools.kwe import abi


@pytest.mark.parametrize("cpus", [1, 2])
def test_every_event_has_its_one_result_however_rings_are_used(boot: Boot, cpus: int) -> None:
    with boot("ring_traffic", cpus=cpus) as guest:
        assert guest.exit_code == abi.EXIT_DONE


def test_a_slot_is_free_for_one_ring_when_the_result_was_read_from_another(boot: Boot) -> None:
    with boot("two_rings", cpus=1) as guest:
        assert guest.exit_code == abi.EXIT_DONE


def test_two_programs_use_rings_at_once(boot: Boot) -> None:
    with boot("ring_traffic", "ring_traffic", "bystander") as guest:
        assert guest.exit_code == abi.EXIT_DONE


def test_execution_remembers_every_result(boot: Boot) -> None:
    with boot("history") as guest:
        assert guest.exit_code == abi.EXIT_DONE


@pytest.mark.parametrize("cpus", [1, 2, 8])
def test_results_come_without_asking(boot: Boot, cpus: int) -> None:
    with boot("futures", cpus=cpus) as guest:
        assert guest.exit_code == abi.EXIT_DONE
        line = guest.wait_for(r"(\d+) calls for (\d+) batches")

    # How many hangs on how the host shares its CPUs: none on a quiet one. Without polling it is one
    # a batch.
    assert cpus == 1 or int(line[1]) < int(line[2])


def test_work_does_not_wait_for_a_cpu_that_is_late(boot: Boot) -> None:
    """Counting instructions, QEMU leaves the CPU to whoever looks: the other never comes."""
    with boot("futures", cpus=2, icount=True, accelerator=False, network=False) as guest:
        assert guest.exit_code == abi.EXIT_DONE
