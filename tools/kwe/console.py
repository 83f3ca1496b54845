"""The guest's debug console: lines as they arrive, and what they say about how the guest does."""

import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

PANIC = re.compile(r"\bPANIC\b")
FAULT = re.compile(r"\bFAULT\b")
EXIT = re.compile(r"^KWE: exit (\d+) ?(.*)$")

# One wake-up for the many single bytes that a guest writes; well below what anyone notices.
GATHER_S = 0.002


@dataclass(frozen=True)
class ExitLine:
    """The agreed last line."""

    code: int
    words: str


class Console:
    """Collects lines from a socket in a thread of its own; anyone may wait for one."""

    def __init__(
        self, connection: socket.socket, echo: Callable[[str], None] | None = None
    ) -> None:
        self._connection = connection
        self._echo = echo
        self._lines: list[str] = []
        self._closed = False
        self._changed = threading.Condition()
        self._gather = threading.Event()  # never set: a pause that has a name
        self._thread = threading.Thread(target=self._read, name="console", daemon=True)
        self._thread.start()

    @property
    def lines(self) -> list[str]:
        """All lines so far."""
        with self._changed:
            return list(self._lines)

    @property
    def closed(self) -> bool:
        """Has the guest's side been closed, and everything been read?"""
        with self._changed:
            return self._closed

    def wait_for(
        self, pattern: str | re.Pattern[str], timeout_s: float, start: int = 0
    ) -> re.Match[str] | None:
        """Return the match of the first line at or after index `start` that `pattern` is found in.

        None: the console was closed, or the time ran out, without one.
        """
        pattern = re.compile(pattern)
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                for index in range(start, len(self._lines)):
                    if match := pattern.search(self._lines[index]):
                        return match
                start = max(start, len(self._lines))
                left = deadline - time.monotonic()
                if self._closed or left <= 0:
                    return None
                self._changed.wait(left)

    def join(self, timeout_s: float) -> None:
        """Wait until the guest's side is closed."""
        self._thread.join(timeout_s)

    def find(self, pattern: re.Pattern[str]) -> list[str]:
        """Return all lines that `pattern` is found in."""
        return [line for line in self.lines if pattern.search(line)]

    def exit_line(self) -> ExitLine | None:
        """Return the agreed last line, if the guest got that far."""
        for line in reversed(self.lines):
            if match := EXIT.match(line):
                return ExitLine(int(match[1]), match[2])
        return None

    def _read(self) -> None:
        pending = b""
        while True:
            try:
                data = self._connection.recv(65536)
            except OSError:
                data = b""
            *lines, pending = (pending + data).split(b"\n")
            if not data and pending:
                lines.append(pending)
            text = [line.decode(errors="replace").rstrip("\r") for line in lines]
            with self._changed:
                self._lines += text
                self._closed = not data
                self._changed.notify_all()
            if self._echo is not None:
                for line in text:
                    self._echo(line)
            if not data:
                return
            self._gather.wait(GATHER_S)
