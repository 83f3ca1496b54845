"""Events that turn out larger than their places: begun again where there is more room, once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.guide.graphs import COMPUTE, DISK, OP_EFFECT, OP_WORK, Graph, Stage
from tests.host.guide.guide_host import Guide, Work, running
from tools.kwe import abi

USUAL, MOST = 100, 5000
SLOTS = 2


class Room:
    """A workflow of two stages, the first on compute, the second on disk."""

    def __init__(self, guide: Guide, codes: dict[str, int]) -> None:
        self.guide = guide
        self.codes = codes

    def register(self, *stages: Stage, result: int = 1) -> None:
        graph = Graph(list(stages), result, 0, large_slots=1, most=MOST)
        answer = self.guide.ask("workflow " + graph.encode(SLOTS).hex())
        assert answer == "workflow 0", answer

    def submit(self, cookie: int, deadline: int = 0) -> None:
        self.guide.ask(f"submit {cookie} 0 {deadline} 0 0")

    def take(self, instance: int) -> list[Work]:
        """Take all there is: what is ready is shared by a deck's instances, visit by visit."""
        works: list[Work] = []
        while True:
            self.guide.ask(f"take {instance} 8")
            if not self.guide.works:
                return works
            works += self.guide.works
            self.guide.works = []

    def answer(self, work: Work, code: str = "OK", length: int = 0, value: int = 0) -> None:
        self.guide.ask(f"answer {work.instance} {work.ticket} {self.codes[code]} {length} {value}")

    def need(self, work: Work, value: int) -> None:
        self.answer(work, "NEED_ROOM", 0, value)

    def results(self) -> list[tuple[int, int, int]]:
        """Return cookie, status, length; those that are read give their places back."""
        results, self.guide.results = self.guide.results, []
        self.guide.ask("now 1")
        return [(result.cookie, result.status, result.length) for result in results]


@pytest.fixture
def room(program: Path, codes: dict[str, int]) -> Iterator[Room]:
    with running(program) as guide:
        yield Room(guide, codes)
        guide.ask("end")  # nothing is left


def two(op: int = OP_WORK) -> tuple[Stage, Stage]:
    return Stage(deck=COMPUTE, op=op), Stage(deck=DISK, needs={0: False})


def test_it_begins_again_from_its_first_stage_with_room_for_the_most(room: Room) -> None:
    room.register(*two())
    room.submit(7)
    first = room.take(0)[0]
    room.answer(first)
    second = room.take(2)[0]
    assert (first.capacity, second.capacity) == (USUAL, USUAL)

    room.need(second, USUAL + 1)

    assert room.results() == []
    again = room.take(0)[0]
    assert (again.stage, again.cookie, again.capacity) == (0, 7, MOST)
    room.answer(again, length=MOST)
    end = room.take(2)[0]
    assert end.offset != second.offset
    room.answer(end, length=MOST)
    assert room.results() == [(7, room.codes["OK"], MOST)]


@pytest.mark.parametrize("bytes_needed", [MOST + 1, 1 << 63, USUAL, 0])
def test_more_than_the_most_and_what_would_fit_is_refused(room: Room, bytes_needed: int) -> None:
    room.register(*two())
    room.submit(1)

    room.need(room.take(0)[0], bytes_needed)

    assert room.results() == [(1, room.codes["OUTPUT_TOO_LARGE"], 0)]


def test_nobody_gets_more_room_twice(room: Room) -> None:
    room.register(*two())
    room.submit(1)
    room.need(room.take(0)[0], MOST)

    room.need(room.take(0)[0], MOST)

    assert room.results() == [(1, room.codes["OUTPUT_TOO_LARGE"], 0)]


def test_what_had_an_effect_does_not_begin_again(room: Room) -> None:
    room.register(*two(OP_EFFECT))
    room.submit(1)
    room.answer(room.take(0)[0])

    room.need(room.take(2)[0], MOST)

    assert room.results() == [(1, room.codes["OUTPUT_TOO_LARGE"], 0)]


