"""`--forward`: what it takes, what QEMU is told, what QEMU tells."""

import pytest

from tools.kwe.errors import SpecError
from tools.kwe.forward import Forward, parse_forward, read_forwarded


def test_tcp_is_meant_unless_udp_is_named() -> None:
    assert parse_forward("8080:80") == Forward("tcp", 8080, 80)
    assert parse_forward("udp:0:7") == Forward("udp", 0, 7)


def test_only_this_machine_can_use_it() -> None:
    assert parse_forward("8080:80").argument() == "hostfwd=tcp:127.0.0.1:8080-:80"


@pytest.mark.parametrize("text", ["", "80", "80:", ":80", "a:b", "80:0", "65536:1", "sctp:1:1"])
def test_anything_else_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(SpecError, match="would be right"):
        parse_forward(text)


def test_the_ports_that_qemu_chose_are_read() -> None:
    told = (
        "Hub -1 (net):\n"
        "  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\n"
        "  TCP[ESTABLISHED]   35       127.0.0.1 40000       10.0.2.15     7     0     0\n"
        "  TCP[HOST_FORWARD]  32       127.0.0.1 41234       10.0.2.15     7     0     0\n"
        "  UDP[HOST_FORWARD]  33       127.0.0.1 41235       10.0.2.15     7     0     0\n"
    )

    assert read_forwarded(told) == {("tcp", 7): 41234, ("udp", 7): 41235}
