"""The ivshmem server: owns the shared memory, introduces peers to each other, outlives all of them.

Protocol (QEMU's docs/specs/ivshmem-spec): each message is a little-endian signed 64-bit number
with at most one file descriptor.
A new peer gets 0 (version), its id, -1 with the memory; then each other peer's id once per vector
with that vector's eventfd; then its
own id once per vector with its eventfds. The others get its id and eventfds, and its id alone
once it has gone. QEMU reads the
first three while it starts and waits for them, so the server must be there first, and its
connections must stay open.
"""

import contextlib
import os
import selectors
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.accelerator import protocol

WINDOW_BYTES = 64 << 20
VECTORS = 1

_PROTOCOL_VERSION = 0
_MEMORY = -1
_MESSAGE = struct.Struct("<q")


class _Peer:
    """One connection and its eventfds, one a vector."""

    def __init__(self, number: int, connection: socket.socket, vectors: int) -> None:
        self.number = number
        self.connection = connection
        self.eventfds = [os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(vectors)]

    def close(self) -> None:
        self.connection.close()
        for eventfd in self.eventfds:
            os.close(eventfd)


def _send(connection: socket.socket, number: int, descriptor: int | None = None) -> None:
    descriptors = [] if descriptor is None else [descriptor]
    socket.send_fds(connection, [_MESSAGE.pack(number)], descriptors)


class IvshmemServer:
    """Serves one shared memory on a unix socket, from a thread of its own, until the block is left.

    Attributes:
        path: The socket that QEMU's chardev and the worker connect to.
        window_bytes: Size of the shared memory, a power of two (it is a PCI BAR).

    """

    def __init__(
        self, path: Path, window_bytes: int = WINDOW_BYTES, vectors: int = VECTORS
    ) -> None:
        if window_bytes & (window_bytes - 1) or window_bytes <= protocol.DATA:
            raise ValueError(f"{window_bytes} bytes is no power of two above {protocol.DATA}")
        self.path = path
        self.window_bytes = window_bytes
        self._vectors = vectors
        self._peers: dict[int, _Peer] = {}
        self._next_number = 0

    def qemu_arguments(self) -> list[str]:
        """Return what QEMU's command line needs to have the device."""
        device = f"ivshmem-doorbell,vectors={self._vectors},chardev=accelerator"
        return ["-chardev", f"socket,path={self.path},id=accelerator", "-device", device]

    def __enter__(self) -> Self:
        """Make the memory and listen."""
        self._memory = os.memfd_create("kwe-accelerator", os.MFD_CLOEXEC)
        os.ftruncate(self._memory, self.window_bytes)
        header = struct.pack(
            "<QIIQ", protocol.MAGIC, protocol.VERSION, protocol.SLOTS, self.window_bytes
        )
        os.pwrite(self._memory, header, 0)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._serve, name="ivshmem-server", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up on everybody."""
        os.eventfd_write(self._stop, 1)
        self._thread.join()
        for peer in self._peers.values():
            peer.close()
        self._listener.close()
        self.path.unlink(missing_ok=True)
        os.close(self._memory)
        os.close(self._stop)

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._stop, selectors.EVENT_READ)
            selector.register(self._listener, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj == self._stop:
                        return
                    if key.fileobj is self._listener:
                        peer = self._admit()
                        selector.register(peer.connection, selectors.EVENT_READ, peer)
                    elif self._is_gone(key.data):
                        selector.unregister(key.fileobj)
                        self._forget(key.data)

    def _admit(self) -> _Peer:
        connection, _ = self._listener.accept()
        # Numbers are not reused: a doorbell meant for a dead peer must not ring at its successor.
        peer = _Peer(self._next_number, connection, self._vectors)
        self._next_number = (self._next_number + 1) & 0xFFFF
        with contextlib.suppress(OSError):
            self._introduce(peer)
        for other in self._peers.values():
            for eventfd in peer.eventfds:
                with contextlib.suppress(OSError):
                    _send(other.connection, peer.number, eventfd)
        self._peers[peer.number] = peer
        return peer

    def _introduce(self, peer: _Peer) -> None:
        _send(peer.connection, _PROTOCOL_VERSION)
        _send(peer.connection, peer.number)
        _send(peer.connection, _MEMORY, self._memory)
        for known in [*self._peers.values(), peer]:
            for eventfd in known.eventfds:
                _send(peer.connection, known.number, eventfd)

    def _is_gone(self, peer: _Peer) -> bool:
        """Peers never write: what can be read is the end."""
        try:
            return not peer.connection.recv(4096)
        except OSError:
            return True

    def _forget(self, peer: _Peer) -> None:
        del self._peers[peer.number]
        peer.close()
        for other in self._peers.values():
            with contextlib.suppress(OSError):
                _send(other.connection, peer.number)


def receive_messages(connection: socket.socket) -> Iterator[tuple[int, int | None]]:
    """Yield what a server sends, as (number, descriptor or None), until it closes.

    The descriptors are the caller's to close.
    """
    while True:
        data, descriptors, _, _ = socket.recv_fds(connection, _MESSAGE.size, 1)
        while data and len(data) < _MESSAGE.size:
            rest, more, _, _ = socket.recv_fds(connection, _MESSAGE.size - len(data), 1)
            if not rest:
                return
            data += rest
            descriptors += more
        if not data:
            return
        yield _MESSAGE.unpack(data)[0], descriptors[0] if descriptors else None
