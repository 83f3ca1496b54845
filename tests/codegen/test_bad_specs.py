"""Each file below bad/ has one mistake; the .err file beside it holds the line that people see."""

import shutil
from pathlib import Path

import pytest

from codegen.__main__ import main
from tests.codegen.conftest import HERE, Expected

PLACES = {
    "deck": "kernel/decks/subject/deck.yaml",
    "errors": "kernel/abi/errors.yaml",
    "calls": "kernel/abi/calls.yaml",
}
CASES = [(kind, file) for kind in PLACES for file in sorted((HERE / "bad" / kind).glob("*.yaml"))]


@pytest.mark.parametrize(
    ("kind", "file"), CASES, ids=[f"{kind}-{file.stem}" for kind, file in CASES]
)
def test_mistake_is_named_with_its_line(
    kind: str,
    file: Path,
    small_tree: Path,
    capsys: pytest.CaptureFixture[str],
    expected: Expected,
) -> None:
    place = small_tree / PLACES[kind]
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, place)
    out = small_tree / "out"

    status = main(
        ["--root", str(small_tree), "--decks", str(small_tree / "kernel/decks"), "--out", str(out)]
    )

    assert status == 2
    assert not out.exists(), "nothing is written when something is wrong"
    expected.check(file.with_suffix(".err"), capsys.readouterr().err)


def test_all_mistakes_of_a_file_are_reported_in_line_order(
    small_tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deck = small_tree / "kernel/decks/subject/deck.yaml"
    deck.parent.mkdir()
    deck.write_text(
        "deck: subject\n"
        "prefix: 3\n"
        "doc: Wrong in three places.\n"
        "instances: one\n"
        "class: device\n"
        "libraries: [lz5]\n"
        "ops:\n"
        "  read:\n"
        "    doc: Read.\n"
        "    out: {data: bytes, at_most: {of: input}}\n"
        "    errors: [NO_SUCH_FIL]\n",
        encoding="utf-8",
    )

    status = main(["--root", str(small_tree), "--decks", str(small_tree / "kernel/decks")])

    lines = capsys.readouterr().err.splitlines()
    assert status == 2
    assert [line.split(":")[1] for line in lines] == ["6", "10", "11"]


def test_missing_folder_of_decks_is_an_input_error(
    small_tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["--root", str(small_tree), "--decks", str(small_tree / "nowhere")])

    assert status == 2
    assert "no such folder" in capsys.readouterr().err


def test_extra_folder_without_a_deck_is_an_input_error(
    small_tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decks = str(small_tree / "kernel/decks")

    status = main(["--root", str(small_tree), "--decks", decks, "--extra", str(small_tree)])

    assert status == 2
    assert "neither a deck nor a folder of decks" in capsys.readouterr().err
