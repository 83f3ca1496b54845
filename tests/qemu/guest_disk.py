"""The guest's disk after a run, as e2fsprogs see it: not by the code that made it."""

import os
import subprocess
from pathlib import Path

ENVIRONMENT = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "LC_ALL": "C"}


def assert_clean(image: Path) -> None:
    """Let e2fsck look at everything, and change nothing."""
    done = subprocess.run(
        ["e2fsck", "-f", "-n", image], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def content(image: Path, path: str) -> bytes:
    """Return a file's bytes by debugfs."""
    done = subprocess.run(
        ["debugfs", "-R", f'cat "{path}"', image], env=ENVIRONMENT, capture_output=True, check=True
    )
    assert b"File not found" not in done.stderr, done.stderr
    return done.stdout


def names(image: Path, folder: str) -> list[str]:
    """Return a directory's entries by debugfs, without . and .. ones."""
    done = subprocess.run(
        ["debugfs", "-R", f'ls -p "{folder}"', image],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    # /inode/mode/uid/gid/name/size/
    found = [line.split("/")[5] for line in done.stdout.splitlines() if line.startswith("/")]
    return sorted(set(found) - {".", ".."})
