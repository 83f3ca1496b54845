"""The Guide as a process: tests/host/guide/host_guide.c and its lines."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Work:
    instance: int
    ticket: int
    cookie: int
    stage: int
    part: int
    offset: int
    capacity: int
    params: bytes
    inputs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Result:
    cookie: int
    status: int
    stage: int
    step: int
    length: int
    offset: int
    value: int


class GuideError(AssertionError):
    """The program has ended: a sanitizer, or an assertion of its own."""


class Guide:
    """Ask, and read what it says: answers, and what it told meanwhile."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.works: list[Work] = []
        self.results: list[Result] = []
        self.recalls: set[tuple[int, int]] = set()
        self.stuck: list[int] = []

    def ask(self, command: str) -> str:
        """Return the first word that is no news, with what follows it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        answer = ""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            word, _, rest = line.rstrip("\n").partition(" ")
            match word:
                case ".":
                    return answer
                case "work":
                    self.works.append(_work(rest))
                case "result":
                    self.results.append(Result(*map(int, rest.split())))
                case "recall":
                    instance, ticket = map(int, rest.split())
                    self.recalls.add((instance, ticket))
                case "stuck":
                    self.stuck.append(int(rest))
                case _:
                    answer = line.strip()
        raise GuideError(f"the Guide ended with {self.process.wait()} at: {command[:80]}")


def _work(line: str) -> Work:
    instance, ticket, cookie, stage, part, offset, capacity, params, *inputs = line.split()
    pairs = tuple(tuple(map(int, pair.split(":"))) for pair in inputs)
    return Work(
        int(instance),
        int(ticket),
        int(cookie),
        int(stage),
        int(part),
        int(offset),
        int(capacity),
        bytes.fromhex(params),
        tuple((at, length) for at, length in pairs),
    )


@contextmanager
def running(program: Path) -> Iterator[Guide]:
    """Run it until the block is left."""
    with subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Guide(process)
        except BaseException:
            process.kill()
            raise
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=20) == 0
