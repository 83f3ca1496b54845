"""Workflows inside workflows: a stage with `use:` stands for the stages of another file, inlined.

edges: {use: edges.yaml, with: {picture: load, quality: 90}}
save: {op: storage.write, data: edges.encoded, path: $out}

The file that is used says what it takes and gives; `$picture` is what `with:` binds to it:

subworkflow: edges
inputs: {picture: a JPEG, quality: {doc: of what comes out, default: 75}}
outputs: {encoded: encode}
stages:
  decode: {op: operations.jpeg_decode, picture: $picture, at_most: limits.frame}
  encode: {op: operations.jpeg_encode, pixels: decode, quality: $quality}

`use: NAME` takes the one of that name under the same file's `subworkflows:`. What is inlined is
called `edges.decode`; from outside, only outputs can be taken: `edges.encoded`, and `edges` alone
when there is one. Done before anything else looks at the stages, which are then a plain list.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.kwe.errors import SpecError
from tools.kwe.spec import SubWorkflow, Workflow, check_workflow
from tools.kwe.yaml_source import Key, Source, load_yaml, validate

MOST_DEPTH = 8
USE_KEYS = ("use", "with")
# Words that are no stage, whatever stages are called.
LITERAL_KEYS = ("op", "use", "join", "timeout")
CONDITION_KEYS = ("if", "until")
PATH = r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*"
TAKEN = re.compile(rf"(?P<before>previous\.)?(?P<path>\$?{PATH})(?P<after>\[part\])?")
# What a condition compares comes first; a code or a number follows.
COMPARED = re.compile(rf"^(?P<before>\s*)(?P<path>\$?{PATH})(?P<after>.*)$", re.DOTALL)
Place = tuple[Key, ...]


class LinkedSource(Source):
    """One text to those who read it; an error points into the file where its stage stands."""

    def __init__(self, main: Source, stages: dict[str, Any]) -> None:
        super().__init__(main.path, "", {**main.value, "stages": stages})
        self.main = main
        self.origins: dict[str, tuple[Source, Place]] = {}

    def error(self, place: Sequence[Key], what: str, *, at_key: bool = False) -> SpecError:
        """Make the error in the right file."""
        source, there = self._origin(tuple(place))
        return source.error(there, what, at_key=at_key)

    def _origin(self, place: Place) -> tuple[Source, Place]:
        # Stages stand behind `stages`, and in a loop behind its `do`.
        if place[:1] == ("stages",):
            for at in (3, 1):
                if len(place) > at and place[at] in self.origins:
                    source, there = self.origins[str(place[at])]
                    return source, (*there, *place[at + 1 :])
        return self.main, place


@dataclass(frozen=True)
class _Used:
    """A sub-workflow, where it stands, and how it is called in errors."""

    source: Source
    place: Place
    spec: SubWorkflow
    label: str


@dataclass(frozen=True)
class _Scope:
    """The stages that see each other, and where they lie."""

    source: Source
    place: Place  # of what has `stages`
    prefix: str
    subs: Mapping[str, SubWorkflow]
    subs_place: Place
    chain: tuple[str, ...]
    used: _Used | None = None  # None: the workflow itself
    names: set[str] = field(default_factory=set)
    inner: dict[str, "_Scope"] = field(default_factory=dict)  # by the stage that uses
    outputs: dict[str, str] = field(default_factory=dict)  # full names
    bound: dict[str, Any] = field(default_factory=dict)


def load_workflow(path: Path) -> tuple[Source, Workflow]:
    """Read a workflow file and all it uses, and check all that needs no deck.

    Raises:
        SpecError: ``path:line:column: what is wrong, what would be right``.
    """
    source = load_yaml(path)
    return inline(source, check_workflow(source))


def inline(source: Source, spec: Workflow) -> tuple[Source, Workflow]:
    """Put the stages of what is used in its place; what uses nothing stays as it is.

    Raises:
        SpecError: A file cannot be used, misses an input, uses itself.
    """
    if not any(_uses(fields) for fields in _with_bodies(spec.stages)):
        return source, spec
    inliner = _Inliner(source)
    chain = (str(source.path),)
    scope = _Scope(source, (), "", spec.subworkflows, ("subworkflows",), chain)
    inliner.declare(scope, spec.stages, ("stages",))
    stages = inliner.expand(scope, spec.stages, ("stages",))
    linked = LinkedSource(source, stages)
    linked.origins = inliner.origins
    result = spec.result
    if result is not None:
        result = inliner.resolve(scope, result, ("result",))
    return linked, spec.model_copy(update={"stages": stages, "result": result})


def _uses(fields: object) -> bool:
    return isinstance(fields, dict) and "use" in fields


def _with_bodies(stages: Mapping[str, Any]) -> Iterator[object]:
    for fields in stages.values():
        yield fields
        if isinstance(fields, dict) and isinstance(fields.get("do"), dict):
            yield from fields["do"].values()


class _Inliner:
    """First names all stages, then writes them: a stage may take of one that stands below it."""

    def __init__(self, source: Source) -> None:
        self.origins: dict[str, tuple[Source, Place]] = {}
        self.files: dict[Path, Source] = {source.path.resolve(): source}

    # ---- names first --------------------------------------------------------------------------

    def declare(self, scope: _Scope, stages: Mapping[str, Any], place: Place) -> None:
        """Find out what stages a scope has, and what they use.

        Raises:
            SpecError: What is used is not there, or uses itself.
        """
        for name, fields in stages.items():
            scope.names.add(name)
            if not isinstance(fields, dict):
                raise scope.source.error(
                    (*place, name), f"stage {scope.prefix}{name}: a mapping of keys would be right"
                )
            if "use" in fields:
                scope.inner[name] = self._open(scope, name, fields, (*place, name))
            if isinstance(fields.get("do"), dict):
                self.declare(scope, fields["do"], (*place, name, "do"))

    def _open(self, scope: _Scope, name: str, fields: Mapping[str, Any], here: Place) -> _Scope:
        used = self._find(scope, name, fields, here)
        is_file = used.place == ()
        inner = _Scope(
            used.source,
            used.place,
            f"{scope.prefix}{name}.",
            used.spec.subworkflows if is_file else scope.subs,
            ("subworkflows",) if is_file else scope.subs_place,
            (*scope.chain, used.label),
            used,
        )
        self.declare(inner, used.spec.stages, (*used.place, "stages"))
        for output, stage in used.spec.outputs.items():
            place = (*used.place, "outputs", output)
            if stage.partition(".")[0] not in inner.names:
                raise used.source.error(
                    place,
                    f"{output}: there is no stage {stage!r}; "
                    f"{' or '.join(used.spec.stages)} would be right",
                )
            inner.outputs[output] = self.resolve(inner, stage, place)
        return inner

    # ---- then stages --------------------------------------------------------------------------

    def expand(self, scope: _Scope, stages: Mapping[str, Any], place: Place) -> dict[str, Any]:
        """Return a scope's stages by their full names, those of what they use among them.

        Raises:
            SpecError: An input is missing or unknown, an output unknown.
        """
        result: dict[str, Any] = {}
        for name, fields in stages.items():
            here = (*place, name)
            inner = scope.inner.get(name)
            if inner is not None and inner.used is not None:
                self._bind(scope, name, fields, here, inner, inner.used)
                inner_place = (*inner.place, "stages")
                result |= self.expand(inner, inner.used.spec.stages, inner_place)
                continue
            self.origins[scope.prefix + name] = (scope.source, here)
            result[scope.prefix + name] = {
                key: self.expand(scope, value, (*here, "do"))
                if key == "do" and isinstance(value, dict)
                else self._rewrite(scope, key, value, (*here, key))
                for key, value in fields.items()
            }
        return result

    def _bind(
        self,
        scope: _Scope,
        name: str,
        fields: Mapping[str, Any],
        here: Place,
        inner: _Scope,
        used: _Used,
    ) -> None:
        given, inputs = fields.get("with", {}), used.spec.inputs
        for key, value in given.items():
            place = (*here, "with", key)
            if key not in inputs:
                raise scope.source.error(
                    place,
                    f"stage {scope.prefix}{name}: {used.label} has no input {key!r}; "
                    f"{', '.join(inputs) or 'none'} would be right",
                    at_key=True,
                )
            inner.bound[key] = self._rewrite(scope, "with", value, place)
        for key, item in inputs.items():
            if key not in given and item.default is None:
                raise scope.source.error(
                    here,
                    f"stage {scope.prefix}{name}: the input {key!r} of {used.label} is missing; "
                    f"`with: {{{key}: ...}}` would be right",
                )
            inner.bound.setdefault(key, item.default)

    # ---- what is used -------------------------------------------------------------------------

    def _find(self, scope: _Scope, name: str, fields: Mapping[str, Any], here: Place) -> _Used:
        stage, value = scope.prefix + name, fields["use"]
        for key in fields:
            if key not in USE_KEYS:
                raise scope.source.error(
                    (*here, key),
                    f"stage {stage}: what is used has no {key!r}; `with:` binds its inputs",
                    at_key=True,
                )
        if not isinstance(fields.get("with", {}), dict):
            raise scope.source.error(
                (*here, "with"), f"stage {stage}: with: {{INPUT: STAGE}} would be right"
            )
        place = (*here, "use")
        if isinstance(value, str) and value.endswith((".yaml", ".yml")):
            used = self._find_file(scope, stage, value, place)
        elif isinstance(value, str) and value in scope.subs:
            label = f"{value} of {scope.source.path}"
            used = _Used(scope.source, (*scope.subs_place, value), scope.subs[value], label)
        else:
            names = [*scope.subs, "a file such as other.yaml"]
            raise scope.source.error(
                place,
                f"stage {stage}: use: there is no sub-workflow {value!r}; "
                f"{' or '.join(names)} would be right",
            )
        if used.label in scope.chain:
            circle = [*scope.chain[scope.chain.index(used.label) :], used.label]
            raise scope.source.error(
                place, f"stage {stage}: use: it would use itself: {' > '.join(circle)}"
            )
        if len(scope.chain) > MOST_DEPTH:
            raise scope.source.error(
                place, f"stage {stage}: use: {MOST_DEPTH} deep; no deeper would be right"
            )
        return used

    def _find_file(self, scope: _Scope, stage: str, value: str, place: Place) -> _Used:
        path = scope.source.path.parent / value
        known = path.resolve()
        if known not in self.files:
            if not path.is_file():
                raise scope.source.error(place, f"stage {stage}: use: there is no file {path}")
            self.files[known] = load_yaml(path)
        source = self.files[known]
        if isinstance(source.value, dict) and "workflow" in source.value:
            label = str(source.path)
            if label in scope.chain:
                raise scope.source.error(
                    place,
                    f"stage {stage}: use: it would use itself: "
                    f"{' > '.join([*scope.chain[scope.chain.index(label) :], label])}",
                )
            raise scope.source.error(
                place,
                f"stage {stage}: use: {path} is a workflow of its own; a file that begins with "
                "`subworkflow: NAME` would be right",
            )
        spec = validate(source, SubWorkflow)
        if spec.subworkflow is None:
            raise source.error((), "the key 'subworkflow' is missing; `subworkflow: NAME` is right")
        return _Used(source, (), spec, str(source.path))

    # ---- names --------------------------------------------------------------------------------

    def _rewrite(self, scope: _Scope, key: Key, value: Any, place: Place) -> Any:
        """Return a value with names of this scope's stages made full, and inputs filled in."""
        if isinstance(value, list):
            return [self._rewrite(scope, key, item, (*place, i)) for i, item in enumerate(value)]
        if isinstance(value, dict):
            return {
                inner: self._rewrite(scope, inner, item, (*place, inner))
                for inner, item in value.items()
            }
        if not isinstance(value, str) or key in LITERAL_KEYS:
            return value
        pattern = COMPARED if key in CONDITION_KEYS else TAKEN
        match = pattern.fullmatch(value)
        if match is None:
            return value
        path = self._path(scope, match["path"], place)
        before, after = match["before"] or "", match["after"] or ""
        return f"{before}{path}{after}" if before or after else path

    def _path(self, scope: _Scope, path: str, place: Place) -> Any:
        first, _, rest = path.partition(".")
        if first.startswith("$") and scope.used is not None:
            return self._input(scope, first[1:], rest, place)
        return self.resolve(scope, path, place)

    def _input(self, scope: _Scope, name: str, rest: str, place: Place) -> Any:
        if name not in scope.bound:
            known = " or ".join(f"${item}" for item in scope.bound)
            raise scope.source.error(
                place, f"${name}: there is no such input here; {known or 'none'} would be right"
            )
        value = scope.bound[name]
        return f"{value}.{rest}" if rest else value

    def resolve(self, scope: _Scope, path: str, place: Place) -> str:
        """Return the full name of a stage or of a value of one; what is no stage stays as it is.

        Raises:
            SpecError: What is used has no such output.
        """
        first, *rest = path.split(".")
        if first not in scope.names:
            return path
        if first not in scope.inner:
            return scope.prefix + path
        outputs = scope.inner[first].outputs
        if rest and rest[0] in outputs:
            return ".".join([outputs[rest[0]], *rest[1:]])
        if len(outputs) == 1 and len(rest) < 2:
            return ".".join([*outputs.values(), *rest])
        would_be = " or ".join(f"{first}.{name}" for name in outputs)
        raise scope.source.error(
            place, f"{path}: {first} has no such output; {would_be or 'none'} would be right"
        )
