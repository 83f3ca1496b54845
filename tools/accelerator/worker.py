"""The computing process: takes the guest's requests, answers them, beats its heart; may die.

python -m tools.accelerator.worker SOCKET
"""

import argparse
import logging
import mmap
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tools.accelerator import protocol
from tools.accelerator.compute import answer
from tools.accelerator.protocol import Request
from tools.accelerator.rings import Ring, RingBrokenError
from tools.accelerator.server import receive_messages

log = logging.getLogger("accelerator")


class Peers:
    """The connection to the server: who is there, and how to ring at them."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._messages = receive_messages(connection)
        self._eventfds: dict[int, list[int]] = {}
        self.number = -1
        self.memory = -1

    def handshake(self) -> None:
        """Take the server's greeting, up to our own first eventfd."""
        version, _ = next(self._messages)
        if version != 0:
            raise ConnectionError(f"the server speaks version {version}")
        self.number, _ = next(self._messages)
        marker, memory = next(self._messages)
        if marker != -1 or memory is None:
            raise ConnectionError("the server did not send its memory")
        self.memory = memory
        while self.number not in self._eventfds:
            self.take_message()

    def take_message(self) -> None:
        """Take one message about a peer.

        Raises:
            StopIteration: The server has closed.

        """
        number, descriptor = next(self._messages)
        if descriptor is not None:
            self._eventfds.setdefault(number, []).append(descriptor)
            return
        for eventfd in self._eventfds.pop(number, []):
            os.close(eventfd)

    def ring(self, number: int) -> None:
        """Ring at a peer; nothing happens when there is none of that number."""
        for eventfd in self._eventfds.get(number, [])[:1]:
            os.eventfd_write(eventfd, 1)

    def close(self) -> None:
        """Give back what came with the messages; the connection is the caller's."""
        for eventfds in self._eventfds.values():
            for eventfd in eventfds:
                os.close(eventfd)
        self._eventfds.clear()
        os.close(self.memory)

    def own_eventfd(self) -> int:
        """Return the eventfd that others ring."""
        return self._eventfds[self.number][0]


class Worker:
    """What the worker knows of the guest: its session and the two rings."""

    def __init__(self, memory: memoryview, number: int) -> None:
        self._memory = memory
        self._words = memory.cast("I")
        self._long_words = memory.cast("Q")
        self._number = number
        self._requests = Ring(memory, protocol.REQUESTS)
        self._responses = Ring(memory, protocol.RESPONSES)
        self._session = 0
        self._broken = False

    def start(self) -> None:
        """Announce a new epoch: whatever an older one had in hand is lost."""
        self._set(protocol.CONTROL_WORKER_SESSION, 0)
        self._set(protocol.CONTROL_WORKER_PEER, self._number)
        self.beat()
        self._set(protocol.CONTROL_EPOCH, (self._get(protocol.CONTROL_EPOCH) + 1) & 0xFFFFFFFF)

    def beat(self) -> None:
        """Write a new heartbeat."""
        self._long_words[protocol.CONTROL_HEARTBEAT_NS // 8] = time.monotonic_ns()

    def guest_peer(self) -> int:
        """Return whom to ring at."""
        return self._get(protocol.CONTROL_GUEST_PEER)

    def work(self) -> bool:
        """Answer one request or one new session; True: the guest should be told."""
        session = self._get(protocol.CONTROL_GUEST_SESSION)
        if session != self._session:
            self._requests.reset()
            self._responses.reset()
            self._session = session
            self._broken = False
            self._set(protocol.CONTROL_WORKER_SESSION, session)
            log.info("session %d", session)
            return True
        if session == 0 or self._broken:
            return False
        try:
            # The answer's place first: a guest that takes no answers gets no more work done.
            slot = self._requests.pop() if self._responses.has_room() else None
        except RingBrokenError as error:
            log.warning("session %d: %s: ignored until the next one", session, error)
            self._broken = True
            return False
        if slot is None:
            return False
        response = answer(self._memory, Request.unpack(slot))
        # The guest may have gone on to a new session meanwhile, but this one's rings are ours
        # until we answer to it.
        self._responses.push(response.pack())
        return True

    def _get(self, offset: int) -> int:
        return self._words[offset // 4]

    def _set(self, offset: int, value: int) -> None:
        self._words[offset // 4] = value


def serve(path: Path) -> None:
    """Work until the server goes away."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(path))
        peers = Peers(connection)
        peers.handshake()
        size = os.fstat(peers.memory).st_size
        worker = Worker(memoryview(mmap.mmap(peers.memory, size)), peers.number)
        worker.start()
        threading.Thread(target=_beat_for_ever, args=(worker,), daemon=True).start()
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_READ)
            selector.register(peers.own_eventfd(), selectors.EVENT_READ)
            while True:
                _work_until_idle(worker, peers)
                # The time-out heals a doorbell that was lost while a peer was still being
                # introduced.
                for key, _ in selector.select(protocol.HEARTBEAT_S):
                    if key.fileobj is connection:
                        try:
                            peers.take_message()
                        except StopIteration:
                            return
                    else:
                        os.eventfd_read(peers.own_eventfd())


def _work_until_idle(worker: Worker, peers: Peers) -> None:
    while worker.work():
        peers.ring(worker.guest_peer())


def _beat_for_ever(worker: Worker) -> None:
    while True:
        worker.beat()
        time.sleep(protocol.HEARTBEAT_S)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the worker."""
    parser = argparse.ArgumentParser(description="The accelerator's computing process.")
    parser.add_argument("socket", type=Path, help="the ivshmem server's")
    parser.add_argument("-v", "--verbose", action="store_true")
    args = parser.parse_args(argv)
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.WARNING, format="accelerator: %(message)s"
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ends with its server, so that a run can finish
    serve(args.socket)
    return 0


if __name__ == "__main__":
    sys.exit(main())
