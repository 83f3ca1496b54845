"""The server, the worker process and a guest together: answers, lies, death and return."""

import io
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tools.accelerator_guest import Guest, random_picture, wait_until, worker
from tools.accelerator import protocol
from tools.accelerator.convolve import convolve
from tools.accelerator.protocol import Convolve, JpegEncode
from tools.accelerator.server import IvshmemServer

EDGES = (-1, -1, -1, -1, 8, -1, -1, -1, -1)
PARAMS = Convolve(16, 8, 3, 1, 0, EDGES)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    socket_path = tmp_path / "accelerator.sock"
    with IvshmemServer(socket_path, window_bytes=1 << 20):
        yield socket_path


def expected(pixels: bytes, params: Convolve) -> bytes:
    shape = (params.height, params.width, params.channels)
    out = np.empty(shape, np.uint8)
    picture = np.frombuffer(pixels, np.uint8).reshape(shape)
    convolve(picture, params.weights, params.divisor, params.bias, out)
    return out.tobytes()


def test_requests_are_answered_in_order_across_the_rings_end(path: Path) -> None:
    with worker(path), Guest(path) as guest:
        guest.greet()
        for number in range(3 * protocol.SLOTS):
            pixels = random_picture(16, 8, number)
            request = guest.put(number, PARAMS, pixels)

            guest.post(request)
            response = guest.take()

            assert (response.id, response.status) == (number, protocol.STATUS_OK)
            assert guest.output(request) == expected(pixels, PARAMS)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_who_has_left_keeps_no_file_open(path: Path) -> None:
    # The server's thread opens and closes some of its own meanwhile: not as many.
    before, guests = open_files(), 50

    for _ in range(guests):
        with Guest(path):
            pass

    wait_until(lambda: open_files() < before + guests)


def test_several_requests_may_be_in_flight(path: Path) -> None:
    with worker(path), Guest(path) as guest:
        guest.greet()
        pictures = [random_picture(16, 8, number) for number in range(20)]
        requests = [
            guest.put(number, PARAMS, pixels, protocol.DATA + number * 4096)
            for number, pixels in enumerate(pictures)
        ]
        for request in requests:
            guest.post(request)

        answered = {guest.take().id for _ in requests}

        assert answered == set(range(20))
        for request, pixels in zip(requests, pictures, strict=True):
            assert guest.output(request) == expected(pixels, PARAMS)


BAD_FIELDS = {
    "params before the data": {"params_offset": protocol.DATA - 8},
    "params at the end": {"params_offset": (1 << 20) - 8},
    "params too long": {"params_bytes": 57},
    "input outside": {"in_offset": 1 << 20},
    "input wraps": {"in_offset": (1 << 64) - 8},
    "input length lies": {"in_bytes": 5},
    "output over the control page": {"out_offset": 0},
    "output outside": {"out_offset": (1 << 20) - 100},
    "output too small": {"out_bytes": 100},
}


@pytest.mark.parametrize("fields", BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_a_lying_request_is_refused_and_the_next_one_served(
    path: Path, fields: dict[str, int]
) -> None:
    with worker(path), Guest(path) as guest:
        guest.greet()
        request = guest.put(1, PARAMS, random_picture(16, 8, 1))

        guest.post(replace(request, **fields))
        guest.post(replace(request, id=2))

        assert guest.take().status == protocol.STATUS_BAD_REQUEST
        assert guest.take().status == protocol.STATUS_OK


BAD_PARAMS = {
    "no width": replace(PARAMS, width=0),
    "huge": replace(PARAMS, width=0xFFFFFFFF, height=0xFFFFFFFF),
    "two channels": replace(PARAMS, channels=2),
    "divided by nothing": replace(PARAMS, divisor=0),
    "negative divisor": replace(PARAMS, divisor=-1),
    "a weight out of range": replace(PARAMS, weights=(1 << 30,) * 9),
    "a bias out of range": replace(PARAMS, bias=-(1 << 31)),
}


@pytest.mark.parametrize("params", BAD_PARAMS.values(), ids=BAD_PARAMS)
def test_bad_parameters_are_refused(path: Path, params: Convolve) -> None:
    with worker(path), Guest(path) as guest:
        guest.greet()

        guest.post(guest.put(1, params, random_picture(16, 8, 1)))

        assert guest.take().status == protocol.STATUS_BAD_REQUEST


def smooth_picture(width: int, height: int) -> bytes:
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows * 3, columns * 5, rows + columns], axis=-1).astype(np.uint8).tobytes()


def test_a_picture_comes_back_as_a_jpeg(path: Path) -> None:
    pixels = smooth_picture(40, 30)
    with worker(path), Guest(path) as guest:
        guest.greet()
        request = guest.put(1, JpegEncode(40, 30, 95), pixels)

        guest.post(request)
        response = guest.take()

        assert response.status == protocol.STATUS_OK
        picture = Image.open(io.BytesIO(guest.output(request)[: response.out_bytes]))
        assert (picture.format, picture.size, picture.mode) == ("JPEG", (40, 30), "RGB")
        wanted = np.frombuffer(pixels, np.uint8).reshape(30, 40, 3).astype(int)
        assert np.abs(np.asarray(picture).astype(int) - wanted).mean() < 3


