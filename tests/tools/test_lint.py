"""The checks of `make lint` that are our own."""

from pathlib import Path

import pytest

from tools.kwe.stats import count_file, nucleus_count
from tools.lint import headers, includes

GOOD = [
    ("kernel/nucleus/main.c", "kernel/lib/ring.h"),
    ("kernel/nucleus/main.c", "kernel/abi/event.h"),
    ("kernel/arch/x86_64/apic.c", "kernel/nucleus/port.h"),
    ("kernel/decks/storage/storage_deck.c", "drivers/ext4/ext4.h"),
    ("kernel/decks/storage/storage_deck.c", "userland/libkwe/deck/deck.h"),
    ("kernel/decks/storage/storage_deck.c", "kernel/decks/storage/storage_core.h"),
    ("tests/host/test_ring.c", "kernel/lib/ring.h"),
]
BAD = [
    ("kernel/abi/event.h", "kernel/lib/ring.h"),
    ("kernel/lib/ring.c", "kernel/abi/event.h"),
    ("kernel/nucleus/main.c", "kernel/arch/x86_64/cpu.h"),
    ("kernel/decks/storage/storage_deck.c", "kernel/nucleus/port.h"),
    ("kernel/decks/storage/storage_deck.c", "kernel/decks/network/network_core.h"),
    ("drivers/ext4/ext4.c", "userland/libkwe/deck/deck.h"),
    ("userland/programs/video/video.c", "kernel/decks/storage/storage_core.h"),
    ("kernel/nucleus/main.c", "log.h"),
]


@pytest.mark.parametrize(("path", "target"), GOOD)
def test_an_include_along_the_way_is_fine(path: str, target: str) -> None:
    assert includes.complaint(path, target) is None


@pytest.mark.parametrize(("path", "target"), BAD)
def test_an_include_against_the_way_is_refused(path: str, target: str) -> None:
    assert includes.complaint(path, target)


def test_a_complaint_says_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "kernel/lib").mkdir(parents=True)
    (tmp_path / "kernel/lib/a.c").write_text('#include <x.h>\n#include "kernel/nucleus/port.h"\n')

    (complaint,) = includes.check(tmp_path)

    assert complaint.startswith("kernel/lib/a.c:2: kernel/lib may not include kernel/nucleus")


def test_a_header_that_needs_another_first_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "kernel/lib"
    folder.mkdir(parents=True)
    (folder / "good.h").write_text("#pragma once\n#include <stdint.h>\nuint32_t f(void);\n")
    (folder / "bad.h").write_text("#pragma once\nuint32_t f(void);\n")

    complaints = list(headers.check(tmp_path, tmp_path / "build"))

    assert len(complaints) == 1
    assert complaints[0].startswith("kernel/lib/bad.h: does not compile alone")


def test_lines_of_code_leave_out_comments_and_blanks(tmp_path: Path) -> None:
    path = tmp_path / "a.c"
    path.write_text("/* one\n * two */\n\nint x; // three\n// four\nint y; /* five */\n")

    count = count_file(path)

    assert (count.files, count.lines, count.code) == (1, 6, 2)


def test_the_nucleus_is_counted_by_its_rooms_without_the_guide(tmp_path: Path) -> None:
    rooms = ("boot", "kernel/nucleus/mem", "kernel/nucleus/guide", "kernel/decks/storage", "tools")
    for room in rooms:
        (tmp_path / room).mkdir(parents=True)
        (tmp_path / room / "a.c").write_text("int x;\nint y;\n")

    assert nucleus_count(tmp_path).lines == 4
