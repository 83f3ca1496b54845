"""The machine boots, decks and programs are loaded, and the guest says how it ended."""

import re
from pathlib import Path

import pytest

from tests.harness.plugin import Boot, Kwe
from tools.kwe import abi, disk
from tools.kwe.errors import EXIT_INPUT, EXIT_WORKFLOW
from tools.kwe.tree import Build


@pytest.fixture
def empty_disk(tmp_path: Path) -> Path:
    image, staging = tmp_path / "disk.img", tmp_path / "staging"
    staging.mkdir()
    disk.make_image(image, staging, {}, [b"/in", b"/out"], 1 << 20)
    return image


@pytest.mark.parametrize("cpus", [1, 2])
def test_the_smallest_program_ends_well(boot: Boot, cpus: int) -> None:
    with boot("hello", cpus=cpus) as guest:
        assert guest.exit_code == abi.EXIT_DONE
        assert guest.lines[-1] == "KWE: exit 16 done"


def test_every_deck_is_loaded_and_finds_its_devices(
    boot: Boot, image: Build, empty_disk: Path
) -> None:
    with boot("hello", image=image, disk=empty_disk) as guest:
        assert guest.exit_code == abi.EXIT_DONE

        text = "\n".join(guest.lines)
        assert "IOMMU on" in text
        for wrong in ("could not be started", "stays down", "there is none", "cannot be loaded"):
            assert wrong not in text


def test_decks_whose_devices_are_not_there_do_not_stop_the_others(boot: Boot) -> None:
    with boot("hello", network=False, accelerator=False) as guest:
        assert guest.exit_code == abi.EXIT_DONE

        text = "\n".join(guest.lines)
        assert "deck storage.0: needs PCI device 1af4:1042, there is none" in text
        assert "deck hardware.0: no accelerator" in text


def test_a_programs_crash_is_explained_by_function_file_and_line(
    kwe: Kwe, test_image: Build
) -> None:
    done = kwe("boot", "null_store", image=test_image)

    assert done.status == EXIT_WORKFLOW
    lines = done.out.splitlines()
    [fault] = [index for index, line in enumerate(lines) if "FAULT" in line]
    assert "program null_store: FAULT page fault writing 0x0," in lines[fault]
    assert "backtrace program/null_store" in lines[fault + 1]
    frames = lines[fault + 2 : fault + 4]
    for frame, function in zip(frames, ["store_to_nowhere", "go_wrong"], strict=True):
        assert re.search(rf" {function}\+0x\w+ tests/qemu/programs/null_store/\S+:\d+$", frame)
    assert lines[-1] == "KWE: exit 17 a program failed"


def test_a_crash_that_was_not_announced_fails_the_test(boot: Boot) -> None:
    def crash() -> None:
        with boot("null_store") as guest:
            assert guest.exit_code == abi.EXIT_PROGRAM_FAILED

    with pytest.raises(AssertionError, match=r"not announced: .*FAULT page fault"):
        crash()


def test_a_crash_that_was_announced_and_does_not_come_fails_the_test(boot: Boot) -> None:
    def no_crash() -> None:
        with boot("hello") as guest:
            guest.expect_fault("program hello")
            assert guest.exit_code == abi.EXIT_DONE

    with pytest.raises(AssertionError, match="announced, but did not come: program hello"):
        no_crash()


def test_a_program_that_is_not_in_the_payload_is_named(kwe: Kwe) -> None:
    done = kwe("boot", "nobody")

    assert done.status == EXIT_INPUT
    assert "there is no program nobody; agent, " in done.err
