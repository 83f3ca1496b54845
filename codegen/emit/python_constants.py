"""python/kwe_constants.py: numbers that host tools and tests share with the kernel."""

from collections.abc import Iterator

from codegen.emit.render import GeneratedFile, Renderer
from codegen.model.system import System


def emit(system: System, renderer: Renderer) -> Iterator[GeneratedFile]:
    """Make the one module."""
    yield renderer.render(
        "python/kwe_constants.py",
        "kwe_constants.py.j2",
        "Numbers that the host's tools and tests share with the kernel.",
        ("kernel/abi/errors.yaml", "kernel/abi/calls.yaml", *(deck.spec for deck in system.decks)),
        system=system,
        class_name=_class_name,
    )


def _class_name(word: str) -> str:
    """Return ``VirtioNet`` for virtio_net."""
    return "".join(part.capitalize() for part in word.split("_"))
