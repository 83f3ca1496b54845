"""The language of kernel/abi/errors.yaml and kernel/abi/calls.yaml."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr, field_validator

from codegen.spec.deck import Strict
from codegen.spec.words import Doc, Word


class ErrorsSpec(Strict):
    """errors.yaml: code to sentence; the order numbers them."""

    errors: dict[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")], Doc]

    @field_validator("errors")
    @classmethod
    def _ok_first(cls, errors: dict[str, str]) -> dict[str, str]:
        if next(iter(errors), None) != "OK":
            raise ValueError("the first code has number 0 and must be OK")
        return errors


class CallSpec(Strict):
    """One call of the kernel's own."""

    who: Literal["program", "deck", "any"]
    doc: Doc
    args: dict[Word, StrictStr] = Field(default_factory=dict, max_length=6)


class CallsSpec(Strict):
    """calls.yaml: the position in ``calls`` is added to ``base``."""

    base: Annotated[StrictInt, Field(ge=0x1000, le=0xFFFF)]
    calls: dict[Word, CallSpec]
