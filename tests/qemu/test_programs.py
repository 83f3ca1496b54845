"""What ordinary programs may expect of the system."""

from tests.harness.plugin import Boot
from tools.kwe.abi import EXIT_DONE


def test_a_sleeping_program_wakes_and_lets_others_run(boot: Boot) -> None:
    with boot("sleeps", "hello", cpus=1) as guest:
        assert guest.exit_code == EXIT_DONE
        order = [line for line in guest.lines if "rested" in line or "hello: sha256" in line]

    assert len(order) == 2
    assert "hello" in order[0]
