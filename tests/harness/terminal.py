"""A command on a terminal of its own, so that it shows its progress and obeys Ctrl-C."""

import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

CTRL_C = b"\x03"


class Terminal:
    """A running command; leaving the block kills it."""

    def __init__(self, words: Sequence[str | Path], environment: dict[str, str]) -> None:
        self._words = words
        self._environment = environment
        self.text = ""
        self._seen = 0  # how much of it earlier waits have passed

    def __enter__(self) -> Self:
        self._master, slave = pty.openpty()
        # setsid makes it the controlling terminal, as a login shell's is: signals come from it.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *self._words],
            env=self._environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    def wait_for(self, pattern: str, timeout_s: float) -> re.Match[str] | None:
        """Read until `pattern` is found behind what the last wait was for.

        None: the time is over, or the command has ended.
        """
        deadline = time.monotonic() + timeout_s
        search = re.compile(pattern).search
        while (match := search(self.text, self._seen)) is None:
            ready, _, _ = select.select([self._master], [], [], max(deadline - time.monotonic(), 0))
            if not ready:
                return None
            try:
                self.text += os.read(self._master, 65536).decode(errors="replace")
            except OSError:
                return None  # nobody holds the other side any more
        self._seen = match.end()
        return match

    def press(self, key: bytes) -> None:
        """Type something."""
        os.write(self._master, key)

    def wait_end(self, timeout_s: float) -> int:
        """Return the command's exit status.

        Raises:
            TimeoutExpired: It is still there.
        """
        self.wait_for(r"(?!)", timeout_s)  # matches nothing: all there is
        return self.process.wait(timeout_s)
