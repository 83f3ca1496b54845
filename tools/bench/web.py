"""The bench `http`: userland/workflows/web.yaml under wrk, as Linux's web servers are loaded."""

import http.client
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.bench.guests import Course, usual_counts
from tools.bench.noise import Watch, wait_until_quiet
from tools.bench.rows import Key, Sample
from tools.kwe import abi
from tools.kwe.control import encode
from tools.kwe.errors import MachineError
from tools.kwe.forward import Forward
from tools.kwe.job import Job, compile_workflow
from tools.kwe.machine import Machine, MachineConfig
from tools.kwe.run import USUAL_CPUS
from tools.kwe.runner import make_disk
from tools.kwe.session import Channel, Session
from tools.kwe.subworkflows import load_workflow
from tools.kwe.system import load_system
from tools.kwe.tree import ROOT

WORKFLOW = ROOT / "userland/workflows/web.yaml"
PORT = 80
LOAD_S = 4
# QEMU's user network loses a segment now and then, and sends again after seconds: that is latency,
# and no error.
STALL_S = 30
# Hang detectors, not targets.
ANSWER_S = 60.0
DEADLINE_S = 120.0
UNITS = {"us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9}


@dataclass(frozen=True)
class Load:
    """What the clients ask for, and how many of them do at once, each on a connection it keeps."""

    path: str
    record_bytes: int
    connections: int


LOADS = tuple(
    Load(path, record_bytes, connections)
    for path, record_bytes in (("/1k", 1024), ("/64k", 65536))
    for connections in (1, 16)
)


@dataclass(frozen=True)
class Served:
    """What wrk has seen."""

    requests: int
    ns: int
    p50_ns: float
    p99_ns: float


def read_wrk(said: str) -> Served:
    """Read what `wrk --latency` prints.

    Raises:
        MachineError: It failed, or some requests did.
    """

    def find(pattern: str) -> re.Match[str]:
        match = re.search(pattern, said, re.MULTILINE)
        if match is None or "Socket errors" in said or "Non-2xx" in said:
            raise MachineError(f"wrk: not all was answered, or it said something else:\n{said}")
        return match

    def time_ns(pattern: str) -> float:
        match = find(pattern + r"\s+([\d.]+)(us|ms|s|m)\b")
        return float(match[1]) * UNITS[match[2]]

    done = find(r"^\s*(\d+) requests in ([\d.]+)(us|ms|s|m)\b")
    ns = round(float(done[2]) * UNITS[done[3]])
    return Served(int(done[1]), ns, time_ns(r"^\s*50%"), time_ns(r"^\s*99%"))


class _Guest:
    """The web server's guest, and the conversation with its agent."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.session = Session()
        self.channel = Channel([self.session])

    def listen(self, until: Callable[[], bool]) -> None:
        """Read the control channel until something has come."""
        deadline = time.monotonic() + DEADLINE_S
        while not until():
            self.machine.control.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data = self.machine.control.recv(65536)
            except TimeoutError:
                data = b""
            if not data:
                raise MachineError(f"the web server went silent\n{self.machine.last_lines()}")
            self.channel.feed(data)

    def say(self, kind: int) -> None:
        """Say something without a payload."""
        self.machine.control.sendall(encode(kind, b""))

    def mark(self, kind: int) -> list[dict[str, Any]]:
        """Have the agent execute a mark; return the decks' counters."""
        self.session.statistics = None
        self.say(kind)
        self.listen(lambda: self.session.statistics is not None)
        return self.session.decks


def boot_web(course: Course, cpus: int, round_number: int, *, counting: bool) -> Iterator[Sample]:
    """Boot the web server and put each load on it; with the plugin counts, else times.

    Raises:
        MachineError: The guest or wrk did not end well.
    """
    if shutil.which("wrk") is None:
        raise MachineError("wrk is missing: `make setup` installs it")
    counted = course.scratch / "counts.jsonl"
    counted.unlink(missing_ok=True)
    job = _job(course)
    config = MachineConfig(
        build=course.build,
        cpus=cpus,
        memory_mib=course.memory_mib or job.sizing.memory_mib,
        disk=_disk(course, job),
        accelerator=not course.like_a_peer,
        append="program=agent",
        fw_cfg={"opt/kwe/job": job.encode()},
        forward=(Forward("tcp", 0, PORT),),
        extra=("-plugin", f"{course.plugin},out={counted}") if counting else (),
    )
    wait_until_quiet(course.quiet_s)
    with Machine(config) as machine:
        guest = _Guest(machine)
        guest.listen(lambda: guest.session.armed > 0)
        for load in LOADS:
            sample = _put_on(guest, load, cpus, round_number)
            yield _counted(sample, counted) if counting else sample
        guest.say(abi.CONTROL_STOP)
        guest.listen(lambda: guest.session.done is not None)
        machine.verdict(machine.wait(DEADLINE_S))


def _put_on(guest: _Guest, load: Load, cpus: int, round_number: int) -> Sample:
    port = guest.machine.forwarded(PORT)
    _ask_once(port, load)
    before = guest.mark(abi.CONTROL_MARK_BEGIN)
    watch = Watch()
    watch.begin(guest.machine.pid)
    served = _run_wrk(port, load)
    other_cpu_s = watch.other_cpu_s(guest.machine.pid)
    after = guest.mark(abi.CONTROL_MARK_END)

    def counted(name: str) -> int:
        return sum(new[name] - old[name] for new, old in zip(after, before, strict=True))

    return Sample(
        key=Key("http", "kwe", cpus, 0, load.record_bytes, load.connections),
        ops=served.requests,
        ns=served.ns,
        copied=counted("copied_cache"),
        p50_ns=served.p50_ns,
        p99_ns=served.p99_ns,
        visits=counted("visits"),
        interrupt_entries=counted("interrupt_entries"),
        round=round_number,
        other_cpu_s=other_cpu_s,
    )


def _counted(sample: Sample, counted: Path) -> Sample:
    """Return the sample with what the plugin counted, and without the times that it spoils."""
    counts = usual_counts(json.loads(counted.read_text().splitlines()[-1]))
    return Sample(sample.key, sample.ops, counts=counts, copied=sample.copied, round=sample.round)


def _ask_once(port: int, load: Load) -> None:
    """Ask for the file: it is served, it is whole, and the caches are as warm as they get."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    connection.request("GET", load.path)
    body = connection.getresponse().read()
    connection.close()
    if len(body) != load.record_bytes:
        raise MachineError(f"{load.path} came with {len(body)} bytes")


def _run_wrk(port: int, load: Load) -> Served:
    url = f"http://127.0.0.1:{port}{load.path}"
    done = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{load.connections}",
            f"-d{LOAD_S}s",
            f"--timeout={STALL_S}s",
            "--latency",
            url,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LOAD_S + ANSWER_S,
    )
    return read_wrk(done.stdout + done.stderr)


def _job(course: Course) -> Job:
    """Compile the workflow on a directory with a file for each size."""
    site = course.scratch / "site"
    site.mkdir(exist_ok=True)
    for load in LOADS:
        with course.input.open("rb") as stream:
            site.joinpath(load.path[1:]).write_bytes(stream.read(load.record_bytes))
    source, spec = load_workflow(WORKFLOW)
    system = load_system(course.build.system)
    kept = course.scratch / "kept"
    return compile_workflow(source, spec, system, {"site": site}, kept, USUAL_CPUS)


def _disk(course: Course, job: Job) -> Path:
    image = course.scratch / "web.img"
    scratch = course.scratch / "web"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    image.unlink(missing_ok=True)
    make_disk(image, scratch, [job])
    return image
