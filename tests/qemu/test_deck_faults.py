"""A deck that goes wrong dies alone: its events are told, all others go on, it comes back."""

from pathlib import Path

import pytest

from tests.harness.plugin import Boot
from tools.kwe import abi
from tools.kwe.disk import make_image

FAULTY = "deck faulty.0: FAULT"

# The faulty deck's ways to go wrong, and what the nucleus says of each.
WAYS = {
    "null": "page fault writing 0x0,",
    "jump": "page fault executing 0x0,",
    "stack": "page fault writing",
    "data": "page fault executing",
    "divide": "divide",
    "halt": "protection",
    "fibre": "page fault writing",
    "abort": "exited",
    "exit": "exited",
    "die": "gave up: as told",
    "trap": "invalid",
    "input": "page fault writing",
    "constants": "page fault writing",
    "frame": "page fault writing",
    "nucleus": "page fault writing",
    "text": "page fault writing",
    "rodata": "page fault writing",
    "free_slot": "answered what it may not",
    "old_ticket": "answered what it may not",
    "twice": "answered what it may not",
    "too_much": "answered what it may not",
    "bad_status": "answered what it may not",
    "done_count": "corrupted its DoneRing",
    "work_count": "corrupted its WorkRing",
    "too_long": "gave up: op",
    "spin": "ran out of its time budget",
    "poll": "ran out of its time budget",
}


@pytest.mark.parametrize("cpus", [1, 2])
def test_whatever_a_deck_does_only_its_own_event_fails(boot: Boot, cpus: int) -> None:
    with boot("deck_faults", cpus=cpus) as guest:
        guest.expect_fault(FAULTY)

        assert guest.exit_code == abi.EXIT_DONE

        said = [line.split(FAULTY)[1] for line in guest.lines if FAULTY in line]
        assert len(said) == len(WAYS)
        for (way, words), line in zip(WAYS.items(), said, strict=True):
            assert words in line, way
        frames = guest.backtrace(f"{FAULTY} page fault writing 0x0,")
        assert "write_through_null" in frames[0]
        assert "tests/qemu/decks/faulty/faulty_deck.c:" in frames[0]
        assert any("deck_loop_turn" in frame for frame in frames)


def test_events_in_its_hands_or_with_an_output_in_its_segment_end_with_a_deck(boot: Boot) -> None:
    with boot("deck_suspects") as guest:
        guest.expect_fault(FAULTY)

        assert guest.exit_code == abi.EXIT_DONE


def test_a_hundred_deaths_lose_no_event_and_no_memory(boot: Boot) -> None:
    with boot("deck_deaths", deadline_s=60) as guest:
        guest.expect_fault(FAULTY)

        assert guest.exit_code == abi.EXIT_DONE


def test_a_deck_that_dies_too_often_is_given_up_and_others_go_on(boot: Boot) -> None:
    with boot("deck_down", append="debug") as guest:
        guest.expect_fault("deck witness.0: FAULT killed by injection")

        assert guest.exit_code == abi.EXIT_DONE

        guest.wait_for("deck witness.0: given up after 3 deaths")


def test_the_highest_restart_limit_is_a_limit_too(boot: Boot) -> None:
    with boot("deck_limit", append="debug") as guest:
        guest.expect_fault("deck rng.0: FAULT killed by injection")

        assert guest.exit_code == abi.EXIT_DONE

        guest.wait_for("deck rng.0: given up after 17 deaths")


@pytest.fixture
def pixels(tmp_path: Path) -> Path:
    """A disk with a file /pixels of 96 x 64 rgb8."""
    content = tmp_path / "pixels"
    content.write_bytes(bytes(i * 7 % 251 for i in range(96 * 64 * 3)))
    staging = tmp_path / "staging"
    staging.mkdir()
    make_image(tmp_path / "disk", staging, {b"/pixels": content}, [], 1 << 20)
    return tmp_path / "disk"


@pytest.mark.parametrize("deck", ["storage", "hardware", "operations"])
def test_a_real_deck_is_reborn_in_the_middle_of_its_work(
    boot: Boot, pixels: Path, deck: str
) -> None:
    with boot("real_decks", append="debug", disk=pixels, files={"deck": deck.encode()}) as guest:
        guest.expect_fault("FAULT killed by injection")

        assert guest.exit_code == abi.EXIT_DONE


@pytest.mark.parametrize("cpus", [1, 2])
def test_chaos_loses_no_event_and_no_memory(boot: Boot, cpus: int) -> None:
    with boot("chaos", append="debug", cpus=cpus, files={"seed": b"20261123"}) as guest:
        guest.expect_fault("by injection")

        assert guest.exit_code == abi.EXIT_DONE
