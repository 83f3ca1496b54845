"""The peer: a yardstick of Linux in a folder named by hand, set up and booted from here.

What it has to bring: `run.py` with the commands fetch, build and bench (one boot a call, records as
lines of JSON), and `guest/sha256.c`. Its packages and images go to the build folder.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.bench.guests import SMALL_BYTES
from tools.bench.peer_records import read_records
from tools.bench.rows import Sample
from tools.kwe.errors import BuildError, MachineError, SpecError
from tools.kwe.machine import ACCEL, CPU, IOMMU, QEMU, VIRTIO
from tools.kwe.tree import ROOT, Build

PARTS = ("run.py", "guest/sha256.c")
TOOLS = ("apt-get", "apt-cache", "dpkg", "gcc", "mke2fs", "debugfs", QEMU)
BENCHES = "nop,hop,compute,pipe,pipe4k,http_epoll,http_uring,http_iso"
LAST_BENCH = "http"  # in our words
MEMORY_MIB = 1024
# All its records: so many of 64 KiB, and of 4 KiB.
ALL_RECORDS = (1024, 4096)
FETCH_S, BUILD_S, BOOT_S = 900.0, 600.0, 1200.0
# Each as ours has it: the IOMMU on, and no mitigation of processors that are not there.
KERNEL_WORDS = "mitigations=off intel_iommu=on"
ACCEL_OF_PEER = "tcg,thread=multi"


@dataclass(frozen=True)
class Peer:
    """A peer that is there.

    Attributes:
        folder: Where it lies.
        work: Its packages, programs and images.
        scale: Percent of its work.
        quiet_s: Wait so long at most before each boot, until the machine is quiet.
    """

    folder: Path
    work: Path
    scale: int
    quiet_s: float

    @property
    def sha256(self) -> Path:
        """The computing that both sides share."""
        return self.folder / "guest/sha256.c"

    @property
    def plugin(self) -> Path:
        """Its own counting plugin, which counts both sides."""
        return self.work / "bin/kcount.so"

    @property
    def input(self) -> Path:
        """The records that both sides read."""
        return self.work / "in.dat"

    @property
    def records(self) -> tuple[int, int]:
        """How many records of 64 KiB and 4 KiB it works on at this scale."""
        large, small = (max(1, count * self.scale // 100) for count in ALL_RECORDS)
        return large, small

    # ---- set-up ---------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Fetch its packages, unless they are there, build it, and take its input out of its disk.

        Raises:
            MachineError: Something cannot be had here; names it.
        """
        self.work.mkdir(parents=True, exist_ok=True)
        if not (self.work / "kernel.txt").exists():  # written when all has been fetched
            self._run(["fetch"], FETCH_S)
        self._run(["build"], BUILD_S)
        self._write_qemu()
        self.input.unlink(missing_ok=True)
        _call(
            ["debugfs", "-R", f"dump /in.dat {self.input}", str(self.work / "disk.img")],
            60.0,
            "debugfs on the peer's disk.img",
        )
        if not self.input.exists() or self.input.stat().st_size < ALL_RECORDS[1] * SMALL_BYTES:
            raise MachineError("the peer's disk.img has no in.dat with its records")

    def _write_qemu(self) -> None:
        """Write the QEMU that it calls, which boots its guest on our machine line."""
        path = self.work / "qemu"
        path.write_text(qemu_script())
        path.chmod(0o755)

    def _run(self, words: list[str], limit_s: float) -> str:
        command = [sys.executable, str(self.folder / "run.py"), "--work", str(self.work), *words]
        return _call(command, limit_s, f"the peer's `run.py {words[0]}`", self.work / "qemu")

    # ---- a boot ---------------------------------------------------------------------------------

    def boot(self, cpus: int, round_number: int, *, counting: bool) -> list[Sample]:
        """Boot it once with all its benches.

        Raises:
            MachineError: It failed, or took too long.
        """
        out = self.work / "records.jsonl"
        out.unlink(missing_ok=True)
        words = [
            *("bench", "--benches", BENCHES, "--smp", str(cpus), "--boots", "1", "--reps", "1"),
            *("--scale", str(self.scale), "--cpu", CPU["tcg"], "--cache", "writeback"),
            *("--append", KERNEL_WORDS, "--quiet-wait", f"{self.quiet_s:.0f}"),
            *("--timeout", f"{BOOT_S:.0f}", "--out", str(out)),
        ]
        said = self._run(words + ["--plugin"] * counting, BOOT_S + self.quiet_s + 60)
        lines = out.read_text().splitlines() if out.exists() else []
        samples = read_records(map(json.loads, lines), round_number, counting=counting)
        if not any(sample.key.bench == LAST_BENCH for sample in samples):
            raise MachineError(f"the peer's guest did not come to its last bench: {_reason(said)}")
        return samples


