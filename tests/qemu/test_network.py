"""The Network deck on the real stack, its clients outside of the guest."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.harness.guest import Guest
from tests.harness.plugin import Boot
from tools.kwe import abi

# A hang detector, not a target.
ANSWER_S = 30.0
MIB = 1 << 20


@contextmanager
def client(guest: Guest, number: int) -> Iterator[socket.socket]:
    """Connect once the guest says that it is ready for its client of this number."""
    guest.wait_for(f"ready {number}$")
    port = guest.machine.forwarded(7)
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
        yield connection


def leave(guest: Guest, number: int) -> None:
    """Say that this client, the last, has seen all: the guest ends, whatever is on its way."""
    with client(guest, number):
        pass


def receive_all(connection: socket.socket) -> bytes:
    """Receive until the other side has closed."""
    data = bytearray()
    while part := connection.recv(1 << 16):
        data += part
    return bytes(data)


def play(boot: Boot, what: str, append: str = "") -> Guest:
    """Return the guest that plays a part of tests/qemu/programs/network."""
    forward = ("0:7", "udp:0:7")
    return boot("network", files={"what": what.encode()}, forward=forward, append=append)


def test_wait_receive_reply_and_close_are_one_workflow(boot: Boot) -> None:
    with play(boot, "echo") as guest:
        for number in range(20):
            with client(guest, number) as connection:
                connection.sendall(b"hello %d" % number)
                assert receive_all(connection) == b"hello %d" % number
        leave(guest, 20)

        assert guest.exit_code == abi.EXIT_DONE


def test_a_mebibyte_goes_there_and_back(boot: Boot) -> None:
    with play(boot, "bulk") as guest:
        for number in range(2):
            data = random.Random(number).randbytes(MIB)
            with client(guest, number) as connection:
                connection.sendall(data)
                assert receive_all(connection) == data
        leave(guest, 2)

        assert guest.exit_code == abi.EXIT_DONE


def test_datagrams_come_back_to_who_sent_them(boot: Boot) -> None:
    with play(boot, "udp") as guest, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(ANSWER_S)
        peer.connect(("127.0.0.1", guest.machine.forwarded(7, "udp")))
        for number in range(10):
            guest.wait_for(f"ready {number}$")
            data = random.Random(number).randbytes(100 * number + 1)
            peer.send(data)
            assert peer.recv(2000) == data

        assert guest.exit_code == abi.EXIT_DONE


def test_a_client_that_comes_after_a_cancelled_wait_is_served(boot: Boot) -> None:
    with play(boot, "cancel") as guest:
        with client(guest, 0) as connection:
            connection.sendall(b"hello")
            assert receive_all(connection) == b"hello"
        leave(guest, 1)

        assert guest.exit_code == abi.EXIT_DONE


def test_a_deck_that_died_waiting_serves_again(boot: Boot) -> None:
    with play(boot, "death", append="debug") as guest:
        guest.expect_fault("deck network.0: FAULT killed by injection")
        with client(guest, 0) as connection:
            connection.sendall(b"hello")
            assert receive_all(connection) == b"hello"
        leave(guest, 1)

        assert guest.exit_code == abi.EXIT_DONE


@pytest.mark.parametrize("cpus", [1])
def test_what_may_not_be_is_refused_by_name(boot: Boot, cpus: int) -> None:
    with boot("network", cpus=cpus, files={"what": b"refusals"}) as guest:
        assert guest.exit_code == abi.EXIT_DONE
