"""The language of deck.yaml: which keys there are and what shape their values have.

What takes more than one key to check is checked in ``codegen.model.check``.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from codegen.spec.source import nearest
from codegen.spec.words import (
    BUFFER_TYPES,
    OPTIONAL,
    VALUE_TYPES,
    Doc,
    Size,
    Word,
    parse_param_type,
)

LIMIT = "limit"


class Strict(BaseModel):
    """Unknown keys are errors; values are not bent into shape."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _buffer_type(text: str) -> str:
    if text not in BUFFER_TYPES:
        raise ValueError(f"'{text}' is no type of data; {nearest(text, BUFFER_TYPES)}")
    return text


def _input_type(text: str) -> str:
    return _buffer_type(text.removesuffix(OPTIONAL)) + OPTIONAL * text.endswith(OPTIONAL)


def _value_type(text: str) -> str:
    if text not in VALUE_TYPES:
        raise ValueError(f"'{text}' is no type of a value; {nearest(text, VALUE_TYPES)}")
    return text


BufferType = Annotated[StrictStr, AfterValidator(_buffer_type)]
InputType = Annotated[StrictStr, AfterValidator(_input_type)]
ValueType = Annotated[StrictStr, AfterValidator(_value_type)]


class ParamSpec(Strict):
    """One field of an operation's parameters."""

    type: StrictStr
    min: StrictInt | None = None
    max: StrictInt | None = None
    default: Any = None
    source: StrictStr | None = Field(default=None, alias="from")
    doc: Doc | None = None

    @field_validator("type")
    @classmethod
    def _type(cls, text: str) -> str:
        if parse_param_type(text) is None:
            known = ("u32", "u64", "i32", "i64", "bool", "f64", "path", "bytes[16]", "i32[9]")
            raise ValueError(f"'{text}' is no parameter type; {nearest(text, known)}")
        return text


class RuleSpec(Strict):
    """How much room an output needs: by the workflow's limit, or base + input * times."""

    limit: bool = False
    base: Size = 0
    of: StrictStr | None = None
    times: (
        Annotated[
            list[Annotated[StrictInt, Field(ge=1, le=65535)]], Field(min_length=2, max_length=2)
        ]
        | None
    ) = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        if isinstance(value, str):
            if value != LIMIT:
                raise ValueError(
                    f"'{value}' is no rule; "
                    "`limit` or {base: SIZE, of: INPUT, times: [N, D]} would be right"
                )
            return {"limit": True}
        return value


class OutSpec(Strict):
    """``{NAME: TYPE, at_most: RULE}``: the one output."""

    name: Word
    type: BufferType
    at_most: RuleSpec

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, value: object) -> object:
        shape = "{NAME: TYPE, at_most: RULE} would be right"
        if not isinstance(value, dict):
            raise ValueError(f"is no mapping; {shape}")
        names = [key for key in value if key != "at_most"]
        if len(names) != 1:
            raise ValueError(f"names {len(names)} outputs, an operation has one; {shape}")
        if "at_most" not in value:
            raise ValueError(f"says not how large it may become; {shape}")
        return {"name": names[0], "type": value[names[0]], "at_most": value["at_most"]}


class CostSpec(Strict):
    """Hints: how long one operation takes; `most` where parameters make it much longer."""

    fixed_ns: Annotated[StrictInt, Field(ge=0, lt=2**32)] = 0
    ns_per_byte: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    most_ns_per_byte: Annotated[float, Field(ge=0, le=1e6)] = 0.0


class OpSpec(Strict):
    """One operation."""

    doc: Doc
    traits: list[Literal["pure", "idempotent", "effect", "trigger"]] = Field(default_factory=list)
    runs: Literal["loop", "fibre"] = "loop"
    # `operations.convolve`: the same in another deck; a workflow may leave open which one runs
    variant_of: StrictStr | None = None
    inputs: dict[Word, InputType] = Field(default_factory=dict, alias="in", max_length=8)
    params: dict[Word, ParamSpec] = Field(default_factory=dict)
    # `kernel: {sobel: {weights: [...]}}`: what a workflow file's `kernel: sobel` stands for
    presets: dict[Word, dict[Word, dict[Word, Any]]] = Field(default_factory=dict)
    out: OutSpec | None = None
    values: dict[Word, ValueType] = Field(default_factory=dict, max_length=4)
    scratch_max: Size = 0
    cost: CostSpec = CostSpec()
    errors: list[StrictStr] = Field(default_factory=list)


class DeviceSpec(Strict):
    """A PCI function that the deck drives."""

    name: Word
    pci: Annotated[list[StrictInt], Field(min_length=2, max_length=2)]
    interrupts: Annotated[StrictInt, Field(ge=0, le=8)]
    quiesce: Literal["virtio", "none"]
    required: StrictBool

    @field_validator("pci")
    @classmethod
    def _pci(cls, pci: list[int]) -> list[int]:
        if not all(0 < number < 0xFFFF for number in pci):
            raise ValueError(
                f"{pci} is no PCI id; vendor and device between 0x0001 and 0xfffe, "
                "as [0x1af4, 0x1042], would be right"
            )
        return pci


class RestartSpec(Strict):
    """After how many deaths in how long a deck is given up."""

    limit: Annotated[StrictInt, Field(ge=1, le=16)] = 8
    window_s: Annotated[StrictInt, Field(ge=1, le=86400)] = 10


class DeckSpec(Strict):
    """One deck.yaml."""

    deck: Word
    prefix: Annotated[StrictInt, Field(ge=0, le=15)]
    doc: Doc
    instances: Literal["one", "per_cpu"]
    depth: Annotated[StrictInt, Field(ge=1, le=128)] = 32
    work_class: Literal["device", "compute"] = Field(alias="class")
    observes: StrictBool = False
    heap_max: Size = 16 << 20
    restart: RestartSpec = RestartSpec()
    libraries: list[StrictStr] = Field(default_factory=list)
    drivers: list[Word] = Field(default_factory=list)
    devices: list[DeviceSpec] = Field(default_factory=list, max_length=4)
    ops: dict[Word, OpSpec]
