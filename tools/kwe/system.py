"""The decks as the build knows them: ``gen/system.json``, which codegen writes."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tools.kwe.errors import BuildError


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class From(_Part):
    """Where a parameter comes from: value `value` of the stage that produces input `input`."""

    input: str
    value: str


class Param(_Part):
    """One field of an operation's parameter struct."""

    name: str
    type: str
    offset: int
    bytes: int
    count: int = 1
    min: int | None = None
    max: int | None = None
    default: int | float | list[int] | str | None = None
    bound: From | None = Field(default=None, alias="from")

    @property
    def element(self) -> str:
        """Its type without the count: ``i32`` of ``i32[9]``."""
        return self.type.partition("[")[0]


class Port(_Part):
    """An input."""

    name: str
    type: str
    optional: bool = False


class Rule(_Part):
    """How much room an output needs."""

    limit: bool = False
    base: int = 0
    of: str | None = None
    numerator: int = 1
    denominator: int = 1


class Output(_Part):
    """An output and its rule."""

    name: str
    type: str
    at_most: Rule


class Value(_Part):
    """A number that an operation answers beside its output."""

    name: str
    type: str
    index: int


class Op(_Part):
    """One operation of a deck."""

    name: str
    number: int
    doc: str = ""
    params: list[Param] = []
    params_bytes: int = 0
    inputs: list[Port] = []
    output: Output | None = None
    values: list[Value] = []
    traits: list[str] = []
    errors: list[str] = []
    variants: list[str] = []  # decks that have the same operation
    variant_of: str | None = None
    # by a word such as `kernel`, by a name such as `sobel`: the parameters that it stands for
    presets: dict[str, dict[str, dict[str, Any]]] = {}


class Deck(_Part):
    """One deck."""

    name: str
    prefix: int
    doc: str = ""
    instances: Literal["one", "per_cpu"]
    heap_max_bytes: int = 0
    ops: list[Op]

    def op(self, name: str) -> Op | None:
        """Return the operation of that name."""
        return next((op for op in self.ops if op.name == name), None)


class Error(_Part):
    """An answer's code."""

    name: str
    number: int
    sentence: str


class _File(_Part):
    decks: list[Deck]
    errors: list[Error]


@dataclass(frozen=True)
class System:
    """All decks and error codes of one build."""

    decks: dict[str, Deck]
    errors: dict[int, Error]

    @cached_property
    def prefixes(self) -> dict[int, Deck]:
        """Decks by prefix."""
        return {deck.prefix: deck for deck in self.decks.values()}

    def error_name(self, number: int) -> str:
        """Return ``NOT_A_JPEG`` for its number."""
        error = self.errors.get(number)
        return error.name if error else f"CODE_{number}"

    def error_sentence(self, number: int) -> str:
        """Return what the code means."""
        error = self.errors.get(number)
        return error.sentence if error else "A code that this build does not know."

    def deck_name(self, prefix: int) -> str:
        """Return ``storage`` for 3."""
        deck = self.prefixes.get(prefix)
        return deck.name if deck else str(prefix)


def load_system(path: Path) -> System:
    """Read system.json.

    Raises:
        BuildError: It is missing, or not what this `kwe` understands.
    """
    try:
        parsed = _File.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise BuildError(f"{path} is missing: run `make`, or name a build by --build") from error
    except (ValidationError, json.JSONDecodeError) as error:
        raise BuildError(f"{path}: not a system description of this kwe: {error}") from error
    return System(
        decks={deck.name: deck for deck in parsed.decks},
        errors={error.number: error for error in parsed.errors},
    )
