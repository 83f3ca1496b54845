"""`kwe debug`: gdb attached at the first instruction; Ctrl-C stops the guest, not the session."""

import os
from pathlib import Path

from tests.harness.terminal import CTRL_C, Terminal
from tests.harness.workflow import KWE
from tools.kwe.tree import Build

DEADLINE_S = 40.0


def test_gdb_stops_at_the_first_function_and_at_ctrl_c(test_image: Build, tmp_path: Path) -> None:
    environment = {**os.environ, "TERM": "dumb", "HOME": str(tmp_path)}
    words = (KWE, "debug", "forever", "--cpus", "1", "--build", test_image.folder)
    with Terminal(words, environment) as terminal:
        console = terminal.wait_for(r"console: tail -f (\S+)", DEADLINE_S)
        assert console, terminal.text
        assert terminal.wait_for(r"\(gdb\)", DEADLINE_S), terminal.text

        terminal.press(b"continue\n")
        assert terminal.wait_for(r"Breakpoint 1, arch_early_main \(start_info=", DEADLINE_S), (
            terminal.text
        )

        terminal.press(b"continue\n")
        # As kwe proposes. Before the guest really runs, gdb would lose the Ctrl-C.
        with Terminal(["tail", "-n", "+1", "-f", console[1]], environment) as tail:
            assert tail.wait_for("program forever: here", DEADLINE_S), tail.text
        terminal.press(CTRL_C)
        assert terminal.wait_for("received signal SIGINT", DEADLINE_S), terminal.text

        terminal.press(b"kill\ny\nquit\n")
        assert terminal.wait_end(DEADLINE_S) == 0