def find_peer(folder: Path, work: Path, scale: int, quiet_s: float) -> Peer:
    """Return the peer in a folder.

    Raises:
        SpecError: The folder is none.
        MachineError: This machine lacks a tool that its set-up takes.
    """
    folder = folder.resolve()
    for part in PARTS:
        if not (folder / part).is_file():
            raise SpecError(
                f"--peer {folder}: there is no {part}; the folder of a yardstick would be right"
            )
    for tool in TOOLS:
        if shutil.which(tool) is None and not Path("/usr/sbin", tool).exists():
            raise MachineError(f"{tool} is missing, which the peer's set-up takes")
    return Peer(folder, work.resolve(), scale, quiet_s)


def build_image(build: Build, peer: Peer) -> Build:
    """Build our image with the peer's SHA-256 in it.

    Raises:
        BuildError: It does not build.
    """
    folder = build.folder / "bench/image"
    try:
        done = subprocess.run(
            ["make", "image", f"BUILD={folder}", f"SHA256={peer.sha256}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_S,
            env={name: value for name, value in os.environ.items() if name not in MAKE_WORDS},
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"building the image took longer than {BUILD_S:.0f} s") from error
    if done.returncode:
        raise BuildError(f"the image with {peer.sha256}: {_reason(done.stderr)}")
    return Build(folder).check()


# What a make above, `make bench`, tells one below; ours begins anew.
MAKE_WORDS = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES")


def qemu_script() -> str:
    """Return a script that runs QEMU with a peer's words, each as our machine has it.

    In sh and not in Python: what it takes to start is a part of the boot's time.
    """
    return f"""#!/bin/sh
# QEMU for the peer: with the IOMMU, and with all else as kwe's own machine has it.
for word; do
    shift
    case $word in
    virtio-*-pci,*) word="$word,{VIRTIO}" ;;
    {ACCEL_OF_PEER}) word='{ACCEL["tcg"]}' ;;
    1G) word={MEMORY_MIB}M ;;
    esac
    set -- "$@" "$word"
done
exec {QEMU} -device {IOMMU} "$@"
"""


def _call(command: list[str], limit_s: float, what: str, qemu: Path | None = None) -> str:
    env = dict(os.environ) if qemu is None else {**os.environ, "QEMU": str(qemu)}
    env["PATH"] = f"{env.get('PATH', '')}:/usr/sbin:/sbin"
    # In a session of its own; when we end, it ends, and its QEMU with it.
    setpriv = shutil.which("setpriv")
    guard = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
    try:
        done = subprocess.run(
            [*guard, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=env,
            check=False,
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired as error:
        raise MachineError(f"{what} took longer than {limit_s:.0f} s") from error
    said = done.stdout + done.stderr
    if done.returncode:
        raise MachineError(f"{what} failed: {_reason(said)}")
    return said


def _reason(said: str) -> str:
    """Return the line that says why: apt's and the compiler's own, else the last."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith("E: ") or " error: " in line]
    return "; ".join(telling[:3]) or (lines[-1] if lines else "it said nothing")
