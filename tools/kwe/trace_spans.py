"""From trace records to spans: what began and ended, by event, stage, visit and CPU.

Every span that has begun ends: by what the kernel says of it, by the death of its instance, or,
when no record tells of its end (a gap, a run that was cut off), where the records are no longer
whole; then it is marked ``cut``. So is one whose beginning no record tells of.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tools.kwe import abi

Record = dict[str, Any]
Instance = tuple[int, int]  # deck prefix, ordinal


@dataclass(frozen=True)
class Span:
    """Half-open, in kernel_now() time."""

    begin_ns: int
    end_ns: int
    cut: bool


@dataclass(frozen=True)
class EventSpan(Span):
    """An event from its admission to its verdict; status None: the trace does not say."""

    event: int
    cookie: int
    status: int | None


@dataclass(frozen=True)
class StageSpan(Span):
    """A stage in a deck's hands; status None: the trace does not say."""

    event: int
    stage: int
    instance: Instance
    queued_ns: int | None  # from ready to handed over; None: the trace does not say
    status: int | None


@dataclass(frozen=True)
class VisitSpan(Span):
    """An instance with what it came for, `work` stages."""

    instance: Instance
    work: int


@dataclass(frozen=True)
class CpuSpan(Span):
    """A CPU at one thing: the record says which."""

    cpu: int
    record: Record


@dataclass(frozen=True)
class Gap:
    """Between two records `lost` are missing."""

    from_ns: int
    until_ns: int
    lost: int


@dataclass(frozen=True)
class Count:
    """So many from now on."""

    time_ns: int
    count: int


class Trace:
    """The records of one run, in order, and what follows from them."""

    def __init__(self, records: Sequence[Record], workflow: int) -> None:
        self.records = sorted(records, key=lambda record: record["time_ns"])
        self.gaps = list(self._gaps())
        self._ours = [r for r in self.records if r["event"] and r["workflow"] == workflow]

    def _gaps(self) -> Iterator[Gap]:
        before_ns = 0
        for record in self.records:
            if record["kind"] == abi.TRACE_GAP:
                yield Gap(before_ns, record["time_ns"], record["value"])
            before_ns = record["time_ns"]

    def _whole_until(self, time_ns: int) -> int:
        """Until when nothing is missing that came after `time_ns`."""
        for gap in self.gaps:
            if gap.until_ns > time_ns:
                return max(gap.from_ns, time_ns)
        last_ns: int = self.records[-1]["time_ns"]
        return max(last_ns, time_ns)

    def _whole_since(self, time_ns: int) -> int:
        """Since when nothing is missing that came before `time_ns`."""
        since_ns: int = self.records[0]["time_ns"]
        for gap in self.gaps:
            if gap.until_ns <= time_ns:
                since_ns = gap.until_ns
        return min(since_ns, time_ns)

    # ---- events ---------------------------------------------------------------------------

    def events(self) -> list[EventSpan]:
        """Return them in the order in which they began."""
        spans = []
        admitted: dict[int, Record] = {}
        for record in self._ours:
            number, now_ns = record["event"], record["time_ns"]
            if record["kind"] == abi.TRACE_ADMITTED:
                admitted[number] = record
            elif record["kind"] == abi.TRACE_ENDED:
                begin = admitted.pop(number, None)
                begin_ns = begin["time_ns"] if begin else self._whole_since(now_ns)
                spans.append(
                    EventSpan(
                        begin_ns, now_ns, begin is None, number, record["value"], record["status"]
                    )
                )
        for number, begin in admitted.items():
            end_ns = self._whole_until(begin["time_ns"])
            spans.append(EventSpan(begin["time_ns"], end_ns, True, number, begin["value"], None))
        return sorted(spans, key=lambda span: span.begin_ns)

    def in_flight(self) -> list[Count]:
        """Return how many events there were at once, each time that it changed."""
        changes: dict[int, int] = defaultdict(int)
        for span in self.events():
            changes[span.begin_ns] += 1
            changes[span.end_ns] -= 1
        return _added_up(changes)

    # ---- stages ---------------------------------------------------------------------------

    def stages(self) -> list[StageSpan]:
        """Return them in the order in which they began."""
        hands = _Hands()
        spans = []
        for record in self._ours:
            match record["kind"]:
                case abi.TRACE_READY:
                    hands.ready[record["event"], record["stage"]].append(record["time_ns"])
                case abi.TRACE_HANDED:
                    hands.take(record)
                case abi.TRACE_ANSWERED | abi.TRACE_FORSAKEN:
                    spans.append(hands.give_back(record))
        for record, queued_ns in hands.left():
            begin_ns = record["time_ns"]
            end_ns = self._whole_until(begin_ns)
            spans.append(_stage_span(record, begin_ns, end_ns, queued_ns, None, cut=True))
        return sorted(spans, key=lambda span: span.begin_ns)

    def ready(self) -> dict[int, list[Count]]:
        """Return by deck how many stages were ready and in nobody's hands, each time it changed.

        One that went without being handed over, since nobody needed it any more, counts until its
        event ended.
        """
        changes: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        waiting: dict[int, list[tuple[int, int]]] = defaultdict(list)  # event: (stage, deck)
        gaps = list(self.gaps)
        for record in self._ours:
            now_ns, event = record["time_ns"], record["event"]
            while gaps and gaps[0].until_ns <= now_ns:
                self._forget(waiting, changes, gaps.pop(0).until_ns)
            place = record["stage"], record["deck"]
            if record["kind"] == abi.TRACE_READY:
                waiting[event].append(place)
                changes[record["deck"]][now_ns] += 1
            elif record["kind"] == abi.TRACE_HANDED and place in waiting[event]:
                waiting[event].remove(place)
                changes[record["deck"]][now_ns] -= 1
            elif record["kind"] == abi.TRACE_ENDED:
                for _, deck in waiting.pop(event, []):
                    changes[deck][now_ns] -= 1
        return {deck: _added_up(of_deck) for deck, of_deck in changes.items()}

    @staticmethod
    def _forget(
        waiting: dict[int, list[tuple[int, int]]],
        changes: dict[int, dict[int, int]],
        now_ns: int,
    ) -> None:
        """Nobody knows what has become of them."""
        for places in waiting.values():
            for _, deck in places:
                changes[deck][now_ns] -= 1
        waiting.clear()

    # ---- instances and CPUs ---------------------------------------------------------------

    def visits(self) -> list[VisitSpan]:
        """Return them in the order in which they began."""
        begins, ends = {abi.TRACE_VISIT}, {abi.TRACE_BACK, abi.TRACE_DEATH}
        return [
            VisitSpan(span.begin_ns, span.end_ns, span.cut, _instance(record), record["value"])
            for record, span in self._one_by_one(_instance, begins, ends)
        ]

    def cpus(self) -> list[CpuSpan]:
        """Return what each CPU did, one thing after the other, in the order of beginnings."""
        return [
            CpuSpan(span.begin_ns, span.end_ns, span.cut, record["cpu"], record)
            for record, span in self._one_by_one(
                lambda record: record["cpu"], {abi.TRACE_RUN, abi.TRACE_IDLE}, set()
            )
        ]

    def _one_by_one(
        self, who: Callable[[Record], Hashable], begins: set[int], ends: set[int]
    ) -> list[tuple[Record, Span]]:
        """Return what each does, one thing at a time, each with its first record.

        The next thing that it begins ends the one before. What a gap cuts off ends there.
        """
        spans = []
        open_spans: dict[Hashable, Record] = {}

        def close(key: Hashable, end_ns: int, *, cut: bool) -> None:
            if (record := open_spans.pop(key, None)) is not None:
                spans.append((record, Span(record["time_ns"], end_ns, cut)))

        before_ns = 0
        for record in self.records:
            if record["kind"] == abi.TRACE_GAP:
                for key in list(open_spans):
                    close(key, before_ns, cut=True)
            elif record["kind"] in begins | ends:
                close(who(record), record["time_ns"], cut=False)
                if record["kind"] in begins:
                    open_spans[who(record)] = record
            before_ns = record["time_ns"]
        for key in list(open_spans):
            close(key, before_ns, cut=True)
        return sorted(spans, key=lambda pair: pair[1].begin_ns)


