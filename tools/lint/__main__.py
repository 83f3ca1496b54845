"""``python -m tools.lint check|fmt [--build DIR]``, from the root of the tree."""

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tools.kwe.stats import NUCLEUS_BUDGET, nucleus_count
from tools.lint import headers, includes
from tools.lint.files import c_files, python_rooms

CLANG_FORMAT = Path(sys.executable).with_name("clang-format")


def run(*command: str | Path) -> Iterator[str]:
    """Run a tool; yield its output when it fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        yield done.stdout.rstrip()


def ruff(*arguments: str) -> Iterator[str]:
    """Run ruff of .venv on all Python."""
    yield from run(sys.executable, "-m", "ruff", *arguments, *python_rooms(Path()))


def clang_format(*arguments: str) -> Iterator[str]:
    """Run clang-format on all C written by hand."""
    files = list(c_files(Path()))
    if files:
        yield from run(CLANG_FORMAT, *arguments, *files)


def nucleus_budget() -> Iterator[str]:
    """Hold ring 0 to its size."""
    lines = nucleus_count(Path()).code
    if lines >= NUCLEUS_BUDGET:
        yield f"ring 0 without the Guide has {lines} lines of code, not {NUCLEUS_BUDGET} at most"


def check(build: Path) -> int:
    """Run all checks; returns 1 when one complains."""
    checks: dict[str, Callable[[], Iterator[str]]] = {
        "ruff": lambda: ruff("check", "--quiet"),
        "ruff format": lambda: ruff("format", "--check", "--quiet"),
        "mypy": lambda: run(
            sys.executable, "-m", "mypy", "--no-error-summary", *python_rooms(Path())
        ),
        "clang-format": lambda: clang_format("--dry-run", "-Werror"),
        "headers": lambda: headers.check(Path(), build),
        "includes": lambda: includes.check(Path()),
        "size of the nucleus": nucleus_budget,
    }
    failed = []
    for name, complaints in checks.items():
        found = list(complaints())
        if found:
            failed.append(name)
            print(f"==== {name}", *found, sep="\n")
    print(
        f"lint: {', '.join(failed)} complained" if failed else f"lint: {len(checks)} checks passed"
    )
    return 1 if failed else 0


def fmt() -> int:
    """Lay all files out."""
    complaints = [
        *ruff("check", "--quiet", "--fix"),
        *ruff("format", "--quiet"),
        *clang_format("-i"),
    ]
    print(*complaints, sep="\n", end="\n" if complaints else "")
    return 1 if complaints else 0


def main(argv: Sequence[str] | None = None) -> int:
    """Check or lay out."""
    parser = argparse.ArgumentParser(prog="python -m tools.lint", description=__doc__)
    parser.add_argument("action", choices=["check", "fmt"])
    parser.add_argument("--build", type=Path, default=Path("build"), help="for generated headers")
    args = parser.parse_args(argv)
    return fmt() if args.action == "fmt" else check(args.build)


if __name__ == "__main__":
    sys.exit(main())
