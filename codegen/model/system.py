"""The checked system: what every output is made from, with all numbers worked out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ErrorCode:
    """One answer of the system."""

    name: str  # NOT_A_JPEG
    number: int
    sentence: str

    @property
    def c_name(self) -> str:
        """Its enumerator."""
        return f"KERR_{self.name}"


@dataclass(frozen=True)
class Argument:
    """One argument of a call: a 64-bit register."""

    name: str
    doc: str


@dataclass(frozen=True)
class Call:
    """One of the kernel's own calls."""

    name: str
    number: int
    who: str
    doc: str
    arguments: tuple[Argument, ...]

    @property
    def c_name(self) -> str:
        """Its macro."""
        return f"KWE_CALL_{self.name.upper()}"


@dataclass(frozen=True)
class Binding:
    """``from: INPUT.VALUE``: the value of whichever stage feeds the input."""

    input: str
    input_index: int
    value: str


@dataclass(frozen=True)
class Param:
    """A field of an operation's parameter struct."""

    name: str
    type: str  # as in the YAML: "i32[9]"
    c_type: str
    count: int
    is_array: bool
    is_path: bool
    is_signed: bool
    offset: int
    element_bytes: int
    bytes: int
    min: int | None
    max: int | None
    default: int | float | tuple[int, ...] | str | None
    binding: Binding | None
    doc: str


@dataclass(frozen=True)
class Padding:
    """Bytes between fields that mean nothing."""

    name: str
    offset: int
    bytes: int


@dataclass(frozen=True)
class Input:
    """An input of an operation."""

    name: str
    index: int
    type: str
    is_optional: bool  # a stage may leave it unbound, and those behind it


@dataclass(frozen=True)
class Rule:
    """How much room the output needs. ``of`` is an input's index."""

    limit: bool
    base_bytes: int
    of: int | None
    of_name: str | None
    numerator: int
    denominator: int


@dataclass(frozen=True)
class Output:
    """The output of an operation."""

    name: str
    type: str
    rule: Rule


@dataclass(frozen=True)
class Value:
    """A number that an operation answers beside its output."""

    name: str
    index: int
    type: str
    c_type: str
    bytes: int
    is_signed: bool


@dataclass(frozen=True)
class Op:
    """One operation; ``number`` counts from 1, 0 is nop in every deck."""

    deck: str
    name: str
    number: int
    doc: str
    traits: tuple[str, ...]
    uses_fibre: bool
    variant_of: str | None  # "operations.convolve"
    inputs: tuple[Input, ...]
    params: tuple[Param, ...]
    layout: tuple[Param | Padding, ...]  # params with the padding between them, in offset order
    params_bytes: int
    output: Output | None
    values: tuple[Value, ...]
    scratch_max_bytes: int
    cost_fixed_ns: int
    cost_ns_per_byte: float
    cost_ns_per_kib: int
    cost_most_ns_per_kib: int
    errors: tuple[ErrorCode, ...]
    presets: dict[str, dict[str, dict[str, Any]]]

    @property
    def full_name(self) -> str:
        """``operations_jpeg_decode``: the stem of everything C calls after it."""
        return f"{self.deck}_{self.name}"

    @property
    def macro(self) -> str:
        """``OPERATIONS_OP_JPEG_DECODE``."""
        return f"{self.deck.upper()}_OP_{self.name.upper()}"

    @property
    def struct(self) -> str:
        """``struct operations_jpeg_encode_params``, without the keyword."""
        return f"{self.full_name}_params"

    @property
    def checked(self) -> tuple[Param, ...]:
        """Params that a validator looks at, those with `from:` last: unbound ones may fail."""
        ranged = [p for p in self.params if p.min is not None or p.max is not None or p.is_path]
        return tuple(sorted(ranged, key=lambda param: param.binding is not None))

    @property
    def defaulted(self) -> tuple[Param, ...]:
        """Params that have a default."""
        return tuple(param for param in self.params if param.default is not None)

    @property
    def inputs_min(self) -> int:
        """How many inputs a stage has to bind."""
        return sum(not one.is_optional for one in self.inputs)

    @property
    def bound(self) -> tuple[Param, ...]:
        """Params with `from:`."""
        return tuple(param for param in self.params if param.binding is not None)


@dataclass(frozen=True)
class Device:
    """A PCI function that a deck drives."""

    name: str
    vendor: int
    device: int
    interrupts: int
    quiesce: str
    required: bool


@dataclass(frozen=True)
class Deck:
    """One deck."""

    name: str
    prefix: int
    doc: str
    per_cpu: bool
    depth: int
    device_class: bool
    observes: bool
    heap_max_bytes: int
    restart_limit: int
    restart_window_s: int
    libraries: tuple[str, ...]
    drivers: tuple[str, ...]
    devices: tuple[Device, ...]
    ops: tuple[Op, ...]
    folder: Path  # as make shall find it
    spec: str  # deck.yaml, as a banner names it

    @property
    def uses_paths(self) -> bool:
        """Does any operation take a path?"""
        return any(param.is_path for op in self.ops for param in op.params)


@dataclass(frozen=True)
class System:
    """Everything; decks in prefix order."""

    errors: tuple[ErrorCode, ...]
    calls: tuple[Call, ...]
    decks: tuple[Deck, ...]

    def variants(self, op: Op) -> tuple[Op, ...]:
        """Return the others that do the same as `op`; the one that they are variants of first."""
        home = op.variant_of or f"{op.deck}.{op.name}"
        group = [
            one
            for deck in self.decks
            for one in deck.ops
            if home in (one.variant_of, f"{one.deck}.{one.name}")
        ]
        others = [one for one in group if one is not op]
        return tuple(sorted(others, key=lambda one: one.variant_of is not None))

    def own_errors(self, op: Op) -> tuple[ErrorCode, ...]:
        """Return the codes that not all variants can answer: they tell of the variant alone."""
        others = self.variants(op)
        return tuple(
            code for code in op.errors if not all(code in other.errors for other in others)
        )
