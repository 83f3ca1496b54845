"""A deck outside the tree: the template, copied and renamed as its README says; no other change."""

from pathlib import Path

import pytest

from tests.harness.images import make_image
from tests.harness.plugin import RunWorkflow
from tools.kwe.tree import ROOT, Build

WORKFLOW = """\
workflow: roundabout
doc: Files by way of a deck that the tree does not know.
inputs: {files: {kind: files}}
outputs: {copies: {kind: files}}
limits: {file: {from: files.bytes, at_most: 1 MiB}}
event_per: files
result: load
stages:
  load: {op: storage.read, path: $files, at_most: limits.file}
  echo: {op: mine.echo, needs: load}
  save: {op: storage.write, needs: echo, path: $copies}
"""


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("decks") / "mine"
    folder.mkdir()
    for path in (ROOT / "kernel/decks/_template").iterdir():
        text = path.read_text().replace("template", "mine")
        (folder / path.name.replace("template", "mine")).write_text(text)
    return folder


@pytest.fixture(scope="module")
def own_image(deck: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    build = tmp_path_factory.mktemp("build")
    done = make_image(build, decks=[deck.parent])
    assert done.returncode == 0, done.stdout
    return Build(build).check()


def test_a_deck_outside_the_tree_is_built_booted_and_routed_through(
    run_workflow: RunWorkflow, own_image: Build, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    for number in range(9):
        (tmp_path / f"files/{number}").write_bytes(bytes([number]) * number * 1000)
    workflow = tmp_path / "roundabout.yaml"
    workflow.write_text(WORKFLOW)

    report = run_workflow(
        workflow, {"files": tmp_path / "files"}, tmp_path / "out", image=own_image
    )

    assert report.errors == []
    assert report.document()["route"] == [3, 5, 3, 0]
    assert report.document()["stages"][1]["deck"] == "mine"
    assert report.document()["stages"][1]["events"] == 9
    for number in range(9):
        assert (tmp_path / f"out/{number}").read_bytes() == bytes([number]) * number * 1000


def test_a_mistake_in_its_description_is_pointed_at(deck: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    text = (deck / "deck.yaml").read_text()
    (wrong / "deck.yaml").write_text(text.replace("class: compute", "class: computer"))
    line = next(n for n, words in enumerate(text.splitlines(), 1) if words.startswith("class:"))

    done = make_image(tmp_path / "build", decks=[wrong])

    assert done.returncode != 0
    assert f"{wrong}/deck.yaml:{line}:" in done.stdout
