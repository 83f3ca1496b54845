"""Ethernet frames, written and read by hand: what a peer of the guest says and understands."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

Address = IPv4Address | IPv6Address

ARP, IPV4, IPV6 = 0x0806, 0x0800, 0x86DD
ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ECHO_REPLY, ECHO = 0, 8
ECHO6, ECHO6_REPLY, SOLICITATION, ADVERTISEMENT = 128, 129, 135, 136


@dataclass(frozen=True)
class Host:
    """An end of the wire."""

    mac: bytes
    address: Address


@dataclass(frozen=True)
class Packet:
    """What an IP frame carries.

    Attributes:
        payload: All behind the IP header, its length as that header says.
    """

    source: Address
    destination: Address
    protocol: int
    payload: bytes


@dataclass(frozen=True)
class Segment:
    """A TCP segment."""

    source: int
    destination: int
    number: int
    acknowledged: int
    flags: int
    data: bytes


def checksum(data: bytes | bytearray) -> int:
    """Return the Internet checksum (RFC 1071)."""
    whole = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(whole[at : at + 2]) for at in range(0, len(whole), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def _pseudo(source: Address, destination: Address, protocol: int, length: int) -> bytes:
    ends = source.packed + destination.packed
    if isinstance(source, IPv4Address):
        return ends + struct.pack("!BBH", 0, protocol, length)
    return ends + struct.pack("!II", length, protocol)


def _summed(packet: Packet, at: int) -> bytes:
    """Return the payload with its checksum written at an offset, where there is a 0 yet."""
    whole = _pseudo(packet.source, packet.destination, packet.protocol, len(packet.payload))
    value = checksum(whole + packet.payload)
    return packet.payload[:at] + struct.pack("!H", value) + packet.payload[at + 2 :]


# ---- writing ---------------------------------------------------------------------------------


def ethernet(source: bytes, destination: bytes, kind: int, payload: bytes) -> bytes:
    """Return a frame, as long as the shortest that may be."""
    return (destination + source + struct.pack("!H", kind) + payload).ljust(60, b"\0")


def arp(source: Host, destination: Host, is_answer: bool) -> bytes:
    """Return a question for `destination`, or the answer to it."""
    body = struct.pack("!HHBBH", 1, IPV4, 6, 4, 2 if is_answer else 1)
    body += source.mac + source.address.packed
    body += (destination.mac if is_answer else bytes(6)) + destination.address.packed
    return ethernet(source.mac, destination.mac if is_answer else b"\xff" * 6, ARP, body)


def ip(source: Host, destination: Host, protocol: int, payload: bytes) -> bytes:
    """Return a frame with an IP packet, of the family of its ends."""
    if isinstance(source.address, IPv6Address):
        header = struct.pack("!IHBB", 6 << 28, len(payload), protocol, 255)
        header += source.address.packed + destination.address.packed
        return ethernet(source.mac, destination.mac, IPV6, header + payload)
    length = 20 + len(payload)
    ends = source.address.packed + destination.address.packed
    header = struct.pack("!BBHHHBBH", 0x45, 0, length, 1, 0, 64, protocol, 0)
    header = header[:10] + struct.pack("!H", checksum(header + ends)) + ends
    return ethernet(source.mac, destination.mac, IPV4, header + payload)


def tcp(source: Host, destination: Host, segment: Segment, window: int = 65535) -> bytes:
    """Return a frame with a TCP segment without options."""
    header = struct.pack(
        "!HHIIBBHHH",
        *(segment.source, segment.destination),
        *(segment.number & 0xFFFFFFFF, segment.acknowledged & 0xFFFFFFFF),
        *(5 << 4, segment.flags, window, 0, 0),
    )
    packet = Packet(source.address, destination.address, TCP, header + segment.data)
    return ip(source, destination, TCP, _summed(packet, 16))


def udp(source: Host, destination: Host, ports: tuple[int, int], data: bytes) -> bytes:
    """Return a frame with a datagram from the one port to the other."""
    header = struct.pack("!HHHH", *ports, 8 + len(data), 0)
    packet = Packet(source.address, destination.address, UDP, header + data)
    return ip(source, destination, UDP, _summed(packet, 6))


def icmp(source: Host, destination: Host, kind: int, body: bytes) -> bytes:
    """Return a frame with an ICMP message of code 0, of the family of its ends."""
    message = struct.pack("!BBH", kind, 0, 0) + body
    if isinstance(source.address, IPv6Address):
        packet = Packet(source.address, destination.address, ICMP6, message)
        return ip(source, destination, ICMP6, _summed(packet, 2))
    message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
    return ip(source, destination, ICMP, message)


def solicitation(source: Host, target: IPv6Address) -> bytes:
    """Return a neighbour solicitation (RFC 4861, 4.3), to all who listen for such an address."""
    group = IPv6Address(b"\xff\x02" + bytes(9) + b"\x01\xff" + target.packed[13:])
    everyone = Host(b"\x33\x33" + group.packed[12:], group)
    body = bytes(4) + target.packed + b"\x01\x01" + source.mac
    return icmp(source, everyone, SOLICITATION, body)


SUM_OFFSET = {ICMP: 2, ICMP6: 2, TCP: 16, UDP: 6}


def mend(frame: bytes) -> bytes:
    """Return a frame, whatever it says, with the checksums right that can be found in it."""
    kind = int.from_bytes(frame[12:14])
    header = (frame[14] & 15) * 4 if kind == IPV4 and len(frame) > 34 else 40
    at = 14 + header
    packet = packet_of(frame)
    if packet is None or header < 20 or len(frame) < at:
        return frame
    mended = bytearray(frame)
    if kind == IPV4:
        mended[24:26] = bytes(2)
        mended[24:26] = checksum(mended[14:at]).to_bytes(2)
    offset = SUM_OFFSET.get(packet.protocol)
    if offset is None or len(packet.payload) < offset + 2:
        return bytes(mended)
    cleared = packet.payload[:offset] + bytes(2) + packet.payload[offset + 2 :]
    whole = replace(packet, payload=cleared)
    payload = _summed(whole, offset)
    if packet.protocol == ICMP:
        payload = cleared[:2] + checksum(cleared).to_bytes(2) + cleared[4:]
    mended[at : at + len(payload)] = payload
    return bytes(mended)


# ---- reading -----------------------------------------------------------------------------------


def packet_of(frame: bytes) -> Packet | None:
    """Read an IP frame that is not in parts; None: it is something else."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    body = frame[14:]
    if kind == IPV4 and len(body) >= 20:
        header = (body[0] & 15) * 4
        length = struct.unpack_from("!H", body, 2)[0]
        ends = ip_address(body[12:16]), ip_address(body[16:20])
        return Packet(*ends, body[9], body[header:length])
    if kind == IPV6 and len(body) >= 40:
        length = struct.unpack_from("!H", body, 4)[0]
        ends = ip_address(body[8:24]), ip_address(body[24:40])
        return Packet(*ends, body[6], body[40 : 40 + length])
    return None


def segment_of(frame: bytes) -> Segment | None:
    """Read a TCP frame; None: it is something else."""
    packet = packet_of(frame)
    if packet is None or packet.protocol != TCP or len(packet.payload) < 20:
        return None
    source, destination, number, acknowledged, offset, flags = struct.unpack_from(
        "!HHIIBB", packet.payload
    )
    data = packet.payload[(offset >> 4) * 4 :]
    return Segment(source, destination, number, acknowledged, flags, data)


def is_whole(packet: Packet) -> bool:
    """Is the checksum of a TCP, UDP or ICMPv6 packet right?"""
    whole = _pseudo(packet.source, packet.destination, packet.protocol, len(packet.payload))
    return checksum(whole + packet.payload) == 0


def write_capture(path: Path, frames: Iterable[bytes]) -> None:
    """Write frames as tcpdump would; that they all came at once does not matter to who reads it."""
    with path.open("wb") as file:
        file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 16, 1))
        for frame in frames:
            file.write(struct.pack("=IIII", 0, 0, len(frame), len(frame)) + frame)
