"""The web server that is one workflow, as its users run it: files, parts, a guest book, metrics."""

import http.client
import json
import random
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.harness.standing import DEADLINE_S, standing
from tests.harness.terminal import CTRL_C
from tests.harness.workflow import workflow_file
from tools.kwe.errors import EXIT_DONE
from tools.kwe.tree import Build

# A hang detector, not a target.
ANSWER_S = 60.0
WEB = workflow_file("web")
# More than the server reads at once: it goes out in parts.
BIG = random.Random(1).randbytes(3_000_000)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# QEMU's user network listens with a backlog of 1, and the host resets what comes too fast.
CONNECTING = threading.Lock()

Answer = tuple[int, http.client.HTTPMessage, bytes]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a directory to serve."""
    root = tmp_path / "site"
    (root / "sub dir").mkdir(parents=True)
    (root / "index.html").write_text("<p>hello\n")
    (root / "big.bin").write_bytes(BIG)
    (root / "empty.txt").write_bytes(b"")
    (root / "sub dir" / "ä & b.txt").write_text("both\n")
    return root


@pytest.fixture
def port(image: Build, site: Path) -> Iterator[int]:
    """Serve it; the host's port. In the end the server stops in order."""
    with standing(image, WEB, "--input", f"site={site}", "--forward", "0:80") as (terminal, port):
        yield port
        terminal.press(CTRL_C)
        assert terminal.wait_end(DEADLINE_S) == EXIT_DONE, terminal.text


class Client:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
        with CONNECTING:
            self.ask("HEAD", "/index.html")

    def ask(self, method: str, path: str, body: str | None = None, **fields: str) -> Answer:
        """Return status, fields and body of the answer."""
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        self.connection.request(method, path, body, headers | (FORM if body is not None else {}))
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()


def test_files_come_as_they_are_and_what_is_missing_is_said(port: int, site: Path) -> None:
    client = Client(port)

    status, fields, body = client.ask("GET", "/")
    assert (status, body) == (200, b"<p>hello\n")
    assert fields["Content-Type"] == "text/html; charset=utf-8"
    assert client.ask("GET", "/big.bin")[2] == BIG
    assert client.ask("GET", "/empty.txt")[::2] == (200, b"")
    assert client.ask("GET", "/sub%20dir/%C3%A4%20%26%20b.txt?x=y")[2] == b"both\n"

    status, fields, body = client.ask("GET", "/sub%20dir")
    assert (status, fields["Location"]) == (301, "/sub%20dir/")
    status, _, body = client.ask("GET", "/sub%20dir/")
    assert status == 200
    assert b'<a href="./%C3%A4%20%26%20b.txt">\xc3\xa4 &amp; b.txt</a>' in body

    for path, wanted in [("/none", 404), ("/index.html/", 404), ("/../in", 400), ("/%2e%2e/", 400)]:
        assert client.ask("GET", path)[0] == wanted, path
    status, fields, _ = client.ask("DELETE", "/index.html")
    assert (status, fields["Allow"]) == (405, "GET, HEAD")

    for _ in range(
        20
    ):  # who leaves in the middle of a file, and what failed, has left nothing behind
        with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S) as leaving:
            leaving.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            assert leaving.recv(1 << 10).startswith(b"HTTP/1.1 200 OK")
    for _ in range(3):
        assert client.ask("GET", "/big.bin")[2] == BIG
    with ThreadPoolExecutor(8) as pool:
        clients = [Client(port) for _ in range(8)]
        assert all(
            answer[2] == BIG for answer in pool.map(lambda c: c.ask("GET", "/big.bin"), clients)
        )


