"""Processes of the host that a run has started: who they are, and that none is left."""

import os
import select
from pathlib import Path


def with_word(word: str) -> dict[int, str]:
    """Return the processes, other than this one, that have `word` in their command line."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            command = (
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
        except (FileNotFoundError, ProcessLookupError):
            continue
        if word in command:
            found[int(folder.name)] = command
    return found


def wait_gone(pid: int, timeout_s: float) -> bool:
    """Wait until a process has ended; False when it is still there."""
    try:
        number = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([number], [], [], timeout_s)[0])
    finally:
        os.close(number)
