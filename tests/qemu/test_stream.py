"""The stream of a clip's edges, as its viewers get it: frame by frame, against Pillow and numpy.

A frame is held to what it loses against the pixels that went into the encoder: at most 2 % more
than Pillow's own JPEG of the same quality loses.
"""

import http.client
import io
import itertools
import json
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.harness.standing import DEADLINE_S, standing
from tests.harness.terminal import CTRL_C
from tests.harness.workflow import workflow_file
from tests.qemu import pictures
from tools.kwe.errors import EXIT_DONE
from tools.kwe.multipart import read_parts
from tools.kwe.tree import Build

# A hang detector, not a target.
ANSWER_S = 60.0
STREAM = workflow_file("stream")
MORE_LOSS = 1.02
FRAMES = 5
# As many events as the workflow has, and some of what its clients ask.
PLACES = 8
REQUEST = b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"


class Reference:
    """What each frame of the clip has to be, worked out without KWE."""

    def __init__(self, clip: Path, scratch: Path) -> None:
        self.edges = [pictures.edges(pictures.decode(path)) for path in sorted(clip.iterdir())]
        self.losses = [
            pictures.loss(pictures.reencoded(edges, scratch), edges) for edges in self.edges
        ]

    def number(self, jpeg: bytes) -> int:
        """Return which frame this is; it has to be one, within the loss of JPEG."""
        with Image.open(io.BytesIO(jpeg)) as picture:
            assert picture.format == "JPEG"
            pixels = np.asarray(picture.convert("RGB"))
        assert pixels.shape == self.edges[0].shape
        losses = [pictures.loss(pixels, edges) for edges in self.edges]
        number = int(np.argmin(losses))
        assert losses[number] <= self.losses[number] * MORE_LOSS
        return number


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Return frames whose names are not in the order in which they were made."""
    for seed in (3, 0, 4, 2, 1):
        path = tmp_path / f"clip/frame_{seed:02}.jpg"
        path.parent.mkdir(exist_ok=True)
        shifted = np.roll(pictures.make_pixels(320, 180, seed), 31 * seed, axis=1)
        Image.fromarray(shifted).save(path, "JPEG", quality=85)
    return tmp_path / "clip"


@pytest.fixture
def reference(clip: Path, tmp_path: Path) -> Reference:
    return Reference(clip, tmp_path)


@contextmanager
def viewer(port: int) -> Iterator[http.client.HTTPResponse]:
    """Ask for the stream, and leave when the block is left."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    connection.request("GET", "/stream")
    with connection.getresponse() as answer:
        assert answer.status == 200
        yield answer
    connection.close()


@contextmanager
def old_viewer(port: int) -> Iterator[http.client.HTTPResponse]:
    """Ask for it as a client of HTTP/1.0, which knows no chunks."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
        connection.sendall(b"GET /stream HTTP/1.0\r\n\r\n")
        with http.client.HTTPResponse(connection) as answer:
            answer.begin()
            yield answer


def frames(answer: http.client.HTTPResponse, count: int) -> Iterator[bytes]:
    for _, content in itertools.islice(read_parts(answer), count):
        yield content


def test_each_frame_is_the_clips_next_one(
    image: Build, clip: Path, reference: Reference, tmp_path: Path
) -> None:
    told = tmp_path / "told.json"

    with standing(
        *(image, STREAM, "--input", f"clip={clip}", "--forward", "0:80"),
        *("--runs", "1", "--json", told),
    ) as (terminal, port):
        with viewer(port) as answer:
            assert answer.headers["Content-Type"].startswith("multipart/x-mixed-replace")
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Content-Length" not in answer.headers
            ticks = []
            for fields, frame in itertools.islice(read_parts(answer), 3 * FRAMES):
                assert fields["Content-Type"] == "image/jpeg"
                ticks.append(int(fields["X-Frame"]))
                assert reference.number(frame) == ticks[-1] % FRAMES
        # That the viewer has left is the end of its event, and a good one.
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text

    # A viewer that is late misses some, but none comes twice or too late.
    assert all(before < after for before, after in itertools.pairwise(ticks))
    document = json.loads(told.read_text())
    assert document["events"] == {"submitted": PLACES, "completed": 1, "failed": 0}
    assert document["route"] == [4, 1, 4, 3, 2, 1, 3, 1, 2, 2, 1, 4, 4, 0]
    stages = {stage["name"]: stage for stage in document["stages"]}
    assert len(ticks) <= stages["send"]["events"] <= stages["tick"]["events"]
    assert document["guest"]["bytes_copied_by_kind"]["between_stages"] == 0


def leave(port: int, *, hard: bool) -> None:
    """Go in the middle of a frame, by a reset or in order."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
        connection.sendall(REQUEST)
        got = b""
        while b"image/jpeg" not in got:
            got += connection.recv(256)
        if hard:
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def test_viewers_come_and_go_and_the_others_do_not_notice(
    image: Build, clip: Path, reference: Reference
) -> None:
    leavers = 3 * PLACES

    with standing(
        *(image, STREAM, "--input", f"clip={clip}", "--forward", "0:80"),
        *("--runs", str(leavers + 2)),
    ) as (terminal, port):
        with viewer(port) as one, viewer(port) as other:
            parts_of_one, parts_of_other = frames(one, 1000), frames(other, 1000)
            for number in range(leavers):
                leave(port, hard=number % 2 == 0)
                reference.number(next(parts_of_one))
                reference.number(next(parts_of_other))
        # All of them, and the two, have ended well: none keeps its place.
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text

    assert f"{leavers + 2} runs done, 0 failed" in terminal.text