def test_parts_heads_and_unchanged_files(port: int) -> None:
    client = Client(port)

    status, fields, body = client.ask("HEAD", "/big.bin")
    assert (status, body, int(fields["Content-Length"])) == (200, b"", len(BIG))
    for text, first, last in [
        ("bytes=100-299", 100, 299),
        ("bytes=2999990-", 2_999_990, 2_999_999),
        ("bytes=-70000", 2_930_000, 2_999_999),
        ("bytes=2900000-9999999", 2_900_000, 2_999_999),
        ("bytes=0-", 0, (512 << 10) - 1),
        ("bytes=-3000000", 0, (512 << 10) - 1),
    ]:
        status, found, body = client.ask("GET", "/big.bin", Range=text)
        assert (status, body) == (206, BIG[first : last + 1]), text
        assert found["Content-Range"] == f"bytes {first}-{last}/{len(BIG)}"
    status, found, _ = client.ask("GET", "/big.bin", Range="bytes=3000000-")
    assert (status, found["Content-Range"]) == (416, "bytes */3000000")
    assert client.ask("GET", "/big.bin", Range="bytes=0-1,5-6")[2] == BIG

    assert client.ask("GET", "/big.bin", If_None_Match=fields["ETag"])[::2] == (304, b"")
    assert client.ask("GET", "/big.bin", If_Modified_Since=fields["Last-Modified"])[0] == 304
    assert client.ask("GET", "/big.bin", If_None_Match='"other"')[2] == BIG


def test_sixteen_who_sign_at_once_are_all_in_the_guest_book(port: int) -> None:
    each = 12

    def sign(who: int) -> None:
        client = Client(port)
        for number in range(each):
            entry = urlencode({"name": f"guest {who}", "text": f"{number} é" + "x" * (97 * who)})
            status, fields, _ = client.ask("POST", "/guestbook", entry)
            assert (status, fields["Location"]) == (303, "/guestbook.html")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(sign, range(16)))

    client = Client(port)
    status, _, body = client.ask("GET", "/guestbook.jsonl")
    assert status == 200
    entries = [json.loads(line) for line in body.decode().splitlines()]
    found = sorted((entry["name"], entry["text"]) for entry in entries)
    assert found == sorted(
        (f"guest {who}", f"{number} é" + "x" * (97 * who))
        for who in range(16)
        for number in range(each)
    )
    assert client.ask("POST", "/guestbook", "")[0] == 400
    assert len(client.ask("GET", "/guestbook.jsonl")[2]) == len(body)


def test_ordinary_clients_and_metrics(port: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{port}"

    curl = ["curl", "-sS", "--max-time", "60", f"{url}/big.bin", "-o", str(tmp_path / "got")]
    subprocess.run(curl, check=True, timeout=ANSWER_S)
    assert (tmp_path / "got").read_bytes() == BIG
    load = ["ab", "-q", "-k", "-n", "400", "-c", "1", f"{url}/index.html"]
    said = subprocess.run(load, check=True, timeout=ANSWER_S, capture_output=True, text=True).stdout
    assert re.search(r"Complete requests: +400\nFailed requests: +0\n", said), said

    status, fields, body = Client(port).ask("GET", "/metrics")
    assert status == 200
    assert fields["Content-Type"].startswith("application/openmetrics-text")
    text = body.decode()
    assert text.endswith("# EOF\n")
    samples = dict(re.findall(r"^([a-z][^ ]*) ([0-9.]+)$", text, re.MULTILINE))
    assert int(samples['kwe_http_requests_total{code="2xx"}']) == 402
    assert int(samples["kwe_http_request_seconds_count"]) == 402
    assert samples['kwe_deck_up{deck="4"}'] == "1"
    # QEMU's own network offers none of it.
    for name in ("csum", "guest_csum", "host_tso4", "host_tso6", "guest_tso4", "guest_tso6", "mq"):
        assert samples[f'kwe_card_feature{{name="{name}"}}'] == "0"
    assert samples["kwe_card_queue_pairs"] == "1"
    assert samples["kwe_card_merged_sent_total"] == "0"
    assert samples["kwe_card_packets_sent_total"] == samples["kwe_card_frames_sent_total"]
