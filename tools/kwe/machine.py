"""The machine: the one table of QEMU's command line, and a context manager for its life.

Everything that is booted by tests, demos and benches is booted from here, on the same line.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.accelerator.server import IvshmemServer
from tools.kwe import abi
from tools.kwe.console import FAULT, PANIC, Console
from tools.kwe.errors import MachineError, PanicError
from tools.kwe.forward import Forward, read_forwarded
from tools.kwe.qmp import Monitor
from tools.kwe.sizing import LEAST_MEMORY_MIB, LEAST_WINDOW_BYTES
from tools.kwe.symbolize import symbolize
from tools.kwe.tree import ROOT, Build

QEMU = "qemu-system-x86_64"

# Without AVX, FMA and ERMS: each is slower under TCG than what replaces it.
CPU = {
    "tcg": "max,la57=off,-avx,-avx2,-fma,-f16c,-erms",
    "kvm": "host",
}
ACCEL = {
    "tcg": "tcg,thread=multi,tb-size=256",
    "kvm": "kvm",
}
# Each virtio device obeys the IOMMU, and has no legacy registers.
VIRTIO = "disable-legacy=on,iommu_platform=on"
IOMMU = "intel-iommu,intremap=off,aw-bits=48"

START_S = 20.0
STOP_S = 5.0
LAST_LINES = 30


def choose_accel() -> str:
    """Return ``tcg`` unless KWE_ACCEL says otherwise: a KVM that opens may run no real guest."""
    accel = os.environ.get("KWE_ACCEL") or "tcg"
    if accel not in ACCEL:
        raise MachineError(f"KWE_ACCEL={accel}: {' or '.join(ACCEL)} would be right")
    return accel


@dataclass(frozen=True)
class MachineConfig:
    """What to boot, and on what."""

    build: Build
    cpus: int = 2
    memory_mib: int = LEAST_MEMORY_MIB
    disk: Path | None = None
    network: bool = True
    wire: Path | None = None  # the card's frames go to this socket, instead of QEMU's own network
    tap: str = ""  # ... or to this tap device of the host
    queues: int = 1  # of the card, each way; several only on a tap device that was made for them
    forward: tuple[Forward, ...] = ()
    accelerator: bool = True
    window_bytes: int = LEAST_WINDOW_BYTES  # the accelerator's shared memory
    append: str = ""
    fw_cfg: Mapping[str, bytes] = field(default_factory=dict)  # opt/... to content
    icount: bool = False  # time counts instructions, one CPU runs after the other
    gdb: bool = False  # wait for a debugger on a port of its own
    payload: Path | None = None  # instead of the build's own
    extra: tuple[str, ...] = ()
    accel: str = field(default_factory=choose_accel)


def _accelerator(config: MachineConfig) -> tuple[str, ...]:
    """Return how QEMU runs the guest's CPUs."""
    if not config.icount:
        return ("-accel", ACCEL[config.accel])
    # An instruction a nanosecond; an idle machine's time leaps to its next timer; seeded RDRAND.
    single = ACCEL["tcg"].replace("thread=multi", "thread=single")
    return ("-accel", single, "-icount", "shift=0,sleep=off", "-seed", "1")


def _network(config: MachineConfig) -> str:
    """Return what the guest's card is connected to."""
    if config.wire is not None:
        return f"stream,id=net,server=off,addr.type=unix,addr.path={config.wire}"
    if config.tap:
        several = f",queues={config.queues}" if config.queues > 1 else ""
        return f"tap,id=net,ifname={config.tap},script=no,downscript=no{several}"
    # QEMU's restricted network drops what a guest answers by UDP.
    is_open = any(forward.protocol == "udp" for forward in config.forward)
    network = f"user,id=net,restrict={'off' if is_open else 'on'}"
    return ",".join([network, *(forward.argument() for forward in config.forward)])


def _card(config: MachineConfig) -> str:
    """Return the guest's card."""
    # An interrupt for each queue, for the control queue and for changes, as the card would have it.
    vectors = 2 * config.queues + 2
    several = f",mq=on,vectors={vectors}" if config.queues > 1 else ""
    return f"virtio-net-pci,netdev=net,romfile=,{VIRTIO}{several}"


