"""The programs of `kwe bench`: what they say of their work holds."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.harness.plugin import Boot, Kwe
from tools.bench.guests import BEGIN, LINE, make_input
from tools.kwe import abi
from tools.kwe.tree import Build

RECORDS = {65536: 2, 4096: 40}  # the second is more than one batch
MASK = (1 << 64) - 1


@pytest.fixture
def disk(kwe: Kwe, tmp_path: Path) -> Path:
    folder = tmp_path / "bench"
    folder.mkdir()
    (folder / "in.dat").write_bytes(make_input(4 * 65536))
    made = kwe("disk", "make", tmp_path / "bench.img", f"bench={folder}")
    assert made.status == 0, made.err
    return tmp_path / "bench.img"


def fold_of(data: bytes, record_bytes: int) -> str:
    """Return the digest of the digests, as bench.h says."""
    fold = 0
    for number in range(RECORDS[record_bytes]):
        record = data[number * record_bytes :][:record_bytes]
        head = int.from_bytes(hashlib.sha256(record).digest()[:8], "little")
        fold = ((fold ^ head) * 0x9E3779B97F4A7C15) & MASK
        fold ^= fold >> 29
    return f"{fold:016x}"


def figures_of(lines: list[str]) -> list[dict[str, object]]:
    figures = [json.loads(match[1]) for line in lines if (match := LINE.search(line))]
    assert sum(BEGIN.search(line) is not None for line in lines) == len(figures)
    return figures


def test_the_pipeline_tells_the_digest_of_the_records_it_was_given(
    boot: Boot, image: Build, disk: Path
) -> None:
    counts = " ".join(str(count) for count in RECORDS.values())

    with boot("pipeline_bench", image=image, disk=disk, files={"bench": counts.encode()}) as guest:
        assert guest.exit_code == abi.EXIT_DONE
        figures = figures_of(guest.lines)

    data = make_input(4 * 65536)
    for record_bytes, count in RECORDS.items():
        of_size = [f for f in figures if f["record_bytes"] == record_bytes and "fold" in f]
        assert [f["variant"] for f in of_size] == ["compute", "kwe-first", "kwe"]
        assert {f["fold"] for f in of_size} == {fold_of(data, record_bytes)}
        assert len({f["out_bytes"] for f in of_size}) == 1
        assert {f["ops"] for f in of_size} == {count}
    assert [(f["bench"], f["batch"]) for f in figures][-1] == ("latency", 1)


@pytest.mark.parametrize("counts", ["0 4", "4", "no numbers"])
def test_settings_that_are_no_two_counts_are_refused(
    boot: Boot, image: Build, disk: Path, counts: str
) -> None:
    with boot("pipeline_bench", image=image, disk=disk, files={"bench": counts.encode()}) as guest:
        assert guest.exit_code == abi.EXIT_PROGRAM_FAILED
        assert any("opt/kwe/bench is not two counts" in line for line in guest.lines)


def test_hops_are_told_by_batch(boot: Boot, image: Build, disk: Path) -> None:
    with boot("hop_bench", image=image, disk=disk) as guest:
        assert guest.exit_code == abi.EXIT_DONE
        figures = figures_of(guest.lines)

    assert [(f["batch"], f["ops"]) for f in figures] == [(1, 2048 * 9), (64, 2048 * 9)]


def test_loads_are_told_at_peak_and_ten_times_it_and_graphs_with_their_bound(
    boot: Boot, image: Build
) -> None:
    with boot("load_bench", image=image) as guest:
        assert guest.exit_code == abi.EXIT_DONE
        figures = figures_of(guest.lines)

    assert [(f["bench"], f["variant"], f["batch"]) for f in figures] == [
        ("overload", "kwe-peak", 32),
        ("overload", "kwe", 320),
        ("makespan", "kwe", 1),
        ("makespan", "bound", 1),
    ]
    taken, least = (f["ns"] for f in figures if f["bench"] == "makespan")
    assert isinstance(taken, int)
    assert isinstance(least, int)
    assert taken >= least > 0
