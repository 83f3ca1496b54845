"""system.json: the checked model for the tools of the host."""

import json
from collections.abc import Iterator
from typing import Any

from codegen.emit.render import GeneratedFile, Renderer
from codegen.model.system import Deck, Op, Param, System


def emit(system: System, renderer: Renderer) -> Iterator[GeneratedFile]:
    """Make the one file; keys in a fixed order, so that it reads and compares well."""
    del renderer  # data, not text: no template
    content = {
        "generated": "by codegen from errors.yaml, calls.yaml and the deck.yaml files; do not edit",
        "decks": [_deck(system, deck) for deck in system.decks],
        "errors": [
            {"name": code.name, "number": code.number, "sentence": code.sentence}
            for code in system.errors
        ],
        "calls": [
            {
                "name": call.name,
                "number": call.number,
                "who": call.who,
                "doc": call.doc,
                "arguments": [{"name": one.name, "doc": one.doc} for one in call.arguments],
            }
            for call in system.calls
        ],
    }
    yield GeneratedFile("system.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _deck(system: System, deck: Deck) -> dict[str, Any]:
    return {
        "name": deck.name,
        "prefix": deck.prefix,
        "doc": deck.doc,
        "instances": "per_cpu" if deck.per_cpu else "one",
        "class": "device" if deck.device_class else "compute",
        "depth": deck.depth,
        "observes": deck.observes,
        "heap_max_bytes": deck.heap_max_bytes,
        "restart": {"limit": deck.restart_limit, "window_s": deck.restart_window_s},
        "devices": [
            {
                "name": device.name,
                "vendor": device.vendor,
                "device": device.device,
                "interrupts": device.interrupts,
                "quiesce": device.quiesce,
                "required": device.required,
            }
            for device in deck.devices
        ],
        "ops": [_nop(), *(_op(system, op) for op in deck.ops)],
    }


def _nop() -> dict[str, Any]:
    return {
        "name": "nop",
        "number": 0,
        "doc": "Nothing; it answers at once.",
        "traits": ["pure"],
        "fibre": False,
        "variants": [],
        "inputs": [],
        "params": [],
        "params_bytes": 0,
        "output": None,
        "values": [],
        "errors": [],
        "presets": {},
        "scratch_max_bytes": 0,
        "cost": {"fixed_ns": 0, "ns_per_byte": 0.0},
    }


def _op(system: System, op: Op) -> dict[str, Any]:
    output = None
    if op.output is not None:
        rule = op.output.rule
        output = {
            "name": op.output.name,
            "type": op.output.type,
            "at_most": {
                "limit": rule.limit,
                "base": rule.base_bytes,
                "of": rule.of_name,
                "numerator": rule.numerator,
                "denominator": rule.denominator,
            },
        }
    return {
        "name": op.name,
        "number": op.number,
        "doc": op.doc,
        "traits": list(op.traits),
        "fibre": op.uses_fibre,
        "variant_of": op.variant_of,
        "variants": [other.deck for other in system.variants(op)],
        "inputs": [
            {"name": one.name, "type": one.type, "optional": one.is_optional} for one in op.inputs
        ],
        "params": [_param(param) for param in op.params],
        "params_bytes": op.params_bytes,
        "output": output,
        "values": [
            {"name": value.name, "type": value.type, "index": value.index} for value in op.values
        ],
        "errors": [code.name for code in op.errors],
        "presets": op.presets,
        "scratch_max_bytes": op.scratch_max_bytes,
        "cost": {"fixed_ns": op.cost_fixed_ns, "ns_per_byte": op.cost_ns_per_byte},
    }


def _param(param: Param) -> dict[str, Any]:
    binding = param.binding
    return {
        "name": param.name,
        "type": param.type,
        "offset": param.offset,
        "bytes": param.bytes,
        "count": param.count,
        "min": param.min,
        "max": param.max,
        "default": list(param.default) if isinstance(param.default, tuple) else param.default,
        "from": {"input": binding.input, "value": binding.value} if binding else None,
        "doc": param.doc,
    }
