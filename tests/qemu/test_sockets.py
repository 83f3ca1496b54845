"""Connections as parts of graphs, on the real stack, which is both ends of them."""

import pytest

from tests.harness.plugin import Boot
from tools.kwe import abi


@pytest.mark.parametrize("cpus", [1, 2])
def test_a_socket_flows_from_stage_to_stage(boot: Boot, cpus: int) -> None:
    with boot("sockets", cpus=cpus) as guest:
        assert guest.exit_code == abi.EXIT_DONE
