"""`kwe doctor`: what this machine offers, what is missing, and what to do about it."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.kwe.errors import EXIT_DONE, EXIT_MACHINE
from tools.kwe.tree import ROOT, find_build

DEVICES = (
    "intel-iommu",
    "ivshmem-doorbell",
    "virtio-blk-pci",
    "virtio-net-pci",
    "isa-debug-exit",
    "edu",
)
LEAST_MEMORY_MIB = 1024
LEAST_DISK_MIB = 1024

OK, NOTE, BAD = "ok", "note", "MISSING"


@dataclass(frozen=True)
class Finding:
    """One line of the report; `remedy` is what to do when it is not OK."""

    state: str
    what: str
    says: str
    remedy: str = ""


def output_of(*command: str) -> str:
    """Return a command's standard output and error; empty when it cannot run."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def kvm_verdict(
    environment: dict[str, str],
    modules: Path = Path("/sys/module"),
    device: Path = Path("/dev/kvm"),
) -> tuple[bool, str]:
    """Say whether KVM may be tried here, and why: cheapest test first.

    An open /dev/kvm proves nothing: paravirtual-only backends open, run trivial guests and fail
    on real ones. So KVM counts only with the module of a real backend; even then a self-test
    boot has to confirm it.
    """
    override = environment.get("KWE_ACCEL", "")
    if override:
        return override == "kvm", f"KWE_ACCEL={override} says so"
    if not any((modules / name).exists() for name in ("kvm_intel", "kvm_amd")):
        if device.exists():
            return (
                False,
                "/dev/kvm is there without kvm_intel or kvm_amd: no backend for real guests",
            )
        return False, "neither kvm_intel nor kvm_amd is loaded"
    if not os.access(device, os.R_OK | os.W_OK):
        return False, f"{device} is not readable and writable for this user"
    return True, "kvm_intel or kvm_amd is loaded; a self-test boot must confirm it"


def check_python() -> Iterator[Finding]:
    """Python itself, and the environment that `make setup` makes."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(
        OK if sys.version_info >= (3, 11) else BAD,
        "Python",
        version,
        "install Python 3.11 or newer",
    )
    present = (ROOT / ".venv/python.stamp").exists()
    yield Finding(
        OK if present else BAD, ".venv", "set up" if present else "not set up", "make setup"
    )


def check_tools() -> Iterator[Finding]:
    """Compilers, file system tools, and all Debian packages of the list."""
    for name, remedy in (
        ("gcc", "gcc"),
        ("musl-gcc", "musl-tools"),
        ("mke2fs", "e2fsprogs"),
        ("ffmpeg", "ffmpeg"),
        ("spin", "spin"),
    ):
        # e2fsprogs lies where only root's PATH looks.
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
        yield Finding(OK if path else BAD, name, path or "not found", f"apt-get install {remedy}")
    missing = output_of(sys.executable, str(ROOT / "tools/setup/setup.py"), "--missing").strip()
    says = ", ".join(missing.splitlines()) or "all there"
    yield Finding(BAD if missing else OK, "Debian packages", says, "make setup")


def check_qemu() -> Iterator[Finding]:
    """QEMU, its devices, and which accelerator to use."""
    version = re.search(r"version (\S+)", output_of("qemu-system-x86_64", "--version"))
    if version is None:
        yield Finding(
            BAD, "QEMU", "qemu-system-x86_64 is not found", "apt-get install qemu-system-x86"
        )
        return
    yield Finding(OK, "QEMU", version[1])
    listing = output_of("qemu-system-x86_64", "-device", "help")
    for device in DEVICES:
        present = f'"{device}"' in listing
        yield Finding(
            OK if present else BAD,
            device,
            "offered" if present else "not in this QEMU",
            "use Debian's qemu-system-x86",
        )
    usable, why = kvm_verdict(dict(os.environ))
    kvm = "KVM may be tried by KWE_ACCEL=kvm" if usable else "KVM cannot be used"
    yield Finding(NOTE, "accelerator", f"TCG; {kvm}: {why}")


def check_resources() -> Iterator[Finding]:
    """Cores, memory, disk space."""
    cores = len(os.sched_getaffinity(0))
    yield Finding(
        OK if cores >= 2 else NOTE,
        "cores",
        str(cores),
        "with one core, runs with two CPUs are slow",
    )
    meminfo = Path("/proc/meminfo").read_text()
    match = re.search(r"MemAvailable:\s+(\d+) kB", meminfo)
    available = int(match[1]) // 1024 if match else 0
    yield Finding(
        OK if available >= LEAST_MEMORY_MIB else BAD,
        "free memory",
        f"{available} MiB",
        f"{LEAST_MEMORY_MIB} MiB are needed",
    )
    free = shutil.disk_usage(ROOT).free // 2**20
    yield Finding(
        OK if free >= LEAST_DISK_MIB else BAD,
        "disk space",
        f"{free} MiB",
        f"{LEAST_DISK_MIB} MiB are needed",
    )


def check_image() -> Iterator[Finding]:
    """Say whether the image has been built."""
    build = find_build()
    for part in (build.kernel, build.payload):
        present = part.exists()
        yield Finding(
            OK if present else NOTE,
            part.name,
            "built" if present else "not built yet",
            "make",
        )


def examine() -> list[Finding]:
    """Look at everything."""
    checks = (check_python, check_tools, check_qemu, check_resources, check_image)
    return [finding for check in checks for finding in check()]


def main_report() -> int:
    """Print the report; 3 when something is missing that runs need."""
    findings = examine()
    for finding in findings:
        remedy = f"  -> {finding.remedy}" if finding.state != OK and finding.remedy else ""
        print(f"{finding.state:<8} {finding.what:<18} {finding.says}{remedy}")
    bad = [finding.what for finding in findings if finding.state == BAD]
    print(f"\nmissing: {', '.join(bad)}" if bad else "\nThis machine can build and run KWE.")
    return EXIT_MACHINE if bad else EXIT_DONE


def run(_args: argparse.Namespace) -> int:
    """Carry out `kwe doctor`."""
    return main_report()


def register(subcommands: Any) -> None:
    """Add `kwe doctor`."""
    parser = subcommands.add_parser("doctor", help="what this machine offers and what to do")
    parser.set_defaults(run=run)
