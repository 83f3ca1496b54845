"""The harness's own judgement of a console: what was announced, what was not, what did not come."""

from tests.harness.trouble import Announced

FAULT = "[ 0.1] cpu0 deck storage.0: FAULT page fault reading 0x0, pc 0x1234"
BACKTRACE = "[ 0.1] cpu0 deck storage.0: backtrace deck/storage: 0x1234 0x5678"
OTHER = "[ 0.2] cpu1 deck hardware.0: FAULT killed by injection"
PANIC = "[ 0.3] cpu0 PANIC: believed X, saw Y"
IOMMU = "[ 0.4] cpu0 iommu: fault: device 00:03.0 writing 0x1000, reason 5"
PLAIN = "[ 0.5] cpu0 program hello: exit 0"


def complaints(lines: list[str], *announced: str) -> list[str]:
    return list(Announced(list(announced)).complaints(lines))


def test_a_quiet_console_gives_no_complaint() -> None:
    assert complaints([PLAIN]) == []


def test_each_fault_panic_and_backtrace_is_a_complaint() -> None:
    lines = [FAULT, BACKTRACE, PLAIN, PANIC, IOMMU]

    assert complaints(lines) == [
        f"not announced: {line}" for line in (FAULT, BACKTRACE, PANIC, IOMMU)
    ]


def test_an_announced_fault_takes_its_backtrace_along() -> None:
    assert complaints([FAULT, BACKTRACE, PLAIN], "deck storage") == []


def test_an_announcement_covers_no_other_deck() -> None:
    assert complaints([FAULT, BACKTRACE, OTHER], "deck storage") == [f"not announced: {OTHER}"]


def test_a_backtrace_without_its_fault_is_a_complaint() -> None:
    assert complaints([OTHER, FAULT, BACKTRACE], "deck hardware") == [
        f"not announced: {FAULT}",
        f"not announced: {BACKTRACE}",
    ]


def test_what_was_announced_has_to_come() -> None:
    assert complaints([PLAIN], "deck storage") == ["announced, but did not come: deck storage"]
