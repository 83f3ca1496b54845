"""The machine boots, a program runs, and the guest says how it ended."""

import pytest

from tests.harness.plugin import Boot
from tools.kwe import abi


@pytest.mark.parametrize("cpus", [1, 2])
def test_the_smallest_program_ends_well(boot: Boot, cpus: int) -> None:
    with boot("hello", cpus=cpus) as guest:
        assert guest.exit_code == abi.EXIT_DONE
        assert guest.lines[-1] == "KWE: exit 16 done"
