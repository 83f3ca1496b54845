"""What is generated, compared with copies that are kept: a change's effect shows in its diff."""

from pathlib import Path

from codegen.emit.render import GeneratedFile
from codegen.generate import generate
from codegen.model.system import System
from tests.codegen.conftest import HERE, ROOT, Expected

GOLDEN = HERE / "golden"
REFERENCE = "docs/reference/"


def compare(files: list[GeneratedFile], folder: Path, expected: Expected) -> None:
    for file in files:
        expected.check(folder / file.path, file.content)
    made = {folder / file.path for file in files}
    for kept in sorted(item for item in folder.rglob("*") if item.is_file()):
        if expected.accept and kept not in made:
            kept.unlink()
        assert kept in made or not kept.exists(), f"{kept} is no longer generated"


def test_tree_generates_what_is_kept(tree_system: System, expected: Expected) -> None:
    files = [file for file in generate(tree_system) if not file.path.startswith(REFERENCE)]

    compare(files, GOLDEN / "tree", expected)


def test_reference_pages_are_the_generated_ones(tree_system: System, expected: Expected) -> None:
    pages = [file for file in generate(tree_system) if file.path.startswith(REFERENCE)]

    for page in pages:
        expected.check(ROOT / page.path, page.content)


def test_whole_language_generates_what_is_kept(
    everything: tuple[Path, list[GeneratedFile]], expected: Expected
) -> None:
    lists = ("errors", "calls", "docs/reference/errors", "docs/reference/calls")
    own = [
        file
        for file in everything[1]
        if not any(f"/{name}." in f"/{file.path}" for name in lists) and file.path != "system.json"
    ]

    compare(own, GOLDEN / "everything", expected)
