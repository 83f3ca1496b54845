"""Where a stage's inputs and parameters come from; stages by number, in the order of the run."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.kwe.flow import Flow
from tools.kwe.system import Deck, Op


@dataclass(frozen=True)
class FromStage:
    """An input that is the output of an earlier stage."""

    stage: int


@dataclass(frozen=True)
class FromFirst:
    """An input that is the output of whichever of the stages before was the first."""


@dataclass(frozen=True)
class FromConstant:
    """An input that is a constant of the workflow."""

    name: str


@dataclass(frozen=True)
class FromPrevious:
    """In a loop: an input that is a stage's output in the part before."""

    stage: int


@dataclass(frozen=True)
class FromPiece:
    """In a loop: an input that is this part's piece of an earlier stage's output."""

    stage: int


@dataclass(frozen=True)
class FromValue:
    """A parameter that is a value of an earlier stage."""

    stage: int
    index: int


@dataclass(frozen=True)
class FromLength:
    """A parameter that is the length of an earlier stage's output."""

    stage: int


@dataclass(frozen=True)
class FromStatus:
    """A parameter that is an earlier stage's status."""

    stage: int


@dataclass(frozen=True)
class FromPreviousValue:
    """In a loop: a parameter that is a stage's value in the part before; in the first `static`."""

    stage: int
    index: int
    static: int


@dataclass(frozen=True)
class FromPart:
    """In a loop: a parameter that is the part's number, offset or length (abi.PART_*)."""

    what: int


@dataclass(frozen=True)
class FromOutput:
    """A path parameter that an earlier stage left as its output."""

    stage: int


@dataclass(frozen=True)
class FromEvent:
    """A path parameter that is the event's own: the path of its input or output file."""

    name: str


Source = FromStage | FromFirst | FromConstant | FromPrevious | FromPiece
Literal = int | float | tuple[int, ...] | bytes
Bound = FromValue | FromLength | FromStatus | FromPreviousValue | FromPart
Argument = Literal | Bound | FromOutput | FromEvent


@dataclass(frozen=True)
class Stage:
    """One stage, every name resolved; stages are numbered in the order in which they can run."""

    name: str
    deck: Deck
    op: Op
    needs: tuple[int, ...]
    inputs: tuple[Source, ...]
    arguments: Mapping[str, Argument]  # by parameter
    limit: str | int | None  # the name of a limit, or bytes
    flow: Flow
    tolerates: frozenset[int]
    loop: int | None = None  # the loop in whose body it stands
    kind: int = 0  # abi.STAGE_*
    body: int = 0  # a loop's: so many stages right behind it
    bound: int = 0  # parts under way at once, or rounds at most
    is_open: bool = False  # any variant of its operation may run
