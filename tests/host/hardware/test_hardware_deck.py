"""The Hardware deck itself, on the host, before the real accelerator: answers, death by name."""

import fcntl
import mmap
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import NamedTuple

import numpy as np
import pytest

from tests.tools.accelerator_guest import Guest, random_picture, worker
from tools.accelerator import protocol
from tools.accelerator.convolve import convolve
from tools.accelerator.server import IvshmemServer
from tools.accelerator.worker import Peers, Worker

ROOT = Path(__file__).resolve().parents[3]
BUILD = os.environ.get("KWE_BUILD", "build")
STRIDE = 1 << 20
DEPTH = 32
EDGES = [-1, -1, -1, -1, 8, -1, -1, -1, -1]


class Done(NamedTuple):
    ticket: int
    status: str
    length: int
    copied: int
    width: int
    height: int


class Deck:
    """The deck's process. The peer that it is for the server is played here."""

    def __init__(self, guest: Guest, process: subprocess.Popen[str], arena: mmap.mmap) -> None:
        self.guest = guest
        self.process = process
        self.arena = arena
        self.answers: Queue[Done] = Queue()
        self.log: list[str] = []
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word == "ring":
                self.guest.ring()
            elif word == "done":
                ticket, status, *numbers = rest.split()
                self.answers.put(Done(int(ticket), status, *map(int, numbers)))
            else:
                self.log.append(line.strip())

    def submit(self, ticket: int, width: int, height: int, pixels: bytes) -> None:
        self.arena[ticket * STRIDE : ticket * STRIDE + len(pixels)] = pixels
        assert self.process.stdin is not None
        self.process.stdin.write(f"work {ticket} {width} {height} {len(pixels)}\n")
        self.process.stdin.flush()

    def answer(self, seconds: float = 20) -> Done:
        try:
            return self.answers.get(timeout=seconds)
        except Empty:
            pytest.fail(f"no answer in time; the deck said {self.log}")

    def output(self, ticket: int, length: int) -> bytes:
        start = len(self.arena) // 2 + ticket * STRIDE
        return self.arena[start : start + length]

    def run(self, ticket: int = 0, width: int = 64, height: int = 48) -> Done:
        pixels = random_picture(width, height, ticket)
        self.submit(ticket, width, height, pixels)
        done = self.answer()
        if done.status == "OK":
            assert self.output(ticket, done.length) == expected(pixels, width, height)
        return done


def expected(pixels: bytes, width: int, height: int) -> bytes:
    picture = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
    out = np.empty_like(picture)
    convolve(picture, EDGES, 1, 0, out)
    return out.tobytes()


@pytest.fixture(scope="module")
def program() -> Path:
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    goal = f"{BUILD}/host/hardware/host_hardware"
    command = ["make", "-s", "-f", "tools/make/host.mk", f"BUILD={BUILD}", goal]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return ROOT / goal


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    socket_path = tmp_path / "ivshmem"
    with IvshmemServer(socket_path, window_bytes=8 << 20):
        yield socket_path


