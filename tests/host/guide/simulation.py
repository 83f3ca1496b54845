"""One run by a seed: random graphs, decks of random cost, failures, deaths, cancels, time."""

from dataclasses import dataclass
from random import Random

from tests.host.guide.graphs import DISK, MOST_ROOM, USUAL_ROOM, Graph, make_graph
from tests.host.guide.guide_host import Guide, Result, Work
from tests.host.guide.reference import Reference, Run, State
from tools.kwe import abi

INSTANCE_DECKS = (1, 1, 3)
SEGMENT_GAP = 1 << 32
SLOTS = 4
EVENTS = 6
STUCK_NS = 10_000_000_000
MOST_STEPS = 20_000


@dataclass
class Held:
    """A stage in a deck's hands."""

    work: Work
    run: Run
    event: Reference
    ends_ns: int


class Simulation:
    """Everything that happens to some events of one workflow, beside what the reference says."""

    def __init__(
        self, guide: Guide, codes: dict[str, int], seed: int, graph: Graph | None = None
    ) -> None:
        self.guide = guide
        self.codes = codes
        self.random = Random(seed)
        self.now_ns = 1
        self.graph = graph or make_graph(self.random)
        self.held: list[Held] = []
        self.events: dict[int, Reference] = {}
        self.waiting: list[int] = []  # cookies in the EventRing
        self.answered: set[int] = set()
        self.loose: set[int] = set()  # touched by a death: one result, whatever it says
        self.deadlines: dict[int, int] = {}
        self.line: list[int] = []  # those that wait for a larger place
        self.grown = 0
        self.moved = 0  # answers for which the other deck came in
        self.cookies = 0
        self.failures = self.random.choice((0, 0, 8, 3))
        self.needs = self.random.choice((0, 8, 3)) if self.graph.large_slots else 20
        # What a death takes along while places change is test_guide_room.py's business.
        self.deaths = 0 if self.graph.large_slots else self.random.choice((0, 0, 0, 60))
        self.cancels = self.random.choice((0, 0, 0, 40))

    def run(self) -> int:
        """Return how many events were answered."""
        answer = self.guide.ask("workflow " + self.graph.encode(SLOTS).hex())
        assert answer == "workflow 0", answer
        for _ in range(EVENTS):
            self.submit()
        for step in range(MOST_STEPS):
            assert step < MOST_STEPS - 1, "it does not come to an end"
            if not self.step():
                break
        assert len(self.answered) == EVENTS, f"{EVENTS - len(self.answered)} events hang"
        self.guide.ask("end")
        return EVENTS

    # ---- events -------------------------------------------------------------------------------

    def submit(self) -> None:
        cookie = self.cookies
        self.cookies += 1
        deadline = self.now_ns + 50_000_000 if self.random.randrange(10) == 0 else 0
        self.deadlines[cookie] = deadline
        self.waiting.append(cookie)
        self.ask(f"submit {cookie} 0 {deadline} {self.input_length(cookie)} 0")

    @staticmethod
    def input_length(cookie: int) -> int:
        return 17 * (cookie + 1)

    def admit(self) -> None:
        """Events are taken in order as slots come free."""
        live = self.live()
        usual = sum(not self.events[c].is_large and c not in self.line for c in live)
        records = len(live)
        most = SLOTS + self.graph.large_slots
        while self.waiting and usual < SLOTS and records < most:
            cookie = self.waiting.pop(0)
            deadline = self.deadlines[cookie]
            if deadline and self.now_ns > deadline:
                self.expect_refusal(cookie)
                continue
            event = Reference(
                self.graph,
                self.codes,
                2 * SEGMENT_GAP,
                self.input_length(cookie),
                now_ns=self.now_ns,
            )
            if self.graph.timeout_ns:
                allowed = self.now_ns + self.graph.timeout_ns
                deadline = min(deadline, allowed) if deadline else allowed
                self.deadlines[cookie] = deadline
            self.events[cookie] = event
            usual += not event.is_over
            records += not event.is_over

    def live(self) -> list[int]:
        return [cookie for cookie in self.events if cookie not in self.answered]

    def serve_line(self) -> None:
        """Who has come back gives its place away; in that order they begin again in larger ones."""
        for cookie in self.live():
            event = self.events[cookie]
            if event.needs_room and event.in_hand == 0 and cookie not in self.line:
                self.line.append(cookie)
        self.line = [cookie for cookie in self.line if self.events[cookie].needs_room]
        large = sum(self.events[cookie].is_large for cookie in self.live())
        while self.line and large < self.graph.large_slots:
            cookie = self.line.pop(0)
            self.events[cookie] = Reference(
                self.graph,
                self.codes,
                2 * SEGMENT_GAP,
                self.input_length(cookie),
                now_ns=self.now_ns,
                is_large=True,
            )
            self.grown += 1
            large += 1

    def expect_refusal(self, cookie: int) -> None:
        result = next(r for r in self.guide.results if r.cookie == cookie)
        assert result.status == self.codes["OVERLOADED"]
        self.guide.results.remove(result)
        self.answered.add(cookie)

    def ask(self, command: str) -> None:
        self.guide.ask(command)
        # Results that were read give their slots back at the next intake: until none is left.
        while True:
            self.serve_line()
            self.admit()
            if not self.guide.results:
                break
            self.check_results()
            self.guide.ask("now " + str(self.now_ns))

    def check_results(self) -> None:
        results, self.guide.results = self.guide.results, []
        for result in results:
            assert result.cookie not in self.answered, "answered twice"
            self.answered.add(result.cookie)
            if result.cookie in self.loose:
                continue
            self.check_result(self.events[result.cookie], result)

    def check_result(self, event: Reference, result: Result) -> None:
        assert event.verdict is not None, f"ended too early: {result}"
        assert event.in_hand == 0
        verdict = (result.status, result.stage)
        assert verdict == event.verdict or self.is_rival(event, verdict), (
            f"{result}, not {event.verdict}"
        )
        # Which of the stages that a failure takes along are over before the verdict is open.
        assert result.step == event.step if not result.status else result.step <= 64
        stage = self.graph.result
        if stage == abi.NO_STAGE or result.status:
            assert result.length == 0
            return
        run = event._last(stage)
        expected = (run.length, run.values[0]) if run else (0, 0)
        assert (result.length, result.value) == expected
        assert not result.length or (run and result.offset == run.offset)

    def is_rival(self, event: Reference, verdict: tuple[int, int]) -> bool:
        """Two that join the first may find at once that nobody won: either may name its loser."""
        firsts = sum(stage.join == abi.JOIN_FIRST for stage in self.graph.stages)
        return firsts > 1 and any(
            run.state == State.FAILED and (run.status, run.blame) == verdict
            for run in event.runs.values()
        )

    # ---- decks --------------------------------------------------------------------------------

    def take(self, instance: int) -> None:
        self.ask(f"take {instance} {self.random.randint(1, 6)}")
        self.hold_works()

    def hold_works(self) -> None:
        works, self.guide.works = self.guide.works, []
        for work in works:
            event = self.events[work.cookie]
            if work.cookie in self.loose:
                self.held.append(Held(work, Run(work.stage), event, self.now_ns + 1000))
                continue
            run = event.runs[work.stage, work.part]
            assert run.state == State.READY, f"it hands over {run}"
            self.check_work(event, run, work)
            run.state, run.offset = State.IN_HAND, work.offset
            run.deck = INSTANCE_DECKS[work.instance]
            ends_ns = self.now_ns + self.random.choice((10, 1_000, 100_000, 4_000_000))
            self.held.append(Held(work, run, event, ends_ns))

    def check_work(self, event: Reference, run: Run, work: Work) -> None:
        stage = self.graph.stages[run.stage]
        assert INSTANCE_DECKS[work.instance] in stage.decks - run.tried
        assert event.verdict is None
        assert work.capacity == (MOST_ROOM if event.is_large else USUAL_ROOM)
        assert all(held.work.offset != work.offset for held in self.held), "two have one place"
        inputs = [(at, length) if length else (0, 0) for at, length in work.inputs]
        assert inputs == event.inputs(run)
        assert work.params == event.params(run), (
            f"stage {run.stage}: {work.params.hex()}, not {event.params(run).hex()}"
        )
        others = [
            other
            for other in event.runs.values()
            if other is not run and other.offset == work.offset and self.is_read(event, other)
        ]
        assert not others, f"stage {run.stage} would overwrite {others}"

    def is_read(self, event: Reference, run: Run) -> bool:
        """Is its output being written, or may somebody still read it?"""
        if run.state in (State.IN_HAND, State.ABANDONED):
            return True
        if run.state != State.DONE or not run.length:
            return False
        graph = self.graph
        for reader in event.runs.values():
            if reader.state not in (State.WAITING, State.READY, State.IN_HAND, State.LOOPING):
                continue
            for b in graph.stages[reader.stage].bindings:
                in_body = graph.stages[reader.stage].loop is not None
                same_part = graph.stages[run.stage].loop is None or (
                    in_body and reader.part == run.part
                )
                if (
                    b.kind == abi.BIND_INPUT_STAGE
                    and b.stage == run.stage
                    and (same_part or (not in_body and event._last(run.stage) is run))
                ):
                    return True
                if (
                    b.kind == abi.BIND_INPUT_PREVIOUS
                    and b.stage == run.stage
                    and (reader.part == run.part + 1)
                ):
                    return True
        return graph.result == run.stage and event._last(run.stage) is run

    def answer_of(self, held: Held) -> int:
        is_disk = INSTANCE_DECKS[held.work.instance] == DISK
        if self.needs and self.random.randrange(self.needs) == 0:
            return self.codes["NEED_ROOM"]
        is_open = self.graph.stages[held.work.stage].is_open
        if is_disk and self.random.randrange(2 if is_open else 40) == 0:
            return self.codes["NO_DEVICE"]
        fails = self.failures and self.random.randrange(self.failures) == 0
        return self.codes["IO_ERROR"] if fails else 0

    def answer(self, held: Held) -> None:
        self.held.remove(held)
        status = self.answer_of(held)
        length = self.random.choice((0, 1, held.work.capacity))
        value = self.random.choice((0, 1, 49, 51, 100))
        if status == self.codes["NEED_ROOM"]:
            value = self.random.choice((0, USUAL_ROOM, USUAL_ROOM + 1, MOST_ROOM, MOST_ROOM + 1))
        held.event.now_ns = self.now_ns
        if held.work.cookie not in self.loose:
            held.event.answer(held.run, status, 0 if status else length, value)
            self.moved += held.run.state == State.READY
        self.ask(
            f"answer {held.work.instance} {held.work.ticket} {status} "
            f"{0 if status else length} {value}"
        )
        self.hold_works()  # what came after it begins

    def lose(self, instance: int) -> None:
        """It dies. Which events it takes along is test_guide_simulated.c's business: here all."""
        gone = {held.work.cookie for held in self.held if held.work.instance == instance}
        gone |= {
            cookie
            for cookie, event in self.events.items()
            if cookie not in self.answered
            and any(run.offset // SEGMENT_GAP == instance + 3 for run in event.runs.values())
        }
        self.held = [held for held in self.held if held.work.instance != instance]
        self.loose |= gone
        self.ask(f"lost {instance}")

    # ---- time ---------------------------------------------------------------------------------

    def next_time(self) -> int | None:
        times = [held.ends_ns for held in self.held]
        for cookie, event in self.events.items():
            if cookie in self.answered:
                continue
            if (event.verdict is None or event.needs_room) and self.deadlines[cookie]:
                times.append(self.deadlines[cookie])
            times += [
                run.deadline_ns
                for run in event.runs.values()
                if run.deadline_ns is not None and event.verdict is None
            ]
        return min(times, default=None)

    def pass_time(self, to_ns: int) -> None:
        self.now_ns = max(self.now_ns, to_ns)
        due: list[tuple[int, Reference, Run | None]] = []
        for cookie, event in self.events.items():
            event.now_ns = self.now_ns
            if cookie in self.answered or (event.verdict is not None and not event.needs_room):
                continue
            if self.deadlines[cookie] and self.deadlines[cookie] <= self.now_ns:
                due.append((self.deadlines[cookie], event, None))
            due += [
                (run.deadline_ns, event, run)
                for run in event.runs.values()
                if run.deadline_ns is not None and run.deadline_ns <= self.now_ns
            ]
        for _, event, run in sorted(due, key=lambda item: item[0]):
            if event.verdict is not None and not event.needs_room:
                continue
            if run is None:
                event.fail_event(self.codes["DEADLINE_PASSED"], abi.NO_STAGE)
            elif run.deadline_ns is not None:
                event.expire(run)
        self.ask(f"now {self.now_ns}")

    # ---- steps --------------------------------------------------------------------------------

    def cancel(self) -> None:
        live = self.live()
        if live:
            cookie = self.random.choice(live)
            self.events[cookie].fail_event(self.codes["CANCELLED"], abi.NO_STAGE)
            self.ask(f"cancel {cookie}")

    def step(self) -> bool:
        """Do one thing; False: there is nothing left to do."""
        random = self.random
        if self.deaths and random.randrange(self.deaths) == 0:
            self.lose(random.randrange(len(INSTANCE_DECKS)))
        if self.cancels and random.randrange(self.cancels) == 0:
            self.cancel()
        ready = any(
            e.ready() or c in self.loose for c, e in self.events.items() if c not in self.answered
        )
        if ready and (random.randrange(3) or not self.held):
            self.take(random.randrange(len(INSTANCE_DECKS)))
            return True
        when = self.next_time()
        if when is None:
            return ready
        self.pass_time(when)
        for held in [h for h in self.held if h.ends_ns <= self.now_ns]:
            self.answer(held)
        return True
