"""Fixtures of the code generator's tests, and --accept, which renews what they compare with."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from codegen.emit.render import GeneratedFile
from codegen.generate import generate, load_system
from codegen.model.system import System

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accept",
        action="store_true",
        help="take what is generated, and what is said, as the new golden and .err files",
    )


@dataclass(frozen=True)
class Expected:
    """A file that a test compares with, or renews with --accept."""

    accept: bool

    def check(self, file: Path, text: str) -> None:
        if self.accept:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.is_file(), f"{file} is missing; `make gen-accept` makes it"
        assert text == file.read_text(encoding="utf-8"), (
            f"{file} differs; when that is meant, `make gen-accept`"
        )


@pytest.fixture(scope="session")
def expected(request: pytest.FixtureRequest) -> Expected:
    return Expected(bool(request.config.getoption("--accept")))


@pytest.fixture(scope="session")
def tree_system() -> System:
    """The decks of the tree."""
    return load_system(ROOT, ROOT / "kernel/decks", [])


@pytest.fixture(scope="session")
def everything_system() -> System:
    """The tree's lists with the one deck that uses the whole language."""
    return load_system(ROOT, HERE / "good", [])


@pytest.fixture(scope="session")
def everything(
    everything_system: System, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[GeneratedFile]]:
    """Its outputs, on disk and in memory."""
    folder = tmp_path_factory.mktemp("everything")
    files = generate(everything_system)
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content, encoding="utf-8")
    return folder, files


@pytest.fixture
def small_tree(tmp_path: Path) -> Path:
    """A tree with the lists, one driver, and one good deck."""
    (tmp_path / "kernel/abi").mkdir(parents=True)
    (tmp_path / "drivers/ext4").mkdir(parents=True)
    (tmp_path / "kernel/decks/neighbour").mkdir(parents=True)
    for name in ("errors.yaml", "calls.yaml"):
        shutil.copy(ROOT / "kernel/abi" / name, tmp_path / "kernel/abi" / name)
    shutil.copy(HERE / "bad/_neighbour.yaml", tmp_path / "kernel/decks/neighbour/deck.yaml")
    return tmp_path
