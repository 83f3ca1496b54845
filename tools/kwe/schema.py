"""`kwe schema`: the JSON Schema of workflow files, with the decks of this build."""

import argparse
import json
from pathlib import Path
from typing import Any

from tools.kwe.errors import EXIT_DONE
from tools.kwe.nesting import LOOP_KEYS
from tools.kwe.spec import Workflow
from tools.kwe.stages import OWN_KEYS
from tools.kwe.system import Op, Param, System, load_system
from tools.kwe.tree import find_build
from tools.kwe.variants import ANY, KEY

DIALECT = "http://json-schema.org/draft-07/schema#"
TEXT = {"type": "string"}
TEXTS = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
SIZE = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": r"^\d+\s*(B|KiB|MiB|GiB)?$"},
    ]
}
TAKEN = {"type": "string", "pattern": r"^(previous\.)?[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$"}
# In a sub-workflow: what `with:` binds.
INPUT = {"type": "string", "pattern": r"^\$[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$"}
USE = {
    "type": "object",
    "properties": {"use": TEXT, "with": {"type": "object"}},
    "required": ["use"],
    "additionalProperties": False,
}
DURATION = {"type": "string", "pattern": r"^\d+\s*(ns|us|ms|s)$"}
NEED = {
    "anyOf": [
        TEXT,
        {
            "type": "object",
            "properties": {"stage": TEXT, "tolerate": {"type": "boolean"}},
            "required": ["stage"],
            "additionalProperties": False,
        },
    ]
}
OWN: dict[str, Any] = {
    "needs": {"anyOf": [*NEED["anyOf"], {"type": "array", "items": NEED}]},
    "join": {"enum": ["all", "first"]},
    "if": TEXTS,
    "timeout": DURATION,
    "at_most": {"anyOf": [*SIZE["anyOf"], {"type": "string", "pattern": r"^limits\."}, INPUT]},
}


def make_schema(system: System) -> dict[str, Any]:
    """Return the schema; what a stage may have follows from its `op`."""
    schema = Workflow.model_json_schema()
    stages = {
        f"{deck.name}.{op.name}": _stage(f"{deck.name}.{op.name}", deck.name, op)
        for deck in system.decks.values()
        for op in deck.ops
    }
    # Without a deck: any of those that have it.
    stages |= {
        op.name: _stage(op.name, deck.name, op)
        for deck in system.decks.values()
        for op in deck.ops
        if op.variants and op.variant_of is None
    }
    schema["$schema"] = DIALECT
    schema["title"] = "A workflow of the Kernel Workflow Engine"
    definitions = schema.setdefault("$defs", {})
    definitions |= {f"stage {name}": stage for name, stage in stages.items()}
    definitions["loop"] = {"anyOf": [_loop(kind) for kind in LOOP_KEYS]}
    definitions["stage"] = {
        "type": "object",
        "required": ["op"],
        "properties": {"op": {"enum": list(stages)}},
        "allOf": [
            {
                "if": {"properties": {"op": {"const": name}}, "required": ["op"]},
                "then": {"$ref": f"#/$defs/stage {name}"},
            }
            for name in stages
        ],
    }
    schema["properties"]["stages"] = _stages("stage or loop")
    definitions["SubWorkflow"]["properties"]["stages"] = _stages("stage or loop")
    definitions["use"] = USE
    definitions["stage or loop"] = _either("do", "loop", "stage or use")
    definitions["stage or use"] = _either("use", "use", "stage")
    # pydantic bends sizes and durations into numbers before it looks: a file has them as words.
    schema["properties"]["timeout"] = DURATION
    _loosen(definitions)
    definitions["Workflow"] = {
        key: schema.pop(key) for key in list(schema) if key not in ("$schema", "title", "$defs")
    }
    return schema | _either("subworkflow", "SubWorkflow", "Workflow")


