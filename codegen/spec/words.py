"""The small words of the language: names, sizes, types, and what may not be a name."""

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
MAX_SIZE = 1 << 40

BUFFER_TYPES = ("bytes", "rgb8", "gray8", "path")
VALUE_TYPES = ("u32", "u64", "i32", "i64", "bool", "f64")
OPTIONAL = "?"  # behind an input's type: the stage may leave it unbound

C_KEYWORDS = frozenset(
    """
    asm auto bool break case char const continue default do double else enum extern false float for
    goto if inline int long register restrict return short signed sizeof static struct switch true
    typedef typeof union unsigned void volatile while
    """.split()  # noqa: SIM905 - a list of 40 lines reads worse
)


@dataclass(frozen=True)
class Scalar:
    """An element type of a parameter or value.

    ``low`` and ``high`` are what fits; None for types that are no number.
    """

    name: str
    c_type: str
    bytes: int
    align: int
    low: int | None = None
    high: int | None = None

    @property
    def is_signed(self) -> bool:
        """Tell whether it can be below zero."""
        return self.low is not None and self.low < 0


SCALARS = {
    scalar.name: scalar
    for scalar in (
        Scalar("u32", "uint32_t", 4, 4, 0, 2**32 - 1),
        Scalar("u64", "uint64_t", 8, 8, 0, 2**64 - 1),
        Scalar("i32", "int32_t", 4, 4, -(2**31), 2**31 - 1),
        Scalar("i64", "int64_t", 8, 8, -(2**63), 2**63 - 1),
        Scalar("bool", "uint32_t", 4, 4, 0, 1),
        Scalar("f64", "double", 8, 8),
        Scalar("path", "struct kwe_path", 256, 2),
        Scalar("bytes", "uint8_t", 1, 1),
    )
}


@dataclass(frozen=True)
class ParamType:
    """A parameter's type: an element and, for arrays, how many."""

    scalar: Scalar
    count: int
    is_array: bool

    @property
    def bytes(self) -> int:
        """Size of the whole field."""
        return self.scalar.bytes * self.count


def parse_param_type(text: str) -> ParamType | None:
    """Return the type that ``u32``, ``i32[9]`` or ``bytes[16]`` names; None: it names none."""
    match = re.fullmatch(r"([a-z]\w*)(?:\[([1-9]\d{0,3})\])?", text)
    scalar = SCALARS.get(match[1]) if match else None
    if match is None or scalar is None:
        return None
    if (scalar.name == "bytes" and not match[2]) or (
        scalar.name in ("path", "bool", "f64") and match[2]
    ):
        return None  # bytes need their count, these have none
    return ParamType(scalar, int(match[2] or 1), match[2] is not None)


def parse_size(value: object) -> int:
    """Return the bytes of ``4096`` or ``"16 MiB"``.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        size = value
    elif isinstance(value, str) and (
        match := re.fullmatch(r"(\d+)\s*(B|KiB|MiB|GiB)?", value.strip())
    ):
        size = int(match[1]) * UNITS[match[2] or ""]
    else:
        raise ValueError(f"{value!r} is no size; 4096, 64 KiB or 16 MiB would be right")
    if not 0 <= size <= MAX_SIZE:
        raise ValueError(f"{value!r} is out of range; a size lies between 0 and {MAX_SIZE} bytes")
    return size


def check_word(value: str) -> str:
    """Return the name itself.

    Raises:
        ValueError: It could not stand in C, make and Python as it is.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", value):
        raise ValueError(f"'{value}' is no name; a-z first, then a-z, 0-9 and _, up to 32 in all")
    if value in C_KEYWORDS:
        raise ValueError(f"'{value}' is a word of C; take another")
    return value


def check_doc(value: str) -> str:
    """Return the text on one line, fit to stand in a comment.

    Raises:
        ValueError: It is empty or would end a comment.
    """
    text = " ".join(value.split())
    if not text:
        raise ValueError("is empty; a sentence would be right")
    if "*/" in text or "/*" in text:
        raise ValueError("may not hold /* or */: it becomes a comment in C")
    return text


Size = Annotated[int, BeforeValidator(parse_size)]
Word = Annotated[str, AfterValidator(check_word)]
Doc = Annotated[str, AfterValidator(check_doc)]
