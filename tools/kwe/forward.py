"""Ports of the host that lead into the guest: ``[tcp:|udp:]HOST:GUEST``."""

import re
from dataclasses import dataclass

from tools.kwe.errors import SpecError

MOST_PORT = 65535
SHAPE = "HOST:GUEST, tcp:HOST:GUEST or udp:HOST:GUEST, as 8080:80, would be right"


@dataclass(frozen=True)
class Forward:
    """A port of 127.0.0.1 that leads to a port of the guest."""

    protocol: str  # tcp or udp
    host: int  # 0: any that is free; Machine.forwarded() tells
    guest: int

    def argument(self) -> str:
        """Return what QEMU's ``-netdev user`` takes."""
        return f"hostfwd={self.protocol}:127.0.0.1:{self.host}-:{self.guest}"


def parse_forward(text: str) -> Forward:
    """Read one ``--forward``.

    Raises:
        SpecError: It is none.
    """
    match = re.fullmatch(r"(?:(tcp|udp):)?(\d{1,5}):(\d{1,5})", text)
    if match is None:
        raise SpecError(f"--forward {text}: {SHAPE}")
    host, guest = int(match[2]), int(match[3])
    if host > MOST_PORT or not 0 < guest <= MOST_PORT:
        raise SpecError(f"--forward {text}: a port lies between 1 and {MOST_PORT}; {SHAPE}")
    return Forward(match[1] or "tcp", host, guest)


def read_forwarded(text: str) -> dict[tuple[str, int], int]:
    """Read QEMU's ``info usernet``: the host's port by protocol and the guest's port."""
    pattern = r"(TCP|UDP)\[HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)"
    return {
        (protocol.lower(), int(guest)): int(host)
        for protocol, host, guest in re.findall(pattern, text)
    }
