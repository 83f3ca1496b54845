"""How generated C is laid out: comments, wrapped arguments, literals; for the templates' use."""

import textwrap
from collections.abc import Sequence

WIDTH = 100


def comment(text: str, indent: int = 0) -> str:
    """Return a C comment; the first line is not indented, the template has done that."""
    one_line = f"/* {text} */"
    if indent + len(one_line) <= WIDTH:
        return one_line
    pad = " " * indent
    lines = [f"{pad} * {line}" for line in textwrap.wrap(text, WIDTH - indent - 3)]
    return "\n".join(["/*", *lines, f"{pad} */"])


def rows(pairs: Sequence[tuple[str, str]], indent: int = 4) -> str:
    """Return lines of code, comments behind them, aligned; above them where they do not fit.

    Args:
        pairs: Code and comment text ("" for none), a line each.
        indent: Of every line; the template has indented the first.
    """
    column = max((len(code) for code, doc in pairs if doc), default=0)
    room = WIDTH - indent - column - len(" /*  */")
    lines: list[str] = []
    group: list[tuple[str, str]] = []

    def end_group() -> None:
        widest = max((len(code) for code, _ in group), default=0)
        lines.extend(f"{code:<{widest}} /* {doc} */" for code, doc in group)
        group.clear()

    for code, doc in pairs:
        if doc and len(doc) <= room:
            group.append((code, doc))
            continue
        end_group()
        if doc:
            lines.append(comment(doc, indent))
        lines.append(code)
    end_group()
    return ("\n" + " " * indent).join(lines)


def wrapped(head: str, arguments: Sequence[str], tail: str, indent: int = 0) -> str:
    """Return ``head(a, b)tail``, broken between arguments, below the bracket, when too long."""
    column = indent + len(head) + 1
    lines = [""]
    for position, argument in enumerate(arguments):
        last = position == len(arguments) - 1
        piece = argument + (")" + tail if last else ",")
        space = 1 if lines[-1] else 0
        if lines[-1] and column + len(lines[-1]) + space + len(piece) > WIDTH:
            lines.append(piece)
        else:
            lines[-1] += " " * space + piece
    if not arguments:
        lines = [")" + tail]
    return f"{head}(" + ("\n" + " " * column).join(lines)


def assigned(left: str, head: str, arguments: Sequence[str], indent: int) -> str:
    """Return ``left = head(arguments);``, broken behind the `=` when that keeps the call whole."""
    one_line = f"{head}({', '.join(arguments)});"
    if indent + len(left) + len(" = ") + len(one_line) <= WIDTH:
        return f"{left} = {one_line}"
    if indent + 4 + len(one_line) <= WIDTH:
        return f"{left} =\n{' ' * (indent + 4)}{one_line}"
    return wrapped(f"{left} = {head}", arguments, ";", indent)


def signature(result: str, name: str, arguments: Sequence[str]) -> str:
    """Return a function's head, its name on a line of its own when the arguments fit only then."""
    beside = wrapped(f"{result} {name}", arguments, "")
    if all(len(line) <= WIDTH for line in beside.split("\n")):
        return beside
    return f"{result}\n{wrapped(name, arguments, '')}"


def initializer(designator: str, value: str, indent: int) -> str:
    """Return ``[index] = value,``, broken behind the `=` when too long."""
    one_line = f"{designator} = {value},"
    if indent + len(one_line) <= WIDTH:
        return one_line
    return f"{designator} =\n{' ' * (indent + 4)}{value},"


def c_number(value: int, is_signed: bool) -> str:
    """Return an integer literal of a type wide enough, without a surprise at either end."""
    if is_signed:
        if value == -(2**63):
            return "INT64_MIN"
        return f"INT64_C({value})" if not -(2**31) < value < 2**31 else str(value)
    return f"UINT64_C({value})" if value >= 2**32 else f"{value}u"


def c_string(text: str) -> str:
    """Return a C string literal of UTF-8 text."""
    # Octal escapes end after three digits; hexadecimal ones have no end.
    pieces = [
        chr(byte) if 0x20 <= byte < 0x7F and chr(byte) not in '"\\?' else f"\\{byte:03o}"
        for byte in text.encode()
    ]
    return f'"{"".join(pieces)}"'


def size_words(size: int) -> str:
    """Return ``96 MiB`` for 100663296."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} bytes"


def c_size(size: int) -> str:
    """Return ``96ull << 20`` for 100663296: sizes read better in their unit."""
    for shift in (30, 20, 10):
        if size and size % (1 << shift) == 0:
            return f"{size >> shift}ull << {shift}"
    return f"{size}ull" if size else "0"
