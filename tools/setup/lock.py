#!/usr/bin/env python3
"""Renew requirements.txt: all that `pypi:` of packages.yaml needs, each file by sha256.

Run by `make lock` after a change of packages.yaml, with .venv's Python; needs the network for
pip-tools.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tools.setup.setup import REQUIREMENTS, read_packages

BANNER = """\
# The Python packages of .venv, each file by sha256. Generated from `pypi:` in packages.yaml:
#   make lock
"""


def main() -> int:
    """Write requirements.txt anew."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.in"
        locked = Path(folder) / "locked.txt"
        wanted.write_text(
            "".join(f"{p['name']}=={p['version']}\n" for p in read_packages()["pypi"])
        )
        venv.create(Path(folder) / "venv", with_pip=True)
        tools = Path(folder) / "venv/bin"
        subprocess.run([tools / "pip", "install", "-q", "pip-tools"], check=True)
        subprocess.run(
            [
                *(
                    tools / "pip-compile",
                    "-q",
                    "--generate-hashes",
                    "--allow-unsafe",
                    "--no-header",
                ),
                *("--no-annotate", "--no-emit-index-url", "--no-emit-trusted-host"),
                *("--no-emit-find-links", "--strip-extras", "-o", locked, wanted),
            ],
            check=True,
        )
        REQUIREMENTS.write_text(BANNER + "\n" + locked.read_text().lstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
