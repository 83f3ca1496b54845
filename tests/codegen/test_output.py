"""How files come onto the disk."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.__main__ import main
from codegen.generate import generate
from codegen.model.system import System
from tests.codegen.conftest import HERE, ROOT


def run(tree: Path, out: Path, *more: str) -> int:
    return main(
        [
            "--root",
            str(tree),
            "--decks",
            str(tree / "kernel/decks"),
            "--out",
            str(out),
            "--list",
            *more,
        ]
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_same_spec_gives_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        subprocess.run(
            [sys.executable, "-m", "codegen", "--out", str(tmp_path / seed)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
        )

    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_unchanged_files_are_not_written_again(
    small_tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = small_tree / "out"
    run(small_tree, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    capsys.readouterr()

    run(small_tree, out)

    assert capsys.readouterr().out.strip() == ""
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}


def test_only_what_a_change_touches_is_written(
    small_tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = small_tree / "out"
    run(small_tree, out)
    capsys.readouterr()
    errors = small_tree / "kernel/abi/errors.yaml"
    errors.write_text(
        errors.read_text(encoding="utf-8") + "  BRAND_NEW: It is new.\n", encoding="utf-8"
    )

    run(small_tree, out)

    assert capsys.readouterr().out.split() == [
        "kernel/abi/errors.h",
        "kernel/lib/errors.c",
        "system.json",
        "python/kwe_constants.py",
        "docs/reference/errors.md",
    ]


def test_files_of_a_removed_deck_are_deleted_and_others_stay(small_tree: Path) -> None:
    out = small_tree / "out"
    second = small_tree / "elsewhere/everything"
    (small_tree / "drivers/virtio").mkdir()
    shutil.copytree(HERE / "good/everything", second)
    run(small_tree, out, "--extra", str(second))
    foreign = out / "kernel/abi/by_hand.h"
    foreign.write_text("", encoding="utf-8")
    assert (out / "kernel/decks/everything/everything_ops.h").exists()

    run(small_tree, out)

    assert not (out / "kernel/decks/everything").exists()
    assert not (out / "userland/libkwe/kwe_everything.h").exists()
    assert (out / "kernel/decks/neighbour/neighbour_ops.h").exists()
    assert foreign.exists()


def test_extra_may_be_a_deck_or_a_folder_of_decks(small_tree: Path) -> None:
    (small_tree / "drivers/virtio").mkdir()

    for extra in (HERE / "good", HERE / "good/everything"):
        out = small_tree / f"out-{extra.name}"
        assert run(small_tree, out, "--extra", str(extra)) == 0

        assert (out / "kernel/decks/everything/everything_dispatch.c").exists()


def test_folders_that_begin_with_an_underscore_are_no_decks(small_tree: Path) -> None:
    hidden = small_tree / "kernel/decks/_draft"
    hidden.mkdir()
    (hidden / "deck.yaml").write_text("nonsense", encoding="utf-8")

    assert run(small_tree, small_tree / "out") == 0


def test_no_path_of_this_machine_is_generated(small_tree: Path) -> None:
    out = small_tree / "out"
    (small_tree / "drivers/virtio").mkdir()

    run(small_tree, out, "--extra", str(HERE / "good/everything"))

    # make must find a foreign deck's sources, so build.mk names its folder.
    for path, content in contents(out).items():
        if path != "build.mk":
            assert str(small_tree).encode() not in content, path
            assert str(HERE).encode() not in content, path


def test_every_text_opens_with_a_banner(tree_system: System) -> None:
    for file in generate(tree_system):
        assert "GENERATED, do not edit." in file.content[:400] or file.path == "system.json", (
            file.path
        )
