"""How busy the machine is, from /proc: what a QEMU used, and what everything else did."""

import os
import time
from pathlib import Path

QUIET_PART = 0.15  # of one CPU
LOOK_S = 1.0


def busy_s() -> float:
    """CPU time of the whole machine since it started, idle and waiting apart."""
    user, nice, system, _, _, irq, softirq = (
        int(word) for word in Path("/proc/stat").read_text().split(maxsplit=8)[1:8]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def process_s(pid: int) -> float:
    """CPU time of a process; 0 when it is gone."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Watch:
    """What everything but one process uses between two moments; resolution 10 ms."""

    def __init__(self) -> None:
        self._busy_s = 0.0
        self._own_s = 0.0

    def begin(self, pid: int) -> None:
        """Look now."""
        self._busy_s, self._own_s = busy_s(), process_s(pid)

    def other_cpu_s(self, pid: int) -> float:
        """Return what all others have used since then."""
        own_s = process_s(pid) - self._own_s
        return max(0.0, busy_s() - self._busy_s - own_s)


def wait_until_quiet(limit_s: float) -> None:
    """Wait until others leave most of a CPU idle, at most so long."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        before_s = busy_s()
        time.sleep(LOOK_S)
        if busy_s() - before_s < QUIET_PART * LOOK_S:
            return