def machine_arguments(config: MachineConfig, folder: Path) -> list[str]:
    """Return QEMU's command line without the accelerator; sockets and files lie in `folder`."""
    arguments = [
        *(QEMU, "-M", "q35", *_accelerator(config), "-cpu", CPU[config.accel]),
        *("-smp", str(config.cpus), "-m", f"{config.memory_mib}M"),
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        *("-device", IOMMU),
        *("-kernel", str(config.build.kernel)),
        *("-initrd", str(config.payload or config.build.payload)),
        *("-append", config.append),
        *("-chardev", f"socket,id=console,path={folder}/console,logfile={folder}/console.log"),
        *("-device", "isa-debugcon,iobase=0xe9,chardev=console"),
        *("-chardev", f"socket,id=control,path={folder}/control"),
        *("-device", "isa-serial,chardev=control"),
        *("-chardev", f"socket,id=qmp,path={folder}/qmp", "-mon", "chardev=qmp,mode=control"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"),
    ]
    for index, name in enumerate(config.fw_cfg):
        arguments += ["-fw_cfg", f"name={name},file={folder}/fw_cfg.{index}"]
    if config.disk is not None:
        path = str(config.disk).replace(",", ",,")
        arguments += [
            *("-drive", f"file={path},if=none,id=disk,format=raw,cache=writeback"),
            *("-device", f"virtio-blk-pci,drive=disk,{VIRTIO}"),
        ]
    if config.network:
        arguments += [
            *("-netdev", _network(config)),
            *("-device", _card(config)),
        ]
    if config.gdb:
        arguments += ["-S", "-gdb", f"unix:{folder}/gdb,server=on,wait=off"]
    return [*arguments, *config.extra]


class Machine:
    """A running guest. Leaving the block kills QEMU and the accelerator, whatever happened.

    Attributes:
        command: QEMU's command line.
        folder: Its sockets and console.log; gone after the block.
        console: The debug console.
        control: The control channel's socket; someone has to read it.
        started: time.monotonic() when QEMU was started.
    """

    def __init__(self, config: MachineConfig, echo: Callable[[str], None] | None = None) -> None:
        self.config = config
        self._echo = echo
        self._stack = contextlib.ExitStack()
        self._qemu: subprocess.Popen[bytes] | None = None
        self._monitor: Monitor | None = None
        self._worker: subprocess.Popen[bytes] | None = None

    # ---- its life -------------------------------------------------------------------------

    def __enter__(self) -> Self:
        """Start the accelerator and QEMU, and take its connections."""
        self.config.build.check()
        if shutil.which(QEMU) is None:
            raise MachineError(f"{QEMU} is missing: install qemu-system-x86 (`make setup` does)")
        with contextlib.ExitStack() as stack:
            self.folder = Path(stack.enter_context(_short_folder()))
            self.command = machine_arguments(self.config, self.folder)
            for index, content in enumerate(self.config.fw_cfg.values()):
                (self.folder / f"fw_cfg.{index}").write_bytes(content)
            listeners = [
                stack.enter_context(_listen(self.folder / name))
                for name in ("console", "control", "qmp")
            ]
            if self.config.accelerator:
                server = stack.enter_context(
                    IvshmemServer(self.folder / "ivshmem", self.config.window_bytes)
                )
                self.command += server.qemu_arguments()
                self.start_worker()
                stack.callback(self.stop_worker)
            self._start(stack)
            console, self.control, qmp = (
                stack.enter_context(self._accept(listener)) for listener in listeners
            )
            self.console = Console(console, self._echo)
            self._qmp_socket = qmp
            stack.callback(self._close_monitor)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill both."""
        self._stack.close()

    def _start(self, stack: contextlib.ExitStack) -> None:
        # In a session of its own: Ctrl-C is for us, and we end it. It also ends when we are killed.
        setpriv = shutil.which("setpriv")
        guard = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        errors = stack.enter_context((self.folder / "qemu.err").open("wb"))
        self.started = time.monotonic()
        self._qemu = subprocess.Popen(
            [*guard, *self.command],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
        )
        stack.callback(self._kill)

    def _accept(self, listener: socket.socket) -> socket.socket:
        """Take QEMU's connection, or say why there is none."""
        assert self._qemu is not None
        deadline = time.monotonic() + START_S
        listener.settimeout(0.2)
        while True:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                if self._qemu.poll() is not None:
                    raise MachineError(f"QEMU did not start: {self.qemu_errors()}") from None
                if time.monotonic() > deadline:
                    raise MachineError(f"QEMU did not connect within {START_S:g} s") from None
                continue
            connection.setblocking(True)
            return connection

    def _kill(self) -> None:
        assert self._qemu is not None
        if self._qemu.poll() is None:
            self._qemu.kill()
        self._qemu.wait()

    def _close_monitor(self) -> None:
        if self._monitor is not None:
            self._monitor.close()

    # ---- the accelerator's process ----------------------------------------------------------

    def start_worker(self) -> None:
        """Start the process that computes; the server must be there."""
        command = [sys.executable, "-m", "tools.accelerator.worker", str(self.folder / "ivshmem")]
        self._worker = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True
        )

    def stop_worker(self) -> None:
        """Kill it; the guest sees its heartbeat stop."""
        if self._worker is not None:
            self._worker.kill()
            self._worker.wait()
            self._worker = None

    # ---- what one can ask ---------------------------------------------------------------------

    @property
    def monitor(self) -> Monitor:
        """QEMU's monitor, connected at first use."""
        if self._monitor is None:
            self._monitor = Monitor(self._qmp_socket)
        return self._monitor

    def forwarded(self, guest: int, protocol: str = "tcp") -> int:
        """Return the host's port that leads to a port of the guest."""
        command = {"command-line": "info usernet"}
        told = str(self.monitor.execute("human-monitor-command", command))
        return read_forwarded(told)[protocol, guest]

    @property
    def pid(self) -> int:
        """QEMU's process."""
        assert self._qemu is not None
        return self._qemu.pid

    @property
    def running(self) -> bool:
        """Is QEMU still there?"""
        return self._qemu is not None and self._qemu.poll() is None

    def wait(self, timeout_s: float) -> int:
        """Wait until QEMU has ended; return its exit status.

        Raises:
            MachineError: It is still there after `timeout_s`.
        """
        assert self._qemu is not None
        try:
            status = self._qemu.wait(max(timeout_s, 0))
        except subprocess.TimeoutExpired as error:
            raise MachineError(f"the guest did not end within {timeout_s:.0f} s") from error
        self.console.join(STOP_S)
        return status

    def qemu_errors(self) -> str:
        """Return what QEMU itself has said."""
        return (self.folder / "qemu.err").read_text(errors="replace").strip()

    def verdict(self, status: int) -> int:
        """Return the guest's exit code; QEMU's status and the agreed last line have to agree.

        Raises:
            PanicError: The nucleus panicked, or ended without saying so.
            MachineError: The machine lacks something, or QEMU itself failed.
        """
        if status < 0:
            raise MachineError(f"QEMU was killed by signal {-status}: {self.qemu_errors()}")
        line = self.console.exit_line()
        if line is None and status == 1:
            # No guest ends so: its codes are above 0.
            raise MachineError(f"QEMU could not go on: {self.qemu_errors()}")
        if line is not None and line.code == abi.EXIT_MACHINE:
            raise MachineError(f"the guest cannot run here: {line.words}")
        if panics := self.console.find(PANIC):
            raise PanicError(f"the nucleus panicked: {panics[0]}\n{self.last_lines()}")
        if line is None or status != line.code << 1 | 1 or line.code == abi.EXIT_PANIC:
            raise PanicError(
                f"the guest ended without the agreed last line (QEMU's status {status})\n"
                f"{self.last_lines()}"
            )
        return line.code

    def faults(self) -> list[str]:
        """Return the console's lines about faults in ring 3, each with its backtrace explained."""
        lines = self.console.lines
        told = []
        for line, after in pairwise([*lines, ""]):
            if FAULT.search(line):
                told.append(line)
                told += symbolize(self.config.build.folder, [after] if "backtrace" in after else [])
        return told

    def last_lines(self, count: int = LAST_LINES) -> str:
        """Return the console's last lines, backtraces explained."""
        lines = list(symbolize(self.config.build.folder, self.console.lines[-count:]))
        return "\n".join(f"  | {line}" for line in lines) or "  | (the console is empty)"

    def keep_log(self, name: str) -> Path:
        """Copy the console's log to where it outlives the block; return its path."""
        folder = self.config.build.folder / "log"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{re.sub(r'[^a-zA-Z0-9_.-]+', '_', name)[:100]}.log"
        text = "\n".join(symbolize(self.config.build.folder, self.console.lines))
        path.write_text(f"{' '.join(self.command)}\n{self.qemu_errors()}\n\n{text}\n")
        return path


@contextlib.contextmanager
def _short_folder() -> Iterator[str]:
    """Make a temporary directory with room for sockets behind its name: paths end at 107 bytes."""
    base = tempfile.gettempdir()
    with tempfile.TemporaryDirectory(
        prefix="kwe-", dir=base if len(base) < 60 else "/tmp", ignore_cleanup_errors=True
    ) as folder:
        yield folder


@contextlib.contextmanager
def _listen(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(1)
        yield listener
