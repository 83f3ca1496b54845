"""Checks one operation and works out its numbers: layout, defaults, rules, cost."""

import math
from dataclasses import dataclass
from typing import Any

from codegen.model.layout import place_fields
from codegen.model.system import (
    Binding,
    ErrorCode,
    Input,
    Op,
    Output,
    Padding,
    Param,
    Rule,
    Value,
)
from codegen.spec.deck import OpSpec, OutSpec, ParamSpec
from codegen.spec.source import Key, Source, nearest, one_of
from codegen.spec.words import OPTIONAL, SCALARS, ParamType, parse_param_type

MAX_PARAM_BYTES = 384  # KWE_MAX_PARAM_BYTES of work.h; check_layout holds them together
MAX_PATH = 254
KIB = 1024

# What every operation with an output answers when that does not fit its room.
IMPLIED = "OUTPUT_TOO_LARGE"

# Names that the generated C gives to things of its own.
TAKEN = ("request", "params", "builder", "name", "stage")


@dataclass(frozen=True)
class OpChecker:
    """One operation under check; after a mistake, what comes back may be partly made up."""

    source: Source
    deck: str
    name: str
    spec: OpSpec
    errors: dict[str, ErrorCode]

    def _problem(self, text: str, *place: Key, at_key: bool = False) -> None:
        self.source.problem(("ops", self.name, *place), f"op '{self.name}': {text}", at_key=at_key)

    def check(self, number: int) -> Op:
        """Return the operation with every number worked out."""
        spec = self.spec
        self._names()
        self._optional_inputs_stand_last()
        params, layout, params_bytes = self._params()
        if "pure" in spec.traits and "effect" in spec.traits:
            self._problem("'pure' and 'effect' exclude each other; keep one", "traits")
        per_kib = round(spec.cost.ns_per_byte * KIB)
        most_per_kib = max(per_kib, round(spec.cost.most_ns_per_byte * KIB))
        return Op(
            deck=self.deck,
            name=self.name,
            number=number,
            doc=spec.doc,
            traits=tuple(spec.traits),
            uses_fibre=spec.runs == "fibre",
            variant_of=spec.variant_of,
            inputs=tuple(
                Input(name, i, kind.removesuffix(OPTIONAL), kind.endswith(OPTIONAL))
                for i, (name, kind) in enumerate(spec.inputs.items())
            ),
            params=params,
            layout=layout,
            params_bytes=params_bytes,
            output=self._output(spec.out) if spec.out else None,
            values=tuple(
                Value(
                    name,
                    i,
                    kind,
                    SCALARS[kind].c_type,
                    SCALARS[kind].bytes,
                    SCALARS[kind].is_signed,
                )
                for i, (name, kind) in enumerate(spec.values.items())
            ),
            scratch_max_bytes=spec.scratch_max,
            cost_fixed_ns=spec.cost.fixed_ns,
            cost_ns_per_byte=spec.cost.ns_per_byte,
            cost_ns_per_kib=per_kib,
            cost_most_ns_per_kib=most_per_kib,
            errors=self._errors(),
            presets=self._presets(),
        )

    def _presets(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Check that each names parameters; their values are checked where they are used."""
        taken = {*self.spec.inputs, *self.spec.params}
        for word, choices in self.spec.presets.items():
            if word in taken:
                self._problem(
                    f"the preset '{word}' has an input's or a parameter's name; another is right",
                    *("presets", word),
                    at_key=True,
                )
            for name, values in choices.items():
                for param in values:
                    if param not in self.spec.params:
                        self._problem(
                            f"there is no parameter '{param}'; {nearest(param, self.spec.params)}",
                            *("presets", word, name, param),
                            at_key=True,
                        )
        return self.spec.presets

    def _names(self) -> None:
        """Check the names that become members of one struct."""
        out = [(self.spec.out.name, ("out",))] if self.spec.out else []
        seen: dict[str, str] = dict.fromkeys(TAKEN, "the generated code's own")
        for name, place in [
            *((name, ("in", name)) for name in self.spec.inputs),
            *out,
            *((name, ("values", name)) for name in self.spec.values),
        ]:
            if name in seen:
                self._problem(
                    f"the name '{name}' is {seen[name]} already; another would be right",
                    *place,
                    at_key=True,
                )
            seen.setdefault(name, "an input's" if place[0] == "in" else "the output's")

    def _optional_inputs_stand_last(self) -> None:
        optional = ""
        for name, kind in self.spec.inputs.items():
            if kind.endswith(OPTIONAL):
                optional = name
            elif optional:
                self._problem(
                    f"input '{name}' has to be there and '{optional}' before it need not; "
                    f"the other order would be right",
                    "in",
                    name,
                    at_key=True,
                )

    def _required_inputs(self) -> list[str]:
        """Return those that sizes and values may be taken from."""
        return [name for name, kind in self.spec.inputs.items() if not kind.endswith(OPTIONAL)]

    def _why_not(self, name: str) -> str:
        return " that is always there" if name in self.spec.inputs else ""

    def _errors(self) -> tuple[ErrorCode, ...]:
        codes = [self.errors[IMPLIED]] if self.spec.out and IMPLIED in self.errors else []
        for index, name in enumerate(self.spec.errors):
            code = self.errors.get(name)
            if name == IMPLIED:
                self._problem(
                    f"{IMPLIED} goes without saying for operations with an output, and only for "
                    f"these; leaving it out would be right",
                    "errors",
                    index,
                )
            elif code is None:
                self._problem(
                    f"there is no error code '{name}'; {nearest(name, self.errors)}",
                    "errors",
                    index,
                )
            else:
                codes.append(code)
        return tuple(codes)

    def _output(self, out: OutSpec) -> Output:
        rule = out.at_most
        inputs = self._required_inputs()
        index = None
        if rule.of is not None and rule.of not in inputs:
            self._problem(
                f"at_most: of: '{rule.of}' names no input{self._why_not(rule.of)}; "
                f"{one_of(inputs)} would be right",
                "out",
                "at_most",
                "of",
            )
        elif rule.of is not None:
            index = inputs.index(rule.of)
        if rule.of is None and rule.times is not None:
            self._problem("at_most: times needs `of: INPUT`", "out", "at_most", "times")
        if not rule.limit and rule.of is None and rule.base == 0:
            self._problem(
                "at_most: leaves no room at all; `base: SIZE` would be right", "out", "at_most"
            )
        if rule.base >= 2**32:
            self._problem(
                "at_most: base is 4 GiB or more; less would be right", "out", "at_most", "base"
            )
        numerator, denominator = rule.times or (1, 1)
        return Output(
            out.name,
            out.type,
            Rule(rule.limit, rule.base, index, rule.of, numerator, denominator),
        )

    def _params(self) -> tuple[tuple[Param, ...], tuple[Param | Padding, ...], int]:
        types = {}
        for name, spec in self.spec.params.items():
            kind = parse_param_type(spec.type)
            assert kind is not None, "the pydantic model lets only known types through"
            types[name] = kind
        offsets, padding, size = place_fields(list(types.values()))
        if size > MAX_PARAM_BYTES:
            self._problem(
                f"the parameters take {size} bytes; at most {MAX_PARAM_BYTES} would be right "
                "(larger data belongs into an input)",
                "params",
                at_key=True,
            )
        params = tuple(
            self._param(name, self.spec.params[name], types[name], offset)
            for name, offset in zip(types, offsets, strict=True)
        )
        for name in types:
            if name.startswith("reserved"):
                self._problem(f"the name '{name}' is kept for padding", "params", name, at_key=True)
        fields: list[Param | Padding] = [*params, *padding]
        return params, tuple(sorted(fields, key=lambda one: one.offset)), size

    def _param(self, name: str, spec: ParamSpec, kind: ParamType, offset: int) -> Param:
        low, high = self._range(name, spec, kind)
        return Param(
            name=name,
            type=spec.type,
            c_type=kind.scalar.c_type,
            count=kind.count,
            is_array=kind.is_array,
            is_path=kind.scalar.name == "path",
            is_signed=kind.scalar.is_signed,
            offset=offset,
            element_bytes=kind.scalar.bytes,
            bytes=kind.bytes,
            min=low,
            max=high,
            default=self._default(name, spec, kind, low, high),
            binding=self._binding(name, spec, kind),
            doc=spec.doc or "",
        )

    def _range(self, name: str, spec: ParamSpec, kind: ParamType) -> tuple[int | None, int | None]:
        """Return the bounds to check; None where the type itself is the bound."""
        at = ("params", name)
        scalar = kind.scalar
        if scalar.low is None or scalar.high is None or scalar.name == "bool":
            for key in ("min", "max"):
                if getattr(spec, key) is not None:
                    self._problem(f"{name}: a {spec.type} has no {key}; remove it", *at, key)
            return (None, 1) if scalar.name == "bool" else (None, None)
        for key in ("min", "max"):
            bound = getattr(spec, key)
            if bound is not None and not scalar.low <= bound <= scalar.high:
                self._problem(f"{name}: {key} {bound} does not fit {scalar.name}", *at, key)
        if spec.min is not None and spec.max is not None and spec.min > spec.max:
            self._problem(
                f"{name}: min {spec.min} is above max {spec.max}; exchange them", *at, "min"
            )
        low = spec.min if spec.min is not None and spec.min > scalar.low else None
        high = spec.max if spec.max is not None and spec.max < scalar.high else None
        return low, high

    def _default(
        self, name: str, spec: ParamSpec, kind: ParamType, low: int | None, high: int | None
    ) -> int | float | tuple[int, ...] | str | None:
        at = ("params", name, "default")
        value = spec.default
        if value is None:
            return None
        scalar = kind.scalar
        if scalar.name == "bytes":
            self._problem(f"{name}: {spec.type} takes no default; remove it", *at)
            return None
        if scalar.name == "path":
            if isinstance(value, str) and value.startswith("/") and len(value.encode()) <= MAX_PATH:
                return value
            self._problem(
                f"{name}: {value!r} is no path; "
                f"an absolute one of at most {MAX_PATH} bytes would be right",
                *at,
            )
            return None
        if scalar.name == "bool":
            if isinstance(value, bool):
                return int(value)
            self._problem(f"{name}: default {value!r} is neither true nor false", *at)
            return None
        if scalar.name == "f64":
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and math.isfinite(value):
                return float(value)
            self._problem(f"{name}: default {value!r} is no finite number", *at)
            return None
        numbers = value if isinstance(value, list) else [value]
        if not all(isinstance(one, int) and not isinstance(one, bool) for one in numbers):
            self._problem(f"{name}: default {value!r} is no number", *at)
            return None
        if isinstance(value, list) and len(numbers) != (kind.count if kind.is_array else -1):
            wanted = f"{kind.count} numbers" if kind.is_array else "one number"
            self._problem(f"{name}: default lists {len(numbers)}; {wanted} would be right", *at)
            return None
        least = low if low is not None else scalar.low
        most = high if high is not None else scalar.high
        assert least is not None
        assert most is not None
        outside = [one for one in numbers if not least <= one <= most]
        if outside:
            self._problem(
                f"{name}: default {outside[0]} is out of range; {least}..{most} would be right", *at
            )
            return None
        if kind.is_array:
            return tuple(numbers) if isinstance(value, list) else tuple(numbers * kind.count)
        return int(numbers[0])

    def _binding(self, name: str, spec: ParamSpec, kind: ParamType) -> Binding | None:
        if spec.source is None:
            return None
        at = ("params", name, "from")
        inputs = self._required_inputs()
        feed, dot, value = spec.source.partition(".")
        if not dot or not value:
            self._problem(f"{name}: from: '{spec.source}' is not of the form INPUT.VALUE", *at)
            return None
        if feed not in inputs:
            self._problem(
                f"{name}: from: '{feed}' names no input{self._why_not(feed)}; "
                f"{one_of(inputs)} would be right",
                *at,
            )
            return None
        if kind.is_array or kind.scalar.low is None:
            self._problem(f"{name}: from: a {spec.type} cannot be bound to a value", *at)
            return None
        return Binding(feed, inputs.index(feed), value)
