"""The language of workflow files, as pydantic sees it, before any deck is asked.

A workflow file says what comes in (``inputs``), what goes out (``outputs``), how large things may
be (``limits``), and the ``stages`` that each event passes. Stages are checked against the decks in
``stages.py``; here they are only mappings.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tools.kwe.abi import MAX_PATH_BYTES
from tools.kwe.flow import parse_duration
from tools.kwe.yaml_source import Source as TextSource
from tools.kwe.yaml_source import validate

UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
MAX_SIZE = 1 << 40


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
    if not 0 < size <= MAX_SIZE:
        raise ValueError(f"{value!r} is out of range; a size lies between 1 and {MAX_SIZE} bytes")
    return size


def _word(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", value):
        raise ValueError(f"{value!r} is no name; 1 to 32 of a-z, 0-9 and _ would be right")
    return value


def _file_name(value: str) -> str:
    if not value or "/" in value or "\0" in value or value in (".", ".."):
        raise ValueError(f"{value!r} is no file name")
    return value


def _guest_path(value: str) -> str:
    if (
        not re.fullmatch(r"(/[^/\0]+)+|/|\$[a-z][a-z0-9_]*", value)
        or len(value.encode()) > MAX_PATH_BYTES
    ):
        raise ValueError(
            f"{value!r} is neither $INPUT nor an absolute path of at most {MAX_PATH_BYTES} bytes"
        )
    return value


def _suffixes(value: object) -> object:
    return [value] if isinstance(value, str) else value


Size = Annotated[int, BeforeValidator(parse_size)]
Duration = Annotated[int, BeforeValidator(parse_duration)]
Word = Annotated[str, AfterValidator(_word)]
GuestPath = Annotated[str, AfterValidator(_guest_path)]
FileName = Annotated[str, AfterValidator(_file_name)]


class Strict(BaseModel):
    """Unknown keys are errors, values are not bent into shape."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(Strict):
    """What the user hands in: a directory of files, one event each, or some constant bytes."""

    kind: Literal["files", "bytes"]
    doc: str = ""
    # files: only those that end so, whatever the case; how their pictures are measured
    suffix: Annotated[list[str], BeforeValidator(_suffixes)] = Field(default_factory=list)
    media: Literal["bytes", "jpeg"] = "bytes"
    # bytes: exactly so many; how they are made when none are given, or what they are
    bytes: Size | None = None
    make: Literal["random"] | None = None
    text: str | None = None

    @model_validator(mode="after")
    def _fits_kind(self) -> "Input":
        if self.kind == "bytes" and (self.bytes is None) == (self.text is None):
            raise ValueError(
                "an input of kind bytes says how many, `bytes: 32`, or what they are, `text: ...`"
            )
        if self.text is not None and (self.make is not None or not self.text):
            raise ValueError("a text is neither made nor empty")
        if self.kind == "bytes" and (self.suffix or self.media != "bytes"):
            raise ValueError("suffix and media belong to an input of kind files")
        if self.kind == "files" and {"bytes", "make", "text"} & self.model_fields_set:
            raise ValueError("bytes, make and text belong to an input of kind bytes")
        return self


class Output(Strict):
    """What the user gets: a file per event, or one file with the digests of all."""

    kind: Literal["files", "sha256sum"]
    doc: str = ""
    suffix: str = ""  # files: appended to the input's name
    name: FileName = "SHA256SUMS"  # sha256sum: the file

    @model_validator(mode="after")
    def _fits_kind(self) -> "Output":
        if self.kind != "files" and self.suffix:
            raise ValueError("suffix belongs to an output of kind files")
        if self.kind != "sha256sum" and "name" in self.model_fields_set:
            raise ValueError("name belongs to an output of kind sha256sum")
        if "/" in self.suffix or "\0" in self.suffix:
            raise ValueError(f"{self.suffix!r} is no suffix of a file name")
        return self


class Limit(Strict):
    """A bound in bytes: fixed, or what the inputs need, up to a most.

    ``{expect: 1 MiB, most: 16 MiB}``: room for the expected is kept for each event, and some events
    at a time may have the most.
    """

    source: str | None = Field(default=None, alias="from")
    at_most: Size | None = None
    expect: Size | None = None
    most: Size | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return value if isinstance(value, dict) else {"at_most": value}

    @model_validator(mode="after")
    def _is_one_of_two(self) -> "Limit":
        is_plain = self.at_most is not None and self.expect is None and self.most is None
        is_pair = (self.at_most, self.source) == (None, None) and None not in (
            self.expect,
            self.most,
        )
        if not is_plain and not is_pair:
            raise ValueError("a size, {from:, at_most:} or {expect:, most:} would be right")
        if is_pair and (self.expect or 0) > (self.most or 0):
            raise ValueError("more is expected than there may be; expect <= most would be right")
        return self


