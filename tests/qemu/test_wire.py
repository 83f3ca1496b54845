"""The Network deck on a wire that a test has in its hands: bad weather, strangers, floods."""

import os
import random
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest

from tests.harness import frames
from tests.harness.frames import Address, Host, write_capture
from tests.harness.guest import Guest
from tests.harness.plugin import Boot
from tests.harness.talk import Talk, answer_arp, answer_neighbours, keep
from tests.harness.wire import Peer, Weather, Wire
from tools.kwe import abi

# A hang detector, not a target.
ANSWER_S = 60.0
MIB = 1 << 20
PORT = 7
# The mutated frames of one run; `make test-long` sends more.
MUTATED = int(os.environ.get("KWE_MUTATED_FRAMES", "5000"))

MAC = bytes.fromhex("525400123456")
GUEST = Host(MAC, IPv4Address("10.0.2.15"))
GUEST6 = Host(MAC, IPv6Address("fe80::5054:ff:fe12:3456"))
GATEWAY = IPv4Address("10.0.2.2")
STRANGER = Host(bytes.fromhex("525500000077"), IPv4Address("10.0.2.77"))
# tshark's complaints: what it cannot read, sums that are not right.
COMPLAINTS = ["_ws.malformed", "_ws.short"]
COMPLAINTS += [f"{p}.checksum.status == 0" for p in ("ip", "tcp", "udp", "icmp", "icmpv6")]
STRANGER6 = Host(STRANGER.mac, IPv6Address("fe80::77"))


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire(forward=[PORT]) as wire:
        yield wire


@contextmanager
def client(guest: Guest, wire: Wire, number: int) -> Iterator[socket.socket]:
    """Connect once the guest says that it is ready for its client of this number."""
    guest.wait_for(f"ready {number}$")
    where = "127.0.0.1", wire.forwarded(PORT)
    with socket.create_connection(where, timeout=ANSWER_S) as connection:
        yield connection


def leave(guest: Guest, wire: Wire, number: int) -> None:
    """Say that this client, the last, has seen all: the guest ends, whatever is on its way."""
    with client(guest, wire, number):
        pass


def receive_all(connection: socket.socket) -> bytes:
    data = bytearray()
    while part := connection.recv(1 << 16):
        data += part
    return bytes(data)


def is_message(frame: bytes, protocol: int, kind: int, tail: bytes) -> bool:
    """Is it an ICMP message of the guest's with that tail?"""
    packet = frames.packet_of(frame)
    return (
        packet is not None
        and packet.protocol == protocol
        and packet.payload[0] == kind
        and packet.payload.endswith(tail)
    )


def test_a_mebibyte_goes_both_ways_through_bad_weather(boot: Boot, wire: Wire) -> None:
    wire.to_guest = there = Weather(seed=1, lose=0.01, double=0.02, swap=0.03)
    wire.from_guest = back = Weather(seed=2, lose=0.01, double=0.02, swap=0.03)

    with boot("network", files={"what": b"bulk"}, wire=wire.path, deadline_s=120) as guest:
        for number in range(2):
            data = random.Random(number).randbytes(MIB)
            with client(guest, wire, number) as connection:
                connection.sendall(data)
                assert receive_all(connection) == data
        leave(guest, wire, 2)
        assert guest.exit_code == abi.EXIT_DONE

    for way in (there, back):
        assert way.lost > 0
        assert way.doubled > 0
        assert way.swapped > 0


def tshark(capture: Path, wanted: str) -> list[str]:
    """Return the frames that a display filter picks, each in a line; all sums are checked."""
    if shutil.which("tshark") is None:
        pytest.skip("tshark is missing: `make setup` installs it")
    sums = [f"-o{p}.check_checksum:TRUE" for p in ("ip", "tcp", "udp")]
    done = subprocess.run(
        ["tshark", "-n", "-r", capture, *sums, "-Y", wanted],
        capture_output=True,
        text=True,
        timeout=ANSWER_S,
        check=True,
    )
    return done.stdout.splitlines()


