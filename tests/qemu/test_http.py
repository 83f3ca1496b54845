"""HTTP operations on the real stack, clients outside of the guest."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.harness.guest import Guest
from tests.harness.plugin import Boot
from tests.qemu.http_records import Record, read_record
from tools.kwe import abi

# A hang detector, not a target.
ANSWER_S = 60.0
HOST = b"Host: guest\r\n"


def serve(boot: Boot, what: str = "echo", cpus: int = 1, append: str = "", **options: int) -> Guest:
    """Return the guest that plays a part of tests/qemu/programs/http at its port 80."""
    files = {name: str(value).encode() for name, value in options.items()}
    return boot(
        "http",
        cpus=cpus,
        append=append,
        files={"what": what.encode(), **files},
        forward=("0:80",),
    )


@contextmanager
def connected(guest: Guest) -> Iterator[socket.socket]:
    """Connect once the guest has said that it is ready."""
    port = guest.machine.forwarded(80)
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as connection:
        yield connection


@contextmanager
def used(guest: Guest) -> Iterator[socket.socket]:
    """Give a connection that has been answered once.

    QEMU's user network listens with a backlog of 1: several that are made in a row would be reset
    by the host before the guest hears of them.
    """
    with connected(guest) as connection:
        connection.sendall(b"GET /first HTTP/1.1\r\n" + HOST + b"\r\n")
        assert read_response(connection).read()
        yield connection


def end(guest: Guest) -> None:
    """Ask the guest to end, and see that it did so in order."""
    with connected(guest) as connection:
        connection.sendall(b"GET /end HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        receive_all(connection)
    assert guest.exit_code == abi.EXIT_DONE


def receive_all(connection: socket.socket) -> bytes:
    """Receive until the other side has closed."""
    data = bytearray()
    while part := connection.recv(1 << 16):
        data += part
    return bytes(data)


def read_response(connection: socket.socket, method: str = "GET") -> http.client.HTTPResponse:
    """Read one response from a raw connection."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    return response


def status_of(connection: socket.socket) -> int:
    """Return the status of the answer that ends the connection."""
    return int(receive_all(connection).split(b" ", 2)[1])


def ask(
    client: http.client.HTTPConnection, method: str, target: str, body: bytes | None = None
) -> Record:
    """Return what the system saw of a request."""
    client.request(method, target, body)
    response = client.getresponse()
    assert response.status == 200
    return read_record(response.read())


def test_requests_of_one_connection_are_answered_one_by_one(boot: Boot) -> None:
    with serve(boot) as guest:
        guest.wait_for("ready$")
        client = http.client.HTTPConnection(
            "127.0.0.1", guest.machine.forwarded(80), timeout=ANSWER_S
        )
        for number in range(20):
            seen = ask(client, "GET", f"/a%20{number}?q={number}")
            assert seen.texts["path"] == b"/a%%20%d" % number
            assert seen.texts["query"] == b"q=%d" % number
            assert (seen.method, seen.minor, seen.keep_alive) == ("GET", 1, True)
        body = bytes(range(256)) * 100
        assert ask(client, "POST", "/p", body).body == body
        client.request("POST", "/p", iter([b"one ", b"two ", b"three"]), encode_chunked=True)
        assert read_record(client.getresponse().read()).body == b"one two three"
        client.request("HEAD", "/h")
        head = client.getresponse()
        assert head.status == 200
        assert int(head.headers["Content-Length"]) > 0
        assert head.read() == b""
        assert ask(client, "GET", "/after").method == "GET"
        client.close()

        end(guest)


