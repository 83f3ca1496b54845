"""A peer of the guest that speaks TCP by hand, over a wire that loses nothing."""

from ipaddress import ip_address

from tests.harness import frames
from tests.harness.frames import ACK, FIN, PSH, SYN, Host, Segment
from tests.harness.wire import Peer, Wire

MOST = 1000
TALK_S = 30.0


def answer_arp(own: Host) -> Peer:
    """Return a peer that tells the guest where `own` is."""

    def peer(frame: bytes) -> list[bytes] | None:
        asked = frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1"
        if not asked or frame[38:42] != own.address.packed:
            return None
        asker = Host(frame[22:28], ip_address(frame[28:32]))
        return [frames.arp(own, asker, is_answer=True)]

    return peer


def answer_neighbours(own: Host) -> Peer:
    """Return a peer that tells the guest where `own` is, by IPv6 (RFC 4861, 7.2.4)."""

    def peer(frame: bytes) -> list[bytes] | None:
        packet = frames.packet_of(frame)
        if packet is None or packet.protocol != frames.ICMP6:
            return None
        if packet.payload[0] != frames.SOLICITATION or packet.payload[8:24] != own.address.packed:
            return None
        # Solicited, and overriding what the guest has.
        body = b"\x60\0\0\0" + own.address.packed + b"\x02\x01" + own.mac
        return [frames.icmp(own, Host(frame[6:12], packet.source), frames.ADVERTISEMENT, body)]

    return peer


def keep(own: Host) -> Peer:
    """Return a peer that takes what is sent to `own`: QEMU's network would answer for anybody."""

    def peer(frame: bytes) -> list[bytes] | None:
        return [] if frame[:6] == own.mac else None

    return peer


class Talk:
    """A connection to a port of the guest."""

    def __init__(self, wire: Wire, own: Host, guest: Host, ports: tuple[int, int]) -> None:
        self._wire = wire
        self._ends = own, guest
        self._ports = ports
        self._number = 1000
        self._expected = 0
        self._seen = len(wire.frames)

    def open(self) -> None:
        """Shake hands."""
        answer = self._ask(SYN)
        if answer.flags != SYN | ACK or answer.acknowledged != self._number + 1:
            raise AssertionError(f"{answer} is no answer to a SYN of {self._number}")
        self._number += 1
        self._expected = answer.number + 1
        self._say(ACK)

    def send(self, data: bytes) -> None:
        """Send, as fast as it goes: less than the guest's window."""
        for at in range(0, len(data), MOST):
            self.send_frame(data[at : at + MOST])

    def send_frame(self, data: bytes) -> None:
        """Send in one frame, however long, as a card merges segments."""
        self._say(PSH | ACK, data)
        self._number += len(data)

    def is_acknowledgement(self, frame: bytes) -> bool:
        """Does the frame say that all has arrived?"""
        segment = frames.segment_of(frame)
        return self._is_ours(frame) and segment is not None and segment.acknowledged == self._number

    def receive_all(self) -> bytes:
        """Receive until the guest ends; end as well."""
        data = bytearray()
        while True:
            segment = self._next()
            if segment.number != self._expected:
                continue  # it sends once more what it has sent
            data += segment.data
            self._expected += len(segment.data)
            if segment.flags & FIN:
                self._expected += 1
                self._say(FIN | ACK)
                return bytes(data)
            if segment.data:
                self._say(ACK)

    def _say(self, flags: int, data: bytes = b"") -> None:
        own, guest = self._ends
        segment = Segment(*self._ports, self._number, self._expected, flags, data)
        self._wire.inject(frames.tcp(own, guest, segment))

    def _ask(self, flags: int) -> Segment:
        self._say(flags)
        return self._next()

    def _next(self) -> Segment:
        """Return the guest's next segment of this connection."""
        frame = self._wire.wait_for(self._is_ours, self._seen, TALK_S)
        if frame is None:
            raise AssertionError("the guest says nothing more")
        self._seen = (
            next(
                i
                for i in range(self._seen, len(self._wire.frames))
                if self._wire.frames[i] is frame
            )
            + 1
        )
        segment = frames.segment_of(frame)
        packet = frames.packet_of(frame)
        assert segment is not None
        assert packet is not None
        if not frames.is_whole(packet):
            raise AssertionError(f"wrong checksum: {frame.hex()}")
        return segment

    def _is_ours(self, frame: bytes) -> bool:
        segment = frames.segment_of(frame)
        packet = frames.packet_of(frame)
        return (
            segment is not None
            and packet is not None
            and packet.destination == self._ends[0].address
            and (segment.destination, segment.source) == self._ports
        )
