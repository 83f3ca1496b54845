"""A wire between the guest's card and QEMU's own network, with the test in the middle.

The network runs in a QEMU that has no guest: its TCP, DHCP and ports of the host are nobody's of
this tree. Frames pass through here, so that a test can lose, swap, double, write and answer them.
"""

import contextlib
import random
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.kwe.forward import read_forwarded
from tools.kwe.machine import QEMU
from tools.kwe.qmp import Monitor

CONNECT_S = 20.0
ANSWER_S = 30.0
ASK_AGAIN_S = 1.0
LONGEST = 1 << 16

Way = Callable[[bytes], Iterable[bytes]]
Peer = Callable[[bytes], list[bytes] | None]


class Weather:
    """Loses, doubles and swaps frames, each by its own chance; the same seed, the same choices."""

    def __init__(self, seed: int, lose: float, double: float, swap: float) -> None:
        self._random = random.Random(seed)
        self._chances = lose, double, swap
        self._held: bytes | None = None
        self.lost = self.doubled = self.swapped = 0

    def __call__(self, frame: bytes) -> list[bytes]:
        """Return what becomes of a frame: nothing, itself, twice itself, others before it."""
        lose, double, swap = self._chances
        held, self._held = self._held, None
        after = [held] if held is not None else []
        if self._random.random() < lose:
            self.lost += 1
            return after
        if self._random.random() < double:
            self.doubled += 1
            return [frame, frame, *after]
        if held is None and self._random.random() < swap:
            self.swapped += 1
            self._held = frame
            return []
        return [frame, *after]


def _as_it_is(frame: bytes) -> list[bytes]:
    return [frame]


class Wire:
    """The wire; leaving the block ends the network. The guest is booted with ``wire=wire.path``.

    Attributes:
        path: The socket that the guest's card connects to.
        to_guest: What becomes of each frame on its way to the guest.
        from_guest: And of each that the guest sends.
        peers: Each is asked in turn about a frame of the guest's; the first that answers, be it
            with nothing, has taken it.
        frames: All that the guest has sent.
    """

    def __init__(self, forward: Iterable[int] = ()) -> None:
        self._forward = tuple(forward)
        self.to_guest: Way = _as_it_is
        self.from_guest: Way = _as_it_is
        self.peers: list[Peer] = []
        self.frames: list[bytes] = []
        self._came = threading.Condition()
        self._sending = threading.Lock()
        self._guest: socket.socket | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Start the network, and listen for the guest's card."""
        with contextlib.ExitStack() as stack:
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="wire-", dir="/tmp"))
            )
            self.path = folder / "guest"
            card, net, qmp = (
                stack.enter_context(_listen(folder / name)) for name in ("guest", "net", "qmp")
            )
            process = subprocess.Popen(
                self._command(folder), stdin=subprocess.DEVNULL, start_new_session=True
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            self._net = stack.enter_context(net.accept()[0])
            self._monitor = Monitor(stack.enter_context(qmp.accept()[0]))
            stack.callback(self._monitor.close)
            stack.callback(self._hang_up)
            card.settimeout(None)
            threading.Thread(target=self._serve, args=[card], daemon=True).start()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the network."""
        self._stack.close()

    def _command(self, folder: Path) -> list[str]:
        setpriv = shutil.which("setpriv")
        forwards = [f"hostfwd=tcp:127.0.0.1:0-:{port}" for port in self._forward]
        return [
            *([setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []),
            *(QEMU, "-M", "none", "-nodefaults", "-no-user-config", "-display", "none"),
            *("-netdev", ",".join(["user,id=user,restrict=off", *forwards])),
            *("-netdev", f"stream,id=wire,server=off,addr.type=unix,addr.path={folder}/net"),
            *("-netdev", "hubport,id=one,hubid=0,netdev=user"),
            *("-netdev", "hubport,id=other,hubid=0,netdev=wire"),
            *("-chardev", f"socket,id=qmp,path={folder}/qmp", "-mon", "chardev=qmp,mode=control"),
        ]

    # ---- what a test asks -----------------------------------------------------------------------

    def forwarded(self, guest: int) -> int:
        """Return the host's port that leads to a TCP port of the guest."""
        command = {"command-line": "info usernet"}
        told = str(self._monitor.execute("human-monitor-command", command))
        return read_forwarded(told)["tcp", guest]

    def inject(self, frame: bytes) -> None:
        """Send the guest a frame, whatever the weather."""
        guest = self._guest
        assert guest is not None, "the guest's card has not connected yet"
        # A guest that has ended hears nothing.
        with self._sending, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            guest.sendall(struct.pack("!I", len(frame)) + frame)

    def wait_for(
        self, wanted: Callable[[bytes], bool], start: int = 0, timeout_s: float = ANSWER_S
    ) -> bytes | None:
        """Wait for a frame of the guest's, at or after number `start`; None: it did not come."""
        deadline = time.monotonic() + timeout_s
        with self._came:
            while True:
                for frame in self.frames[start:]:
                    if wanted(frame):
                        return frame
                start = len(self.frames)
                if not self._came.wait(max(deadline - time.monotonic(), 0)):
                    return None

    def ask(self, frame: bytes, wanted: Callable[[bytes], bool]) -> bytes:
        """Send a question, anew each second as hosts do, until it is answered."""
        deadline = time.monotonic() + ANSWER_S
        start = len(self.frames)
        while time.monotonic() < deadline:
            self.inject(frame)
            if (answer := self.wait_for(wanted, start, ASK_AGAIN_S)) is not None:
                return answer
        raise AssertionError(f"the guest does not answer {frame.hex()}")

    # ---- its threads ----------------------------------------------------------------------------

    def _hang_up(self) -> None:
        for end in (self._guest, self._net):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._guest = listener.accept()[0]
            threading.Thread(target=self._carry_in, daemon=True).start()
            self._carry_out(self._guest)

    def _carry_in(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                for frame in self.to_guest(_read_frame(self._net)):
                    self.inject(frame)

    def _carry_out(self, guest: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                frame = _read_frame(guest)
                with self._came:
                    self.frames.append(frame)
                    self._came.notify_all()
                answers = next((a for p in self.peers if (a := p(frame)) is not None), None)
                if answers is not None:
                    for answer in answers:
                        self.inject(answer)
                    continue
                for passed in self.from_guest(frame):
                    self._net.sendall(struct.pack("!I", len(passed)) + passed)


def _read(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def _read_frame(connection: socket.socket) -> bytes:
    (length,) = struct.unpack("!I", _read(connection, 4))
    if length > LONGEST:
        raise EOFError
    return _read(connection, length)


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)
    listener.settimeout(CONNECT_S)
    return listener