def test_pipelined_requests_are_answered_in_order(boot: Boot) -> None:
    with serve(boot, cpus=2) as guest:
        guest.wait_for("ready$")
        with connected(guest) as connection:
            requests = [b"GET /%d HTTP/1.1\r\n" % number + HOST + b"\r\n" for number in range(200)]
            connection.sendall(b"".join(requests))
            stream = connection.makefile("rb")
            for number in range(200):
                assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
                length = 0
                while (line := stream.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                assert read_record(stream.read(length)).texts["path"] == b"/%d" % number

        end(guest)


BAD = [
    (b"nonsense\r\n\r\n", 501),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    (b"GET / HTTP/3.0\r\n" + HOST + b"\r\n", 505),
    (b"BREW / HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    (b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"a" * 9000 + b"\r\n\r\n", 431),
    (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n", 413),
    (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 100000\r\n\r\n" + b"x" * 100000, 413),
    (
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        400,
    ),
    (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    (b"GET / HTTP/1.1\r\n" + HOST + b"Expect: cakes\r\n\r\n", 417),
]


def test_what_breaks_the_rules_is_told_so_and_closed(boot: Boot) -> None:
    with serve(boot) as guest:
        guest.wait_for("ready$")
        for request, status in BAD:
            with connected(guest) as connection:
                connection.sendall(request)
                assert status_of(connection) == status, request[:80]
        with connected(guest) as connection:  # a good one first, then a bad one behind it
            connection.sendall(b"GET /good HTTP/1.1\r\n" + HOST + b"\r\nbad\r\n\r\n")
            answers = receive_all(connection)
            assert answers.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"HTTP/1.1 501 Not Implemented\r\n" in answers
        with connected(guest) as connection:
            connection.sendall(
                b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
            )
            assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(b"ok")
            assert read_record(read_response(connection).read()).body == b"ok"

        end(guest)


def test_slow_clients_hold_no_event_and_are_timed_out(boot: Boot) -> None:
    with serve(boot, armed=1, patience=1500, idle=1500) as guest:
        guest.wait_for("ready$")
        with used(guest) as slow, used(guest) as silent, used(guest) as half:
            slow.sendall(b"GET /slow HT")
            half.sendall(b"GET /half HTTP/1.1\r\n")
            half.shutdown(socket.SHUT_WR)
            with connected(guest) as quick:
                quick.sendall(b"GET /quick HTTP/1.1\r\n" + HOST + b"\r\n")
                assert read_record(read_response(quick).read()).texts["path"] == b"/quick"
            assert status_of(slow) == 408
            assert receive_all(silent) == b""
            assert receive_all(half) == b""

        end(guest)


def test_who_is_never_answered_is_told_so(boot: Boot) -> None:
    with serve(boot, what="mute", armed=1, answer=1000) as guest:
        guest.wait_for("ready$")
        with connected(guest) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
            assert status_of(connection) == 504

        with connected(guest) as connection:
            connection.sendall(b"GET /end HTTP/1.1\r\n" + HOST + b"\r\n")
            assert guest.exit_code == abi.EXIT_DONE


def test_a_client_that_leaves_disturbs_nobody(boot: Boot) -> None:
    with serve(boot, armed=2) as guest:
        guest.wait_for("ready$")
        for number in range(20):
            with connected(guest) as connection:
                connection.sendall(b"GET /%d HTTP/1.1\r\n" % number + HOST + b"\r\n")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        with connected(guest) as connection:
            connection.sendall(b"GET /there HTTP/1.0\r\n\r\n")
            answer = receive_all(connection)
            assert read_record(answer.split(b"\r\n\r\n", 1)[1]).texts["path"] == b"/there"

        end(guest)


def test_a_deck_that_died_waiting_serves_again(boot: Boot) -> None:
    with serve(boot, what="death", append="debug", armed=3) as guest:
        guest.expect_fault("deck network.0: FAULT killed by injection")
        guest.wait_for("an event ended with DECK_FAULT")
        with connected(guest) as connection:
            connection.sendall(b"GET /again HTTP/1.1\r\n" + HOST + b"\r\n")
            assert read_record(read_response(connection).read()).texts["path"] == b"/again"

        end(guest)


def test_the_system_asks_itself(boot: Boot) -> None:
    with serve(boot, what="get", armed=1) as guest:
        found = guest.wait_for(r"got (\w+) status (\d+): path (\S+)")
        assert found.groups() == ("OK", "200", "/a%20b?c=d")
        assert guest.exit_code == abi.EXIT_DONE
