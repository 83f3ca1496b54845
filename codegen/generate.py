"""From YAML files to generated files, in memory."""

from pathlib import Path

from codegen.emit import (
    build_mk,
    calls,
    deck_abi,
    deck_ops,
    deck_table,
    errors,
    python_constants,
    reference,
    system_json,
    user_api,
)
from codegen.emit.render import GeneratedFile, Renderer
from codegen.model.check import check_system
from codegen.model.system import System
from codegen.spec.load import load_all
from codegen.spec.source import Problems

EMITTERS = (
    errors,
    calls,
    deck_abi,
    deck_table,
    deck_ops,
    user_api,
    system_json,
    python_constants,
    build_mk,
    reference,
)


def load_system(root: Path, decks: Path, extra: list[Path]) -> System:
    """Read and check everything.

    Raises:
        SpecError: All mistakes, one line each.
    """
    problems = Problems()
    return check_system(load_all(root, decks, extra, problems), root, problems)


def generate(system: System) -> list[GeneratedFile]:
    """Return every output, in a fixed order."""
    renderer = Renderer()
    return [file for emitter in EMITTERS for file in emitter.emit(system, renderer)]