def test_what_a_jpeg_needs_is_said_and_nothing_is_written(path: Path) -> None:
    with worker(path), Guest(path) as guest:
        guest.greet()
        request = guest.put(1, JpegEncode(40, 30, 95), smooth_picture(40, 30), room=100)

        guest.post(request)
        response = guest.take()

        assert response.status == protocol.STATUS_NO_ROOM
        assert not any(guest.memory[request.out_offset : request.out_offset + 4096])
        guest.post(replace(request, id=2, out_bytes=response.out_bytes))
        assert guest.take().status == protocol.STATUS_OK


BAD_ENCODINGS = {
    "no height": JpegEncode(16, 0, 90),
    "quality 0": JpegEncode(16, 8, 0),
    "quality 101": JpegEncode(16, 8, 101),
    "another size": JpegEncode(17, 8, 90),
}


@pytest.mark.parametrize("params", BAD_ENCODINGS.values(), ids=BAD_ENCODINGS)
def test_bad_encodings_are_refused(path: Path, params: JpegEncode) -> None:
    with worker(path), Guest(path) as guest:
        guest.greet()

        guest.post(guest.put(1, params, random_picture(16, 8, 1)))

        assert guest.take().status == protocol.STATUS_BAD_REQUEST


def test_an_unknown_operation_is_refused(path: Path) -> None:
    with worker(path), Guest(path) as guest:
        guest.greet()

        guest.post(replace(guest.put(1, PARAMS, random_picture(16, 8, 1)), op=99))

        assert guest.take().status == protocol.STATUS_UNKNOWN_OP


@pytest.mark.parametrize("index", ["request tail", "response head"])
def test_a_broken_ring_is_ignored_until_the_next_session(path: Path, index: str) -> None:
    with worker(path) as process, Guest(path) as guest:
        guest.greet()
        if index == "request tail":
            guest.set(protocol.REQUESTS + protocol.RING_TAIL, 1000)
        else:
            guest.set(protocol.RESPONSES + protocol.RING_HEAD, 1000)
        guest.ring()

        guest.greet()
        guest.post(guest.put(1, PARAMS, random_picture(16, 8, 1)))

        assert guest.take().status == protocol.STATUS_OK
        assert process.poll() is None


def test_a_guest_that_takes_no_answers_gets_no_more_work_done(path: Path) -> None:
    with worker(path), Guest(path) as guest:
        guest.greet()
        request = guest.put(1, PARAMS, random_picture(16, 8, 1))
        for _ in range(protocol.SLOTS):
            guest.post(request)
        tail = protocol.RESPONSES + protocol.RING_TAIL
        wait_until(lambda: guest.get(tail) == protocol.SLOTS)
        guest.post(request)

        for _ in range(protocol.SLOTS + 1):
            assert guest.take().status == protocol.STATUS_OK


def test_a_worker_that_dies_is_followed_by_one_with_a_new_epoch(path: Path) -> None:
    with Guest(path) as guest:
        with worker(path):
            guest.greet()
            epoch = guest.get(protocol.CONTROL_EPOCH)
        beat = guest.get(protocol.CONTROL_HEARTBEAT_NS)

        with worker(path):
            wait_until(lambda: guest.get(protocol.CONTROL_EPOCH) == epoch + 1)
            assert guest.get(protocol.CONTROL_HEARTBEAT_NS) != beat
            guest.greet()
            pixels = random_picture(16, 8, 3)
            request = guest.put(1, PARAMS, pixels)
            guest.post(request)
            assert guest.take().status == protocol.STATUS_OK
            assert guest.output(request) == expected(pixels, PARAMS)


def test_a_stopped_workers_heart_stops_and_goes_on(path: Path) -> None:
    with worker(path) as process, Guest(path) as guest:
        guest.greet()
        os.kill(process.pid, signal.SIGSTOP)
        wait_until(lambda: Path(f"/proc/{process.pid}/stat").read_text().split()[2] == "T")
        beat = guest.get(protocol.CONTROL_HEARTBEAT_NS)

        os.kill(process.pid, signal.SIGCONT)

        wait_until(lambda: guest.get(protocol.CONTROL_HEARTBEAT_NS) != beat)


def test_a_worker_ends_with_its_server(tmp_path: Path) -> None:
    socket_path = tmp_path / "accelerator.sock"
    with ExitStack() as server, ExitStack() as rest:
        server.enter_context(IvshmemServer(socket_path, window_bytes=1 << 20))
        process = rest.enter_context(worker(socket_path))
        rest.enter_context(Guest(socket_path)).greet()

        server.close()

        assert process.wait(10) == 0