def test_as_many_as_there_are_places_see_it_at_once_until_ctrl_c(
    image: Build, clip: Path, reference: Reference
) -> None:
    with standing(image, STREAM, "--input", f"clip={clip}", "--forward", "0:80") as (
        terminal,
        port,
    ):
        connections = []
        for _ in range(PLACES):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
            connection.request("GET", "/stream")
            connections.append((connection, connection.getresponse()))
        for _, answer in connections:
            for frame in frames(answer, 3):
                reference.number(frame)

        terminal.press(CTRL_C)
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text
        for connection, answer in connections:  # cut off, not left hanging
            with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
                answer.read()
            connection.close()


def test_heads_old_clients_and_what_is_not_there(
    image: Build, clip: Path, reference: Reference
) -> None:
    with standing(
        *(image, STREAM, "--input", f"clip={clip}", "--forward", "0:80", "--runs", "4")
    ) as (terminal, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
        for method, path, status in [
            ("HEAD", "/stream", 200),
            ("GET", "/stream/of/something", 404),
            ("POST", "/stream", 405),
            ("GET", "/", 404),  # no workflow's: the deck's own answer, which ends the connection
        ]:
            connection.request(method, path)
            answer = connection.getresponse()
            assert (answer.status, method == "HEAD") == (status, not answer.read()), path
        connection.close()

        with old_viewer(port) as answer:
            assert "Transfer-Encoding" not in answer.headers
            assert answer.headers["Connection"] == "close"
            for frame in frames(answer, 3):
                reference.number(frame)
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text

    assert "4 runs done, 0 failed" in terminal.text


def test_a_stream_that_ends_by_itself_is_whole_and_the_connection_goes_on(
    image: Build, clip: Path, reference: Reference, tmp_path: Path
) -> None:
    short = tmp_path / "short.yaml"
    text, count = re.subn(r"rounds: \d+", "rounds: 3", STREAM.read_text())
    assert count == 1
    short.write_text(text)

    with standing(
        *(image, short, "--input", f"clip={clip}", "--forward", "0:80", "--runs", "3")
    ) as (terminal, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
        for _ in range(2):
            connection.request("GET", "/stream")
            answer = connection.getresponse()
            assert len([reference.number(frame) for frame in frames(answer, 1000)]) == 3
            assert answer.read() == b""
        connection.close()
        with old_viewer(port) as answer:
            assert len(list(frames(answer, 1000))) == 3
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text

    assert "3 runs done, 0 failed" in terminal.text


LINES = """\
workflow: lines
doc: A line of text, again and again, until the client has had enough.
standing: {concurrency: 2}
inputs:
  routes: {kind: bytes, text: "GET / stream text/plain"}
  line: {kind: bytes, text: "{a} {b}\\n"}
stages:
  receive: {op: network.http_receive, port: 80, at_most: 16 KiB}
  page: {op: operations.http_render, question: receive, routes: $routes, at_most: 4 KiB}
  start:
    op: network.http_send
    page: page
    connection: receive.connection
    status: page.answer
    head_bytes: page.head_bytes
    length: page.body_bytes
    more_bytes: page.more_bytes
  show:
    until: send.gone == 1
    rounds: 4294967295
    needs: start
    do:
      tick: {op: hardware.tick, period_ns: 10 ms}
      line: {op: operations.format, template: $line, a: part.number, b: tick.number}
      send: {op: network.http_more, data: line, connection: receive.connection}
"""


def test_lines_of_text_are_a_stream_as_well(image: Build, tmp_path: Path) -> None:
    (tmp_path / "lines.yaml").write_text(LINES)

    with standing(image, tmp_path / "lines.yaml", "--forward", "0:80", "--runs", "2") as (
        terminal,
        port,
    ):
        for _ in range(2):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
            connection.request("GET", "/")
            with connection.getresponse() as answer:
                lines = [tuple(map(int, answer.readline().split())) for _ in range(20)]
            connection.close()
            ticks = [tick for _, tick in lines]
            assert [number for number, _ in lines] == list(range(20))
            assert ticks == sorted(set(ticks))
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text

    assert "2 runs done, 0 failed" in terminal.text