def test_an_effect_that_runs_beside_it_counts_too(room: Room) -> None:
    room.register(Stage(deck=COMPUTE), Stage(deck=DISK, op=OP_EFFECT), result=abi.NO_STAGE)
    room.submit(1)
    beside, work = room.take(2)[0], room.take(0)[0]

    room.need(work, MOST)

    assert room.results() == []
    room.answer(beside)
    assert room.results() == [(1, room.codes["OUTPUT_TOO_LARGE"], 0)]


def test_all_that_runs_of_it_comes_back_before_it_begins_again(room: Room) -> None:
    room.register(Stage(deck=COMPUTE), Stage(deck=DISK), result=abi.NO_STAGE)
    room.submit(1)
    beside, work = room.take(2)[0], room.take(0)[0]

    room.need(work, MOST)

    assert (beside.instance, beside.ticket) in room.guide.recalls
    assert room.take(0) == []
    room.answer(beside, "CANCELLED")
    again = room.take(0) + room.take(2)
    assert [work.capacity for work in again] == [MOST, MOST]
    for work in again:
        room.answer(work)
    assert room.results() == [(1, room.codes["OK"], 0)]


def test_those_in_line_hold_no_place_and_each_has_its_turn(room: Room) -> None:
    room.register(Stage(deck=COMPUTE), result=0)
    for cookie in range(5):
        room.submit(cookie)
    done: list[tuple[int, int, int]] = []
    large: list[Work] = []
    while len(done) < 5:
        works = room.take(0)
        # The first has the one large place; the others wait for it, and later ones take theirs.
        large += [work for work in works if work.capacity == MOST]
        usual = [work for work in works if work.capacity == USUAL]
        assert len(large) <= 1
        assert usual or large, "all wait for each other"
        for work in usual:
            room.need(work, MOST)
        if not usual:
            room.answer(large.pop(), length=MOST)
            done += room.results()

    assert done == [(cookie, room.codes["OK"], MOST) for cookie in range(5)]


@pytest.mark.parametrize("way", ["cancel", "deadline"])
@pytest.mark.parametrize("is_in_line", [True, False])
def test_a_cancel_or_a_deadline_ends_it_in_line_and_on_its_way_there(
    room: Room, way: str, is_in_line: bool
) -> None:
    room.register(Stage(deck=COMPUTE), Stage(deck=DISK), result=abi.NO_STAGE)
    room.submit(1)
    room.submit(2, deadline=50)
    beside = {work.cookie: work for work in room.take(2)}
    mine = {work.cookie: work for work in room.take(0)}
    room.need(mine[1], MOST)
    room.answer(beside[1], "CANCELLED")
    large = room.take(0) + room.take(2)
    room.need(mine[2], MOST)
    if is_in_line:
        room.answer(beside[2], "CANCELLED")

    room.guide.ask("cancel 2" if way == "cancel" else "now 60")
    if not is_in_line:
        assert room.results() == []
        room.answer(beside[2], "CANCELLED")

    code = "CANCELLED" if way == "cancel" else "DEADLINE_PASSED"
    assert room.results() == [(2, room.codes[code], 0)]
    for work in large:
        room.answer(work)
    assert room.results() == [(1, room.codes["OK"], 0)]


def test_a_death_while_it_comes_back_costs_nothing(room: Room) -> None:
    room.register(Stage(deck=COMPUTE), Stage(deck=DISK), result=abi.NO_STAGE)
    room.submit(1)
    room.take(2)
    room.need(room.take(0)[0], MOST)

    room.guide.ask("lost 2")

    for work in room.take(0) + room.take(2):
        room.answer(work)
    assert room.results() == [(1, room.codes["OK"], 0)]


def test_a_death_with_two_of_its_stages_in_hand_does_not_end_what_begins_again(room: Room) -> None:
    """It began again when the first was back, and the second failed the new run."""
    room.register(Stage(deck=COMPUTE), Stage(deck=DISK), Stage(deck=DISK), result=abi.NO_STAGE)
    room.submit(1)
    assert len(room.take(2)) == 2
    room.need(room.take(0)[0], MOST)

    room.guide.ask("lost 2")

    for work in room.take(0) + room.take(2):
        assert work.capacity == MOST
        room.answer(work)
    assert room.results() == [(1, room.codes["OK"], 0)]
