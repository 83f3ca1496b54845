"""Entry point of `kwe`: run the subcommand, turn a KweError into one line and its exit code."""

import argparse
import importlib
import io
import logging
import os
import signal
import sys
from collections.abc import Sequence

from tools.kwe.errors import KweError

# Each module has `register(subcommands)`, which adds its parser and sets the default
# `run=function(args) -> exit code`. The values are the commands that it registers: only the module
# that is asked for is loaded.
SUBCOMMANDS = {
    "bench": ("bench",),
    "boot": ("boot", "debug"),
    "demo": ("demo",),
    "disk_command": ("disk",),
    "doctor": ("doctor",),
    "explain": ("explain",),
    "run": ("run",),
    "schema": ("schema",),
    "stats": ("stats",),
    "symbolize": ("symbolize",),
}

# As a shell says it: 128 and the signal's number.
EXIT_INTERRUPTED = 130
EXIT_NO_READER = 141
EXIT_TERMINATED = 143


def make_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Build the parser, with all subcommands or only the one that is known to be asked for."""
    parser = argparse.ArgumentParser(
        prog="kwe", description="Run workflows on the Kernel Workflow Engine."
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="say what is being done")
    subcommands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = [module for module, names in SUBCOMMANDS.items() if command in names]
    for module in wanted or SUBCOMMANDS:
        importlib.import_module(f"tools.kwe.{module}").register(subcommands)
    return parser


def _terminated(_number: int, _frame: object) -> None:
    # Unwinds: whoever holds a guest ends it on the way.
    sys.exit(EXIT_TERMINATED)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the process's exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    command = next((word for word in words if not word.startswith("-")), None)
    args = make_parser(command).parse_args(words)
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.WARNING, format="%(message)s"
    )
    signal.signal(signal.SIGTERM, _terminated)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # File names are bytes: one that is no text is shown all the same, as on standard error.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except KweError as error:
        print(f"kwe: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone. Nobody is told, not even by the interpreter's own flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NO_READER
    except KeyboardInterrupt:
        print("kwe: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    return code


if __name__ == "__main__":
    sys.exit(main())
