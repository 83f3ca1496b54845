"""The pytest fixtures, and what a failed test prints of the guests that it booted.

def test_the_smallest_program_ends_well(boot: Boot) -> None:
    with boot("hello") as guest:
        assert guest.exit_code == EXIT_DONE
"""

from collections.abc import Generator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.harness import images, workflow
from tests.harness.guest import DEADLINE_S, Guest, guest_config
from tools.kwe.report import Report
from tools.kwe.tree import Build

GUESTS = pytest.StashKey[list[Guest]]()


class Boot(Protocol):
    """Boots programs of the test image; the options are those of guest.guest_config()."""

    def __call__(
        self,
        *programs: str,
        image: Build | None = None,
        deadline_s: float = DEADLINE_S,
        **options: Any,
    ) -> Guest:
        """Return the guest, to be entered by ``with``."""


class RunWorkflow(Protocol):
    """Runs a workflow of the tree by name, or a file; the options are those of workflow.run()."""

    def __call__(
        self,
        name: str | Path,
        inputs: dict[str, Path],
        output: Path,
        image: Build | None = None,
        **options: Any,
    ) -> Report:
        """Return the report of a run that came to its end."""


class Kwe(Protocol):
    """Runs the `kwe` command on the tree's image."""

    def __call__(self, *words: str | Path, **options: Any) -> workflow.Typed:
        """Return what came of it."""


@pytest.fixture(scope="session")
def image() -> Build:
    """The tree's image."""
    return images.tree_image()


@pytest.fixture(scope="session")
def test_image() -> Build:
    """The tree's image with the programs and decks of tests/qemu."""
    return images.test_image()


@pytest.fixture
def boot(request: pytest.FixtureRequest) -> Boot:
    """Boots a guest."""
    guests = request.node.stash.setdefault(GUESTS, [])

    def start(
        *programs: str, image: Build | None = None, deadline_s: float = DEADLINE_S, **options: Any
    ) -> Guest:
        config = guest_config(programs, image or images.test_image(), **options)
        guest = Guest(config, deadline_s, f"{request.node.name}-{len(guests)}")
        guests.append(guest)
        return guest

    return start


@pytest.fixture
def run_workflow(image: Build) -> RunWorkflow:
    """Runs a workflow by the API."""
    tree = image

    def start(
        name: str | Path,
        inputs: dict[str, Path],
        output: Path,
        image: Build | None = None,
        **options: Any,
    ) -> Report:
        path = workflow.workflow_file(name) if isinstance(name, str) else name
        return workflow.run(image or tree, path, inputs, output, **options)

    return start


@pytest.fixture
def kwe(image: Build) -> Kwe:
    """Runs the real command."""
    tree = image

    def start(*words: str | Path, image: Build | None = None, **options: Any) -> workflow.Typed:
        return workflow.kwe(*words, image=image or tree, **options)

    return start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Print all of a failed test's guests: QEMU's command, the ending, the last lines, the log."""
    report = yield
    if report.failed:
        guests: list[Guest] = item.stash.setdefault(GUESTS, [])
        for number, guest in enumerate(guests):
            if guest.booted:
                report.sections.append((f"guest {number}", guest.report()))
    return report