def test_strangers_ping_and_talk_by_both_protocols(boot: Boot, wire: Wire, tmp_path: Path) -> None:
    wire.peers = [answer_arp(STRANGER), answer_neighbours(STRANGER6), keep(STRANGER)]

    with boot("network", files={"what": b"echo"}, wire=wire.path) as guest:
        guest.wait_for("ready 0$")
        for own, other, protocol, ask, answer in (
            (STRANGER, GUEST, frames.ICMP, frames.ECHO, frames.ECHO_REPLY),
            (STRANGER6, GUEST6, frames.ICMP6, frames.ECHO6, frames.ECHO6_REPLY),
        ):
            body = b"\x12\x34\0\1" + random.Random(3).randbytes(500)
            question = frames.icmp(own, other, ask, body)
            wanted = partial(is_message, protocol=protocol, kind=answer, tail=body)
            wire.ask(question, wanted)
        neighbour = frames.solicitation(STRANGER6, IPv6Address(GUEST6.address.packed))
        target = GUEST6.address.packed + b"\x02\x01" + MAC
        wire.ask(neighbour, lambda f: is_message(f, frames.ICMP6, frames.ADVERTISEMENT, target))
        for number in range(20):
            guest.wait_for(f"ready {number}$")
            ends = (STRANGER6, GUEST6) if number % 2 else (STRANGER, GUEST)
            talk = Talk(wire, *ends, (40000 + number, PORT))
            talk.open()
            talk.send(b"hello %d" % number)
            assert talk.receive_all() == b"hello %d" % number
        leave(guest, wire, 20)

        assert guest.exit_code == abi.EXIT_DONE

    capture = tmp_path / "guest.pcap"
    write_capture(capture, wire.frames)
    for shown in ("arp", "dhcp", "icmp", "icmpv6", "tcp && ip", "tcp && ipv6"):
        assert tshark(capture, shown) != []
    assert tshark(capture, " || ".join(COMPLAINTS)) == []


def test_a_large_frame_is_acknowledged_at_once(boot: Boot, wire: Wire) -> None:
    wire.peers = [answer_arp(STRANGER), keep(STRANGER)]
    body = b"\x12\x34\0\1afterwards"
    ping = frames.icmp(STRANGER, GUEST, frames.ECHO, body)
    is_pong = partial(is_message, protocol=frames.ICMP, kind=frames.ECHO_REPLY, tail=body)

    # It takes a MiB before it says anything.
    with boot("network", files={"what": b"bulk"}, wire=wire.path) as guest:
        guest.wait_for("ready 0$")
        talk = Talk(wire, STRANGER, GUEST, (40000, PORT))
        talk.open()
        for size in (2000, 6000, 2000):  # in one of the card's buffers, and in two
            before = len(wire.frames)
            talk.send_frame(b"x" * size)
            wire.inject(ping)

            assert wire.wait_for(is_pong, before) is not None
            came = wire.frames[before:]

            # Else lwIP would wait for another segment, up to 250 ms.
            pong = next(i for i, frame in enumerate(came) if is_pong(frame))
            assert any(talk.is_acknowledgement(frame) for frame in came[:pong])


def mutations(seed: int, count: int) -> Iterator[bytes]:
    """Return frames of all kinds with bytes changed, cut off, repeated and made up."""
    choice = random.Random(seed)
    segment = frames.Segment(40000, PORT, 1, 0, frames.SYN, b"")
    data = frames.Segment(40000, PORT, 2, 1, frames.ACK, b"x" * 40)
    seeds = [
        frames.arp(STRANGER, GUEST, is_answer=False),
        frames.arp(STRANGER, GUEST, is_answer=True),
        frames.icmp(STRANGER, GUEST, frames.ECHO, b"\0" * 60),
        frames.icmp(STRANGER6, GUEST6, frames.ECHO6, b"\0" * 60),
        frames.solicitation(STRANGER6, IPv6Address(GUEST6.address.packed)),
        *(frames.tcp(STRANGER, GUEST, s) for s in (segment, data)),
        *(frames.tcp(STRANGER6, GUEST6, s) for s in (segment, data)),
        frames.udp(STRANGER, GUEST, (53, 49200), b"\0\1\x81\x80\0\1\0\1\0\0\0\0\1a\0\0\1\0\1"),
        frames.udp(STRANGER, GUEST, (67, 68), b"\2\1\6\0" + bytes(232) + b"c\x82Sc5\1\5\xff"),
        frames.udp(STRANGER6, GUEST6, (9, PORT), b"y" * 100),
    ]
    for _ in range(count):
        frame = bytearray(choice.choice(seeds))
        for _ in range(choice.randint(1, 4)):
            # Mostly behind the addresses of Ethernet: else the card drops it.
            at = choice.randrange(12, len(frame))
            frame[at] = choice.choice((0, 1, 0x7F, 0x80, 0xFF, choice.randrange(256)))
        if choice.random() < 0.2:
            del frame[choice.randrange(14, len(frame)) :]
        elif choice.random() < 0.1:
            frame += choice.randbytes(choice.randrange(1400))
        # Whoever says by ARP that he is the gateway is believed: that is ARP, and no mistake.
        if frame[12:14] == b"\x08\x06" and frame[28:32] == GATEWAY.packed:
            continue
        # Most would end at their checksum.
        whole = bytes(frame[:1514])
        yield frames.mend(whole) if choice.random() < 0.8 else whole