def _instance(record: Record) -> Instance:
    return record["deck"], record["instance"]


class _Hands:
    """What is ready, and what is in whose hands."""

    def __init__(self) -> None:
        self.ready: dict[tuple[int, int], list[int]] = defaultdict(list)
        self.taken: dict[tuple[int, int, int, int], list[tuple[Record, int | None]]] = defaultdict(
            list
        )

    @staticmethod
    def _key(record: Record) -> tuple[int, int, int, int]:
        return record["event"], record["stage"], record["deck"], record["instance"]

    def take(self, record: Record) -> None:
        since = self.ready[record["event"], record["stage"]]
        queued_ns = record["time_ns"] - since.pop(0) if since else None
        self.taken[self._key(record)].append((record, queued_ns))

    def give_back(self, record: Record) -> StageSpan:
        """Return the span of one that was answered, or lost with its instance.

        The deck says when it answered and how long it took; it is believed no further than the
        kernel's own records allow.
        """
        taken = self.taken[self._key(record)]
        handed, queued_ns = taken.pop(0) if taken else (None, None)
        if record["kind"] == abi.TRACE_FORSAKEN:
            end_ns = record["time_ns"]
            begin_ns = handed["time_ns"] if handed else end_ns
        else:
            end_ns = record["value"] or record["time_ns"]
            begin_ns = end_ns - record["elapsed_ns"]
        if handed is not None:
            end_ns = max(end_ns, handed["time_ns"])
            begin_ns = max(begin_ns, handed["time_ns"])
        return _stage_span(
            record, begin_ns, end_ns, queued_ns, record["status"], cut=handed is None
        )

    def left(self) -> Iterator[tuple[Record, int | None]]:
        """Yield what nobody has given back."""
        for taken in self.taken.values():
            yield from taken


def _stage_span(
    record: Record,
    begin_ns: int,
    end_ns: int,
    queued_ns: int | None,
    status: int | None,
    *,
    cut: bool,
) -> StageSpan:
    return StageSpan(
        begin_ns,
        end_ns,
        cut,
        record["event"],
        record["stage"],
        _instance(record),
        queued_ns,
        status,
    )


def _added_up(changes: dict[int, int]) -> list[Count]:
    counts = []
    count = 0
    for time_ns in sorted(changes):
        count += changes[time_ns]
        counts.append(Count(time_ns, count))
    return counts