@contextmanager
def deck(program: Path, path: Path) -> Iterator[Deck]:
    arena_file = os.memfd_create("arena")
    os.ftruncate(arena_file, 2 * DEPTH * STRIDE)
    with Guest(path) as guest, mmap.mmap(arena_file, 2 * DEPTH * STRIDE) as arena:
        # The program finds them as 3, 4 and 5.
        files = (guest.peers.own_eventfd(), guest.peers.memory, arena_file)
        high = [fcntl.fcntl(file, fcntl.F_DUPFD, 100) for file in files]
        takes = " ".join(f"{3 + index}<&{file}" for index, file in enumerate(high))
        command = f'exec {takes} {" ".join(f"{file}<&-" for file in high)}; exec "$0"'
        with subprocess.Popen(
            ["bash", "-c", command, program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=high,
            env={**os.environ, "PEER": str(guest.peers.number), "ASAN_OPTIONS": "detect_leaks=0"},
        ) as process:
            for file in high:
                os.close(file)
            hardware = Deck(guest, process, arena)
            try:
                yield hardware
                assert process.poll() is None, "the deck ended"
            finally:
                process.kill()
                hardware.listener.join()
    os.close(arena_file)


def test_a_picture_is_convolved_and_its_copies_are_counted(program: Path, path: Path) -> None:
    with worker(path), deck(program, path) as hardware:
        done = hardware.run(width=64, height=48)

        size = 64 * 48 * 3
        assert done == Done(0, "OK", size, 2 * size, 64, 48)


def test_many_are_in_flight_at_once_and_wait_for_room_in_line(program: Path, path: Path) -> None:
    # 32 of 600 kB in and out need 38 MB; the window has 8.
    width, height = 500, 400
    with worker(path), deck(program, path) as hardware:
        pictures = [random_picture(width, height, ticket) for ticket in range(DEPTH)]
        for _ in range(2):
            for ticket, pixels in enumerate(pictures):
                hardware.submit(ticket, width, height, pixels)

            answers = [hardware.answer() for _ in range(DEPTH)]

            assert {done.status for done in answers} == {"OK"}
            assert {done.ticket for done in answers} == set(range(DEPTH))
            for ticket, pixels in enumerate(pictures):
                assert hardware.output(ticket, len(pixels)) == expected(pixels, width, height)


@pytest.mark.parametrize(
    ("width", "height", "length", "status"),
    [(64, 48, 100, "BAD_PICTURE"), (0, 48, 100, "BAD_PICTURE"), (2000, 1000, 6000000, "TOO_LARGE")],
)
def test_pictures_that_cannot_be_are_refused_by_name(
    program: Path, path: Path, width: int, height: int, length: int, status: str
) -> None:
    with worker(path), deck(program, path) as hardware:
        hardware.submit(0, width, height, bytes(length))

        assert hardware.answer().status == status
        assert hardware.run(1).status == "OK"


def test_without_a_worker_requests_fail_and_one_that_comes_later_serves(
    program: Path, path: Path
) -> None:
    with deck(program, path) as hardware:
        assert hardware.run().status == "DEVICE_GONE"
        start = time.monotonic()
        assert hardware.run().status == "DEVICE_GONE"
        assert time.monotonic() - start < 0.5, "the second one fails at once"

        with worker(path):
            wait_until_served(hardware)


def wait_until_served(hardware: Deck) -> None:
    deadline = time.monotonic() + 15
    while hardware.run().status != "OK":
        assert time.monotonic() < deadline, "the new worker is not used"
        time.sleep(0.02)


def test_a_killed_worker_is_named_and_its_successor_used(program: Path, path: Path) -> None:
    with deck(program, path) as hardware:
        with worker(path) as first:
            assert hardware.run().status == "OK"
            os.kill(first.pid, signal.SIGSTOP)
            pixels = random_picture(64, 48, 1)
            for ticket in range(4):
                hardware.submit(ticket, 64, 48, pixels)
            first.kill()
            first.wait()

            answers = [hardware.answer() for _ in range(4)]

        assert {done.status for done in answers} == {"DEVICE_GONE"}
        with worker(path):
            wait_until_served(hardware)
            assert [hardware.run(ticket).status for ticket in range(8)] == ["OK"] * 8


def test_a_worker_started_anew_loses_what_the_old_one_had(program: Path, path: Path) -> None:
    with worker(path) as first, deck(program, path) as hardware:
        assert hardware.run().status == "OK"
        os.kill(first.pid, signal.SIGSTOP)
        hardware.submit(3, 64, 48, random_picture(64, 48, 3))
        time.sleep(0.1)

        with worker(path):
            # Its epoch tells, before the old one's heart has been still for long.
            assert hardware.answer().status == "DEVICE_GONE"
            first.kill()
            wait_until_served(hardware)


def test_a_paused_worker_is_gone_and_comes_back_by_itself(program: Path, path: Path) -> None:
    with worker(path) as process, deck(program, path) as hardware:
        assert hardware.run().status == "OK"

        os.kill(process.pid, signal.SIGSTOP)
        assert hardware.run(1).status == "DEVICE_GONE"
        os.kill(process.pid, signal.SIGCONT)

        wait_until_served(hardware)


def test_a_worker_that_answers_nonsense_is_refused_not_believed(program: Path, path: Path) -> None:
    """A peer that breaks the response ring costs the session, no more."""
    with worker(path), deck(program, path) as hardware:
        assert hardware.run().status == "OK"

        hardware.guest.set(0x3000, 0x12345678)  # the response ring's tail

        assert hardware.run(1).status in ("DEVICE_GONE", "OK")
        wait_until_served(hardware)


@contextmanager
def deaf_worker(path: Path) -> Iterator[None]:
    """Hold a worker's place, with a beating heart; answer greetings, and no requests."""
    ended = threading.Event()

    def pretend(peers: Peers, memory: memoryview) -> None:
        deaf = Worker(memory, peers.number)
        deaf.start()
        session = 0
        while not ended.wait(0.01):
            deaf.beat()
            if guest_session(memory) != session:
                session = guest_session(memory)
                deaf.work()
                select_and_take(peers)
                peers.ring(deaf.guest_peer())

    def guest_session(memory: memoryview) -> int:
        return memory.cast("I")[protocol.CONTROL_GUEST_SESSION // 4]

    def select_and_take(peers: Peers) -> None:
        while select.select([peers.connection], [], [], 0)[0]:
            peers.take_message()

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(path))
        peers = Peers(connection)
        peers.handshake()
        size = os.fstat(peers.memory).st_size
        memory = memoryview(mmap.mmap(peers.memory, size))
        thread = threading.Thread(target=pretend, args=(peers, memory))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def test_a_worker_that_beats_and_never_answers_costs_one_deadline_not_one_each(
    program: Path, path: Path
) -> None:
    # More than the window holds: those without a place would wait in line for one each.
    width, height = 500, 400
    with deck(program, path) as hardware:
        with deaf_worker(path):
            start = time.monotonic()
            for ticket in range(DEPTH):
                hardware.submit(ticket, width, height, random_picture(width, height, ticket))

            answers = [hardware.answer(30) for _ in range(DEPTH)]

            assert {done.status for done in answers} == {"DEVICE_TIMEOUT"}
            assert time.monotonic() - start < 8
        with worker(path):
            wait_until_served(hardware)
            assert [hardware.run(ticket).status for ticket in range(8)] == ["OK"] * 8
