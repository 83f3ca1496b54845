"""A guest for the accelerator's tests: what the Hardware deck does, and what it must not do."""

import mmap
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from tools.accelerator import protocol
from tools.accelerator.protocol import Convolve, JpegEncode, Request, Response
from tools.accelerator.worker import Peers

ROOT = Path(__file__).resolve().parents[2]
MASK = 0xFFFFFFFF


@contextmanager
def worker(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the computing process while the block lasts."""
    command = [sys.executable, "-m", "tools.accelerator.worker", str(path)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)


class Guest:
    """Peer number and both rings, the guest's ends."""

    def __init__(self, path: Path) -> None:
        self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.connection.connect(str(path))
        self.peers = Peers(self.connection)
        self.peers.handshake()
        self._mapping = mmap.mmap(self.peers.memory, os.fstat(self.peers.memory).st_size)
        self.memory = memoryview(self._mapping)
        self.words = self.memory.cast("I")
        self.taken = 0
        self.posted = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.words.release()
        self.memory.release()
        self._mapping.close()
        self.peers.close()
        self.connection.close()

    def get(self, offset: int) -> int:
        return self.words[offset // 4]

    def set(self, offset: int, value: int) -> None:
        self.words[offset // 4] = value & MASK

    def ring(self) -> None:
        """Ring at the worker, which may have come after us."""
        while select.select([self.connection], [], [], 0)[0]:
            self.peers.take_message()
        self.peers.ring(self.get(protocol.CONTROL_WORKER_PEER))

    def greet(self) -> None:
        """Begin a new session and wait for the worker's answer."""
        session = self.get(protocol.CONTROL_GUEST_SESSION) + 1
        self.set(protocol.CONTROL_GUEST_PEER, self.peers.number)
        self.set(protocol.CONTROL_GUEST_SESSION, session)
        wait_until(lambda: self.get(protocol.CONTROL_WORKER_SESSION) == session)
        self.taken = 0
        self.posted = 0

    def post(self, request: Request) -> None:
        start = protocol.REQUESTS + protocol.RING_SLOT + self.posted % protocol.SLOTS * 64
        self.memory[start : start + 64] = request.pack()
        self.posted += 1
        self.set(protocol.REQUESTS + protocol.RING_TAIL, self.posted)
        self.ring()

    def take(self, seconds: float = 10) -> Response:
        """Wait for the next response, by the interrupt."""
        tail = protocol.RESPONSES + protocol.RING_TAIL
        deadline = time.monotonic() + seconds
        while self.get(tail) == self.taken & MASK:
            left = deadline - time.monotonic()
            assert left > 0, "no response in time"
            if select.select([self.peers.own_eventfd()], [], [], left)[0]:
                os.eventfd_read(self.peers.own_eventfd())
        start = protocol.RESPONSES + protocol.RING_SLOT + self.taken % protocol.SLOTS * 64
        response = Response.unpack(bytes(self.memory[start : start + 64]))
        self.taken += 1
        self.set(protocol.RESPONSES + protocol.RING_HEAD, self.taken)
        return response

    def put(
        self,
        number: int,
        params: Convolve | JpegEncode,
        pixels: bytes,
        at: int = protocol.DATA,
        room: int | None = None,
    ) -> Request:
        """Lay a request's parts into the window from `at`, and return the request."""
        op = protocol.OP_CONVOLVE if isinstance(params, Convolve) else protocol.OP_JPEG_ENCODE
        self.memory[at : at + params.SIZE] = params.pack()
        self.memory[at + 64 : at + 64 + len(pixels)] = pixels
        size = len(pixels)
        out = at + 64 + size
        return Request(
            number, op, at, params.SIZE, at + 64, size, out, size if room is None else room
        )

    def output(self, request: Request) -> bytes:
        return bytes(self.memory[request.out_offset : request.out_offset + request.out_bytes])


def random_picture(width: int, height: int, seed: int) -> bytes:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, width * height * 3, np.uint8).tobytes()
