"""A run whose events stand: it goes on until it is told to end, by a signal or by a count."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from tools.kwe import abi
from tools.kwe.control import encode
from tools.kwe.errors import MachineError
from tools.kwe.forward import Forward
from tools.kwe.machine import Machine
from tools.kwe.session import Channel

# How soon a signal is seen; nothing that comes from the guest waits for it.
LOOK_S = 0.2


@dataclass(frozen=True)
class Until:
    """When it comes to its end by itself; None: it does not."""

    seconds: float | None = None
    runs: int | None = None

    def is_reached(self, up_s: float, channel: Channel) -> bool:
        """Say so, after `up_s` seconds."""
        _, completed, failed = channel.progress
        return (self.seconds is not None and up_s >= self.seconds) or (
            self.runs is not None and completed + failed >= self.runs
        )


@contextlib.contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Within the block the first SIGINT or SIGTERM only sets the event; the next acts as ever."""
    asked = threading.Event()
    before: dict[int, Any] = {}

    def take(number: int, _frame: FrameType | None) -> None:
        asked.set()
        signal.signal(number, before[number])

    for number in (int(signal.SIGINT), int(signal.SIGTERM)):
        before[number] = signal.signal(number, take)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def listen_standing(
    machine: Machine,
    names: str,
    channel: Channel,
    timeout_s: float,
    until: Until,
    on_up: Callable[[], None],
) -> None:
    """Read the control channel until the agent is done or the guest has ended.

    Args:
        machine: The guest.
        names: Of the workflows.
        channel: Fed with what the agent tells.
        timeout_s: To come up, and, once it is told to end, to end.
        until: When to tell it.
        on_up: Called when of each workflow an event waits for what it is about.

    Raises:
        MachineError: It did not come up, or did not end, in time.
    """
    deadline = time.monotonic() + timeout_s
    up: float | None = None
    stopping = False
    with stop_signals() as asked:
        while not channel.is_done:
            now = time.monotonic()
            if up is None and channel.is_up:
                up = now
                on_up()
            is_over = up is not None and until.is_reached(now - up, channel)
            # One that has ended by itself will not come back: the rest is of no use.
            has_ended = any(session.results for session in channel.sessions)
            if not stopping and (asked.is_set() or is_over or has_ended):
                machine.control.sendall(encode(abi.CONTROL_STOP, b""))
                stopping = True
                deadline = now + timeout_s
            if (up is None or stopping) and now > deadline:
                what = "end" if stopping else "come up"
                raise MachineError(
                    f"{names} did not {what} within {timeout_s:g} s; --timeout gives more "
                    f"time\n{machine.last_lines()}"
                )
            machine.control.settimeout(LOOK_S)
            try:
                data = machine.control.recv(65536)
            except TimeoutError:
                continue
            except ConnectionResetError:
                return
            if not data:
                return
            channel.feed(data)


def up_lines(machine: Machine, name: str, forward: tuple[Forward, ...]) -> Iterator[str]:
    """Say where workflows that stand can be reached."""
    yield f"{name}: up; Ctrl-C ends it"
    for item in forward:
        port = machine.forwarded(item.guest, item.protocol)
        yield f"{name}: 127.0.0.1:{port} leads to its {item.protocol} port {item.guest}"
    if machine.config.tap:
        yield f"{name}: on the host's {machine.config.tap}"
    elif not forward:
        yield f"{name}: no --forward leads into the guest"