def test_mutated_frames_disturb_nobody(boot: Boot, wire: Wire) -> None:
    wire.peers = [answer_arp(STRANGER), answer_neighbours(STRANGER6), keep(STRANGER)]
    rounds = 20

    with boot("network", files={"what": b"echo"}, wire=wire.path, deadline_s=600) as guest:
        for number in range(rounds):
            guest.wait_for(f"ready {number}$")
            for frame in mutations(number, MUTATED // rounds):
                wire.inject(frame)
            with client(guest, wire, number) as connection:
                connection.sendall(b"hello %d" % number)
                assert receive_all(connection) == b"hello %d" % number
        leave(guest, wire, 20)

        assert guest.exit_code == abi.EXIT_DONE

    # They were not just dropped: about a tenth is answered. How many depends on what comes
    # together, and on what the stack believes of the stranger's address by then.
    assert sum(frame[:6] == STRANGER.mac for frame in wire.frames) > MUTATED // 20


class EndsLost:
    """Loses the first end of each connection, as the guest says it."""

    def __init__(self) -> None:
        self.lost: set[int] = set()

    def __call__(self, frame: bytes) -> list[bytes]:
        packet = frames.packet_of(frame)
        if packet is None or packet.protocol != frames.TCP or not packet.payload[13] & frames.FIN:
            return [frame]
        port = int.from_bytes(packet.payload[2:4])
        if port in self.lost:
            return [frame]
        self.lost.add(port)
        return []


def test_an_end_that_is_lost_is_said_again_also_the_last(boot: Boot, wire: Wire) -> None:
    wire.from_guest = ends = EndsLost()

    with boot("network", files={"what": b"echo"}, wire=wire.path) as guest:
        for number in range(20):
            with client(guest, wire, number) as connection:
                connection.sendall(b"hello %d" % number)
                assert receive_all(connection) == b"hello %d" % number
        leave(guest, wire, 20)
        assert guest.exit_code == abi.EXIT_DONE

    assert len(ends.lost) >= 20


def test_half_open_connections_keep_nobody_out(boot: Boot, wire: Wire) -> None:
    wire.peers = [answer_arp(STRANGER), keep(STRANGER)]

    with boot("network", files={"what": b"echo"}, wire=wire.path) as guest:
        for number in range(20):
            guest.wait_for(f"ready {number}$")
            for port in range(500):
                syn = frames.Segment(10000 + 500 * number + port, PORT, port, 0, frames.SYN, b"")
                wire.inject(frames.tcp(STRANGER, GUEST, syn))
            with client(guest, wire, number) as connection:
                connection.sendall(b"hello %d" % number)
                assert receive_all(connection) == b"hello %d" % number
        leave(guest, wire, 20)

        assert guest.exit_code == abi.EXIT_DONE


def answer_names(address: Address) -> Peer:
    """Return a resolver for all machines that asks nobody: there.example is at `address`."""
    resolver = Host(bytes.fromhex("525500000053"), IPv4Address("10.0.2.3"))

    def peer(frame: bytes) -> list[bytes] | None:
        packet = frames.packet_of(frame)
        if packet is None or packet.protocol != frames.UDP or packet.payload[2:4] != b"\0\x35":
            return None
        port = int.from_bytes(packet.payload[:2])
        question = packet.payload[20:]
        is_a = question.endswith(b"\0\1\0\1")
        is_known = question.startswith(b"\5there\7example\0")
        # Name, type A, class IN, a minute; else nothing, or: no such name (RFC 1035, 4.1.3).
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + address.packed if is_known and is_a else b""
        head = packet.payload[8:10] + (b"\x81\x80" if is_known else b"\x81\x83")
        head += b"\0\1" + (b"\0\1" if answer else b"\0\0") + bytes(4)
        guest = Host(frame[6:12], packet.source)
        return [frames.udp(resolver, guest, (53, port), head + question + answer)]

    return peer


def test_a_name_leads_to_its_address_and_another_to_none(boot: Boot, wire: Wire) -> None:
    wire.peers = [answer_names(STRANGER.address), answer_arp(STRANGER), keep(STRANGER)]

    with boot("network", files={"what": b"resolve"}, wire=wire.path) as guest:
        found = wire.wait_for(lambda frame: frame[:6] == STRANGER.mac)

        assert guest.exit_code == abi.EXIT_DONE

    assert found is not None
    packet = frames.packet_of(found)
    assert packet is not None
    assert packet.destination == STRANGER.address
    assert packet.payload[8:] == b"found"
