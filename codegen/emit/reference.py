"""docs/reference/: a page per deck, the error codes, the calls."""

from collections.abc import Iterator

from codegen.emit.render import GeneratedFile, Renderer
from codegen.emit.text import size_words
from codegen.model.system import Deck, Op, Param, System


def emit(system: System, renderer: Renderer) -> Iterator[GeneratedFile]:
    """Make the pages."""
    for deck in system.decks:
        yield renderer.render(
            f"docs/reference/decks/{deck.name}.md",
            "deck.md.j2",
            f"The {deck.name} deck.",
            (deck.spec,),
            deck=deck,
            facts=_facts(deck),
            variants=lambda op: [f"{one.deck}.{one.name}" for one in system.variants(op)],
            room=_room,
            kind=_kind,
            range_of=_range,
            default_of=_default,
        )
    yield renderer.render(
        "docs/reference/errors.md",
        "errors.md.j2",
        "The error codes.",
        ("kernel/abi/errors.yaml",),
        errors=system.errors,
        users=_users(system),
    )
    yield renderer.render(
        "docs/reference/calls.md",
        "calls.md.j2",
        "The kernel's own calls.",
        ("kernel/abi/calls.yaml",),
        calls=system.calls,
    )


def _facts(deck: Deck) -> list[tuple[str, str]]:
    """Return the deck's properties, each with its value in words."""
    devices = [
        f"{device.name} ({device.vendor:04x}:{device.device:04x}, "
        f"{'required' if device.required else 'optional'})"
        for device in deck.devices
    ]
    facts = [
        ("prefix", str(deck.prefix)),
        ("instances", "one per CPU" if deck.per_cpu else "one"),
        ("class", "device" if deck.device_class else "compute"),
        ("work in an instance's hands", f"at most {deck.depth}"),
        ("heap of an instance", f"at most {size_words(deck.heap_max_bytes)}"),
        ("given up after", f"{deck.restart_limit} deaths within {deck.restart_window_s} s"),
        ("devices", ", ".join(devices)),
        ("libraries", ", ".join(deck.libraries)),
        ("drivers", ", ".join(deck.drivers)),
    ]
    return [(name, value) for name, value in facts if value]


def _room(op: Op) -> str:
    """Say how large the output may become."""
    if op.output is None:
        return ""
    rule = op.output.rule
    if rule.limit:
        return "at most the stage's `at_most`, which the workflow must give"
    parts = [size_words(rule.base_bytes)] if rule.base_bytes else []
    if rule.of_name is not None:
        same = rule.numerator == rule.denominator
        times = "" if same else f" x {rule.numerator}/{rule.denominator}"
        parts.append(f"the room of `{rule.of_name}`{times}")
    return f"at most {' + '.join(parts)}"


def _kind(param: Param) -> str:
    """Return the type as a table cell."""
    return f"`{param.type}`"


def _range(param: Param) -> str:
    """Return the range as a table cell."""
    if param.type == "bool":
        return "true, false"
    if param.min is None and param.max is None:
        return ""
    if param.max is None:
        return f"{param.min} or more"
    if param.min is None:
        return f"{param.max} or less"
    return f"{param.min}..{param.max}"


def _default(param: Param) -> str:
    """Return where the value comes from when none is given, as a table cell."""
    if param.binding is not None:
        return f"`{param.binding.value}` of what feeds `{param.binding.input}`"
    if param.default is None:
        return "must be given"
    if isinstance(param.default, tuple):
        return ", ".join(str(one) for one in param.default)
    return str(param.default)


def _users(system: System) -> dict[str, str]:
    """Return for each code the operations that say they answer it."""
    users: dict[str, list[str]] = {code.name: [] for code in system.errors}
    for deck in system.decks:
        for op in deck.ops:
            for code in op.errors:
                users[code.name].append(f"`{deck.name}.{op.name}`")
    return {name: ", ".join(ops) for name, ops in users.items()}
