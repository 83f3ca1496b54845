"""Faults and panics on a guest's console: each was announced by the test, or fails it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

TROUBLE = re.compile(r"\bFAULT\b|\bPANIC\b|\biommu: fault\b")
BACKTRACE = re.compile(r"\bbacktrace \S+:")


@dataclass
class Announced:
    """What a test said would happen: texts, each to be found in at least one line about a fault."""

    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Announce faults and panics whose line has `text` in it."""
        self.texts.append(text)

    def complaints(self, lines: Sequence[str], *, ended: bool = True) -> Iterator[str]:
        """Yield what the console says against the announcements.

        Args:
            lines: The console's lines.
            ended: All has been said: what was announced and is not there is missing.
        """
        missing = set(self.texts)
        expected = False  # the fault that the next backtrace belongs to
        for line in lines:
            if TROUBLE.search(line):
                found = {text for text in self.texts if text in line}
                expected = bool(found)
                missing -= found
                if not found:
                    yield f"not announced: {line}"
            elif BACKTRACE.search(line) and not expected:
                yield f"not announced: {line}"
        if ended:
            yield from (f"announced, but did not come: {text}" for text in sorted(missing))