def _loosen(definitions: dict[str, Any]) -> None:
    definitions["Input"]["properties"]["bytes"] = SIZE
    definitions["Input"]["properties"]["suffix"] = TEXTS
    definitions["SubInput"] = {"anyOf": [definitions["SubInput"], TEXT]}
    limit = definitions["Limit"]
    limit["properties"] |= dict.fromkeys(("at_most", "expect", "most"), SIZE)
    definitions["Limit"] = {"anyOf": [limit, *SIZE["anyOf"]]}


def _either(key: str, with_it: str, without: str) -> dict[str, Any]:
    return {
        "if": {"required": [key]},
        "then": {"$ref": f"#/$defs/{with_it}"},
        "else": {"$ref": f"#/$defs/{without}"},
    }


def _stages(definition: str) -> dict[str, Any]:
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 64,
        "propertyNames": {"pattern": "^[a-z][a-z0-9_]{0,31}$"},
        "additionalProperties": {"$ref": f"#/$defs/{definition}"},
    }


def _stage(name: str, deck: str, op: Op) -> dict[str, Any]:
    properties: dict[str, Any] = {"op": {"const": name}}
    if op.variants:
        properties[KEY] = {"enum": [ANY, deck, *op.variants]}
    properties |= {key: OWN[key] for key in OWN_KEYS if key in OWN}
    properties |= {port.name: {**TEXT, "description": port.type} for port in op.inputs}
    properties |= {param.name: _param(param) for param in op.params}
    properties |= {word: {"enum": list(choices)} for word, choices in op.presets.items()}
    return {"description": op.doc, "properties": properties, "additionalProperties": False}


def _param(param: Param) -> dict[str, Any]:
    if param.element in ("path", "bytes"):
        return TEXT
    if param.element == "bool":
        return {"anyOf": [{"type": "boolean"}, {"enum": [0, 1]}, INPUT]}
    number: dict[str, Any] = {"type": "number" if param.element == "f64" else "integer"}
    if param.min is not None or param.element.startswith("u"):
        number["minimum"] = param.min or 0
    if param.max is not None:
        number["maximum"] = param.max
    if param.count > 1:
        numbers = {
            "type": "array",
            "items": number,
            "minItems": param.count,
            "maxItems": param.count,
        }
        return {"anyOf": [numbers, INPUT]}
    taken = [TAKEN] if param.element in ("u32", "u64") else []
    return {"anyOf": [number, *taken, INPUT]}


def _loop(kind: str) -> dict[str, Any]:
    properties = {key: OWN[key] for key in LOOP_KEYS[kind] if key in OWN}
    properties["do"] = _stages("stage or use")
    if kind == "until":
        properties |= {"until": TEXTS, "rounds": {"type": "integer", "minimum": 1}}
    else:
        properties["for_each"] = {
            "type": "object",
            "properties": {
                "bytes": {"anyOf": [*SIZE["anyOf"], TAKEN]},
                "part": {"anyOf": [*SIZE["anyOf"], TAKEN]},
                "window": {"type": "integer", "minimum": 1, "maximum": 16},
            },
            "required": ["bytes", "part"],
            "additionalProperties": False,
        }
    return {
        "type": "object",
        "properties": properties,
        "required": [kind, "do"],
        "additionalProperties": False,
    }


def run(args: argparse.Namespace) -> int:
    """Print it."""
    print(json.dumps(make_schema(load_system(find_build(args.build).system)), indent=2))
    return EXIT_DONE


def register(subcommands: Any) -> None:
    """Add `kwe schema`."""
    parser = subcommands.add_parser(
        "schema",
        help="print the JSON Schema of workflow files",
        description="Print the JSON Schema of workflow files, with the operations of this build's "
        "decks. An editor that knows it completes and checks as one types: `kwe schema > "
        "workflow.schema.json`, and in the file's first line `# yaml-language-server: "
        "$schema=workflow.schema.json`.",
    )
    parser.add_argument(
        "--build", type=Path, metavar="DIR", help="where the image was built (default build/)"
    )
    parser.set_defaults(run=run)
