"""A guest for a test: booted with programs of its choice, watched, ended, judged by its console."""

import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.harness.trouble import Announced
from tools.kwe.console import ExitLine
from tools.kwe.forward import parse_forward
from tools.kwe.machine import Machine, MachineConfig
from tools.kwe.sizing import LEAST_MEMORY_MIB
from tools.kwe.symbolize import symbolize_line
from tools.kwe.tree import Build

# A hang detector, not a target: a boot takes about a second.
DEADLINE_S = 60.0


class GuestError(AssertionError):
    """The guest did not do what the test said it would."""


@dataclass(frozen=True)
class Ending:
    """How a guest ended: QEMU's exit status, and the agreed last line."""

    status: int
    line: ExitLine | None

    @property
    def code(self) -> int | None:
        """The code of ``KWE: exit CODE``, when QEMU's status agrees with it; None otherwise."""
        if self.line is None or self.status != self.line.code << 1 | 1:
            return None
        return self.line.code


class Guest:
    """A running guest; leaving the block ends it. Trouble that was not announced fails the test.

    Attributes:
        machine: For what the harness does not offer: QMP, the accelerator's process.
        ending: Once it ended.
        booted: QEMU was started.
    """

    def __init__(
        self, config: MachineConfig, deadline_s: float = DEADLINE_S, name: str = "guest"
    ) -> None:
        self._name = name
        self.machine = Machine(config)
        self.ending: Ending | None = None
        self.booted = False
        self._report = ""
        self._deadline = time.monotonic() + deadline_s
        self._announced = Announced()
        self._control = bytearray()

    def __enter__(self) -> Self:
        self.machine.__enter__()
        self.booted = True
        # Somebody has to read the control channel, or the guest waits for us.
        threading.Thread(target=self._drain, name="control", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._judge()
        finally:
            self._report = self._describe()
            self.machine.__exit__(kind, error, trace)

    # ---- what a test says and asks ----------------------------------------------------------

    def expect_fault(self, text: str) -> None:
        """Announce faults (or a panic) whose console line has `text` in it; one has to come."""
        self._announced.add(text)

    @property
    def lines(self) -> list[str]:
        """The console's lines so far."""
        return self.machine.console.lines

    @property
    def control(self) -> bytes:
        """What came over the control channel so far."""
        return bytes(self._control)

    def wait_for(self, pattern: str, start: int = 0) -> re.Match[str]:
        """Wait for a console line that `pattern` is found in, at or after line number `start`.

        Raises:
            GuestError: The guest ended, or its deadline passed, without one.
        """
        match = self.machine.console.wait_for(pattern, self._left(), start)
        if match is None:
            why = "the guest ended" if self.machine.console.closed else "the deadline passed"
            raise GuestError(f"{why} without a console line like {pattern!r}\n{self._describe()}")
        return match

    def wait_end(self) -> Ending:
        """Wait until the guest has ended.

        Raises:
            GuestError: It is still there at its deadline.
        """
        if self.ending is None:
            # The console closes with QEMU: nothing to poll.
            self.machine.console.join(self._left())
            if not self.machine.console.closed:
                raise GuestError(f"the guest did not end\n{self._describe()}")
            self.ending = Ending(self.machine.wait(self._left()), self.machine.console.exit_line())
        return self.ending

    @property
    def exit_code(self) -> int:
        """Wait for the end; return the code of the agreed last line.

        Raises:
            GuestError: It did not end, or not in the agreed way.
        """
        code = self.wait_end().code
        if code is None:
            raise GuestError(f"the guest did not end in the agreed way\n{self._describe()}")
        return code

    def backtrace(self, text: str) -> list[str]:
        """Return the frames behind the first line with `text` in it: function+offset file:line."""
        lines = self.lines
        for index, line in enumerate(lines[:-1]):
            if text in line:
                return symbolize_line(self.machine.config.build.folder, lines[index + 1])
        return []

    def report(self) -> str:
        """Return all that one needs when the test failed."""
        return self._report or self._describe()

    # ---- its own business ---------------------------------------------------------------------

    def _left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.0)

    def _drain(self) -> None:
        try:
            while data := self.machine.control.recv(65536):
                self._control += data
        except OSError:
            pass

    def _judge(self) -> None:
        if complaints := list(self._announced.complaints(self.lines)):
            raise GuestError("\n".join([*complaints, self._describe()]))

    def _describe(self) -> str:
        log = self.machine.keep_log(self._name)
        return (
            f"QEMU: {' '.join(self.machine.command)}\n"
            f"ending: {self.ending}\nlog: {log}\n{self.machine.last_lines()}"
        )


def guest_config(
    programs: Sequence[str],
    image: Build,
    *,
    cpus: int = 2,
    memory_mib: int = LEAST_MEMORY_MIB,
    append: str = "",
    disk: Path | None = None,
    files: Mapping[str, bytes] | None = None,
    devices: Sequence[str] = (),
    payload: Path | None = None,
    network: bool = True,
    wire: Path | None = None,
    tap: str = "",
    forward: Sequence[str] = (),
    accelerator: bool = True,
    deterministic: bool = False,
    icount: bool = False,
) -> MachineConfig:
    """Say what to boot.

    Args:
        programs: Started in this order, each from the image's payload.
        image: Where the kernel and the payload are.
        cpus: 1 or 2.
        memory_mib: The guest's memory.
        append: More words of the kernel's command line.
        disk: An ext4 image.
        files: What the guest finds as fw_cfg files opt/kwe/NAME.
        devices: More QEMU devices, each the value of a ``-device``.
        payload: Instead of the image's own.
        network: With a virtio network device.
        wire: The socket that its frames go to, as of wire.Wire.
        tap: The host's device that they go to, as of tap.Tap.
        forward: Ports of the host that lead into the guest, as `kwe run --forward` takes them; host
            port 0 is any, which ``machine.forwarded()`` tells.
        accelerator: With the ivshmem device and its process.
        deterministic: As `kwe run --deterministic`.
        icount: Time counts instructions, and that is all.
    """
    return MachineConfig(
        build=image,
        cpus=cpus,
        memory_mib=memory_mib,
        disk=disk,
        network=network,
        wire=wire,
        tap=tap,
        forward=tuple(parse_forward(text) for text in forward),
        accelerator=accelerator,
        icount=icount or deterministic,
        append=" ".join(
            [f"program={','.join(programs)}", *(["deterministic"] * deterministic), append]
        ),
        fw_cfg={f"opt/kwe/{name}": content for name, content in (files or {}).items()},
        payload=payload,
        extra=tuple(word for device in devices for word in ("-device", device)),
    )
