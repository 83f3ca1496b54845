"""From what the YAML files say to the checked system.

Finds every mistake that takes more than one key to see.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from codegen.model.check_op import OpChecker
from codegen.model.check_variants import check_variants
from codegen.model.libraries import ARCHIVES
from codegen.model.system import Argument, Call, Deck, Device, ErrorCode, Op, System
from codegen.spec.abi import CallsSpec, ErrorsSpec
from codegen.spec.load import Loaded, LoadedDeck, shown_path
from codegen.spec.source import Place, Problems, nearest

MAX_INTERRUPTS = 32  # bits of deck_next()'s second result
NOP = "nop"

Item = TypeVar("Item")


def check_system(loaded: Loaded, root: Path, problems: Problems) -> System:
    """Build the checked system.

    Raises:
        SpecError: Whatever is wrong anywhere, one line each.
    """
    errors = _errors(loaded.errors)
    _unique_decks(loaded.decks)
    decks = [_deck(one, errors, root) for one in loaded.decks]
    _bindings_exist(loaded.decks)
    check_variants(decks, loaded.decks)
    problems.raise_if_any()
    return System(
        errors=tuple(errors.values()),
        calls=_calls(loaded.calls),
        decks=tuple(sorted(decks, key=lambda deck: deck.prefix)),
    )


def _errors(spec: ErrorsSpec) -> dict[str, ErrorCode]:
    return {
        name: ErrorCode(name, number, sentence)
        for number, (name, sentence) in enumerate(spec.errors.items())
    }


def _calls(spec: CallsSpec) -> tuple[Call, ...]:
    return tuple(
        Call(
            name,
            spec.base + index,
            call.who,
            call.doc,
            tuple(Argument(argument, doc) for argument, doc in call.args.items()),
        )
        for index, (name, call) in enumerate(spec.calls.items())
    )


def _unique_decks(decks: list[LoadedDeck]) -> None:
    names: dict[str, LoadedDeck] = {}
    prefixes: dict[int, LoadedDeck] = {}
    observer: LoadedDeck | None = None
    taken = {one.spec.prefix for one in decks}
    free = next((prefix for prefix in range(16) if prefix not in taken), None)
    hint = f"{free} is free" if free is not None else "all of 0..15 are taken"
    for one in decks:
        name, prefix = one.spec.deck, one.spec.prefix
        if name in names:
            at = names[name].source.path
            one.source.problem(("deck",), f"the name is taken by {at}; another would be right")
        elif prefix in prefixes:
            other = prefixes[prefix].spec.deck
            one.source.problem(
                ("prefix",), f"prefix {prefix} is that of deck '{other}' already; {hint}"
            )
        if one.spec.observes and observer is not None:
            one.source.problem(
                ("observes",), f"deck '{observer.spec.deck}' observes already; one deck does"
            )
        names.setdefault(name, one)
        prefixes.setdefault(prefix, one)
        if one.spec.observes:
            observer = observer or one


def _deck(one: LoadedDeck, errors: dict[str, ErrorCode], root: Path) -> Deck:
    spec, source = one.spec, one.source
    for index, library in enumerate(spec.libraries):
        if library not in ARCHIVES:
            source.problem(
                ("libraries", index),
                f"'{library}' is no library that decks can link; {nearest(library, ARCHIVES)}",
            )
    for index, driver in enumerate(spec.drivers):
        if not (root / "drivers" / driver).is_dir():
            known = sorted(item.name for item in (root / "drivers").glob("*/"))
            source.problem(
                ("drivers", index), f"there is no folder drivers/{driver}; {nearest(driver, known)}"
            )
    for keys, key in ((spec.libraries, "libraries"), (spec.drivers, "drivers")):
        for index, again in _repeated(keys):
            source.problem((key, index), f"'{again}' stands in {key} twice; remove one")
    for index, again in _repeated(device.name for device in spec.devices):
        source.problem(("devices", index, "name"), f"two devices are called '{again}'; rename one")
    if sum(device.interrupts for device in spec.devices) > MAX_INTERRUPTS:
        source.problem(
            ("devices",), f"more than {MAX_INTERRUPTS} interrupts in all; fewer would be right"
        )
    ops = _ops(one, errors)
    return Deck(
        name=spec.deck,
        prefix=spec.prefix,
        doc=spec.doc,
        per_cpu=spec.instances == "per_cpu",
        depth=spec.depth,
        device_class=spec.work_class == "device",
        observes=spec.observes,
        heap_max_bytes=spec.heap_max,
        restart_limit=spec.restart.limit,
        restart_window_s=spec.restart.window_s,
        libraries=tuple(spec.libraries),
        drivers=tuple(spec.drivers),
        devices=tuple(
            Device(
                device.name,
                device.pci[0],
                device.pci[1],
                device.interrupts,
                device.quiesce,
                device.required,
            )
            for device in spec.devices
        ),
        ops=tuple(ops),
        folder=Path(shown_path(one.folder, root)),
        spec=_banner_path(one, root),
    )


def _banner_path(one: LoadedDeck, root: Path) -> str:
    """Name the spec without a path of this machine: from the root, or from its own folder on."""
    file = (one.folder / "deck.yaml").resolve()
    if file.is_relative_to(root.resolve()):
        return one.source.path
    return f"{one.spec.deck}/deck.yaml"


def _ops(one: LoadedDeck, errors: dict[str, ErrorCode]) -> list[Op]:
    ops = []
    for number, (name, spec) in enumerate(one.spec.ops.items(), start=1):
        place: Place = ("ops", name)
        if name == NOP:
            one.source.problem(
                place, "op 'nop' is there in every deck, as op 0; remove it", at_key=True
            )
            continue
        if spec.scratch_max > one.spec.heap_max:
            one.source.problem(
                (*place, "scratch_max"),
                f"op '{name}': scratch_max: more than the deck's heap_max; "
                f"at most {one.spec.heap_max} bytes would be right",
            )
        ops.append(OpChecker(one.source, one.spec.deck, name, spec, errors).check(number))
    return ops


def _bindings_exist(decks: list[LoadedDeck]) -> None:
    """Check that each `from: INPUT.VALUE` names a value that at least one operation answers."""
    known = {value for one in decks for op in one.spec.ops.values() for value in op.values}
    for one in decks:
        for op_name, op in one.spec.ops.items():
            for name, param in op.params.items():
                value = (param.source or "").partition(".")[2]
                if value and value not in known:
                    one.source.problem(
                        ("ops", op_name, "params", name, "from"),
                        f"op '{op_name}': from: no operation answers a value '{value}'; "
                        f"{nearest(value, sorted(known))}",
                    )


def _repeated(items: Iterable[Item]) -> list[tuple[int, Item]]:
    seen: list[Item] = []
    again = []
    for index, item in enumerate(items):
        if item in seen:
            again.append((index, item))
        seen.append(item)
    return again
