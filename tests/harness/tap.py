"""A network of its own for a test: a tap device, and hosts that nobody here wrote on the far side.

Inside the block the test and all that it starts are in a network namespace where the guest's card
is on a wire with Linux's own TCP/IP. dnsmasq gives the guest its address, a prefix by router
advertisements, and answers for names.

    with Tap() as tap, boot("network", tap=tap.name) as guest:
        socket.create_connection((tap.guest, 7))
"""

import contextlib
import ctypes
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

CLONE_NEWNET = 0x40000000
NAME = "kwe0"
HOST, GUEST = IPv4Address("10.0.2.2"), IPv4Address("10.0.2.15")
HOST6 = IPv6Address("fd00:2::1")
# What the card's address makes of the prefix (RFC 4291, appendix A).
GUEST_MAC = "52:54:00:12:34:56"
GUEST6 = IPv6Address("fd00:2::5054:ff:fe12:3456")
NAMES = {"there.example": HOST, "elsewhere.example": IPv4Address("10.0.2.77")}

_libc = ctypes.CDLL(None, use_errno=True)


def _call(done: int, what: str) -> None:
    if done != 0:
        raise OSError(ctypes.get_errno(), what)


def missing() -> str:
    """Say why there can be no such network here; empty: there can."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun is not there for us"
    for tool in ("ip", "dnsmasq", "unshare"):
        if shutil.which(tool) is None:
            return f"{tool} is missing: `make setup` installs it"
    made = "ip tuntap add dev kwe0 mode tap && echo 0 > /proc/sys/net/ipv6/conf/all/forwarding"
    probe = ["unshare", "--net", "sh", "-c", made]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    return f"no tap device in a network namespace: {done.stderr.strip()}" if done.returncode else ""


def require_tap() -> None:
    """Skip the test, with the reason, where there can be no such network."""
    if why := missing():
        pytest.skip(f"{why} (it takes root)")


@contextlib.contextmanager
def _namespace() -> Iterator[None]:
    """Be in a new network namespace; it goes with the last that is in it."""
    with Path("/proc/thread-self/ns/net").open("rb") as before:
        _call(_libc.unshare(CLONE_NEWNET), "unshare")
        try:
            yield
        finally:
            _call(_libc.setns(before.fileno(), CLONE_NEWNET), "setns")


class Tap:
    """The network; leaving the block leaves it, and ends dnsmasq.

    Args:
        multi_queue: Make the device for several queues.

    Attributes:
        name: The device, which the guest is booted with.
        guest: The guest's address, and .guest6 the one that it makes from the prefix.
    """

    name = NAME
    guest, guest6 = str(GUEST), str(GUEST6)

    def __init__(self, *, multi_queue: bool = False) -> None:
        self._more = " multi_queue" if multi_queue else ""
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Make it, and go there."""
        require_tap()
        with contextlib.ExitStack() as stack:
            stack.enter_context(_namespace())
            self._make()
            stack.enter_context(self._dnsmasq())
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave."""
        self._stack.close()

    def _make(self) -> None:
        # Its own addresses are nobody else's: no wait for who might object.
        Path("/proc/sys/net/ipv6/conf/default/accept_dad").write_text("0\n")
        for line in (
            "ip link set lo up",
            f"ip tuntap add dev {NAME} mode tap vnet_hdr{self._more}",
            f"ip addr add {HOST}/24 dev {NAME}",
            f"ip -6 addr add {HOST6}/64 dev {NAME} nodad",
            f"ip link set {NAME} up",
        ):
            subprocess.run(line.split(), check=True)
        # It looks for the guest until that has made its address of the prefix, which takes seconds.
        Path(f"/proc/sys/net/ipv6/neigh/{NAME}/mcast_solicit").write_text("30\n")

    @contextlib.contextmanager
    def _dnsmasq(self) -> Iterator[None]:
        """Give addresses and names until the block is left."""
        with tempfile.TemporaryDirectory(prefix="tap-") as folder:
            command = [
                *("dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null"),
                *(f"--pid-file={folder}/pid", f"--dhcp-leasefile={folder}/leases", "--user=root"),
                *("--no-resolv", "--no-hosts", f"--interface={NAME}", "--bind-interfaces"),
                *(f"--dhcp-range={GUEST},{GUEST},1h", f"--dhcp-host={GUEST_MAC},{GUEST}"),
                *("--enable-ra", f"--dhcp-range={HOST6},ra-only,64", "--local=/example/"),
                *(f"--host-record={name},{address}" for name, address in NAMES.items()),
            ]
            setpriv = shutil.which("setpriv")
            guard = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
            process = subprocess.Popen([*guard, *command], stderr=subprocess.PIPE, text=True)
            try:
                assert process.stderr is not None
                for line in process.stderr:
                    if "IPv6 router advertisement enabled" in line or "sockets bound" in line:
                        break
                else:
                    raise AssertionError("dnsmasq did not start")
                # Somebody has to read what it says, or it waits for us.
                threading.Thread(target=process.stderr.read, daemon=True).start()
                yield
            finally:
                process.kill()
                process.wait()
