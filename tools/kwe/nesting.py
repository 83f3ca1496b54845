"""Loops in a workflow file: a stage with `do:` becomes a stage and, behind it, those of its body.

parts:
for_each: {bytes: size.size, part: 64 KiB, window: 4}
do:
load: {op: storage.read, path: $files, offset: part.offset, length: part.length, ...}

count:
until: step.next >= 16
rounds: 100
do: ...
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.kwe import abi
from tools.kwe.system import Deck, Op, Param, Value
from tools.kwe.yaml_source import Key
from tools.kwe.yaml_source import Source as TextSource

USUAL_WINDOW = 4
RESERVED = ("part", "previous")
LOOP_KEYS = {"for_each": ("for_each", "do", "needs", "join", "if", "timeout")}
LOOP_KEYS["until"] = ("until", "rounds", "do", "needs", "join", "timeout")

# Loops as if a deck offered them: their sizes are bound as any parameter is.
FOR_EACH = Op(
    name="for_each",
    number=0,
    params=[
        Param(name="bytes", type="u64", offset=0, bytes=8),
        Param(name="part", type="u64", offset=8, bytes=8, min=1),
    ],
    params_bytes=abi.PARTS.size,
    values=[Value(name="parts", type="u64", index=0)],
)
UNTIL = Op(name="until", number=0, values=[Value(name="rounds", type="u64", index=0)])
LOOP_DECK = Deck(name="loop", prefix=abi.NO_DECK, instances="one", ops=[FOR_EACH, UNTIL])


@dataclass(frozen=True)
class Loop:
    """What is said of a loop beside its stages."""

    kind: int  # abi.STAGE_*
    bound: int
    conditions: object = None  # until
    body: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nest:
    """All stages of a file, bodies and all, in the order of the file."""

    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, tuple[Key, ...]] = field(default_factory=dict)
    loops: dict[str, Loop] = field(default_factory=dict)
    loop_of: dict[str, str] = field(default_factory=dict)


def unnest(source: TextSource, stages: Mapping[str, Mapping[str, Any]]) -> Nest:
    """Lay the bodies of loops out beside the other stages.

    Raises:
        SpecError: A loop is not one, or a name stands twice.
    """
    nest = Nest()
    for name, fields, place in _all(source, stages, ("stages",)):
        if name in nest.fields:
            raise source.error(place, f"stage {name}: there is another one; one name each is right")
        if name in RESERVED:
            raise source.error(place, f"{name!r} is a word of loops; another name would be right")
        nest.places[name] = place
        nest.fields[name] = dict(fields)
        if len(place) > 2:
            nest.loop_of[name] = str(place[1])
        if "do" in fields:
            nest.loops[name] = _loop(source, name, fields, place)
            nest.fields[name] = _own_fields(nest.loops[name], fields)
    if len(nest.fields) > abi.MAX_STAGES:
        raise source.error(
            ("stages",), f"{len(nest.fields)} stages; at most {abi.MAX_STAGES} would be right"
        )
    return nest


def _all(
    source: TextSource, stages: Mapping[str, Any], place: tuple[Key, ...]
) -> Iterator[tuple[str, Mapping[str, Any], tuple[Key, ...]]]:
    for name, fields in stages.items():
        here = (*place, name)
        if not isinstance(fields, dict):
            raise source.error(here, f"stage {name}: a mapping of keys would be right")
        body = fields.get("do", {})
        if "do" in fields and len(place) > 1:
            raise source.error((*here, "do"), f"stage {name}: loops do not nest")
        if "do" in fields and (not isinstance(body, dict) or not body):
            raise source.error((*here, "do"), f"stage {name}: do: stages by name would be right")
        yield name, fields, here
        yield from _all(source, body, (*here, "do"))


def _loop(source: TextSource, name: str, fields: Mapping[str, Any], place: tuple[Key, ...]) -> Loop:
    kinds = [kind for kind in LOOP_KEYS if kind in fields]
    if len(kinds) != 1:
        raise source.error(
            place, f"stage {name}: `do` with for_each or until, one of them, would be right"
        )
    kind = kinds[0]
    for key in fields:
        if key not in LOOP_KEYS[kind]:
            raise source.error(
                (*place, key),
                f"stage {name}: {kind} has no {key!r}; {', '.join(LOOP_KEYS[kind])} would be right",
                at_key=True,
            )
    body = tuple(fields["do"])
    if kind == "until":
        return Loop(
            abi.STAGE_UNTIL,
            _number(source, name, (*place, "rounds"), fields.get("rounds"), abi.MAX_ROUNDS),
            fields["until"],
            body,
        )
    sizes = fields["for_each"]
    if not isinstance(sizes, dict) or set(sizes) - {"bytes", "part", "window"}:
        raise source.error(
            (*place, "for_each"),
            f"stage {name}: for_each: {{bytes: STAGE.VALUE, part: 64 KiB, window: 4}} is right",
        )
    window = sizes.get("window", USUAL_WINDOW)
    bound = _number(source, name, (*place, "for_each", "window"), window, abi.MAX_WINDOW)
    return Loop(abi.STAGE_FOR_EACH, bound, None, body)


def _number(source: TextSource, name: str, place: tuple[Key, ...], value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise source.error(
            place, f"stage {name}: {place[-1]}: a number from 1 to {most} would be right"
        )
    return value


def _own_fields(loop: Loop, fields: Mapping[str, Any]) -> dict[str, Any]:
    own = {key: fields[key] for key in ("needs", "join", "if", "timeout") if key in fields}
    if loop.kind == abi.STAGE_FOR_EACH:
        own |= {
            key: fields["for_each"][key] for key in ("bytes", "part") if key in fields["for_each"]
        }
    return own
