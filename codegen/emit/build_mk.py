"""build.mk: which decks there are and what each is linked from."""

from collections.abc import Iterator

from codegen.emit.render import GeneratedFile, Renderer
from codegen.model.libraries import linked
from codegen.model.system import System


def emit(system: System, renderer: Renderer) -> Iterator[GeneratedFile]:
    """Make the make variables."""
    yield renderer.render(
        "build.mk",
        "build.mk.j2",
        "build.mk - which decks there are, where their sources lie, what they are linked with.",
        [deck.spec for deck in system.decks],
        decks=system.decks,
        linked=linked,
    )
