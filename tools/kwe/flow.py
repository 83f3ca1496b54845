"""When a stage runs: whom it waits for and tolerates, what must hold, how long it may take."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.kwe import abi
from tools.kwe.system import Op, System
from tools.kwe.yaml_source import Key
from tools.kwe.yaml_source import Source as TextSource

JOINS = {"all": abi.JOIN_ALL, "first": abi.JOIN_FIRST}
UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
MOST_NS = 3600 * UNITS["s"]
CONDITION = re.compile(r"\s*([\w.]+)\.(\w+)\s*(==|!=|<=|>=|<|>)\s*(\w+)\s*")


@dataclass(frozen=True)
class Condition:
    """`if: "probe.width > 100"`: about a stage that comes before."""

    stage: str
    what: int  # abi.IF_*
    index: int
    relation: str
    constant: int


@dataclass(frozen=True)
class Flow:
    """What a stage's entry says of when it runs; stages by name."""

    needs: tuple[str, ...]
    tolerates: frozenset[str] = frozenset()
    join: int = abi.JOIN_ALL
    conditions: tuple[Condition, ...] = field(default=())
    timeout_ns: int = 0


def parse_duration(value: object) -> int:
    """Return the nanoseconds of ``"50 ms"``.

    Raises:
        ValueError: It is no duration, or too long.
    """
    match = re.fullmatch(r"(\d+)\s*(ns|us|ms|s)", value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no duration; 50 ms or 2 s would be right")
    duration = int(match[1]) * UNITS[match[2]]
    if not 0 < duration <= MOST_NS:
        raise ValueError(f"{value!r} is out of range; up to {MOST_NS // UNITS['s']} s is right")
    return duration


class FlowReader:
    """Reads the stages' flows; every error points at its line."""

    def __init__(
        self,
        source: TextSource,
        stages: Mapping[str, Mapping[str, Any]],
        places: Mapping[str, tuple[Key, ...]],
        ops: Mapping[str, Op],
        system: System,
    ) -> None:
        self.source = source
        self.stages = stages
        self.places = places
        self.ops = ops
        self.codes = {error.name: number for number, error in system.errors.items()}

    def at(self, stage: str, *keys: Key) -> tuple[Key, ...]:
        """Return where something of a stage stands."""
        return (*self.places[stage], *keys)

    def read(self, stage: str) -> Flow:
        """Return one stage's flow.

        Raises:
            SpecError: Something in it is not right.
        """
        needs = self._needs(stage)
        conditions = self.conditions(stage, "if", self.stages[stage].get("if", []))
        names = [*needs, *(condition.stage for condition in conditions)]
        return Flow(
            needs=tuple(dict.fromkeys(names)),
            tolerates=frozenset(name for name, tolerated in needs.items() if tolerated),
            join=self._join(stage, len(needs)),
            conditions=conditions,
            timeout_ns=self._timeout(stage),
        )

    def check_stage(self, stage: str, name: object, place: tuple[Key, ...]) -> str:
        """Return a stage's name that is one, and another's."""
        if not isinstance(name, str) or name not in self.stages or name == stage:
            others = [other for other in self.stages if other != stage]
            raise self.source.error(
                place,
                f"stage {stage}: there is no other stage {name!r}; "
                f"{', '.join(others) or 'none'} would be right",
            )
        return name

    def _needs(self, stage: str) -> dict[str, bool]:
        value = self.stages[stage].get("needs", [])
        place = self.at(stage, "needs")
        needs: dict[str, bool] = {}
        for item in value if isinstance(value, list) else [value]:
            entry = {"stage": item} if isinstance(item, str) else item
            if (
                not isinstance(entry, dict)
                or "stage" not in entry
                or set(entry) - {"stage", "tolerate"}
                or not isinstance(entry.get("tolerate", False), bool)
            ):
                raise self.source.error(
                    place,
                    f"stage {stage}: needs: a stage, {{stage: STAGE, tolerate: true}}, or a list "
                    "of these, would be right",
                )
            name = self.check_stage(stage, entry["stage"], place)
            needs[name] = needs.get(name, False) or entry.get("tolerate", False)
        return needs

    def _join(self, stage: str, needed: int) -> int:
        value = self.stages[stage].get("join", "all")
        if value not in JOINS:
            raise self.source.error(
                self.at(stage, "join"),
                f"stage {stage}: join: {value!r}; {' or '.join(JOINS)} would be right",
            )
        if value == "first" and needed < 2:
            raise self.source.error(
                self.at(stage, "join"),
                f"stage {stage}: join: first of {needed} stages; `needs` with two or more "
                "would be right",
            )
        return JOINS[value]

    def _timeout(self, stage: str) -> int:
        if "timeout" not in self.stages[stage]:
            return 0
        try:
            return parse_duration(self.stages[stage]["timeout"])
        except ValueError as error:
            place = self.at(stage, "timeout")
            raise self.source.error(place, f"stage {stage}: timeout: {error}") from error

    # ---- conditions -----------------------------------------------------------------------

    def conditions(self, stage: str, key: str, value: object) -> tuple[Condition, ...]:
        """Return what has to hold, one text or a list of them.

        Raises:
            SpecError: One is no condition.
        """
        texts = value if isinstance(value, list) else [value]
        return tuple(self._condition(stage, key, text) for text in texts)

    def _condition(self, stage: str, key: str, text: object) -> Condition:
        place = self.at(stage, key)
        match = CONDITION.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise self.source.error(
                place,
                f"stage {stage}: {key}: {text!r} is no condition; "
                '"STAGE.status == OK", "STAGE.length > 0" or "STAGE.VALUE >= 3" would be right',
            )
        name = self.check_stage(stage, match[1], place)
        what, index = self._what(stage, key, name, match[2])
        return Condition(name, what, index, match[3], self._constant(stage, key, what, match[4]))

    def _what(self, stage: str, key: str, name: str, word: str) -> tuple[int, int]:
        op = self.ops[name]
        if word == "status":
            return abi.IF_STATUS, 0
        if word == "length" and op.output is not None:
            return abi.IF_LENGTH, 0
        for value in op.values:
            if value.name == word and value.type != "f64":
                return abi.IF_VALUE, value.index
        known = ["status", *(["length"] if op.output else [])]
        known += [value.name for value in op.values if value.type != "f64"]
        raise self.source.error(
            self.at(stage, key),
            f"stage {stage}: {key}: {name} has no {word!r}; "
            f"{', '.join(f'{name}.{item}' for item in known)} would be right",
        )

    def _constant(self, stage: str, key: str, what: int, word: str) -> int:
        if what == abi.IF_STATUS and word in self.codes:
            return self.codes[word]
        if not word.isdigit() or int(word) >= 1 << 64:
            wanted = "a code such as OK or NO_SUCH_FILE" if what == abi.IF_STATUS else "a number"
            raise self.source.error(
                self.at(stage, key), f"stage {stage}: {key}: {word!r}; {wanted} would be right"
            )
        return int(word)