class Standing(Strict):
    """Events that start again whenever they are over: as many as wait for something at once."""

    concurrency: int = Field(default=1, ge=1, le=64)


class SubInput(Strict):
    """What `with:` binds: a stage, a value of one, a file, a number."""

    doc: str = ""
    default: int | float | str | list[int] | None = None  # None: it has to be bound

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"doc": value} if isinstance(value, str) else value


class SubWorkflow(Strict):
    """Stages that others `use`: a file of its own, or an entry of `subworkflows`."""

    subworkflow: Word | None = None  # the file's first key
    doc: str = ""
    inputs: dict[Word, SubInput] = Field(default_factory=dict)
    outputs: dict[Word, str] = Field(default_factory=dict)  # by name, the stage
    subworkflows: dict[Word, "SubWorkflow"] = Field(default_factory=dict)
    stages: dict[Word, dict[str, Any]] = Field(min_length=1, max_length=64)


class Workflow(Strict):
    """One workflow file."""

    workflow: Word
    doc: str
    inputs: dict[Word, Input] = Field(default_factory=dict)
    outputs: dict[Word, Output] = Field(default_factory=dict)
    limits: dict[Word, Limit] = Field(default_factory=dict)
    event_per: str = ""  # an input of files: one event each
    standing: Standing | None = None  # ... instead
    result: str | None = None
    timeout: Duration = 0  # of an event, in ns; 0: none
    # where paths lie that only an event finds (`path: route.path`): $INPUT, or a subtree
    touches: list[GuestPath] = Field(default_factory=list)
    subworkflows: dict[Word, SubWorkflow] = Field(default_factory=dict)  # for stages' `use`
    stages: dict[Word, dict[str, Any]] = Field(min_length=1, max_length=64)


def check_workflow(source: TextSource) -> Workflow:
    """Check all that needs no deck.

    Raises:
        SpecError: ``path:line:column: what is wrong, what would be right``.
    """
    spec = validate(source, Workflow)
    files = [name for name, item in spec.inputs.items() if item.kind == "files"]
    if spec.standing is not None:
        _check_standing(source, spec)
    elif spec.event_per not in files:
        raise source.error(
            ("event_per",),
            f"event_per: {spec.event_per!r} is no input of kind files{_would_be(files)}"
            if spec.event_per
            else f"event_per is missing{_would_be(files)}; `standing:` for events that wait for "
            "something and start again",
        )
    for name in files[:2]:
        if name != (spec.event_per or files[0]):
            raise source.error(
                ("inputs", name),
                f"{name}: a second input of files; each event has one, "
                f"{spec.event_per or files[0]!r} here",
            )
    for name, limit in spec.limits.items():
        _check_limit(source, spec, name, limit)
    for name, output in spec.outputs.items():
        if output.kind == "sha256sum" and spec.result is None:
            raise source.error(
                ("outputs", name),
                f"{name}: digests come from the results; `result: STAGE` names whose",
            )
    return spec


def _check_standing(source: TextSource, spec: Workflow) -> None:
    """Events that stand have no file and no output of their own."""
    if spec.event_per:
        raise source.error(
            ("event_per",), "event_per: events are either one a file, or `standing`; not both"
        )
    for name, item in spec.outputs.items():
        raise source.error(
            ("outputs", name),
            f"{name}: an output of kind {item.kind} has something of each event, and those that "
            "stand do not end; what they write stays on the disk (--disk keeps it)",
        )


def _check_limit(source: TextSource, spec: Workflow, name: str, limit: Limit) -> None:
    if limit.source is None:
        return
    if spec.standing is not None:
        raise source.error(
            ("limits", name, "from"),
            f"{name}: events that stand have no file to be measured; a size would be right",
        )
    media = spec.inputs[spec.event_per].media
    known = [f"{spec.event_per}.bytes"]
    if media == "jpeg":
        known.append(f"{spec.event_per}.rgb8_bytes")
    if limit.source not in known:
        hint = "" if media == "jpeg" else " (rgb8_bytes needs `media: jpeg` at the input)"
        raise source.error(
            ("limits", name, "from"),
            f"{name}: {limit.source!r} is not known{hint}{_would_be(known)}",
        )


def _would_be(names: object) -> str:
    known = list(names) if isinstance(names, list | dict) else []
    return f"; {' or '.join(known)} would be right" if known else ""
