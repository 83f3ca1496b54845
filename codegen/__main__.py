"""``python -m codegen --root . --decks kernel/decks [--extra DIR]... --out build/gen``."""

import argparse
import sys
from pathlib import Path

from codegen.emit.write import write_all
from codegen.generate import generate, load_system
from tools.kwe.errors import KweError


def main(arguments: list[str] | None = None) -> int:
    """Generate all outputs; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="the source tree")
    parser.add_argument("--decks", type=Path, default=Path("kernel/decks"), help="folder of decks")
    parser.add_argument(
        "--extra",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="a deck outside the tree, or a folder of such decks",
    )
    parser.add_argument("--out", type=Path, default=Path("build/gen"), help="output folder")
    parser.add_argument("--list", action="store_true", help="name the files that changed")
    options = parser.parse_args(arguments)
    try:
        system = load_system(options.root, options.decks, options.extra)
        changed = write_all(generate(system), options.out)
    except KweError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if options.list:
        print("\n".join(changed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
