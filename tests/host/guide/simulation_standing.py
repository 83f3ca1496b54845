"""The same by a seed, with events that stand: the reference begins anew where the Guide must."""

from random import Random

from tests.host.guide.graphs import make_graph
from tests.host.guide.guide_host import Guide, Result
from tests.host.guide.reference import Reference, State
from tests.host.guide.simulation import (
    EVENTS,
    MOST_STEPS,
    SEGMENT_GAP,
    SLOTS,
    Held,
    Simulation,
)
from tools.kwe import abi

STANDING = 2  # KWE_EVENT_STANDING
PAUSE_LEAST_NS = 1_000_000
PAUSE_MOST_NS = 1_000_000_000
RUNS = 40
STEPS = 400
# By deck: half of what host_guide.c says.
MOST_WAITING = {1: 5 // 2, 3: 8 // 2}


class StandingSimulation(Simulation):
    """No operation is a trigger here: a run has begun when one of its first stages is done."""

    def __init__(self, guide: Guide, codes: dict[str, int], seed: int) -> None:
        super().__init__(guide, codes, seed)
        self.random = Random(seed)
        self.graph = make_graph(self.random)
        self.graph.timeout_ns = 0  # test_guide_standing.c has it
        self.deaths = self.cancels = 0
        self.runs = 0
        self.fired: set[int] = set()
        self.cancelled: set[int] = set()
        self.parked: dict[int, int] = {}  # cookie: until when
        self.pauses: dict[int, int] = {}
        self.first_stages = self.find_first_stages()

    def run(self) -> int:
        """Return how many runs there were."""
        answer = self.guide.ask("workflow " + self.graph.encode(SLOTS).hex())
        assert answer == "workflow 0", answer
        for _ in range(EVENTS):
            self.submit()
        for _ in range(STEPS):
            if self.runs >= RUNS or not self.step():
                break
        for step in range(MOST_STEPS):
            assert step < MOST_STEPS - 1, "it does not come to an end"
            self.cancel_all()
            if not self.step() and len(self.answered) == EVENTS:
                break
        self.guide.ask("end")
        return self.runs

    # ---- events -------------------------------------------------------------------------------

    def submit(self) -> None:
        cookie = self.cookies
        self.cookies += 1
        self.deadlines[cookie] = 0
        self.waiting.append(cookie)
        self.ask(f"submit {cookie} 0 0 {self.input_length(cookie)} {STANDING}")

    def admit(self) -> None:
        for cookie in list(self.events):
            self.settle(cookie)
        while self.waiting and len(self.live()) < SLOTS:
            cookie = self.waiting.pop(0)
            if self.is_one_too_many():
                result = next(r for r in self.guide.results if r.cookie == cookie)
                assert result.status == self.codes["TOO_MANY"]
                self.guide.results.remove(result)
                self.answered.add(cookie)
                continue
            self.pauses[cookie] = PAUSE_LEAST_NS
            self.begin(cookie)
            self.settle(cookie)

    def find_first_stages(self) -> list[int]:
        dead = Reference(self.graph, self.codes, 0, 0).dead
        return [
            index
            for index, stage in enumerate(self.graph.stages)
            if not (stage.is_loop or stage.needs or stage.loop is not None or index in dead)
        ]

    def is_one_too_many(self) -> bool:
        decks = [self.graph.stages[index].deck for index in self.first_stages]
        after = len(self.live()) + 1
        return any(decks.count(deck) * after > most for deck, most in MOST_WAITING.items())

    def begin(self, cookie: int) -> None:
        self.fired.discard(cookie)
        self.events[cookie] = Reference(
            self.graph,
            self.codes,
            2 * SEGMENT_GAP,
            self.input_length(cookie),
            now_ns=self.now_ns,
            stands=True,
        )

    def settle(self, cookie: int) -> None:
        """A run that is over is followed by another, at once or after a pause."""
        while (
            self.events[cookie].is_over
            and cookie not in self.parked
            and cookie not in self.cancelled
        ):
            self.runs += 1
            verdict = self.events[cookie].verdict
            went_well = verdict is not None and verdict[0] == 0
            if went_well:
                self.pauses[cookie] = PAUSE_LEAST_NS
            if went_well and cookie in self.fired:
                self.begin(cookie)
                continue
            self.parked[cookie] = self.now_ns + self.pauses[cookie]
            self.pauses[cookie] = min(2 * self.pauses[cookie], PAUSE_MOST_NS)

    def check_result(self, event: Reference, result: Result) -> None:
        assert result.cookie in self.cancelled, f"it ought to stand: {result}"
        assert event.in_hand == 0
        assert (result.status, result.length) == (self.codes["CANCELLED"], 0)

    def cancel_all(self) -> None:
        for cookie in self.live():
            if cookie not in self.cancelled:
                self.cancelled.add(cookie)
                self.parked.pop(cookie, None)
                self.events[cookie].fail_event(self.codes["CANCELLED"], abi.NO_STAGE)
                self.ask(f"cancel {cookie}")

    # ---- decks and time -----------------------------------------------------------------------

    def answer_of(self, held: Held) -> int:
        status = super().answer_of(held)
        first = held.run.stage in self.first_stages
        counts = held.event.verdict is None and held.run.state == State.IN_HAND
        counts = counts and held.run.status == 0  # else its time was up, whatever it says
        if first and counts and status == 0:
            self.fired.add(held.work.cookie)
        return status

    def next_time(self) -> int | None:
        times = [*self.parked.values()]
        others = super().next_time()
        return min(times if others is None else [*times, others], default=None)

    def pass_time(self, to_ns: int) -> None:
        self.now_ns = max(self.now_ns, to_ns)
        for cookie in [c for c, until in self.parked.items() if until <= self.now_ns]:
            del self.parked[cookie]
            self.begin(cookie)
        super().pass_time(to_ns)
