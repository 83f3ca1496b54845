"""`--deterministic`: two runs that touch no device go the same way, to the instruction."""

import re

import pytest

from tests.harness.plugin import Boot
from tools.kwe import abi


@pytest.mark.parametrize("cpus", [1, 2])
def test_two_runs_are_equal_to_the_instruction(boot: Boot, cpus: int) -> None:
    """A line's time is a count of instructions: one more or less anywhere would move it."""
    consoles = []
    for _ in range(2):
        with boot(
            *("ring_traffic", "bystander"),
            cpus=cpus,
            network=False,
            accelerator=False,
            deterministic=True,
        ) as guest:
            assert guest.exit_code == abi.EXIT_DONE
        consoles.append(guest.lines)

    assert consoles[0] == consoles[1]
    assert len([line for line in consoles[0] if re.match(r"\[ +\d+\.\d{6}\]", line)]) > 3
