"""One line on the terminal that says how far a run is."""

import shutil
import sys
import time
from typing import TextIO


class Progress:
    """Rewrites its line in place; silent where nobody watches."""

    def __init__(self, name: str, total: int, stream: TextIO = sys.stderr) -> None:
        self._name = name
        self._total = total
        self._stream = stream
        self._shown = stream.isatty()
        self._first: float | None = None
        self._width = 0

    def say(self, text: str) -> None:
        """Replace the line."""
        if self._shown:
            # A line that the terminal breaks could not be rewritten.
            text = text[: shutil.get_terminal_size().columns - 1]
            self._stream.write("\r" + text.ljust(self._width))
            self._stream.flush()
            self._width = len(text)

    def update(self, _submitted: int, completed: int, failed: int) -> None:
        """Say how many events have ended."""
        now = time.monotonic()
        if self._first is None:
            self._first = now
        ended = completed + failed
        rate = ended / (now - self._first) if now > self._first else 0.0
        trouble = f", {failed} failed" if failed else ""
        done = f"{ended}/{self._total} events" if self._total else f"{ended} runs"
        self.say(f"{self._name}: {done}, {rate:.1f}/s{trouble}")

    def tell(self, text: str) -> None:
        """Write a line that stays, watched or not."""
        self.close()
        self._width = 0
        print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Clear the line."""
        if self._shown and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
